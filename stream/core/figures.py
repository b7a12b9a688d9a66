"""Figures: sums over all customers for each day, such as visitors, orders and revenue.

A day is one of the calendar of the lifecycle's time zone; an interaction counts on its own day, however late it comes.
Amounts are integer millionths, and so exact. What a customer's interactions change by is gathered here, in a tally;
whoever applies many of them adds it to the figures of the days.

Two kinds of figures. Most take each interaction as it comes, as a signal does. One *of a ledger* is what the entries
of the ledger come to: each order on the day of its smallest time, with what it finally was worth, and a return on its
own day, or on that of its order. So it does not matter in which order they arrive.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from stream.core.amounts import Amount
from stream.core.ledgers import Ledger
from stream.core.time_zone import TimeZone, Unit

MAX_FIGURES: Final = 64
MAX_BY: Final = 16
"""Facts by which figures are divided into segments."""
KEPT_WINDOWS: Final = 8
"""Days, weeks or months in which a customer counted that are kept for `at_most`, the latest ones."""

Per = Unit | Literal["ever", ""]
"""Within what `at_most` counts; `ever` is `once`, nothing: there is no limit."""
Segments = tuple[str | None, ...]
"""Of a customer: per fact of `by` its value as text; None: it has none yet."""


@dataclass(frozen=True)
class Figure:
    """One figure of a lifecycle."""

    name: str
    title: str
    index: int
    amount: Amount | None
    """What is added up; None: it counts."""
    per: Per
    times: int
    """How often a customer counts within `per`."""
    window: int
    """The place of its windows in `Memory.figures`; -1: none."""
    ledger: Ledger | None
    """Whose entries it is made of; None: of interactions."""
    takes_returns: bool
    """Of a ledger: what is returned is taken away."""
    on_order_day: bool
    """Returns are taken from the day of their order, not from their own."""
    words: tuple[str, ...]
    """What it counts, as the file has it."""
    minus: tuple[str, ...]
    limit_text: str
    """The limit in words; empty where there is none."""
    label: tuple[str, str] = ("", "")
    """The lifecycle's id and the figure's name."""
    mark: str = ""
    """Of what it says but for the title: 16 hex digits. Where it changes, the figure begins from nothing."""
    where: str = ""
    """The condition on what counts, as the file has it; empty: none."""
    over: str = ""
    """The list whose elements count, as the file has it; empty: interactions do."""
    ledger_name: str = ""
    """The ledger that it names, whether it is made of its entries or not; empty: none."""

    @property
    def is_money(self) -> bool:
        """Its values are millionths; else they are counts."""
        return self.amount is not None


@dataclass(frozen=True)
class Rate:
    """One figure divided by another."""

    name: str
    title: str
    of: str
    to: str
    percent: bool


class SegmentFact(NamedTuple):
    """A fact of kind `latest`, whose values make segments."""

    name: str
    place: int
    """Its index among the facts."""


@dataclass(frozen=True)
class FigureSet:
    """The figures of a lifecycle."""

    figures: tuple[Figure, ...]
    by: tuple[SegmentFact, ...]
    """The facts that make segments."""
    rates: tuple[Rate, ...]
    zone: TimeZone
    windows: tuple[tuple[str, str], ...]
    """Per place in `Memory.figures`: the figure's name, and a fingerprint of what it counts."""
