"""Cohorts: customers by the month in which they began, and how many of them were there again later.

Two grids. By the calendar, column 1 is the month after the one in which a customer began: for who began on the 31st it
begins the next day. By rolling days, column 1 is the days 30 to 59 after each customer's own beginning.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from stream.core.durations import DAY
from stream.report.local_calendar import Unit, first_of, number_of, short_label, unit_of
from stream.report.material import Interactions, Material
from stream.report.tables import Cell, Grid, Section, Table, count, money, number, ratio, share

_COLUMNS: Final = 13
_ROWS: Final = 13
_LENGTH: Final = {"day": 1, "week": 7, "month": 30}


def cohorts(material: Material, begins_with: str) -> Section:
    """The section. `begins_with`: `first`, the first interaction, or `order`, the first order."""
    found = material.interactions
    assert found is not None
    events, who = (found.orders, "who") if begins_with == "order" else (_active(material, found), "person")
    events = events.filter(pl.col("time") < material.calendar.start(material.period.end))
    unit = material.per
    born = events.group_by(who).agg(pl.col("time").min().alias("born"), pl.col("day").min().alias("born_day"))
    joined = events.join(born, on=who).with_columns(
        cohort=unit_of(pl.col("born_day"), unit),
        calendar=unit_of(pl.col("day"), unit) - unit_of(pl.col("born_day"), unit),
        rolling=(pl.col("time") - pl.col("born")) // (_LENGTH[unit] * DAY),
    )
    began = "first order" if begins_with == "order" else "first interaction"
    came = "ordered" if begins_with == "order" else "were there (what we send does not count)"
    by_calendar = (
        f"Customers by the {unit} of their {began}, and the share that {came} so many {unit}s of the calendar later. "
        f"Column 0 is the {unit} itself. All: of all cohorts that have come so far, older ones than are shown, too."
    )
    by_days = (
        f"The same customers, and the share that {came} in days of their own: column 0 is the first {_LENGTH[unit]} x "
        f"24 hours from the {began} on, column 1 the next. A cell is shown once all of a cohort had the time for it."
    )
    tables = [
        _grid(material, joined, who, "calendar", by_calendar),
        _grid(material, joined, who, "rolling", by_days),
    ]
    if begins_with == "order":
        tables.append(_worth(material, found, joined))
    return Section(
        "cohorts",
        "Do they come back?",
        f"Customers by the {unit} of their {began}. Two usual ways to count the time since then give two grids.",
        tables,
    )


def _active(material: Material, found: Interactions) -> pl.DataFrame:
    passive = [
        material.lifecycle.words.get(name, name)
        for name, reaction in material.lifecycle.reactions.items()
        if reaction.passive
    ]
    return found.all.filter(~pl.col("word").cast(pl.String).is_in(passive))


def _grid(material: Material, joined: pl.DataFrame, who: str, since: str, said: str) -> Table:
    unit = material.per
    last = number_of(material.period.end - 1, unit)
    sizes = joined.group_by("cohort").agg(pl.col(who).n_unique().alias("size"))
    cells = joined.group_by("cohort", since).agg(pl.col(who).n_unique().alias("back"))
    size = dict(sizes.iter_rows())
    back = {(row[0], row[1]): row[2] for row in cells.iter_rows()}
    known = {each: last - each if since == "calendar" else _whole(material, each, unit) for each in size}

    def shares_of(of: Sequence[int]) -> list[float | None]:
        found: list[float | None] = []
        for place in range(_COLUMNS):
            there = [each for each in of if place <= known[each]]
            found.append(ratio(sum(back.get((each, place), 0) for each in there), sum(size[each] for each in there)))
        return found

    newest = sorted(size)[-_ROWS:]
    shares = [shares_of([*size]), *(shares_of([each]) for each in newest)]
    rows: list[list[Cell]] = [["All", count(sum(size.values()))]]
    rows += [[short_label(each, unit), count(size[each])] for each in newest]
    names = [str(place) for place in range(_COLUMNS)]
    title = f"By the calendar's {unit}s" if since == "calendar" else f"By rolling {_LENGTH[unit]} days"
    return Table(
        f"cohorts_{since}",
        title,
        said,
        (unit.capitalize(), "Customers", *names),
        [[*row, *map(share, each)] for row, each in zip(rows, shares, strict=True)],
        Grid([str(row[0]) for row in rows], names, shares),
    )


def _whole(material: Material, cohort: int, unit: Unit) -> int:
    """The last column of a cohort that all of its customers had the time for."""
    end = material.calendar.start(material.period.end)
    latest = material.calendar.start(first_of(cohort + 1, unit))
    return int((end - latest) // (_LENGTH[unit] * DAY)) - 1


def _worth(material: Material, found: Interactions, joined: pl.DataFrame) -> Table:
    """What the customers of each cohort brought so far."""
    end = material.calendar.start(material.period.end)
    born = joined.select("who", "cohort").unique()
    back = found.paid_back.filter(pl.col("time") < end).group_by("who").agg(pl.col("amount").sum().alias("back"))
    sales = joined.group_by("who").agg(pl.col("amount").sum().alias("sales"), pl.len().alias("orders"))
    by_cohort = (
        born.join(sales, on="who")
        .join(back, on="who", how="left")
        .group_by("cohort")
        .agg(
            pl.len().alias("size"),
            pl.col("sales").sum() - pl.col("back").fill_null(0).sum(),
            pl.col("orders").sum(),
        )
        .sort("cohort")
        .tail(_ROWS)
    )
    rows: list[list[Cell]] = [
        [
            short_label(row["cohort"], material.per),
            count(row["size"]),
            money(row["sales"] / row["size"]),
            number(row["orders"] / row["size"]),
        ]
        for row in by_cohort.iter_rows(named=True)
    ]
    return Table(
        "cohort_values",
        "What they brought so far",
        f"Revenue and orders for each customer of a cohort, up to the end of {material.period.label}; older ones had "
        "more time.",
        (material.per.capitalize(), "Customers", "Revenue per customer", "Orders per customer"),
        rows,
    )
