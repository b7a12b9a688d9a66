"""Orders and what was paid back, from what interactions did to orders: ledgers (rule 18) over whole columns.

An order counts once, by its key, at the time of its earliest interaction; what it came to is its latest update, else
its first amount. What is returned counts on the day of the return, and never beyond what the order came to. Other than
in a customer's record nothing is let go of, however many orders there are.
"""

from typing import NamedTuple

import polars as pl

from stream.core.ledgers import EACH, MINUS, UPDATE

_ENTRY = ("who", "key")


class Sales(NamedTuple):
    """Orders, and what was paid back."""

    orders: pl.DataFrame
    """`who`, `row` (of the interaction that made it), `time`, `amount` (millionths), `left` (after returns)
    and `void` (nothing is left of it)."""
    paid_back: pl.DataFrame
    """`who`, `time`, `amount` (millionths) and `order_time` (null: of no order that is named)."""


def sales_of(rows: pl.DataFrame) -> Sales:
    """`rows`: those of `interaction_rows.ORDER_ROW`, with `who` and `time`."""
    # An order without a key is one of its own: it gets its row, which no other has, beside a mark.
    rows = rows.sort("row").with_columns(unnamed=pl.col("key").is_null())
    direct = rows.filter((pl.col("role") == MINUS) & pl.col("unnamed") & pl.col("amount").is_not_null())
    rows = rows.filter(~pl.col("unnamed") | (pl.col("role") == EACH)).with_columns(
        key=pl.struct("unnamed", key=pl.coalesce("key", pl.col("row").cast(pl.UInt64)))
    )
    made = (
        rows.filter(pl.col("role") == EACH)
        .sort("time", "row")
        .group_by(_ENTRY, maintain_order=True)
        .agg(
            pl.col("row").first(),
            pl.col("time").first(),
            first=pl.col("amount").drop_nulls().first(),
        )
    )
    updates = (
        rows.filter((pl.col("role") == UPDATE) & pl.col("amount").is_not_null())
        .sort("time", "row")
        .group_by(_ENTRY)
        .agg(update=pl.col("amount").last())
    )
    made = made.join(updates, on=_ENTRY, how="left").select(
        *_ENTRY, "row", "time", amount=pl.coalesce("update", "first", pl.lit(0))
    )
    returned = _returned(rows.filter(pl.col("role") == MINUS), made)
    sums = returned.group_by(_ENTRY).agg(back=pl.col("amount").sum(), whole=pl.col("whole").any())
    orders = made.join(sums, on=_ENTRY, how="left").select(
        "who",
        "row",
        "time",
        "amount",
        left=pl.col("amount") - pl.col("back").fill_null(0),
        void=pl.col("whole").fill_null(value=False)
        | ((pl.col("amount") > 0) & (pl.col("back").fill_null(0) >= pl.col("amount"))),
    )
    no_order = pl.lit(None, pl.Int64)
    paid_back = pl.concat(
        [
            returned.select("who", "time", "amount", "order_time"),
            _once(direct).select("who", "time", "amount", order_time=no_order),
        ]
    )
    return Sales(orders.sort("time", "row"), paid_back.filter(pl.col("amount") != 0).sort("time"))


def _once(returns: pl.DataFrame) -> pl.DataFrame:
    """Each return once, where it has an id; the first that came."""
    named = returns.filter(pl.col("return_id").is_not_null())
    once = named.unique(("who", "key", "return_id"), keep="first", maintain_order=True)
    return pl.concat([returns.filter(pl.col("return_id").is_null()), once])


def _returned(returns: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """What each return of an order that was made took away from it, in the order of their times."""
    before = pl.col("sum") - pl.col("wanted")
    return (
        _once(returns)
        .join(made.select(*_ENTRY, order_time="time", worth="amount"), on=_ENTRY)
        .sort("time", "row")
        .with_columns(whole=pl.col("amount").is_null(), wanted=pl.coalesce("amount", "worth"))
        .with_columns(sum=pl.col("wanted").cum_sum().over(_ENTRY))
        .with_columns(
            amount=pl.min_horizontal("sum", "worth") - pl.min_horizontal(before, "worth"),
        )
    )
