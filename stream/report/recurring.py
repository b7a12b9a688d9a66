"""Monthly recurring revenue: what subscriptions bring a month, and what came, grew, shrank and went.

A payment for several months (`properties.months`) counts for each of them, an equal part each, from its own month on.
"""

from typing import Final

import polars as pl

from stream.report.columns import total
from stream.report.local_calendar import number_of, short_label, unit_of
from stream.report.material import Interactions, Material
from stream.report.tables import Bars, Cell, Section, Table, change, count, money

_MONTHS: Final = 13


def recurring(material: Material) -> Section | None:
    """The section; None where there are no subscriptions."""
    found = material.interactions
    assert found is not None
    if not found.renewals.height:
        return None
    last = number_of(material.period.end - 1, "month")
    by_month = {month: _paid(found, month) for month in range(last - _MONTHS, last + 1)}
    rows: list[list[Cell]] = []
    sums = []
    for month in range(last - _MONTHS + 1, last + 1):
        joined = by_month[month].join(by_month[month - 1], on="who", how="full", coalesce=True, suffix="_before")
        joined = joined.with_columns(pl.col("mrr", "mrr_before").fill_null(0))
        step = pl.col("mrr") - pl.col("mrr_before")
        was, is_ = pl.col("mrr_before") != 0, pl.col("mrr") != 0
        mine, theirs = money(total(by_month[month]["mrr"])), money(total(by_month[month - 1]["mrr"]))
        parts = [
            joined.filter(is_ & ~was).select(step.sum()).item(),
            joined.filter(is_ & was & (step > 0)).select(step.sum()).item(),
            joined.filter(is_ & was & (step < 0)).select(step.sum()).item(),
            joined.filter(~is_ & was).select(step.sum()).item(),
        ]
        sums.append(mine)
        rows.append(
            [
                short_label(month, "month"),
                mine,
                change(mine, theirs, good=True),
                count(by_month[month].height),
                *(money(int(part)) for part in parts),
            ]
        )
    return Section(
        "recurring",
        "Subscriptions",
        "Payments of subscriptions, by the months that they are for.",
        [
            Table(
                "mrr",
                "Monthly recurring revenue",
                "MRR: what subscribers pay for that month. New: who paid nothing for the month before; grown, shrunk: "
                "who paid less or more for it; gone: who pays nothing any more.",
                ("Month", "MRR", "Change", "Subscribers", "New", "Grown", "Shrunk", "Gone"),
                rows,
                Bars([str(row[0]) for row in rows], sums, marked=len(rows) - 1),
            )
        ],
    )


def _paid(found: Interactions, month: int) -> pl.DataFrame:
    """By `who` what they pay for a month."""
    paid = found.renewals.with_columns(
        begin=unit_of(pl.col("day"), "month"), months=pl.max_horizontal(pl.col("months").round(), pl.lit(1.0))
    )
    covers = (pl.col("begin") <= month) & (month < pl.col("begin") + pl.col("months"))
    each = (pl.col("amount") / pl.col("months")).round().cast(pl.Int64)
    return paid.filter(covers).group_by("who").agg(mrr=each.sum()).filter(pl.col("mrr") != 0)
