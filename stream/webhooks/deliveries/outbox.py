"""What one batch of deliveries writes: the changelog of what waits, dead letters, and the log of attempts."""

from typing import Final

from stream.codec import deliveries as records_of
from stream.codec.deliveries import EndpointState, GivenUp, WaitingDelivery
from stream.codec.records import Outgoing
from stream.machine.budget import MAX_BYTES
from stream.webhooks.attempt_log import AttemptRecord, encode_attempt
from stream.webhooks.deliveries.counts import DeliveryCounts
from stream.webhooks.deliveries.delivery import Delivery
from stream.webhooks.deliveries.news import Attempted

LONGEST_REASON: Final = 200
"""Characters."""
_PER_RECORD: Final = 200
"""Bytes of a record beside its value, about."""


class Outbox:
    """What is written, in the order in which it was decided."""

    def __init__(self, counts: DeliveryCounts) -> None:
        self.events: list[Outgoing] = []
        self.dead_letters: list[Outgoing] = []
        self._changed: dict[bytes, bytes | None] = {}
        self._counts = counts
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """No more than this belongs into one transaction."""
        return self._bytes > MAX_BYTES

    def touches(self, key: bytes) -> bool:
        """Whether a record with this key is among the changelog's."""
        return key in self._changed

    def keep(self, endpoint: str, delivery: Delivery, value: bytes) -> None:
        """A delivery waits, or waits on; `value` is its own."""
        trace = () if delivery.context is None else delivery.context
        record = WaitingDelivery(
            records_of.FORMAT, delivery.order, delivery.came, delivery.attempts, delivery.due, value, *trace
        )
        self._change(records_of.delivery_key(endpoint, delivery.event_id), records_of.encode(record))

    def forget(self, endpoint: str, event_id: str) -> None:
        """A delivery waits no more."""
        self._change(records_of.delivery_key(endpoint, event_id), None)

    def keep_endpoint(self, endpoint: str, state: EndpointState) -> None:
        """What is known of an endpoint is this now."""
        self._change(records_of.endpoint_key(endpoint), records_of.encode(state))

    def _change(self, key: bytes, value: bytes | None) -> None:
        self._changed[key] = value
        self._bytes += _PER_RECORD + len(value or b"")

    def give_up(
        self, endpoint: str, event_id: str, value: bytes, reason: GivenUp, detail: str, attempts: int, at: int
    ) -> None:
        """A delivery becomes a dead letter."""
        self._counts.given_up[endpoint, reason] += 1
        self.dead_letters.append(records_of.given_up(endpoint, event_id, value, reason, detail, attempts, at))
        self._bytes += _PER_RECORD + len(value)

    def tell(self, news: Attempted, due: int | None) -> None:
        """An attempt, for people: what was sent when and answered with what, and when it is tried again."""
        taken, outcome = news.taken, news.outcome
        kind, _, subject = taken.subject.partition(":")
        record = AttemptRecord(
            id=taken.event_id,
            endpoint=taken.endpoint,
            lifecycle=records_of.lifecycle_of(taken.event_id),
            customer_id=subject if kind == "customer" else None,
            anonymous_id=subject if kind == "anonymous" else None,
            attempt=taken.attempts + 1,
            at=news.at,
            verdict=outcome.verdict,
            status=news.status,
            seconds=round(news.seconds, 6),
            reason=outcome.reason[:LONGEST_REASON],
            next=due,
        )
        self.events.append(Outgoing(subject.encode(), encode_attempt(record)))
        self._bytes += _PER_RECORD

    def state(self) -> list[Outgoing]:
        """Records of the changelog, without the position."""
        return [Outgoing(key, value) for key, value in self._changed.items()]
