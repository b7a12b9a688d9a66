"""Ledgers reckoned with pandas from what docs/language.md says: rule 18. Amounts are whole millionths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

MILLION = 1_000_000


@dataclass(frozen=True)
class Ledger:
    """Words, and the columns that its properties are in."""

    each: Sequence[str]
    by: str
    amount: str | None = None
    update: Sequence[str] = ()
    minus: Sequence[str] = ()
    returned: str | None = None
    return_id: str | None = None


def entries_of(frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """The entries: `who`, `key`, `time` (the smallest), `amount` (after updates), `made` (at which arrival)."""
    words = frame[frame["type"].isin(ledger.each)].assign(arrival=lambda found: found.index)
    # Without a key each is an entry of its own.
    words = words.assign(key=words[ledger.by].where(words[ledger.by].notna(), "#" + words["arrival"].astype(str)))
    grouped = words.groupby(["who", "key"], sort=False)
    entries = grouped.agg(time=("time", "min"), made=("arrival", "min"))
    entries["own"] = words[ledger.by].notna().groupby([words["who"], words["key"]], sort=False).first()
    entries["amount"] = 0
    if ledger.amount is not None:
        priced = words[words[ledger.amount].notna()].sort_values("time", kind="stable")
        first = priced.groupby(["who", "key"], sort=False)[ledger.amount].first()
        updates = frame[frame["type"].isin(ledger.update) & frame[ledger.amount].notna() & frame[ledger.by].notna()]
        updates = updates.sort_values("time", kind="stable").rename(columns={ledger.by: "key"})
        last = updates.groupby(["who", "key"], sort=False)[ledger.amount].last()
        amounts = last.reindex(entries.index).fillna(first.reindex(entries.index))
        entries["amount"] = (amounts * MILLION).round().fillna(0).astype("int64").clip(lower=0)
    return entries.reset_index()


def taken_back(frame: pd.DataFrame, ledger: Ledger, entries: pd.DataFrame) -> pd.DataFrame:
    """The returns: `taken` of the entry, never more than is left of it, and whether the entry `ended` with it.

    Of two that come to more than the entry, the later to arrive takes what is left. What has no entry takes nothing.
    """
    returns = frame[frame["type"].isin(ledger.minus)].assign(arrival=lambda found: found.index)
    returns = returns.assign(key=returns[ledger.by])
    if ledger.return_id is not None:
        named = returns[ledger.return_id].notna()
        again = returns.duplicated(["who", "key", ledger.return_id]) & named
        returns = returns[~again]
    told = returns[ledger.returned] if ledger.returned is not None else pd.Series(float("nan"), returns.index)
    returns = returns.assign(all=told.isna(), said=(told.abs() * MILLION).round().fillna(0).astype("int64"))
    without = returns[returns["key"].isna()].assign(taken=lambda found: found["said"], ended=False, time_of_entry=pd.NA)
    found = returns.merge(
        entries[["who", "key", "time", "amount"]], on=["who", "key"], suffixes=("", "_of_entry"), how="inner"
    ).sort_values("arrival", kind="stable")
    # What was asked for before this one; everything is as much as there is.
    asked = found["said"].where(~found["all"], found["amount"])
    before = asked.groupby([found["who"], found["key"]]).cumsum() - asked
    left = (found["amount"] - before).clip(lower=0)
    taken = asked.clip(upper=left)
    everything = found["all"].groupby([found["who"], found["key"]]).cummax()
    gone = (taken == left) & (found["amount"] > 0) | everything
    ended = gone & ~gone.groupby([found["who"], found["key"]]).shift(fill_value=False)
    found = found.assign(taken=taken, ended=ended)
    wanted = ["arrival", "time", "time_of_entry", "taken", "ended"]
    return pd.concat([found[wanted].astype(object), without[wanted].astype(object)], ignore_index=True)
