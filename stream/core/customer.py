"""The state record of one customer: what all lifecycles share, and one life in each of them.

`step` owns the customer that it is handed and changes it in place; a caller that may have to go back
keeps the encoded bytes.
"""

from dataclasses import dataclass
from typing import Final

from stream.core.interaction import ImportedRow, Kind
from stream.core.memory import Memory, TimedPoints
from stream.core.stage_change import Value

Window = tuple[int, int]
"""A window of `at_most` on the grid floor(time / per), and how often the signal counted in it."""

FactState = int | list[int] | tuple[int, Value | None] | TimedPoints | None
"""count: int; sum: millionths; rolling count: ascending times; rolling sum: its points in one column; first and last: a
time; latest and latest_time: (time, value), of which a value that was removed is None; of a ledger: None."""

ID_HASH_BYTES: Final = 8
"""Bytes of a remembered id's hash."""


@dataclass(init=False)
class Life:
    """One customer in one lifecycle. Times are epoch milliseconds; positions follow the lifecycle's file."""

    identified: bool
    """As the customer is: a customer id was seen."""
    clock: int
    """The largest time yet applied here."""
    stage: str
    entered: int
    born: str
    sequence: int
    active: int
    """The latest interaction that is not passive, or the birth where that is later."""
    fired: int
    """Deadlines since the latest interaction."""
    deadline: int | None
    """The next time at which a condition becomes true by the passing of time alone."""
    counts: list[int]
    """Per signal: how often it counted."""
    windows: list[list[Window]]
    """Per signal with `at_most`: the two latest windows in which it counted, older first."""
    sums: list[float]
    """Per slot (signal and score) of a score that decays: points at `ats`; 0.0 elsewhere."""
    ats: list[int]
    """Per slot: the latest time of its points; 0 where there are none."""
    millionths: list[int]
    """Per slot of a permanent score: points in millionths, however many; 0 elsewhere."""
    facts: list[FactState]
    memory: Memory | None
    """What only some lifecycles remember; None where this one does not."""

    def __init__(
        self,
        identified: bool,
        clock: int,
        stage: str,
        entered: int,
        born: str,
        sequence: int,
        active: int,
        fired: int,
        deadline: int | None,
        counts: list[int],
        windows: list[list[Window]],
        sums: list[float],
        ats: list[int],
        millionths: list[int],
        facts: list[FactState],
        memory: Memory | None = None,
    ) -> None:
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
        self.facts = facts
        self.memory = memory


@dataclass(init=False)
class Customer:
    """One subject's record."""

    kind: Kind
    id: str
    identified: bool
    latest: int
    """The largest interaction time."""
    active: int
    """The latest interaction that was not passive everywhere, or the birth where that is later."""
    lives: dict[str, Life]
    """By lifecycle."""
    id_hashes: bytes
    """Hashes of the remembered interaction ids, ID_HASH_BYTES bytes each, in order of arrival."""
    id_times: list[int]
    """Per hash: `latest` right after that interaction; never descending."""
    offset: int
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
        latest: int,
        active: int,
        lives: dict[str, Life] | None = None,
        id_hashes: bytes = b"",
        id_times: list[int] | None = None,
        offset: int = -1,
        quarantined: bool = False,
        rows: list[ImportedRow] | None = None,
    ) -> None:
        self.kind = kind
        self.id = id
        self.identified = identified
        self.latest = latest
        self.active = active
        self.lives = {} if lives is None else lives
        self.id_hashes = id_hashes
        self.id_times = [] if id_times is None else id_times
        self.offset = offset
        self.quarantined = quarantined
        self.rows = rows
        self.edited = None
