"""The records of files that were rejected: counted by reason, with where the first ones stand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from stream.codec.dead_letter_reasons import Reason, Rejected

_NAMED: Final = 3
"""How many records of one reason have their location kept."""


@dataclass(slots=True)
class RejectedRecords:
    """Those rejected for one reason."""

    reason: Reason
    detail: str
    """What was wrong with the first of them."""
    count: int = 0
    locations: list[str] = field(default_factory=list)
    """File and line of the first ones, `file:line`."""


class Rejections:
    """All rejected records of one run, in the order of the first record of each reason."""

    def __init__(self) -> None:
        self._of: dict[Reason, RejectedRecords] = {}

    def __iter__(self) -> Iterator[RejectedRecords]:
        return iter(self._of.values())

    def __bool__(self) -> bool:
        return bool(self._of)

    @property
    def count(self) -> int:
        """How many records were rejected, for whatever reason."""
        return sum(each.count for each in self)

    def add(self, rejected: Rejected, location: str) -> None:
        """Count a record; `location` is its file and line, empty where that is not known any more."""
        records = self._of.get(rejected.reason)
        if records is None:
            records = self._of[rejected.reason] = RejectedRecords(rejected.reason, rejected.detail)
        records.count += 1
        if location and len(records.locations) < _NAMED:
            records.locations.append(location)

    def describe_first(self) -> str:
        """Where the first rejected record stands and what is wrong with it; there must be one."""
        first = next(iter(self))
        return ": ".join((*first.locations[:1], first.reason, first.detail))
