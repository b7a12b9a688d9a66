"""Figures equal what pandas reckons, to the millionth, and so to the customer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.figures import shop
from tests.figures.moves import customers, moves
from tests.figures.product import Told, simulate
from tests.figures.reckoning import reckon
from tests.figures.shop import DAY

ZONES = ["UTC", "Europe/Paris", "America/New_York", "Africa/Cairo"]
"""All but the first change their clocks within the data; in Cairo, midnight does not exist on a day."""
BY = ["country", "device"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("shop") / "shop.jsonl.gz"
    subprocess.run([sys.executable, "-m", "stream.cli", "demo", "--save", str(file)], check=True, capture_output=True)
    return file


def lives(frame: pd.DataFrame) -> pd.DataFrame:
    """Who was never identified is somebody else after 90 days without an interaction; in the order of time."""
    quiet = frame.groupby("who")["time"].diff() >= 90 * DAY
    life = (quiet & frame["anonymous"]).groupby(frame["who"]).cumsum()
    return frame.assign(who=frame["who"] + " " + life.astype(str))


def assert_equal(told: Told, frame: pd.DataFrame, zone: str) -> None:
    expected = reckon(frame, shop.FIGURES, zone, BY)
    assert {key[0] for key in expected} == set(shop.FIGURES)
    assert differences(told.sums(*shop.FIGURES), expected) == {}
    assert differences(told.customers(), customers(told.changes, zone)) == {}


def differences(found: dict, expected: dict) -> dict:
    """By name, what was found and what was reckoned, where they differ."""
    names = sorted(found.keys() | expected.keys(), key=str)
    return {name: (found.get(name), expected.get(name)) for name in names if found.get(name, 0) != expected.get(name, 0)}


@pytest.mark.parametrize("zone", ZONES)
def test_the_shop_in_time_order(saved: Path, tmp_path: Path, zone: str) -> None:
    frame = shop.shop(saved, seed=1)
    told = simulate(tmp_path, shop.LIFECYCLE.format(zone=zone), frame)
    assert_equal(told, lives(frame), zone)
