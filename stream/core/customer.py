"""The state record of one customer: what all lifecycles share, and one life in each of them.

`step` owns the customer that it is handed and changes it in place; a caller that may have to go back
keeps the encoded bytes.
"""

from dataclasses import dataclass
from typing import Final

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from stream.core.interaction import ImportedRow, Kind
from stream.core.memory import Memory, TimedPoints
from stream.core.stage_change import Value

Window = tuple[int, int]
"""A window of `at_most` on the grid floor(time / per), and how often the signal counted in it."""

FactState = list[int] | tuple[int, Value | None] | TimedPoints | None
"""rolling count: ascending times; rolling sum: its points in one column; latest and latest_time: (time, value), of
which a value that was removed is None; of all other kinds: None."""

NEVER: Final = 1 << 62
"""A time that does not come."""
NONE: Final = -(1 << 62)
"""In place of a time: there is none yet."""
IN_LARGE: Final = 1 << 62
"""In place of a number: it stands in `Life.large`."""

ID_HASH_BYTES: Final = 8
"""Bytes of a remembered id's hash."""
WINDOW_NUMBERS: Final = 4
"""Numbers that a signal with `at_most` has in `Life.windows`."""
_NO_TIMES: Final = vec[i64]()


@mypyc_attr(acyclic=True, free_list_len=1)
@dataclass(init=False)
class Life:
    """One customer in one lifecycle. Times are epoch milliseconds; positions follow the lifecycle's file.

    Its numbers lie beside each other, not in an object each: reading and writing a record is mostly making those.
    """

    lifecycle: str
    """The id of the lifecycle."""
    identified: bool
    """As the customer is: a customer id was seen."""
    clock: i64
    """The largest time yet applied here."""
    stage: str
    entered: i64
    born: str
    sequence: i64
    active: i64
    """The latest interaction that is not passive, or the birth where that is later."""
    fired: i64
    """Deadlines since the latest interaction."""
    deadline: i64
    """The next time at which a condition becomes true by the passing of time alone, or NEVER."""
    counts: vec[i64]
    """Per signal: how often it counted."""
    windows: vec[i64]
    """Per signal with `at_most` two windows in which it counted, the older first, each with how often; it is the number
    of times that says whether a window is there."""
    sums: vec[float]
    """Per slot (signal and score) of a score that decays: points at `ats`; 0.0 elsewhere."""
    ats: vec[i64]
    """Per slot: the latest time of its points; 0 where there are none."""
    millionths: vec[i64]
    """Per slot of a permanent score: points in millionths, or IN_LARGE; 0 elsewhere."""
    numbers: vec[i64]
    """Per fact: a count, or a sum in millionths, or IN_LARGE; a first or last time, or NONE; 0 of other kinds."""
    large: dict[int, int] | None
    """Numbers beyond those that `stream.core.exact` keeps in place; None: there is none."""
    facts: list[FactState]
    """Per fact; empty where no fact of the lifecycle is of a kind that needs it."""
    memory: Memory | None
    """What only some lifecycles remember; None where this one does not."""

    def __init__(
        self,
        lifecycle: str,
        identified: bool,
        clock: i64,
        stage: str,
        entered: i64,
        born: str,
        sequence: i64,
        active: i64,
        fired: i64,
        deadline: i64,
        counts: vec[i64],
        windows: vec[i64],
        sums: vec[float],
        ats: vec[i64],
        millionths: vec[i64],
        numbers: vec[i64],
        facts: list[FactState],
        memory: Memory | None = None,
        large: dict[int, int] | None = None,
    ) -> None:
        self.lifecycle = lifecycle
        self.identified = identified
        self.clock = clock
        self.stage = stage
        self.entered = entered
        self.born = born
        self.sequence = sequence
        self.active = active
        self.fired = fired
        self.deadline = deadline
        self.counts = counts
        self.windows = windows
        self.sums = sums
        self.ats = ats
        self.millionths = millionths
        self.numbers = numbers
        self.large = large
        self.facts = facts
        self.memory = memory

    @property
    def due(self) -> int | None:
        """The deadline; None where there is none."""
        return None if self.deadline == NEVER else self.deadline

    def windows_of(self, place: i64) -> list[Window]:
        """The windows of the signal with that place among those with `at_most`, the older first."""
        windows = self.windows
        first = place * WINDOW_NUMBERS
        return [(windows[at], windows[at + 1]) for at in (first, first + 2) if windows[at + 1]]


@mypyc_attr(acyclic=True, free_list_len=1)
@dataclass(init=False)
class Customer:
    """One subject's record."""

    kind: Kind
    id: str
    identified: bool
    latest: i64
    """The largest interaction time."""
    active: i64
    """The latest interaction that was not passive everywhere, or the birth where that is later."""
    by_place: list[Life | None]
    """Per lifecycle of the model, in its order; None: no life began there yet."""
    id_hashes: bytes
    """Hashes of the remembered interaction ids, ID_HASH_BYTES bytes each, in order of arrival."""
    id_times: vec[i64]
    """Per hash: `latest` right after that interaction; never descending."""
    offset: i64
    """The last source offset applied, for brokers without transactions."""
    quarantined: bool
    """A deadline of this customer made our code fail: none is fired any more."""
    rows: list[ImportedRow] | None
    """The last row of each import that is remembered, the latest to arrive last; None: of no import."""
    edited: dict[str, int | None] | None
    """By lifecycle that was edited since the record was written: the deadline that its life had; None: no such life."""

    def __init__(
        self,
        kind: Kind,
        id: str,  # noqa: A002 - the customer's
        identified: bool,
        latest: i64,
        active: i64,
        by_place: list[Life | None] | None = None,
        id_hashes: bytes = b"",
        id_times: vec[i64] = _NO_TIMES,
        offset: i64 = -1,
        quarantined: bool = False,
        rows: list[ImportedRow] | None = None,
    ) -> None:
        self.kind = kind
        self.id = id
        self.identified = identified
        self.latest = latest
        self.active = active
        self.by_place = [] if by_place is None else by_place
        self.id_hashes = id_hashes
        self.id_times = id_times
        self.offset = offset
        self.quarantined = quarantined
        self.rows = rows
        self.edited = None

    @property
    def lives(self) -> dict[str, Life]:
        """By lifecycle; for those who read a customer, not for each interaction."""
        return {life.lifecycle: life for life in self.by_place if life is not None}
