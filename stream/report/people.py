"""Single customers and groups of them: who brings most, segments side by side, and who was won back."""

from collections.abc import Callable
from typing import Final, NamedTuple

import polars as pl

from stream.core.durations import DAY
from stream.report.change_rows import shown
from stream.report.columns import total
from stream.report.local_calendar import Period, as_date
from stream.report.material import Interactions, Material
from stream.report.tables import (
    Bars,
    Cell,
    Compared,
    Section,
    Table,
    Value,
    change,
    comparison,
    count,
    money,
    ratio,
    share,
    span,
)

_TENTHS: Final = (0.01, 0.1, 0.2, 0.5)
UNKNOWN: Final = "(not known)"
LOST_STAGES: Final = ("dormant", "lapsed", "inactive", "churned", "lost", "ended")
"""Stages whose name begins so are those of customers who went away."""


def customers(material: Material, top: int) -> Section:
    """The customers who brought most so far."""
    found = material.interactions
    assert found is not None
    end = material.calendar.start(material.period.end)
    worth = _worth(found, end)
    largest = worth.sort(["net", "who"], descending=[True, False]).head(top)
    inside = _within(material, found, material.period)
    here = dict(inside.select("who", "net").iter_rows())
    rows: list[list[Cell]] = [
        [
            shown(row["who"]),
            money(row["net"]),
            count(row["orders"]),
            money(here.get(row["who"], 0)),
            as_date(row["last"]).isoformat(),
        ]
        for row in largest.iter_rows(named=True)
    ]
    everything = total(worth["net"])
    ranked = worth.sort("net", descending=True)["net"]
    shares: list[list[Cell]] = []
    for part in _TENTHS:
        many = max(1, round(ranked.len() * part))
        shares.append([f"The best {part * 100:.0f} %", count(many), share(ratio(total(ranked.head(many)), everything))])
    return Section(
        "customers",
        "The best customers",
        "By revenue so far: what they ordered, less what was paid back.",
        [
            Table(
                "top_customers",
                "Top customers",
                f"Up to the end of {material.period.label}.",
                ("Customer", "Revenue so far", "Orders", material.period.label, "Last order"),
                rows,
            ),
            Table(
                "concentration",
                "How much they bring",
                "The share of all revenue so far that the best customers brought.",
                ("Of all who ever ordered", "Customers", "Share of revenue"),
                shares,
            ),
        ],
    )


def _worth(found: Interactions, end: int) -> pl.DataFrame:
    orders = found.orders.filter(pl.col("time") < end)
    back = found.paid_back.filter(pl.col("time") < end)
    by = orders.group_by("who").agg(pl.col("amount").sum(), orders=pl.len(), last=pl.col("day").max())
    sums = back.group_by("who").agg(back=pl.col("amount").sum())
    return by.join(sums, on="who", how="left").select(
        "who", "orders", "last", net=pl.col("amount") - pl.col("back").fill_null(0)
    )


def _within(material: Material, found: Interactions, period: Period) -> pl.DataFrame:
    """By `who` the orders, sales and revenue of a period."""
    inside = material.within(period)
    orders = found.orders.filter(inside).group_by("who").agg(pl.col("amount").sum().alias("sales"), orders=pl.len())
    back = found.paid_back.filter(inside).group_by("who").agg(pl.col("amount").sum().alias("back"))
    return orders.join(back, on="who", how="full", coalesce=True).with_columns(
        pl.col("sales", "back", "orders").fill_null(0), net=pl.col("sales").fill_null(0) - pl.col("back").fill_null(0)
    )


def segments(material: Material, top: int) -> Section:
    """Customers side by side, by the latest value of each fact."""
    tables = [_segment(material, name, top) for name in material.segments.columns if name != "who"]
    return Section(
        "segments",
        "Side by side",
        "Customers by the latest value of a fact that one of their stage changes told.",
        tables,
    )


def _segment(material: Material, fact: str, top: int) -> Table:
    found = material.interactions
    of = material.segments.select("who", segment=pl.col(fact).fill_null(UNKNOWN))
    if found is None:
        return _segment_of_stages(material, of, fact, top)

    def summed(period: Period) -> pl.DataFrame:
        inside = _within(material, found, period)
        seen = found.all.filter(material.within(period)).select("who").unique()
        return (
            seen.join(inside, on="who", how="full", coalesce=True)
            .join(of, on="who", how="left")
            .with_columns(pl.col("segment").fill_null(UNKNOWN), pl.col("orders", "net", "sales").fill_null(0))
            .group_by("segment")
            .agg(
                pl.len().alias("people"),
                pl.col("orders", "net", "sales").sum(),
                buyers=(pl.col("orders") > 0).sum(),
            )
        )

    both = summed(material.period).join(
        summed(material.before), on="segment", how="full", coalesce=True, suffix="_before"
    )
    both = both.with_columns(pl.selectors.numeric().fill_null(0)).sort(
        ["net", "people", "segment"], descending=[True, True, False]
    )
    rows: list[list[Cell]] = []
    for row in both.head(top).iter_rows(named=True):
        mine, theirs = money(row["net"]), money(row["net_before"])
        rows.append(
            [
                row["segment"],
                count(row["people"]),
                count(row["buyers"]),
                share(ratio(row["buyers"], row["people"])),
                count(row["orders"]),
                money(ratio(row["sales"], row["orders"])),
                mine,
                theirs,
                change(mine, theirs, good=True),
            ]
        )
    return Table(
        f"by_{fact}",
        f"By {fact}",
        f"Customers (records) with an interaction in {material.period.label}, those of them who bought, and what they "
        f"brought; before: {material.before.label}.",
        (
            fact,
            "Customers",
            "Buyers",
            "Share that bought",
            "Orders",
            "Average order value",
            "Revenue",
            "Before",
            "Change",
        ),
        rows,
        Bars([str(row[0]) for row in rows], [_value(row[6]) for row in rows], [_value(row[7]) for row in rows]),
    )


