"""Carts and checkouts that were left: by people and days, and by people within a week."""

from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from stream.core.durations import DAY
from stream.report.local_calendar import Period
from stream.report.material import Interactions, Material
from stream.report.tables import Compared, Section, Table, Value, comparison, count, ratio, share

_DAYS = 7


def carts(material: Material) -> Section | None:
    """The section; None where nothing was put into a cart."""
    found = material.interactions
    assert found is not None
    tables = [
        table
        for role, title in (("carts", "Carts"), ("checkouts", "Checkouts"))
        if (table := _left(material, found, role, title)) is not None
    ]
    meaning = (
        "People who filled a cart and did not buy; an anonymous id that one customer was seen with is that customer."
    )
    return Section("carts", "Carts that were left", meaning, tables) if tables else None


def _left(material: Material, found: Interactions, role: str, title: str) -> Table | None:
    words = list(material.meanings.words(role))
    began = found.all.filter(pl.col("word").cast(pl.String).is_in(words))
    if not began.height:
        return None
    now, before = (_reckoned(material, found, began, each) for each in (material.period, material.before))

    def of(name: str, value: Callable[[Left], Value | None], meaning: str, *, good: bool = True) -> Compared:
        return Compared(name, value(now), value(before), meaning, good)

    return comparison(
        role,
        title,
        f"{title} of {material.labels[0]} against {material.labels[1]}.",
        material.labels,
        [
            of("People and days", lambda each: count(each.days), "Once for each day on which somebody did"),
            of("Bought on the same day", lambda each: count(each.same_day), "Of these, with an order on that day"),
            of(
                "Left, by people and days",
                lambda each: share(ratio(each.days - each.same_day, each.days)),
                "Abandonment rate: no order on the same day",
                good=False,
            ),
            of("People", lambda each: count(each.people), "Each once, with their last one of the period"),
            of(f"Bought within {_DAYS} days", lambda each: count(each.later), "Of these, with an order from then on"),
            of(
                "Left, by people",
                lambda each: share(ratio(each.people - each.later, each.people)),
                f"Abandonment rate: no order within {_DAYS} days; of the last days not all had so long",
                good=False,
            ),
        ],
    )


class Left(NamedTuple):
    """What became of the carts of one period."""

    days: int
    same_day: int
    people: int
    later: int


def _reckoned(material: Material, found: Interactions, began: pl.DataFrame, period: Period) -> Left:
    inside = began.filter(material.within(period))
    days = inside.select("person", "day").unique()
    orders = found.orders.select("person", "day", "time")
    same_day = days.join(orders.select("person", "day").unique(), on=("person", "day"), how="semi").height
    last = inside.group_by("person").agg(begun=pl.col("time").max())
    later = (
        last.join(orders, on="person")
        .filter(pl.col("time").is_between(pl.col("begun"), pl.col("begun") + _DAYS * DAY, closed="left"))
        .select("person")
        .n_unique()
    )
    return Left(days.height, same_day, last.height, later)
