"""The deliveries of one endpoint that wait on one partition: in order per customer, and by when they are due.

    add ----> queue of its customer ----> head due? ----> ready ----> take ----> under way
                                             |  not yet                              |
                                             v                                       v
                                           later  <---- failed: due again ------  settled: the next one is the head

Only the head of a customer's queue is ever sent, so that what the customer did is told in its order.
"""

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from stream.codec.deliveries import EndpointState
from stream.codec.packed_changes import pack, unpack

PACKED_FROM: Final = 2_000
"""Where more wait than this, the values of those that come are packed: they will lie for a while."""
_UNTIDY: Final = 1_000


class Delivery:
    """One change that waits for one endpoint; times are epoch milliseconds."""

    __slots__ = ("_packed", "_value", "attempts", "came", "due", "event_id", "order")

    def __init__(self, event_id: str, value: bytes, order: int, came: int, *, attempts: int = 0, due: int) -> None:
        self.event_id = event_id
        self.order = order
        """Deliveries of one customer are sent in this order."""
        self.came = came
        """When it began to wait."""
        self.attempts = attempts
        """Those that failed."""
        self.due = due
        """When it may be sent."""
        self._value = value
        self._packed = False

    @property
    def value(self) -> bytes:
        """The change, as on the topic of stage changes."""
        return unpack(self._value) if self._packed else self._value

    def pack(self) -> None:
        """Keep it in less memory."""
        if not self._packed:
            self._value, self._packed = pack(self._value), True


_Queue = Delivery | deque[Delivery]


