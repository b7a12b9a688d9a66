"""Customers who cannot be recomputed, since they began before what is kept, or before the latest edit.

Of them is verified what needs no history: that their records can be read, that their stage changes are there without a
gap up to what the record says, and that the current stage is that of the latest one.
"""

from collections.abc import Iterator

from stream.core.customer import Customer, Life
from stream.operations.verification.current_stages import CurrentStages
from stream.operations.verification.findings import Difference, Findings, subject_of
from stream.operations.verification.published import Id, Published
from stream.operations.verification.reach import Reach

_LifeId = tuple[bytes, str, str]
"""Changelog key, lifecycle, and when the life was born."""


class OutOfReach:
    """Those of one partition."""

    def __init__(self, reach: Reach, live_from: int | None, current: CurrentStages, findings: Findings) -> None:
        self._reach = reach
        self._live_from = live_from
        self._current = current
        self._findings = findings
        self._keys: set[bytes] = set()
        self._lives: dict[_LifeId, Life] = {}
        self._changes: dict[_LifeId, dict[int, bytes]] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def add(self, key: bytes, customer: Customer | None, reason: str) -> None:
        """A customer who has a record; None: it cannot be read."""
        if key in self._keys:
            return
        self._keys.add(key)
        self._findings.not_reached[reason] += 1
        if customer is None:
            return
        for lifecycle, life in customer.lives.items():
            self._lives[key, lifecycle, life.born] = life
            self._current.expect_life(self._reach.partition, key, lifecycle, life)
        self._current.leave_open(key)

    def add_change(self, key: bytes, name: Id, change: Published) -> None:
        """A change that is on the topic, of a life that is not recomputed."""
        self._findings.counts["changes out of reach"] += 1
        self._changes.setdefault((key, name.lifecycle, name.born), {})[name.sequence] = change.value

    def finish(self) -> None:
        """After the last change."""
        for each in sorted(self._lives.keys() | self._changes.keys()):
            key, lifecycle, _ = each
            for problem in self._problems(each):
                self._findings.differ(Difference(self._reach.partition, subject_of(key), lifecycle, problem))

    def _problems(self, each: _LifeId) -> Iterator[str]:
        key, lifecycle, born = each
        life, changes = self._lives.get(each), self._changes.get(each, {})
        last = max(changes) if life is None else life.sequence
        first = self._first(life, born, last, changes)
        missing = next((number for number in range(first, last + 1) if number not in changes), None)
        if missing is not None:
            yield f"change {missing} of {born} is missing from stage-changes"
        if changes and max(changes) > last:
            yield f"change {max(changes)} of {born} is on stage-changes, but its record has come to {last} only"
        elif life is not None and last in changes:
            self._current.expect_change(self._reach.partition, key, lifecycle, changes[last])

    def _first(self, life: Life | None, born: str, last: int, changes: dict[int, bytes]) -> int:
        """The first change that must be there."""
        if not self._reach.keeps_all_changes or self._reach.born(born) is None:
            return min(changes, default=last + 1)
        if self._live_from is None:
            return 1
        kept = last if life is not None and life.entered >= self._live_from else last + 1
        return min(changes, default=kept)
