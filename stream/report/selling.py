"""What sold: orders, revenue, buyers and what they cost, against the time before; by period; and which products."""

from collections.abc import Callable
from typing import Final, NamedTuple

import polars as pl

from stream.report.columns import total
from stream.report.local_calendar import Period, latest, number_of, short_label
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

PERIODS: Final = 13
"""How many a series shows: a year, and the same month of the year before."""


class Sold(NamedTuple):
    """What one period came to; amounts in millionths."""

    orders: int
    sales: int
    paid_back: int
    buyers: int
    new_buyers: int
    """Those whose first order ever it was."""
    visitors: int
    """People with a visit, a look at a product, a cart, a checkout or an order; 0 where only orders are known."""
    visitor_days: int
    """The same, each once for each day."""
    visits: int
    cost: int
    voided: int
    """Orders of the period of which nothing is left by now."""
    time_to_convert: float | None
    """Median milliseconds from the first interaction of those who bought for the first time to that order."""

    @property
    def revenue(self) -> int:
        """What was sold, less what was paid back in the same period."""
        return self.sales - self.paid_back


def first_orders(found: Interactions) -> pl.DataFrame:
    """By `who` the time and day of the first order."""
    return found.orders.group_by("who").agg(pl.col("time").min(), pl.col("day").min())


def sold_in(material: Material, found: Interactions, period: Period) -> Sold:
    """Reckon one period."""
    inside = material.within(period)
    orders = found.orders.filter(inside)
    words = material.meanings
    looks = words.words("visits") | words.words("views") | words.words("carts") | words.words("checkouts")
    seen = found.all.filter(inside & pl.col("word").cast(pl.String).is_in(list(looks)))
    people = seen.select("person", "day")
    if found.all.filter(pl.col("word").cast(pl.String).is_in(list(looks))).height:
        people = pl.concat([people, orders.select("person", "day")])
    visits = seen.filter(pl.col("word").cast(pl.String).is_in(list(words.words("visits"))))
    return Sold(
        orders=orders.height,
        sales=total(orders["amount"]),
        paid_back=total(found.paid_back.filter(inside)["amount"]),
        buyers=orders["who"].n_unique(),
        new_buyers=first_orders(found).filter(inside).height,
        visitors=people["person"].n_unique(),
        visitor_days=people.n_unique(),
        visits=visits.height,
        cost=total(found.costs.filter(inside)["amount"]),
        voided=total(orders["void"]),
        time_to_convert=_time_to_convert(found, inside),
    )


def _time_to_convert(found: Interactions, inside: pl.Expr) -> float | None:
    first = found.orders.sort("time").group_by("who").agg(pl.col("time", "person").first()).filter(inside)
    seen = found.all.group_by("person").agg(seen=pl.col("time").min())
    median = first.join(seen, on="person").select((pl.col("time") - pl.col("seen")).median()).item()
    return float(median) if isinstance(median, int | float) else None


def selling(material: Material, now: Sold, before: Sold, top: int) -> Section:
    """The section."""
    found = material.interactions
    assert found is not None
    tables = [_figures(material, now, before), _series(material, found)]
    if found.items.height:
        tables += [
            _items(material, found, "product", "products", "Products", top),
            _items(material, found, "category", "categories", "Categories", top),
        ]
    meaning = f"Orders, what they came to, and who bought. Orders are those of {material.meanings.orders_from}."
    return Section("selling", "What sold", meaning, [each for each in tables if each.rows])


