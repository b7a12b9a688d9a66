"""The deliveries of one partition, and what becomes of them: they come, are taken, are tried again, end."""

from collections.abc import Generator, Mapping
from typing import Final

from stream.codec import deliveries as records_of
from stream.codec.deliveries import GivenUp, lifecycle_of, place_of, subject_of
from stream.codec.packed_changes import ChangePacker, PackedChange
from stream.codec.trace_context import TraceContext
from stream.webhooks.deliveries.counts import DeliveryCounts
from stream.webhooks.deliveries.delivery import Delivery
from stream.webhooks.deliveries.news import Attempted, Taken
from stream.webhooks.deliveries.outbox import Outbox
from stream.webhooks.deliveries.schedule import FAILING_FOR, next_due
from stream.webhooks.deliveries.waiting import Waiting
from stream.webhooks.endpoint import MOST_WAITING, MOST_WAITING_OF_ONE, Endpoint
from stream.webhooks.exchange import Verdict

PACKED_FROM: Final = 1_000
"""Where more wait than this, the values of those that come are packed: they will lie for a while."""
_NOTHING: Final = "", 0, b"", PackedChange(b"", b"")


class Deliveries:
    """Those that wait, by endpoint. What changes is told to an outbox, a new one for each batch."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = endpoints
        """Those that the file names now."""
        self.waiting: dict[str, Waiting] = {}
        """By endpoint, also of those that the file does not name any more."""
        self.counts = DeliveryCounts()
        self.outbox = Outbox(self.counts)
        self._are_many = False
        self._order = 0
        """Higher than that of any that waits."""
        self._packer = ChangePacker()
        self._last: tuple[str, int, bytes, PackedChange] = _NOTHING
        """Id, when it came, value and packed value of what was restored last: the next often shares some of it."""

    def take_counts(self) -> DeliveryCounts:
        """What was done since this was last called; between two batches."""
        counts, self.counts = self.counts, DeliveryCounts()
        return counts

    def begin(self) -> Outbox:
        """A batch begins."""
        self.outbox = Outbox(self.counts)
        self._are_many = sum(each.count for each in self.waiting.values()) >= PACKED_FROM
        return self.outbox

    def kept(self, lifecycle: str, value: bytes) -> bytes | PackedChange:
        """The value of a change as it is to be kept: packed where many wait."""
        return self._packer.pack(lifecycle, value) if self._are_many else value

    def of(self, endpoint: str) -> Waiting:
        """What waits for this endpoint."""
        waiting = self.waiting.get(endpoint)
        if waiting is None:
            waiting = self.waiting[endpoint] = Waiting(endpoint)
        return waiting

    def restore(self, key: bytes, value: bytes) -> None:
        """Read a record of the changelog; `restored` comes at the end. Raises StateError."""
        kind = key[:1]
        if kind == records_of.ENDPOINT:
            self.of(key[1:].decode()).state = records_of.decode_endpoint(value)
        elif kind == records_of.DELIVERY:
            written = records_of.decode_waiting(value)
            endpoint, event_id = records_of.split_delivery_key(key)
            known_id, came, known_value, packed = self._last
            if written.value != known_value:
                packed = self._packer.pack(lifecycle_of(event_id), written.value)
            # Endpoints share what they have of one change, and changes when they came.
            event_id = known_id if event_id == known_id else event_id
            came = came if written.came == came else written.came
            self._last = event_id, came, written.value, packed
            self._order = max(self._order, written.order + 1)
            self.of(endpoint).restore(
                Delivery(
                    event_id,
                    packed,
                    written.order,
                    came,
                    attempts=written.attempts,
                    due=written.due,
                    context=written.context,
                )
            )

    def restored(self) -> Generator[None, None, None]:
        """All that waits is there again: put it in order."""
        self._last = _NOTHING
        for waiting in self.waiting.values():
            yield from waiting.restored()

    def next_due(self, since: int) -> int | None:
        """When something may be sent that could not be at `since`; None: nothing, by time alone."""
        found = [
            due
            for name, waiting in self.waiting.items()
            if self._sends(name) and (due := waiting.next_due(since)) is not None
        ]
        return min(found, default=None)

    def _sends(self, endpoint: str) -> bool:
        named = self.endpoints.get(endpoint)
        return named is not None and named.enabled

    def take(self, endpoint: str, most: int, now: int) -> list[Taken]:
        """Deliveries that may be sent now, at most so many; they are under way until their result is known."""
        waiting = self.waiting.get(endpoint)
        if waiting is None or not self._sends(endpoint):
            return []
        return [
            Taken(endpoint, subject, each.event_id, each.came, each.attempts, each.value, each.context)
            for subject, each in waiting.take(most, now)
        ]

    def awaits(self, taken: Taken) -> bool:
        """Whether it is under way, and what became of it is not known yet."""
        return self._is_head(taken) and self.waiting[taken.endpoint].is_under_way(taken.subject)

    def _is_head(self, taken: Taken) -> bool:
        waiting = self.waiting.get(taken.endpoint)
        head = None if waiting is None else waiting.head(taken.subject)
        return head is not None and (head.event_id, head.came, head.attempts) == taken[2:5]

    def give_back(self, taken: Taken) -> None:
        """It was not sent after all."""
        if self._is_head(taken):
            self.waiting[taken.endpoint].give_back(taken.subject)

    def enqueue(
        self,
        endpoint: str,
        event_id: str,
        value: bytes,
        kept: bytes | PackedChange,
        wall: int,
        context: TraceContext | None = None,
    ) -> None:
        """A change begins to wait for an endpoint; `kept` is its value, packed or not, `context` its trace."""
        waiting, subject = self.of(endpoint), subject_of(event_id)
        if waiting.holds(subject, event_id):
            return
        self.counts.came[endpoint] += 1
        named = self.endpoints.get(endpoint)
        if named is not None and named.only_latest and not self._supersede(waiting, subject, event_id):
            self.counts.superseded[endpoint] += 1
            return
        delivery = Delivery(event_id, kept, self._order, wall, context=context)
        self._order += 1
        waiting.add(subject, delivery)
        self.outbox.keep(endpoint, delivery, value)
        if waiting.length(subject) > MOST_WAITING_OF_ONE and (dropped := waiting.drop_oldest(subject)) is not None:
            self._overflow(waiting, dropped, f"more than {MOST_WAITING_OF_ONE} of this customer waited", wall)
        most = MOST_WAITING if named is None else named.most_waiting
        while waiting.count > most and (oldest := waiting.drop_oldest_of_all()) is not None:
            self._overflow(waiting, oldest, f"more than {most} waited", wall)
            if self.outbox.is_full:  # the bound was lowered: the rest goes with the next ones
                break

    def _supersede(self, waiting: Waiting, subject: str, event_id: str) -> bool:
        """Drop what this change makes needless; False: a later one of the same lifecycle waits already."""
        lifecycle, place = lifecycle_of(event_id), place_of(event_id)
        for each in waiting.of(subject):
            if lifecycle_of(each.event_id) == lifecycle and place_of(each.event_id) > place:
                return False
        for dropped in waiting.supersede(subject, lifecycle):
            self.outbox.forget(waiting.endpoint, dropped.event_id)
            self.counts.superseded[waiting.endpoint] += 1
        return True

    def _overflow(self, waiting: Waiting, dropped: Delivery, why: str, wall: int) -> None:
        self.outbox.forget(waiting.endpoint, dropped.event_id)
        self.outbox.give_up(waiting.endpoint, dropped.event_id, dropped.value, "overflow", why, dropped.attempts, wall)

    def attempted(self, news: Attempted) -> int:
        """What became of an attempt; how many inputs that was: one that is not awaited any more changes nothing."""
        if not self._is_head(news.taken):
            return 0
        endpoint, outcome = news.taken.endpoint, news.outcome
        waiting, verdict = self.waiting[endpoint], outcome.verdict
        self.counts.attempts[endpoint, verdict.value] += 1
        self._judge(waiting, news)
        if outcome.wait is not None:
            until = news.ended + round(outcome.wait * 1000)
            if until > waiting.state.not_before:
                self.set_state(endpoint, not_before=until)
        if verdict is Verdict.DELIVERED:
            self._done(waiting, news)
            self.counts.delivered.append((endpoint, news.at - news.taken.came))
        elif verdict is Verdict.REFUSED:
            self._lost(waiting, news, "refused")
        else:
            self._failed(waiting, news)
        return 1

    def _failed(self, waiting: Waiting, news: Attempted) -> None:
        taken, is_gone = news.taken, news.outcome.verdict is Verdict.GONE
        due = next_due(taken.event_id, taken.endpoint, taken.attempts + 1, news.ended)
        if self._is_superseded(waiting, taken):
            self._done(waiting, news)
            self.counts.superseded[taken.endpoint] += 1
        elif due is None and not is_gone:
            self._lost(waiting, news, "exhausted")
        else:
            head = waiting.at(taken.subject, 0)
            due = max(due or news.ended, waiting.state.not_before)
            waiting.again(taken.subject, due)
            if not head.is_packed:
                head.keep(self.kept(lifecycle_of(taken.event_id), taken.value))
            self.outbox.keep(taken.endpoint, head, taken.value)
            self.outbox.tell(news, due)

    def _is_superseded(self, waiting: Waiting, taken: Taken) -> bool:
        named = self.endpoints.get(taken.endpoint)
        if named is None or not named.only_latest:
            return False
        lifecycle = lifecycle_of(taken.event_id)
        return sum(lifecycle_of(each.event_id) == lifecycle for each in waiting.of(taken.subject)) > 1

    def _done(self, waiting: Waiting, news: Attempted) -> None:
        waiting.settle(news.taken.subject)
        self.outbox.forget(waiting.endpoint, news.taken.event_id)
        self.outbox.tell(news, None)

    def _lost(self, waiting: Waiting, news: Attempted, reason: GivenUp) -> None:
        taken = news.taken
        self._done(waiting, news)
        self.outbox.give_up(
            taken.endpoint, taken.event_id, taken.value, reason, news.outcome.reason, taken.attempts + 1, news.at
        )

    def _judge(self, waiting: Waiting, news: Attempted) -> None:
        """Keep since when every attempt failed, and disable an endpoint that is gone or failed for days."""
        verdict, since = news.outcome.verdict, waiting.state.failing_since
        if verdict in (Verdict.DELIVERED, Verdict.REFUSED):
            # Without an answer nothing was sent: that says nothing of the endpoint.
            if since is not None and news.status is not None:
                self.set_state(waiting.endpoint, failing_since=None)
            return
        if since is not None and news.last_delivered is not None and news.last_delivered >= since:
            since = None
        if verdict is Verdict.GONE:
            self._disable(waiting, news.at, news.outcome.reason)
        elif since is None:
            self.set_state(waiting.endpoint, failing_since=news.at)
        elif news.at - since >= FAILING_FOR:
            self._disable(waiting, news.at, "every attempt of five days failed")

    def _disable(self, waiting: Waiting, at: int, reason: str) -> None:
        if waiting.state.disabled_at is None:
            self.set_state(waiting.endpoint, disabled_at=at, disabled_reason=reason)
            self.counts.disabled[waiting.endpoint] = reason

    def resume(self, endpoint: str) -> None:
        """Send again, whatever kept it from it."""
        self.set_state(endpoint, paused_at=None, disabled_at=None, disabled_reason="", failing_since=None, not_before=0)

    def set_state(self, endpoint: str, **changes: int | str | None) -> None:
        """Change what is known of an endpoint: fields of `EndpointState`."""
        waiting = self.of(endpoint)
        waiting.state = waiting.state.but(**changes)
        self.outbox.keep_endpoint(endpoint, waiting.state)
