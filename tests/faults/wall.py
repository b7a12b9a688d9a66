"""The oracle in `wall` clock, where it depends on the worker between which interactions a deadline was fired.

Each published change says in its `source` before which offset that was. The oracle fires there, and only there, what
was fired; that all of these were deadlines and none is missing shows when changes and states are compared. When a
deadline may have fired, and must have, is a matter of the broker's times.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord

from stream.codec.customers import customer_key
from stream.core.interaction import Kind
from stream.core.step import Model, Passing, due, step
from tests.faults.oracle import Expected, Partition

_FIRED = ("deadline", "forgotten")

Interactions = Sequence[ConsumerRecord[bytes | None, bytes | None]]
Published = Sequence[tuple[dict[str, Any], int]]
"""Values of stage changes, and when the broker had them."""


class WallPartition(Partition):
    """One partition of interactions, replayed with its deadlines where the published changes have them."""

    def __init__(self, model: Model, topic: str, number: int, published: Published) -> None:
        super().__init__(model, topic, number)
        fired = [change for change, _ in published if change["trigger"]["kind"] in _FIRED]
        self._fired = sorted(
            {(change["source"]["offset"], change["at"], _key(change)) for change in fired}, reverse=True
        )

    def replay(self, records: Iterable[ConsumerRecord[bytes | None, bytes | None]]) -> Expected:
        """Every record in the order of the topic, and before it what was fired there."""
        for record in records:
            self._fire_before(record.offset)
            self._take(record)
        self._fire_before(None)
        return self._counted()

    def overdue(self, now: int) -> list[str]:
        """The customers of whom a deadline was due before `now` and has not been fired, a line each."""
        lines = []
        for key, customer in self.expected.customers.items():
            time = due(self._model, customer)
            if time is not None and time < now:
                lines.append(f"{key!r} in partition {self._number}: a deadline was due {now - time} ms ago")
        return lines

    def _fire_before(self, offset: int | None) -> None:
        while self._fired and (offset is None or self._fired[-1][0] <= offset):
            where, at, key = self._fired.pop()
            customer = self.expected.customers.get(key)
            if customer is None:
                continue
            after, changes = step(self._model, customer, Passing(at), self._tally)
            self._keep(key, after)
            self._tell(changes, where)


def too_early(published: Published, records: Interactions, tolerance: int) -> list[str]:
    """Deadlines that were fired before their time, or before interactions that had been there long before it.

    `tolerance` (ms): for so long a worker may not have known of an interaction.
    """
    lines = []
    earliest = _earliest_from(records)
    for change, written in published:
        if change["trigger"]["kind"] not in _FIRED:
            continue
        at, offset = change["at"], change["source"]["offset"]
        if written < at:
            lines.append(f"{_key(change)!r}: fired {at - written} ms before its time")
        later = earliest(offset)
        if later is not None and later < at - tolerance:
            lines.append(f"{_key(change)!r}: fired before an interaction that came {at - later} ms before its time")
    return lines


def _earliest_from(records: Interactions) -> Callable[[int], int | None]:
    """The earliest broker time at an offset or beyond; broker times grow with offsets, so it is the first one's."""
    offsets = [record.offset for record in records]
    times = [record.timestamp for record in records]

    def earliest(offset: int) -> int | None:
        at = bisect_left(offsets, offset)
        return times[at] if at < len(times) else None

    return earliest


def _key(change: Mapping[str, Any]) -> bytes:
    kind: Kind = "customer" if "customer_id" in change else "anonymous"
    return customer_key(kind, change[f"{kind}_id"])