class Waiting:
    """What waits for one endpoint."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.state = EndpointState()
        self.count = 0
        """Deliveries that wait, those under way included."""
        self.not_before = 0
        """The endpoint asked to be left alone until then, epoch milliseconds."""
        self._queues: dict[str, _Queue] = {}
        """By subject, the longest waiting first."""
        self._under_way: set[str] = set()
        self._ready: deque[str] = deque()
        self._later: list[tuple[int, str]] = []
        self._woken = 0

    def add(self, subject: str, delivery: Delivery) -> None:
        """Put a delivery behind those of its subject."""
        if self.count >= PACKED_FROM:
            delivery.pack()
        queue = self._queues.get(subject)
        self.count += 1
        if queue is None:
            self._queues[subject] = delivery
            self._await(subject, delivery)
        elif isinstance(queue, deque):
            queue.append(delivery)
        else:
            self._queues[subject] = deque((queue, delivery))

    def restore(self, subject: str, delivery: Delivery) -> None:
        """As `add`, in whatever order; `restored` comes at the end."""
        delivery.pack()
        queue = self._queues.get(subject)
        self.count += 1
        if queue is None:
            self._queues[subject] = delivery
        elif isinstance(queue, deque):
            queue.append(delivery)
        else:
            self._queues[subject] = deque((queue, delivery))

    def restored(self) -> None:
        """All that waits is there again: put it in order."""
        for subject, queue in self._queues.items():
            if isinstance(queue, deque):
                self._queues[subject] = deque(sorted(queue, key=_order))
        queues = sorted(self._queues.items(), key=lambda each: _head(each[1]).came)
        self._queues = dict(queues)
        self._later = [(_head(queue).due, subject) for subject, queue in queues]
        heapify(self._later)

    def holds(self, subject: str, event_id: str) -> bool:
        """Whether this change waits already."""
        return any(each.event_id == event_id for each in self.of(subject))

    def of(self, subject: str) -> Iterator[Delivery]:
        """What waits for one subject, in its order."""
        queue = self._queues.get(subject)
        if queue is None:
            return iter(())
        return iter(queue) if isinstance(queue, deque) else iter((queue,))

    def length(self, subject: str) -> int:
        """How many wait for one subject."""
        queue = self._queues.get(subject)
        if queue is None:
            return 0
        return len(queue) if isinstance(queue, deque) else 1

    def head(self, subject: str) -> Delivery | None:
        """The next one of a subject."""
        queue = self._queues.get(subject)
        return None if queue is None else _head(queue)

    @property
    def oldest(self) -> Delivery | None:
        """About the one that waits for the longest: the head of the queue that began first."""
        return next((_head(queue) for queue in self._queues.values()), None)

    def wake(self, now: int) -> None:
        """What is due by `now` is ready to be taken."""
        self._tidy()
        self._woken = now
        while self._later and self._later[0][0] <= now:
            self._ready.append(heappop(self._later)[1])

    def next_due(self) -> int | None:
        """When something will be ready that is not; None: nothing will, without something else coming first."""
        if not self.state.is_open:
            return None
        if self._ready and self.not_before > self._woken:
            return self.not_before
        return max(self._later[0][0], self.not_before) if self._later else None

    def take(self, most: int, now: int) -> list[tuple[str, Delivery]]:
        """Deliveries that are ready, at most so many; they are under way until `settle`, `again` or `give_back`."""
        if not self.state.is_open or now < self.not_before:
            return []
        taken: list[tuple[str, Delivery]] = []
        while self._ready and len(taken) < most:
            subject = self._ready.popleft()
            head = self.head(subject)
            # Else the place is of one that was dropped, and the head has its own.
            if head is not None and head.due <= now and subject not in self._under_way:
                self._under_way.add(subject)
                taken.append((subject, head))
        return taken

    def is_under_way(self, subject: str) -> bool:
        """Whether the head of this subject was taken."""
        return subject in self._under_way

    def give_back(self, subject: str) -> None:
        """It was not sent after all."""
        if subject in self._under_way:
            self._under_way.remove(subject)
            self._ready.appendleft(subject)

    def settle(self, subject: str) -> None:
        """The head is done; the next one of the subject takes its place."""
        self._under_way.discard(subject)
        queue = self._queues[subject]
        self.count -= 1
        if isinstance(queue, deque):
            queue.popleft()
            if len(queue) == 1:
                self._queues[subject] = queue[0]
            self._await(subject, _head(queue))
        else:
            del self._queues[subject]

    def again(self, subject: str, due: int) -> None:
        """The head failed: it is due again at that time."""
        self._under_way.discard(subject)
        head = _head(self._queues[subject])
        head.attempts += 1
        head.due = due
        head.pack()
        heappush(self._later, (due, subject))

    def drop_oldest(self, subject: str) -> Delivery | None:
        """Take out the oldest delivery of a subject that is not under way; None where there is none."""
        queue = self._queues.get(subject)
        if queue is None:
            return None
        if subject not in self._under_way:
            head = _head(queue)
            self.settle(subject)
            return head
        if not isinstance(queue, deque):
            return None
        head = queue.popleft()
        dropped = queue.popleft()
        queue.appendleft(head)
        self.count -= 1
        if len(queue) == 1:
            self._queues[subject] = head
        return dropped

    def drop_oldest_of_all(self) -> tuple[str, Delivery] | None:
        """Take out about the oldest delivery that is not under way, with its subject."""
        for subject in self._queues:
            dropped = self.drop_oldest(subject)
            if dropped is not None:
                return subject, dropped
        return None

    def _await(self, subject: str, head: Delivery) -> None:
        heappush(self._later, (head.due, subject))

    def _tidy(self) -> None:
        """Places that dropped deliveries left behind go once they are many."""
        if len(self._ready) + len(self._later) > 2 * len(self._queues) + _UNTIDY:
            heads = ((_head(queue).due, subject) for subject, queue in self._queues.items())
            self._later = [each for each in heads if each[1] not in self._under_way]
            heapify(self._later)
            self._ready.clear()


def _head(queue: _Queue) -> Delivery:
    return queue[0] if isinstance(queue, deque) else queue


def _order(delivery: Delivery) -> int:
    return delivery.order
