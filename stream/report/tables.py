"""What a report consists of: sections of tables and pictures, of values that know what they are.

Nothing here knows how it is shown: the terminal, CSV, Parquet and the page all read these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["count", "money", "share", "points", "number", "span"]
"""`money` is in millionths of whatever was sent, `share` from 0 to 1, `points` a share that is written without %,
`span` in milliseconds."""


class Value(NamedTuple):
    """A number that knows what it is."""

    kind: Kind
    number: float


class Change(NamedTuple):
    """How much more or less than before, as a share of before; None: there was nothing before."""

    share: float | None
    good: bool | None = None
    """Whether more is better; None: neither."""
    points: bool = False
    """Of two shares it is the difference between them."""


Cell = str | Value | Change | None
"""None: there is nothing to say, such as a share of nobody."""


class Table(NamedTuple):
    """One table. `id` names its file: letters, digits and `_`."""

    id: str
    title: str
    meaning: str
    """One or more sentences: what it says, by which of several usual definitions."""
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    picture: "Picture | None" = None


class Bars(NamedTuple):
    """One bar for each label, and before it the bar of the time before, where it is given."""

    labels: Sequence[str]
    values: Sequence[Value | None]
    before: Sequence[Value | None] = ()
    marked: int | None = None
    """The place of the bar that the report is about."""
    key: tuple[str, str] = ("this period", "the period before")
    """What the two bars are."""


class Steps(NamedTuple):
    """A funnel: how many reached each step."""

    labels: Sequence[str]
    counts: Sequence[int]


class Flow(NamedTuple):
    """How many went from where to where; from and to stand in this order on the two sides."""

    sources: Sequence[str]
    targets: Sequence[str]
    links: Sequence[tuple[str, str, int]]


class Grid(NamedTuple):
    """Shares by row and column, the deeper the colour the more."""

    rows: Sequence[str]
    columns: Sequence[str]
    """Those of the table that have shares: its last ones."""
    cells: Sequence[Sequence[float | None]]

    @property
    def deepest(self) -> float:
        """The share that has the deepest colour; the first column, where everybody is there, does not count."""
        return max((each for row in self.cells for each in row[1:] if each is not None), default=0.0)


Picture = Bars | Steps | Flow | Grid


class Section(NamedTuple):
    """What belongs together under one heading."""

    id: str
    title: str
    meaning: str
    tables: Sequence[Table]


@dataclass
class Report:
    """All of it."""

    title: str
    period: str
    """What it is about, as in `June 2026`."""
    before: str
    """What that is compared with."""
    about: str
    """From when to when the data are, how many, whose days."""
    sentences: list[str] = field(default_factory=list)
    """What matters, in words."""
    sections: list[Section] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """What is not reckoned, and why."""

    @property
    def tables(self) -> list[Table]:
        """Of all sections."""
        return [table for section in self.sections for table in section.tables]


def count(number: int | None) -> Value | None:
    """How many."""
    return None if number is None else Value("count", number)


def money(millionths: int | float | None) -> Value | None:  # noqa: PYI041 - whole ones stay exact
    """An amount, in millionths."""
    return None if millionths is None else Value("money", millionths)


def share(part: float | None) -> Value | None:
    """A share, 0 to 1, and beyond where a definition allows it."""
    return None if part is None else Value("share", part)


def number(found: float | None) -> Value | None:
    """A number that is neither."""
    return None if found is None else Value("number", found)


def span(ms: float | None) -> Value | None:
    """A length of time."""
    return None if ms is None else Value("span", ms)


def ratio(part: float, of: float) -> float | None:
    """A part of a whole; None where there is no whole."""
    return part / of if of else None


def change(now: Value | None, before: Value | None, good: bool | None = None) -> Change | None:
    """From before to now; None where one of them is not there. `good`: more is better."""
    if now is None or before is None:
        return None
    if now.kind in ("share", "points"):
        return Change(now.number - before.number, good, points=True)
    return Change((now.number - before.number) / before.number if before.number else None, good)


class Compared(NamedTuple):
    """One figure now and before."""

    name: str
    now: Value | None
    before: Value | None
    meaning: str
    good: bool | None = True
    """Whether more is better; None: neither."""


def comparison(id_: str, title: str, meaning: str, periods: tuple[str, str], figures: Iterable[Compared]) -> Table:
    """A table of figures against the period before, without those that are in neither. `periods`: now, and before."""
    rows = [
        (each.name, each.now, each.before, change(each.now, each.before, each.good), each.meaning)
        for each in figures
        if each.now is not None or each.before is not None
    ]
    return Table(id_, title, meaning, ("Figure", *periods, "Change", "What it is"), rows)
