"""Everything that figures are reckoned from: interactions, orders and stage changes as frames, with local days."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from stream.core.language.time_zones import time_zone
from stream.core.lifecycle import Lifecycle
from stream.report.interaction_rows import InteractionRows
from stream.report.local_calendar import LocalCalendar, Period, Unit
from stream.report.meanings import Meanings
from stream.report.sales import Sales, sales_of


@dataclass(frozen=True)
class Interactions:
    """What happened. Every frame has `who` (a customer's record), `person`, `time` and `day`, the local one."""

    all: pl.DataFrame
    """Also `row` and `word`; repeats of one interaction are left out."""
    orders: pl.DataFrame
    """Also `row`, `amount`, `left`, `void`; see `Sales`."""
    paid_back: pl.DataFrame
    """Also `amount`."""
    costs: pl.DataFrame
    answers: pl.DataFrame
    """Also `word`, `score`."""
    renewals: pl.DataFrame
    """Also `amount`, `months`."""
    items: pl.DataFrame
    """Of orders, each order once. Also `product`, `category`, `quantity`, `amount`."""


@dataclass(frozen=True)
class Material:
    """All there is to reckon from."""

    lifecycle: Lifecycle
    meanings: Meanings
    calendar: LocalCalendar
    data: tuple[int, int]
    """The local days of the first and the last thing that happened."""
    interactions: Interactions | None
    """None: only stage changes are known."""
    changes: pl.DataFrame | None
    """`who`, `born`, `from`, `to`, `at`, `entered`; None: only interactions are known.

    Those of one life in their order."""
    segments: pl.DataFrame
    """`who`, and for each fact that splits customers its latest value, as text."""
    period: Period
    before: Period
    per: Unit
    """`day`, `week` or `month`: of what the periods of a series are."""
    active: int
    """Days for which an order makes somebody an active customer."""

    @property
    def labels(self) -> tuple[str, str]:
        """The period, and the one before."""
        return self.period.label, self.before.label

    def within(self, period: Period, time: str = "time") -> pl.Expr:
        """Whether a row's time lies in a period."""
        return pl.col(time).is_between(
            self.calendar.start(period.first), self.calendar.start(period.end), closed="left"
        )

    def title(self, stage: str) -> str:
        """A stage as people call it."""
        return self.lifecycle.stages[stage].title or stage


def calendar_of(lifecycle: Lifecycle, first: int, last: int) -> LocalCalendar:
    """The calendar of a lifecycle for everything between two instants."""
    return LocalCalendar(time_zone(lifecycle.time_zone or "UTC"), first, last)


_WHO: Final = ("row", "who", "person", "time", "day")


def interactions_of(rows: InteractionRows, calendar: LocalCalendar) -> Interactions:
    """Put together what was read."""
    read = rows.interactions.frame()
    subject = pl.coalesce(pl.lit("=") + pl.col("customer"), pl.lit("?") + pl.col("anonymous"))
    read = read.with_columns(who=subject)
    repeats = read.filter(pl.col("id").is_not_null() & pl.struct("who", "id").is_duplicated())
    repeated = repeats.filter(~pl.struct("who", "id").is_first_distinct())["row"]
    read = read.filter(~pl.col("row").is_in(repeated.implode())) if len(repeated) else read
    # Whoever was seen with one customer id, and with no other, is that customer, before they said so, too.
    known = (
        read.filter(pl.col("customer").is_not_null() & pl.col("anonymous").is_not_null())
        .group_by("anonymous")
        .agg(pl.col("who").n_unique().alias("n"), pl.col("who").first().alias("owner"))
        .filter(pl.col("n") == 1)
        .select("anonymous", "owner")
    )
    read = read.join(known, on="anonymous", how="left", maintain_order="left")
    owned = pl.when(pl.col("customer").is_null()).then(pl.coalesce("owner", "who")).otherwise(pl.col("who"))
    people = read.select(
        "row",
        pl.col("who").cast(pl.Categorical),
        owned.cast(pl.Categorical).alias("person"),
        "time",
        calendar.days(read["time"]).alias("day"),
        "word",
    )
    own = people.select(_WHO)

    def with_people(side: pl.DataFrame, *beside: str) -> pl.DataFrame:
        return side.join(people.select(*_WHO, *beside), on="row", maintain_order="left")

    sales: Sales = sales_of(with_people(rows.orders.frame()))
    orders = sales.orders.drop("who", "time").join(own, on="row", maintain_order="left")
    items = rows.items.frame().join(orders.select(_WHO), on="row", maintain_order="left")
    return Interactions(
        people,
        orders,
        sales.paid_back.with_columns(day=calendar.days(sales.paid_back["time"])),
        with_people(rows.costs.frame()),
        with_people(rows.answers.frame(), "word"),
        with_people(rows.renewals.frame()),
        items,
    )


def segments_of(changes: pl.DataFrame | None, facts: Sequence[str]) -> pl.DataFrame:
    """Of each customer the latest value of each fact that a stage change of theirs told."""
    empty = pl.DataFrame(schema={"who": pl.Categorical(), **dict.fromkeys(facts, pl.String)})
    if changes is None or not facts:
        return empty
    latest = [pl.col(f"facts.{name}").drop_nulls().last().alias(name) for name in facts]
    return changes.group_by("who").agg(latest)
