"""The deliveries of one endpoint that wait on one partition: in order per customer, and by when they are due.

    add ----> queue of its customer, as its head ----> ready ----> take ----> under way
                                                         ^                        |
                                                         |  its time has come     v
                                                       later <---- failed; or settled: the next one is the head

Only the head of a customer's queue is ever sent, so that what the customer did is told in its order. Each customer with
a queue is under way, or has a place among those that are ready or among those that are due later. A place may be left
behind by a delivery that was dropped: it is passed over when its turn comes.
"""

from collections import deque
from collections.abc import Generator, Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from stream.codec.deliveries import EndpointState, lifecycle_of, subject_of
from stream.webhooks.deliveries.delivery import ENDED, UNDER_WAY, WAITS, Delivery

_UNTIDY: Final = 1_000
_YIELD_EVERY: Final = 1_000

_Queue = Delivery | deque[Delivery]


class Waiting:
    """What waits for one endpoint."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.state = EndpointState()
        self.count = 0
        """Deliveries that wait, those under way included."""
        self._queues: dict[str, _Queue] = {}
        """By subject, in the order in which they came."""
        self._arrivals: deque[Delivery] = deque()
        """All of them in that order, and some that wait no more."""
        self._ready: deque[str] = deque()
        self._later: list[tuple[int, str]] = []
        """A heap, by when they are due."""

    def add(self, subject: str, delivery: Delivery) -> None:
        """Put a delivery behind those of its subject; its order is higher than that of all that wait."""
        self._tidy()
        self._arrivals.append(delivery)
        self._queue(subject, delivery)

    def _queue(self, subject: str, delivery: Delivery) -> None:
        queue = self._queues.get(subject)
        self.count += 1
        if queue is None:
            self._queues[subject] = delivery
            self._place(subject, delivery)
        elif isinstance(queue, deque):
            queue.append(delivery)
        else:
            self._queues[subject] = deque((queue, delivery))

    def restore(self, delivery: Delivery) -> None:
        """As `add`, in whatever order; `restored` comes at the end."""
        self._arrivals.append(delivery)

    def restored(self) -> Generator[None, None, None]:
        """All that waits is there again: put it in order."""
        self._arrivals = deque(sorted(self._arrivals, key=_order))
        for number, delivery in enumerate(self._arrivals):
            if number % _YIELD_EVERY == 0:
                yield
            self._queue(subject_of(delivery.event_id), delivery)

    def holds(self, subject: str, event_id: str) -> bool:
        """Whether this change waits already."""
        queue = self._queues.get(subject)
        if isinstance(queue, deque):
            return any(each.event_id == event_id for each in queue)
        return queue is not None and queue.event_id == event_id

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
        return queue[0] if isinstance(queue, deque) else queue

    @property
    def oldest(self) -> Delivery | None:
        """The one that waits for the longest."""
        return next((each for each in self._arrivals if each.stands != ENDED), None)

    @property
    def is_ready(self) -> bool:
        """Whether any may be sent that was not taken yet."""
        return bool(self._ready)

    def next_due(self, since: int) -> int | None:
        """When something may be sent that could not be at `since`; None: nothing, without something else coming first.

        What may be sent already waits for room with its endpoint, and is not due again.
        """
        state = self.state
        if not state.is_open:
            return None
        if self._ready or (self._later and self._later[0][0] <= since):
            return state.not_before if state.not_before > since else None
        return max(self._later[0][0], state.not_before) if self._later else None

    def take(self, most: int, now: int) -> list[tuple[str, Delivery]]:
        """Deliveries that may be sent, at most so many; they are under way until `settle`, `again` or `give_back`."""
        if not self.state.is_open or now < self.state.not_before:
            return []
        self._wake(most, now)  # not all that are due: after an outage that is each of them
        taken: list[tuple[str, Delivery]] = []
        while len(taken) < most and (self._ready or self._wake(most, now)):
            subject = self._ready.popleft()
            head = self.head(subject)
            if head is None or head.stands == UNDER_WAY:
                continue
            if head.attempts and head.due > now:  # of one that was dropped; or the clock went back
                self._place(subject, head)
                continue
            head.stands = UNDER_WAY
            taken.append((subject, head))
        return taken

    def _wake(self, most: int, now: int) -> int:
        """How many, of those whose time has come, are ready now: at most so many."""
        woken = 0
        while woken < most and self._later and self._later[0][0] <= now:
            due, subject = heappop(self._later)
            head = self.head(subject)
            if head is not None and head.attempts and head.due == due and head.stands == WAITS:
                self._ready.append(subject)
                woken += 1
        return woken

    def is_under_way(self, subject: str) -> bool:
        """Whether the head of this subject was taken."""
        head = self.head(subject)
        return head is not None and head.stands == UNDER_WAY

    def give_back(self, subject: str) -> None:
        """It was not sent after all."""
        head = self.head(subject)
        if head is not None and head.stands == UNDER_WAY:
            head.stands = WAITS
            self._ready.appendleft(subject)

    def settle(self, subject: str) -> None:
        """The head is done; the next one of the subject takes its place."""
        done = self._take_out(subject, 0)
        placed = done.stands == WAITS and not done.attempts
        done.stands = ENDED
        head = self.head(subject)
        if head is not None and not placed:
            self._place(subject, head)

    def again(self, subject: str, due: int) -> None:
        """The head failed: it is due again at that time."""
        head = self._head(subject)
        head.stands = WAITS
        head.attempts += 1
        head.due = due
        self._place(subject, head)

    def drop_oldest(self, subject: str) -> Delivery | None:
        """Take out the oldest delivery of a subject that is not under way; None where there is none."""
        head = self.head(subject)
        if head is None or head.stands == WAITS:
            if head is not None:
                self.settle(subject)
            return head
        return self._drop(subject, 1) if self.length(subject) > 1 else None

    def drop_oldest_of_all(self) -> Delivery | None:
        """Take out the oldest delivery that is not under way; None where there is none."""
        passed: list[Delivery] = []
        found: Delivery | None = None
        while self._arrivals and found is None:
            delivery = self._arrivals.popleft()
            if delivery.stands == UNDER_WAY:
                passed.append(delivery)
            elif delivery.stands == WAITS:
                found = self.drop_oldest(subject_of(delivery.event_id))
        self._arrivals.extendleft(reversed(passed))
        return found

    def supersede(self, subject: str, lifecycle: str) -> Iterator[Delivery]:
        """Take out what a later change of this lifecycle makes needless: all that are not under way."""
        place = 1 if self.is_under_way(subject) else 0
        while place < self.length(subject):
            each = self.at(subject, place)
            if lifecycle_of(each.event_id) != lifecycle:
                place += 1
            elif place:
                yield self._drop(subject, place)
            else:
                self.settle(subject)
                yield each

    def at(self, subject: str, place: int) -> Delivery:
        """The one that stands there in the subject's order."""
        queue = self._queues[subject]
        return queue[place] if isinstance(queue, deque) else queue

    def _head(self, subject: str) -> Delivery:
        return self.at(subject, 0)

    def _take_out(self, subject: str, place: int) -> Delivery:
        queue = self._queues[subject]
        self.count -= 1
        if isinstance(queue, deque):
            taken = queue[place]
            del queue[place]
            if len(queue) == 1:
                self._queues[subject] = queue[0]
        else:
            taken = queue
            del self._queues[subject]
        return taken

    def _drop(self, subject: str, place: int) -> Delivery:
        """Take out one that is not the head."""
        dropped = self._take_out(subject, place)
        dropped.stands = ENDED
        return dropped

    def _place(self, subject: str, head: Delivery) -> None:
        """Give a subject its place: a delivery that was never tried is due at once."""
        if head.attempts:
            heappush(self._later, (head.due, subject))
        else:
            self._ready.append(subject)

    def _tidy(self) -> None:
        """What dropped deliveries left behind goes once it is much."""
        while self._arrivals and self._arrivals[0].stands == ENDED:
            self._arrivals.popleft()
        if len(self._arrivals) > 2 * self.count + _UNTIDY:
            self._arrivals = deque([each for each in self._arrivals if each.stands != ENDED])
        if len(self._ready) + len(self._later) > 2 * len(self._queues) + _UNTIDY:
            self._ready, self._later = deque(), []
            for subject in self._queues:
                head = self._head(subject)
                if head.stands == UNDER_WAY:
                    continue
                if head.attempts:
                    self._later.append((head.due, subject))
                else:
                    self._ready.append(subject)
            heapify(self._later)


def _order(delivery: Delivery) -> int:
    return delivery.order
