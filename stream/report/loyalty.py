"""Who stays, comes back and is lost: rates of retention and churn, repeat buyers, and what a customer is worth.

Definitions that differ on real data stand side by side. An *active* customer at a moment is one with an order in the
days before it (90, unless said otherwise).
"""

from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from stream.core.durations import DAY
from stream.report.columns import total
from stream.report.local_calendar import Period
from stream.report.material import Interactions, Material
from stream.report.moving import kaplan_meier_median
from stream.report.selling import first_orders
from stream.report.tables import (
    Cell,
    Compared,
    Section,
    Table,
    Value,
    comparison,
    count,
    money,
    number,
    ratio,
    share,
    span,
)

_WINDOWS = (30, 90, 365)


class Kept(NamedTuple):
    """Active customers of one period."""

    start: int
    end: int
    new: int
    """First order ever in the period."""
    stayed: int
    """Active at the start and at the end."""


def kept_in(material: Material, found: Interactions, period: Period) -> Kept:
    """Reckon one period."""
    first, end = material.calendar.start(period.first), material.calendar.start(period.end)
    at_start, at_end = (_active(found, each, material.active) for each in (first, end))
    new = first_orders(found).filter(material.within(period)).height
    return Kept(at_start.height, at_end.height, new, at_start.join(at_end, on="who", how="semi").height)


def _active(found: Interactions, moment: int, days: int) -> pl.DataFrame:
    recent = found.orders.filter(pl.col("time").is_between(moment - days * DAY, moment, closed="left"))
    return recent.select("who").unique()


def loyalty(material: Material) -> Section:
    """The section."""
    found = material.interactions
    assert found is not None
    return Section(
        "loyalty",
        "Who stays, and who is lost",
        "Customers with orders. Where two definitions are usual, both stand here, by their names.",
        [_rates(material, found), _repeats(material, found), _values(material, found)],
    )


def _rates(material: Material, found: Interactions) -> Table:
    now, before = (kept_in(material, found, each) for each in (material.period, material.before))

    def of(name: str, value: Callable[[Kept], Value | None], meaning: str, *, good: bool = True) -> Compared:
        return Compared(name, value(now), value(before), meaning, good)

    return comparison(
        "retention_rates",
        "Retention and churn",
        f"Active: with an order in the {material.active} days before (--active).",
        material.labels,
        [
            of("Active at the start (S)", lambda each: count(each.start), "An order in the days before"),
            of("Active at the end (E)", lambda each: count(each.end), "The same at the end"),
            of("New (N)", lambda each: count(each.new), "The first order ever in the period"),
            of("Stayed", lambda each: count(each.stayed), "Active at the start and at the end"),
            of(
                "Retention rate, (E - N) / S",
                lambda each: share(ratio(each.end - each.new, each.start)),
                "The formula of the textbooks. Customers who came back are in E and not in N, so it may pass 100 %",
            ),
            of(
                "Retention rate, stayed / S",
                lambda each: share(ratio(each.stayed, each.start)),
                "The same people at both ends; never above 100 %",
            ),
            of(
                "Churn rate",
                lambda each: share(ratio(each.start - each.stayed, each.start)),
                "Active at the start, and not at the end: 100 % less the second retention rate",
                good=False,
            ),
        ],
    )


def _repeats(material: Material, found: Interactions) -> Table:
    end = material.calendar.start(material.period.end)
    orders = found.orders.filter(pl.col("time") < end)
    # Of the orders of one day the first: two on one day are one visit to the shop.
    days = orders.group_by("who", "day").agg(pl.col("time").min())
    readings = [_waits(of, end) for of in (orders, days)]
    buyers = readings[0].height
    inside = [of.filter(material.within(material.period)) for of in (orders, days)]

    def of_all(matching: pl.Expr) -> list[Cell]:
        return [share(ratio(each.filter(matching).height, buyers)) for each in readings]

    def of_repeaters(how: Callable[[pl.Series], object]) -> list[Cell]:
        return [span(_float(how(each["wait"].drop_nulls()))) for each in readings]

    rows: list[list[Cell]] = [
        [
            "Repeat purchase rate",
            *of_all(pl.col("wait").is_not_null()),
            "Customers with two or more, of all who ever ordered",
        ],
        *(
            [
                f"A second within {length} days",
                *of_all(pl.col("wait") <= length * DAY),
                "Of all who ever ordered; those who ordered first lately had less time",
            ]
            for length in _WINDOWS
        ),
        ["Time to the second, mean", *of_repeaters(pl.Series.mean), "Of those who had one"],
        ["Time to the second, median", *of_repeaters(pl.Series.median), "Of those who had one"],
        [
            "Time to the second, median of all",
            *map(_survival, readings),
            "Kaplan and Meier: who has had none yet counts for as long as they could have",
        ],
        [
            "Number per customer",
            *(number(ratio(each.height, buyers)) for each in (orders, days)),
            "All of them, by all who ever ordered",
        ],
        [
            "Purchase frequency",
            *(number(ratio(each.height, each["who"].n_unique())) for each in inside),
            f"Those of {material.period.label}, by its buyers",
        ],
    ]
    return Table(
        "repeats",
        "Buying again",
        f"Up to the end of {material.period.label}, but for the last row. By orders each order counts; by days "
        "all orders of one day are one.",
        ("Figure", "By orders", "By days", "What it is"),
        rows,
    )


def _waits(orders: pl.DataFrame, end: int) -> pl.DataFrame:
    """By customer `wait`, from the first to the second, null where there is none, and `known`, for how long we know."""
    times = orders.group_by("who").agg(pl.col("time").bottom_k(2).sort())
    first, second = pl.col("time").list.get(0), pl.col("time").list.get(1, null_on_oob=True)
    return times.select(wait=second - first, known=end - first)


def _survival(waits: pl.DataFrame) -> Cell:
    median = kaplan_meier_median(waits["wait"].drop_nulls(), waits.filter(pl.col("wait").is_null())["known"])
    return "not reached" if median is None else span(median)


def _values(material: Material, found: Interactions) -> Table:
    end = material.calendar.start(material.period.end)
    orders = found.orders.filter(pl.col("time") < end)
    back = found.paid_back.filter(pl.col("time") < end)
    sales, buyers = total(orders["amount"]), orders["who"].n_unique()
    net = sales - total(back["amount"])
    paid = orders.filter(pl.col("amount") != 0)
    days = orders.select("who", "day").n_unique()
    means = orders.group_by("who").agg(pl.col("amount").mean())["amount"]
    rows: list[list[Cell]] = [
        ["Average order value", money(ratio(sales, orders.height)), "Sales by orders"],
        ["Average order value, without orders of nothing", money(ratio(sales, paid.height)), "Sales by paid orders"],
        ["Average order value, by customer and day", money(ratio(sales, days)), "Orders of one day are one"],
        ["Average of customers' averages", money(_float(means.mean())), "Each customer counts once"],
        ["Median order", money(_float(orders["amount"].median())), "Half of the orders came to less"],
        ["Customer lifetime value so far", money(ratio(net, buyers)), "Revenue by all who ever ordered: history alone"],
        ["The same before returns", money(ratio(sales, buyers)), "Sales by all who ever ordered"],
    ]
    return Table(
        "order_values",
        "What an order, and what a customer is worth",
        f"Everything up to the end of {material.period.label}. The lifetime value is what customers brought so far; it "
        "foretells nothing.",
        ("Figure", "Value", "What it is"),
        rows,
    )


def _float(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) else None
