"""The purchases that ship with the demo, quick to reckon: figures equal pandas' in two zones, late and not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.figures.comparing import differences, moves_of
from tests.figures.moves import customers
from tests.figures.product import simulate
from tests.figures.real_shops import CDNOW, OF_CDNOW, with_lines
from tests.figures.reckoning import MILLION, reckon
from tests.figures.shop import shuffled


def purchases(folder: Path) -> pd.DataFrame:
    """What `lifecycle demo --data purchases --save` writes, each at a second of its day."""
    file = folder / "purchases.jsonl"
    command = [sys.executable, "-m", "stream.cli", "demo", "--data", "purchases", "--save", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    told = pd.read_json(file, lines=True, dtype=False)
    said = pd.DataFrame(told["properties"].tolist())
    times = told["time"].astype("int64") + told.index.to_series() * 7_919 % 86_400 * 1_000
    frame = said[["total", "quantity"]].assign(who=told["customer_id"].astype(str), type="purchase", time=times)
    frame["cohort"] = frame["who"].str[-1]
    frame = frame.sort_values("time", kind="stable", ignore_index=True)
    return with_lines(frame, "Order Completed", ["total", "quantity", "cohort"])


@pytest.mark.parametrize(("zone", "late"), [("Europe/Paris", False), ("America/Santiago", True)])
def test_purchases_of_the_demo(tmp_path: Path, zone: str, late: bool) -> None:
    """As they arrive, in segments of a fact that stays, and of one that changes with each purchase."""
    frame = shuffled(purchases(tmp_path), 1) if late else purchases(tmp_path)
    told = simulate(tmp_path, CDNOW.format(zone=zone), frame)
    # What takes the place of what counted once is taken from the segment of now.
    names = {name for name, figure in OF_CDNOW.items() if not figure.once}
    found = {key: value for key, value in told.sums(*OF_CDNOW).items() if key[0] in names or key[3] != "quantity"}
    expected = reckon(frame, OF_CDNOW, zone, ["cohort", "quantity"])
    expected = {key: value for key, value in expected.items() if key[0] in names or key[3] != "quantity"}
    assert differences(found, expected) == {}
    assert sum(value for key, value in found.items() if key[0] == "orders" and key[3] is None) == 6_919 * MILLION
    moved = moves_of(told, zone, ["cohort", "quantity"])
    assert differences(told.sums("entered", "left", "moved", "stayed"), moved) == {}
    assert differences(told.customers(), customers(told.changes, zone)) == {}


def test_a_cent_too_much_would_be_found(tmp_path: Path) -> None:
    """The check itself: one purchase dearer by a cent, one customer more on one day."""
    frame = purchases(tmp_path)
    told = simulate(tmp_path, CDNOW.format(zone="UTC"), frame)
    frame.loc[0, "total"] += 0.01
    frame.loc[1, "who"] = "somebody else"
    found = {name for name, *_ in differences(told.sums(*OF_CDNOW), reckon(frame, OF_CDNOW, "UTC"))}
    assert {"revenue", "first_orders"} <= found