def _segment_of_stages(material: Material, of: pl.DataFrame, fact: str, top: int) -> Table:
    changes = material.changes
    assert changes is not None
    end = material.calendar.start(material.period.end)
    last = changes.filter(pl.col("at") < end).group_by("who", "born").agg(pl.col("to").last())
    counted = last.filter(pl.col("to").is_not_null()).join(of, on="who", how="left").group_by("segment", "to").len()
    sums = counted.group_by("segment").agg(pl.col("len").sum()).sort("len", descending=True).head(top)
    by = {(row[0], row[1]): row[2] for row in counted.with_columns(pl.col("to").cast(pl.String)).iter_rows()}
    stages = list(material.lifecycle.stages)
    rows: list[list[Cell]] = [
        [segment, count(size), *(count(by.get((segment, stage), 0)) for stage in stages)]
        for segment, size in sums.iter_rows()
    ]
    return Table(
        f"by_{fact}",
        f"By {fact}",
        f"Customers by stage at the end of {material.period.label}.",
        (fact, "Customers", *(material.title(each) for each in stages)),
        rows,
    )


def _value(cell: Cell) -> Value | None:
    return cell if isinstance(cell, Value) else None


def lost_stages(material: Material) -> list[str]:
    """The stages of customers who went away, by their names."""
    return [each for each in material.lifecycle.stages if each.startswith(LOST_STAGES)]


def win_back(material: Material, lost: list[str], days: int) -> Section:
    """Who had gone away, who came back, and who bought again within so many days."""
    changes = material.changes
    assert changes is not None
    now, before = (_won_back(material, changes, lost, each, days) for each in (material.period, material.before))

    def of(name: str, value: Callable[[WonBack], Value | None], meaning: str, *, good: bool | None = True) -> Compared:
        return Compared(name, value(now), value(before), meaning, good)

    figures = [
        of("Away at the start", lambda each: count(each.away), "In such a stage when the period began", good=None),
        of("Went away", lambda each: count(each.went), "Entered such a stage from another one", good=False),
        of("Came back", lambda each: count(each.came), "Left it for another stage"),
        of("Forgotten", lambda each: count(each.forgotten), "Left it, since nothing was heard for so long", good=False),
        of(
            "Share that came back",
            lambda each: share(ratio(each.came, each.away + each.went)),
            "Of those away at the start or since",
        ),
        of("Median time away", lambda each: span(each.gone), "Of those who came back", good=None),
        of(
            "Bought again",
            lambda each: count(each.bought),
            f"With an order within {days} days of coming back; the last ones had less time",
        ),
        of(
            "Share that bought again",
            lambda each: None if each.bought is None else share(ratio(each.bought, each.came)),
            "Of those who came back",
        ),
    ]
    names = ", ".join(material.title(each) for each in lost)
    meaning = "Counted by stays: who went away twice counts twice."
    return Section(
        "win_back",
        "Lost, and won back",
        f"Customers who went away are those in: {names}.",
        [comparison("win_back", "Win-back", meaning, material.labels, figures)],
    )


class WonBack(NamedTuple):
    """One period."""

    away: int
    went: int
    came: int
    forgotten: int
    gone: float | None
    """Median milliseconds that those were away who came back."""
    bought: int | None
    """None: orders are not known."""


def _won_back(material: Material, changes: pl.DataFrame, lost: list[str], period: Period, days: int) -> WonBack:
    start = material.calendar.start(period.first)
    leaves = pl.col("from").is_in(lost).fill_null(value=False)
    enters = pl.col("to").is_in(lost).fill_null(value=False)
    inside, earlier = changes.filter(material.within(period, "at")), changes.filter(pl.col("at") < start)
    back = inside.filter(leaves & ~enters & pl.col("to").is_not_null())
    found, bought = material.interactions, None
    if found is not None and found.orders.height:
        orders = found.orders.select("who", "time")
        soon = pl.col("time").is_between(pl.col("at"), pl.col("at") + days * DAY, closed="left")
        bought = back.with_row_index().join(orders, on="who").filter(soon)["index"].n_unique()
    return WonBack(
        away=earlier.filter(enters & ~leaves).height - earlier.filter(leaves & ~enters).height,
        went=inside.filter(enters & ~leaves).height,
        came=back.height,
        forgotten=inside.filter(leaves & pl.col("to").is_null()).height,
        gone=_float((back["at"] - back["entered"]).median()),
        bought=bought,
    )


def _float(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) else None
