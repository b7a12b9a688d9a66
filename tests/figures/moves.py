"""What comes by itself, reckoned with pandas from the stage changes that `lifecycle simulate --changes` writes."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tests.figures.reckoning import MILLION, days_of, summed


def moves(changes: pd.DataFrame, zone: str, by: Sequence[str] = ()) -> dict[tuple[object, ...], int]:
    """Sums of `entered`, `left`, `moved` and `stayed` that are not 0, whole and by the facts that the changes name."""
    told = changes.assign(day=days_of(changes["at"], zone), value=MILLION)
    left = told[told["from"].notna()]
    stayed = left.assign(figure="stayed", value=(left["at"] - left["entered"]).astype("int64") * MILLION)
    counted = [
        told[told["to"].notna()].assign(figure="entered", **{"from": None}),
        left.assign(figure="left", to=None),
        told.assign(figure="moved"),
        stayed.assign(to=None),
    ]
    return summed(pd.concat(counted, ignore_index=True), by)


def customers(changes: pd.DataFrame, zone: str) -> dict[tuple[str, str], int]:
    """How many were in each stage at the end of each day on which somebody moved."""
    told = changes.assign(day=days_of(changes["at"], zone))
    there = told[told["to"].notna()].assign(stage=lambda found: found["to"], by_one=1)
    away = told[told["from"].notna()].assign(stage=lambda found: found["from"], by_one=-1)
    both = pd.concat([there, away])
    daily = both.pivot_table("by_one", index="day", columns="stage", aggfunc="sum", fill_value=0).cumsum()
    return {(stage, str(day)[:10]): int(number) for stage in daily for day, number in daily[stage].items()}
