"""The oracle in `wall` clock, where it depends on the worker between which interactions a deadline was fired.

Each published change says in its `source` before which offset that was. The oracle fires there, and only there, what
was fired; that all of these were deadlines and none is missing shows when changes and states are compared. When a
deadline may have fired, and must have, is a matter of the broker's times.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.interactions import DEFAULT_BLOCKED
from stream.codec.state.keys import customer_key
from stream.core.inputs import Edit, Passing
from stream.core.interaction import Kind
from stream.core.model import due
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.faults.oracle import Expected, Interaction, Partition
from tests.faults.stints import Stint, Versions
from tests.kit.decoding import decode

_FIRED = ("deadline", "forgotten")
_BY_EDIT = "lifecycle"

Interactions = Sequence[Interaction]
Published = Sequence[tuple[dict[str, Any], int]]
"""Values of stage changes, and when the broker had them."""


class _Caused(NamedTuple):
    """What time or an edit did to a customer, as the published changes have it."""

    offset: int
    at: int
    key: bytes
    by_edit: bool
    lifecycle: str
    version: int


class WallPartition(Partition):
    """One partition of interactions, replayed with its deadlines where the published changes have them.

    So it is with edits: whoever moved was considered where the change says. Whoever did not was considered in the
    transaction that first wrote it in the new version, and must not have had to move by the clock that it had.
    """

    def __init__(
        self, versions: Versions, stints: Sequence[Stint], topic: str, number: int, published: Published
    ) -> None:
        super().__init__(versions, stints, topic, number)
        caused = dict.fromkeys(
            _Caused(
                change["source"]["offset"],
                change["at"],
                _key(change),
                change["trigger"]["kind"] == _BY_EDIT,
                change["lifecycle"],
                change["version"],
            )
            for change, _ in published
            if change["trigger"]["kind"] in (*_FIRED, _BY_EDIT)
        )
        self._caused = list(caused)[::-1]
        self._clocks: Mapping[bytes, tuple[int, int]] = {}
        self._unmoved: list[str] = []

    def replay(self, records: Interactions) -> Expected:
        """Every record in the order of the topic, and before it what was caused there."""
        for stint in self._stints:
            self._begin(stint)
            self._clocks = stint.clocks
            for record in records:
                if stint.start <= record.offset < stint.end:
                    self._cause_before(record.offset)
                    if self._tick(record) is None:
                        self._pass_over(record)
                        self._take(record)
            self._cause_before(stint.end)
            for key in stint.keys:
                self._consider_unmoved(key)
        return self._counted()

    def overdue(self, now: int) -> list[str]:
        """What is missing when time has come to `now`, a line each.

        Customers who were not considered after an edit, or not moved by it, or of whom a deadline has not been fired.
        """
        lines = list(self._unmoved)
        for key, customer in self.expected.customers.items():
            if customer.edited is not None:
                lines.append(f"{key!r} in partition {self._number}: was not considered after the last edit")
            time = due(self._model, customer)
            if time is not None and time < now:
                lines.append(f"{key!r} in partition {self._number}: a deadline was due {now - time} ms ago")
        return lines

    def _pass_over(self, record: Interaction) -> None:
        """Whoever acts now was considered before."""
        interaction = decode(record.value, record.timestamp, DEFAULT_BLOCKED)
        if not isinstance(interaction, Rejected):
            self._consider_unmoved(customer_key(interaction.kind, interaction.subject))

    def _consider_unmoved(self, key: bytes) -> None:
        """A customer of a former version was considered, and did not move."""
        customer = self._customer(key)
        if customer is None or customer.edited is None:
            return
        before, after = self._clocks.get(key, (0, 0))
        considered, changes = step(self._model, customer, Edit(before), StepCounts())
        if changes:  # it may have been considered later, with a condition that time alone makes false
            considered = self._customer(key)
            assert considered is not None
            considered.edited = None
            if step(self._model, self._customer(key), Edit(after), StepCounts())[1]:
                self._unmoved.append(f"{key!r} in partition {self._number}: was not moved by an edit: {changes[0]}")
        self.expected.considered += 1
        self._keep(key, considered)

    def _cause_before(self, offset: int) -> None:
        versions = {each.id: each.version for each in self._model.lifecycles}
        while self._caused and self._caused[-1].offset <= offset:
            caused = self._caused[-1]
            if versions.get(caused.lifecycle) != caused.version:
                return  # of the version that takes over
            self._caused.pop()
            if not caused.by_edit:
                self._consider_unmoved(caused.key)
            customer = self._customer(caused.key)
            if customer is None:
                continue
            if caused.by_edit:
                after, changes = step(self._model, customer, Edit(caused.at), self._step_counts)
                self.expected.considered += 1
                self.expected.moved_by_edits += bool(changes)
            else:
                after, changes = step(self._model, customer, Passing(caused.at), self._step_counts)
            self._keep(caused.key, after)
            self._tell(changes, caused.offset)


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
