"""Figures reckoned with pandas from what docs/figures.md says; nothing of the product is used.

Interactions are a frame with a row for each, in the order of arrival, numbered from 0. Its columns are `who`, `type`
(the word), `time` (epoch milliseconds), and those that figures name. Sums are whole millionths.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tests.figures.ledgers import Ledger, entries_of, taken_back

MILLION = 1_000_000
EVERYBODY = ("all", None)
ROW = ["figure", "from", "to", "by", "kind", "segment", "day"]
"""What names one sum."""

Condition = Callable[[pd.DataFrame], "pd.Series[bool]"]
Amount = Callable[[pd.DataFrame], "pd.Series[float]"]


@dataclass(frozen=True)
class Figure:
    """A figure as pandas says it; `counts_interactions`: of a ledger, but not made of its entries."""

    each: Sequence[str]
    add: Amount | None = None
    where: Condition | None = None
    over: str | None = None
    at_most: tuple[int, str] | None = None
    once: bool = False
    ledger: Ledger | None = None
    counts_interactions: bool = False
    minus: Sequence[str] = ()
    minus_on: str = "return"


def column(name: str) -> Amount:
    """The numbers of a column."""
    return lambda frame: frame[name]


def days_of(times: pd.Series[int], zone: str) -> pd.Series[pd.Timestamp]:
    """The calendar day of each time, as a midnight without a zone."""
    local = pd.to_datetime(times, unit="ms", utc=True).dt.tz_convert(zone)
    return local.dt.tz_localize(None).dt.floor("D")


def millionths(numbers: pd.Series[float]) -> pd.Series[int]:
    """Whole millionths; what is absent or too large is nothing."""
    numbers = pd.to_numeric(numbers, errors="coerce")
    return (numbers.where(numbers.abs() < 1e15) * MILLION).round().fillna(0).astype("int64")


def known(frame: pd.DataFrame, name: str) -> pd.Series[object]:
    """The value of a fact of kind `latest` after each interaction, as it was known at its arrival.

    That is the value with the latest time of those that had arrived, of equal times the one that came last.
    """
    values = frame[name]
    times = frame["time"].where(values.notna()).astype("Int64")
    latest = times.groupby(frame["who"]).cummax()
    return values.where((times == latest).fillna(value=False)).groupby(frame["who"]).ffill()


def reckon(
    frame: pd.DataFrame, figures: Mapping[str, Figure], zone: str, by: Sequence[str] = ()
) -> dict[tuple[object, ...], int]:
    """The sums by figure, segment and day that are not 0; `by` names columns that have a fact of the same name."""
    parts = [contributions(frame, figure, zone).assign(figure=name) for name, figure in figures.items()]
    counted = pd.concat([part for part in parts if len(part)], ignore_index=True)
    for fact in by:
        counted[fact] = known(frame, fact).reindex(counted["arrival"]).to_numpy()
    return summed(counted.assign(**{"from": None, "to": None}), by)


def summed(counted: pd.DataFrame, by: Sequence[str]) -> dict[tuple[object, ...], int]:
    """The sums over `value` for everybody and for each segment."""
    whole = counted.assign(by=None, kind="all", segment=None)
    parts = [
        counted.assign(
            by=fact,
            kind=counted[fact].notna().map({True: "value", False: "none"}),
            segment=counted[fact].map(text, na_action="ignore"),
        )
        for fact in by
    ]
    together = pd.concat([each[[*ROW, "value"]].astype(object) for each in [whole, *parts]])
    together["value"] = together["value"].astype("int64")
    together = together.astype(dict.fromkeys(ROW, object)).where(together.notna(), None)
    sums = together.groupby(ROW, dropna=False, sort=False)["value"].sum()
    return {
        (*(None if pd.isna(part) else part for part in key[:-1]), str(key[-1])[:10]): int(value)
        for key, value in sums.items()
        if value
    }


def text(value: object) -> str:
    """The name of a segment: numbers and booleans as JSON writes them."""
    if isinstance(value, str):
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def contributions(frame: pd.DataFrame, figure: Figure, zone: str) -> pd.DataFrame:
    """What counts, by `day`, `value` in millionths, and the `arrival` of what it came with."""
    if figure.ledger is not None and not figure.counts_interactions:
        entries, returns = _of_entries(frame, figure, figure.ledger)
        found = pd.concat([entries, returns], ignore_index=True)
        return found.assign(day=days_of(found["time"].astype("int64"), zone))[["day", "value", "arrival"]]
    counted = _valued(_limited(_chosen(frame, figure, figure.each), figure, zone), figure, 1)
    if figure.minus:
        taken = _valued(_chosen(frame, figure, figure.minus), figure, -1)
        counted = pd.concat([counted, taken], ignore_index=True)
    return counted.assign(day=days_of(counted["time"], zone))[["day", "value", "arrival"]]


def _valued(chosen: pd.DataFrame, figure: Figure, sign: int) -> pd.DataFrame:
    values = MILLION if figure.add is None else millionths(figure.add(chosen))
    return chosen[["time", "arrival"]].assign(value=values * sign)


def _chosen(frame: pd.DataFrame, figure: Figure, words: Sequence[str]) -> pd.DataFrame:
    """The interactions of the words, or the elements of their lists, that fulfil the condition."""
    chosen = frame[frame["type"].isin(words)].assign(arrival=lambda found: found.index)
    if figure.ledger is not None:
        chosen = chosen[chosen.index.isin(entries_of(frame, figure.ledger)["made"])]
    if figure.over is not None:
        chosen = chosen[chosen[figure.over].map(lambda items: isinstance(items, list)).astype(bool)]
        chosen = chosen.explode(figure.over, ignore_index=True).dropna(subset=[figure.over])
        items = pd.json_normalize(chosen[figure.over].tolist()).add_prefix("item.")
        chosen = pd.concat([chosen, items.set_index(chosen.index)], axis="columns")
    return chosen if figure.where is None else chosen[figure.where(chosen)]


def _limited(chosen: pd.DataFrame, figure: Figure, zone: str) -> pd.DataFrame:
    """Of each customer the first to arrive within a window, or the earliest of all."""
    if figure.once:
        return chosen.sort_values("time", kind="stable").groupby("who").head(1)
    if figure.at_most is None:
        return chosen
    times, per = figure.at_most
    windows = days_of(chosen["time"], zone).dt.to_period({"day": "D", "week": "W-SUN", "month": "M"}[per])
    return chosen.groupby([chosen["who"], windows], sort=False).head(times)


def _of_entries(frame: pd.DataFrame, figure: Figure, ledger: Ledger) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each entry at its smallest time; what was returned of it at the time of the return, or of the entry."""
    entries = entries_of(frame, ledger)
    values = pd.Series(MILLION, entries.index) if figure.add is None else entries["amount"]
    counted = pd.DataFrame({"time": entries["time"], "value": values, "arrival": entries["made"]})
    if not figure.minus:
        return counted, counted.head(0)
    returns = taken_back(frame, ledger, entries)
    times = returns["time"] if figure.minus_on == "return" else returns["time_of_entry"].fillna(returns["time"])
    taken = returns["taken"] if figure.add is not None else returns["ended"].astype("int64") * MILLION
    return counted, pd.DataFrame({"time": times, "value": -taken, "arrival": returns["arrival"]})
