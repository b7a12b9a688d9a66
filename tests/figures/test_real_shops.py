"""CDNOW and Complete Journey: figures equal what pandas reckons of the same files, to the cent and the customer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.figures import real_shops
from tests.figures.comparing import differences, moves_of
from tests.figures.moves import customers
from tests.figures.product import simulate
from tests.figures.reckoning import MILLION, reckon
from tests.figures.shop import shuffled

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

ZONES = ["Europe/Paris", "America/Santiago"]
"""Both change their clocks; in Santiago midnight does not exist on a day of 1997."""


@pytest.mark.parametrize("zone", ZONES)
def test_cdnow_in_time_order(tmp_path: Path, zone: str) -> None:
    frame = real_shops.cdnow()
    told = simulate(tmp_path, real_shops.CDNOW.format(zone=zone), frame)
    expected = reckon(frame, real_shops.OF_CDNOW, zone, ["cohort", "quantity"])
    assert sum(value for key, value in expected.items() if key[0] == "revenue" and key[3] is None) == 2_500_315_630_000
    assert differences(told.sums(*real_shops.OF_CDNOW), expected) == {}
    assert (
        differences(told.sums("entered", "left", "moved", "stayed"), moves_of(told, zone, ["cohort", "quantity"])) == {}
    )
    assert differences(told.customers(), customers(told.changes, zone)) == {}


def test_cdnow_late_by_up_to_three_days(tmp_path: Path) -> None:
    """The first orders are those of the same days, whatever arrived first."""
    in_order = real_shops.cdnow()
    frame = shuffled(in_order, 1)
    told = simulate(tmp_path, real_shops.CDNOW.format(zone="Europe/Paris"), frame)
    found = {key: value for key, value in told.sums(*real_shops.OF_CDNOW).items() if key[3] != "quantity"}
    assert differences(found, reckon(frame, real_shops.OF_CDNOW, "Europe/Paris", ["cohort"])) == {}
    assert sum(value for key, value in found.items() if key[0] == "first_orders" and key[3] is None) == 23_570 * MILLION
    same = {name: figure for name, figure in real_shops.OF_CDNOW.items() if figure.at_most in {None, (1, "day")}}
    expected = reckon(in_order, same, "Europe/Paris", ["cohort"])
    assert differences({key: value for key, value in found.items() if key[0] in same}, expected) == {}


@pytest.mark.parametrize("zone", ["Asia/Beirut"])
def test_complete_journey(tmp_path: Path, zone: str) -> None:
    """In Beirut, midnight does not exist on 26 March 2017."""
    frame = real_shops.complete_journey()
    told = simulate(tmp_path, real_shops.JOURNEY.format(zone=zone), frame)
    expected = reckon(frame, real_shops.OF_JOURNEY, zone, ["store"])
    assert sum(value for key, value in expected.items() if key[0] == "revenue" and key[3] is None) == 4_596_039_580_000
    assert differences(told.sums(*real_shops.OF_JOURNEY), expected) == {}
