"""The real data are those that the numbers of tests and benchmarks were counted in."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.kit.datasets import cdnow, complete_journey

pytestmark = pytest.mark.real_data

Row = dict[str, Any]


def converted(convert: Callable[[Path], int], folder: Path) -> list[Row]:
    """Convert, and check what holds for each data set: the number, the order, distinct ids."""
    path = folder / "interactions.jsonl"
    number = convert(path)
    with path.open("rb") as file:
        rows: list[Row] = [orjson.loads(line) for line in file]
    assert len(rows) == number
    assert len({row["id"] for row in rows}) == number
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    return rows


def test_cdnow_is_all_purchases_of_the_master_file(tmp_path: Path) -> None:
    """69,659 purchases of 23,570 customers worth 2,500,315.63 dollars."""
    rows = converted(cdnow, tmp_path)
    assert len(rows) == 69_659
    assert len({row["customer_id"] for row in rows}) == 23_570
    assert {row["type"] for row in rows} == {"Order Completed"}
    assert sum(round(row["properties"]["total"] * 100) for row in rows) == 250_031_563
    assert sum(row["properties"]["total"] == 0 for row in rows) == 80
    assert rows[0] == {
        "id": "cdnow-2",
        "type": "Order Completed",
        "customer_id": "00001",
        "time": 852_076_800_000,
        "properties": {"total": 11.77, "quantity": 1},
        "context": {},
    }


@pytest.mark.slow
def test_complete_journey_is_every_basket_coupon_and_mailing(tmp_path: Path) -> None:
    """One order for each basket, exact to the cent, beside redemptions and campaigns."""
    rows = converted(complete_journey, tmp_path)
    assert Counter(row["type"] for row in rows) == {
        "Order Completed": 155_848,
        "email_delivered": 6_589,
        "Coupon Applied": 2_102,
    }
    households = {row["type"]: set[str]() for row in rows}
    for row in rows:
        households[row["type"]].add(row["customer_id"])
    assert {name: len(ids) for name, ids in households.items()} == {
        "Order Completed": 2_469,
        "email_delivered": 1_559,
        "Coupon Applied": 410,
    }
    orders = [row["properties"] for row in rows if row["type"] == "Order Completed"]
    assert sum(order["lines"] for order in orders) == 1_469_307
    assert sum(round(order["total"] * 100) for order in orders) == 459_603_958