def _figures(material: Material, now: Sold, before: Sold) -> Table:
    def of(name: str, value: Callable[[Sold], Value | None], meaning: str, *, good: bool | None = True) -> Compared:
        mine, theirs = value(now), value(before)
        is_something = any(each is not None and each.number for each in (mine, theirs))
        return Compared(name, mine, theirs, meaning, good) if is_something else Compared(name, None, None, meaning)

    figures = [
        of("Revenue", lambda each: money(each.revenue), "Sales less what was paid back, each on its own day"),
        of("Sales", lambda each: money(each.sales), "What the orders of the period came to, as they were last changed"),
        of(
            "Paid back",
            lambda each: money(each.paid_back),
            "Refunds and cancelled orders, on the day they came back",
            good=False,
        ),
        of("Orders", lambda each: count(each.orders), "Each once, whatever became of it later"),
        of(
            "Orders voided",
            lambda each: count(each.voided),
            "Of these orders, those that are paid back as a whole by now",
            good=False,
        ),
        of("Buyers", lambda each: count(each.buyers), "Customers with an order in the period"),
        of("New buyers", lambda each: count(each.new_buyers), "Those whose first order ever it was"),
        of(
            "Average order value",
            lambda each: money(ratio(each.sales, each.orders)),
            "Sales by orders; other readings stand below, under what an order is worth",
        ),
        of("Visits", lambda each: count(each.visits), "Interactions that are visits"),
        of(
            "Visitors",
            lambda each: count(each.visitors),
            "People, once each: an anonymous id that one customer was seen with is that customer",
        ),
        of(
            "Visitors, day by day",
            lambda each: count(each.visitor_days),
            "The same people, once for each day they came",
        ),
        of(
            "Conversion rate, by people",
            lambda each: share(ratio(each.buyers, each.visitors)),
            "Buyers by visitors",
        ),
        of(
            "Conversion rate, by days",
            lambda each: share(ratio(each.orders, each.visitor_days)),
            "Orders by visitors, day by day",
        ),
        of(
            "Time to convert, median",
            lambda each: span(each.time_to_convert),
            "From the first time a new buyer was seen to their first order, half of them at most",
            good=None,
        ),
        of("Advertising cost", lambda each: money(each.cost), "What interactions say they cost", good=None),
        of(
            "Acquisition cost",
            lambda each: money(ratio(each.cost, each.new_buyers)) if each.cost else None,
            "Cost of the period by its new buyers (CAC)",
            good=False,
        ),
    ]
    meaning = f"{material.labels[0]} against {material.labels[1]}. Amounts are in the currency they were sent in."
    return comparison("figures", "Figures", meaning, material.labels, figures)


def _series(material: Material, found: Interactions) -> Table:
    unit = material.per
    rows: list[list[Cell]] = []
    sums: list[Value | None] = []
    labels: list[str] = []
    for period in latest(material.period, unit, PERIODS, material.data[0]):
        sold = sold_in(material, found, period)
        label = short_label(number_of(period.first, unit), unit)
        labels.append(label)
        sums.append(money(sold.revenue))
        rows.append(
            [
                label,
                money(sold.revenue),
                count(sold.orders),
                count(sold.buyers),
                count(sold.new_buyers),
                money(ratio(sold.sales, sold.orders)),
                share(ratio(sold.buyers, sold.visitors)),
            ]
        )
    return Table(
        "series",
        f"{unit.capitalize()} by {unit}",
        f"Revenue, orders and buyers of each {unit}, by its local days.",
        (unit.capitalize(), "Revenue", "Orders", "Buyers", "New buyers", "Average order value", "Conversion rate"),
        rows,
        Bars(labels, sums, marked=len(labels) - 1),
    )


def _items(material: Material, found: Interactions, column: str, id_: str, title: str, top: int) -> Table:
    def of(period: Period) -> pl.DataFrame:
        inside = found.items.filter(material.within(period) & pl.col(column).is_not_null())
        return inside.group_by(column).agg(
            pl.col("quantity").sum(), pl.col("amount").sum(), orders=pl.col("row").n_unique()
        )

    now, before = of(material.period), of(material.before)
    both = now.join(before, on=column, how="full", coalesce=True, suffix="_before").with_columns(
        pl.selectors.numeric().fill_null(0)
    )
    both = both.sort(["amount", "quantity", column], descending=[True, True, False]).head(top)
    rows: list[list[Cell]] = []
    names, sums, sums_before = (
        both[column].to_list(),
        [*map(money, both["amount"])],
        [*map(money, both["amount_before"])],
    )
    for row in both.iter_rows(named=True):
        mine, theirs = money(row["amount"]), money(row["amount_before"])
        pieces = Value("number", row["quantity"])
        rows.append([row[column], mine, theirs, change(mine, theirs, good=True), pieces, count(row["orders"])])
    return Table(
        id_,
        title,
        "What was in the orders, at the price of the list, before discounts and returns; the largest first.",
        (column.capitalize(), material.period.label, material.before.label, "Change", "Pieces", "Orders"),
        rows,
        Bars(names, sums, sums_before) if column == "category" else None,
    )
