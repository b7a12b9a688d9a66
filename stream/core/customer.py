"""The state record of one customer: what all lifecycles share, and one life in each of them.

`step` owns the customer that it is handed and changes it in place; a caller that may have to go back
keeps the encoded bytes.
"""

from dataclasses import dataclass, field

from stream.core.change import Value
from stream.core.interaction import Kind

Window = tuple[int, int]
"""A window of `at_most` on the grid floor(time / per), and how often the signal counted in it."""

FactState = int | list[int] | tuple[int, Value] | None
"""count: int; sum: millionths; rolling: ascending times; first and last: a time; latest: (time, value)."""


@dataclass(slots=True)
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
    """Per signal and score (a slot): points at `ats`, or integer millionths where nothing decays."""
    ats: list[int]
    """Per slot: the latest time of its points; 0 where there are none."""
    facts: list[FactState]


@dataclass(slots=True)
class Customer:
    """One subject's record."""

    kind: Kind
    id: str
    identified: bool
    latest: int
    """The largest interaction time."""
    active: int
    """The latest interaction that was not passive everywhere, or the birth where that is later."""
    lives: dict[str, Life] = field(default_factory=dict)
    remembered: list[tuple[int, int]] = field(default_factory=list)
    """(hash of an interaction's id, `latest` right after it), in order of arrival."""
    offset: int = -1
    """The last source offset applied, for brokers without transactions."""
    quarantined: bool = False
    """A deadline of this customer made our code fail: none is fired any more."""
