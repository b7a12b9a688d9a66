"""Figures equal what pandas reckons, to the millionth, and so to the customer."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from tests.figures import shop
from tests.figures.comparing import differences, moves_of
from tests.figures.moves import customers
from tests.figures.product import Told, simulate
from tests.figures.reckoning import reckon
from tests.figures.shop import DAY

ZONES = ["UTC", "Europe/Paris", "America/New_York", "Africa/Cairo"]
"""All but the first change their clocks within the data; in Cairo, midnight does not exist on a day."""
BY = ["country", "device"]


CORRECTED = {name for name, figure in shop.FIGURES.items() if figure.ledger and not figure.counts_interactions}
CORRECTED |= {name for name, figure in shop.FIGURES.items() if figure.once}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    file = tmp_path_factory.mktemp("shop") / "shop.jsonl.gz"
    subprocess.run([sys.executable, "-m", "stream.cli", "demo", "--save", str(file)], check=True, capture_output=True)
    return shop.saved_shop(file)


def lives(frame: pd.DataFrame) -> pd.DataFrame:
    """Who was never identified is somebody else after 90 days without an interaction; in the order of time."""
    quiet = frame.groupby("who")["time"].diff() >= 90 * DAY
    life = (quiet & frame["anonymous"]).groupby(frame["who"]).cumsum()
    return frame.assign(who=frame["who"] + " " + life.astype(str))


def assert_equal(told: Told, frame: pd.DataFrame, zone: str) -> None:
    """Those of a ledger's entries by a fact that changes are looked at together: see `of_all_segments`."""
    found, expected = told.sums(*shop.FIGURES), reckon(frame, shop.FIGURES, zone, BY)
    assert {key[0] for key in expected} == set(shop.FIGURES)
    assert differences(of_all_segments(found), of_all_segments(expected)) == {}
    assert differences(told.customers(), customers(told.changes, zone)) == {}
    assert differences(told.sums("entered", "left", "moved", "stayed"), moves_of(told, zone, BY)) == {}


def of_all_segments(sums: dict) -> dict:
    """What is corrected is so in the segment of that moment, so here is only what all segments come to."""
    found = defaultdict(int)
    for key, value in sums.items():
        found[(*key[:3], "all of them", *key[6:]) if key[0] in CORRECTED and key[3] == "device" else key] += value
    return {key: value for key, value in found.items() if value}


@pytest.mark.parametrize(("seed", "zone"), list(enumerate(ZONES)))
def test_the_shop_in_time_order(saved: pd.DataFrame, tmp_path: Path, seed: int, zone: str) -> None:
    frame = shop.shop(saved, seed)
    assert_equal(simulate(tmp_path, shop.LIFECYCLE.format(zone=zone), frame), lives(frame), zone)


@pytest.mark.parametrize(("seed", "zone"), list(enumerate(ZONES)))
def test_the_shop_late_by_up_to_three_days(saved: pd.DataFrame, tmp_path: Path, seed: int, zone: str) -> None:
    """Equal to what is reckoned in that order; and where the document says so, to what it is in the order of time."""
    in_order = shop.shop(saved, seed)
    late = shop.shuffled(in_order, seed)
    told = simulate(tmp_path, shop.LIFECYCLE.format(zone=zone), late, "--forget-after", "off")
    assert_equal(told, late, zone)
    same = {name: figure for name, figure in shop.FIGURES.items() if name not in shop.DEPEND_ON_ARRIVAL}
    expected = reckon(in_order, same, zone, ["country"])
    found = {key: value for key, value in told.sums(*same).items() if key[3] != "device"}
    assert differences(by_window(found), by_window(expected)) == {}


def by_window(sums: dict) -> dict:
    """Of people a week or a month, the day depends on what arrives first; how many of the window they are does not."""
    periods = {"visitors_a_week": "W-SUN", "visitors_a_month": "M"}
    found = defaultdict(int)
    for key, value in sums.items():
        day = key[-1] if key[0] not in periods else str(pd.Period(key[-1], periods[key[0]]))
        found[(*key[:-1], day)] += value
    return dict(found)
