"""Real customers: CDNOW and Complete Journey, to the cent, and where two definitions are usual both of them."""

from collections import defaultdict
from pathlib import Path

import pytest
from pyarrow import compute

from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.report.making import Asked
from stream.report.tables import Report
from tests.kit.datasets import _table as journey_table
from tests.kit.datasets import cdnow_interactions, complete_journey_interactions
from tests.report.plain import Shop
from tests.report.reckoning import in_zone, plain, reckoned, row, shuffled, table

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def purchases() -> list[Interaction]:
    return list(cdnow_interactions("CDNOW_master.txt"))


@pytest.fixture(scope="module")
def utc(tmp_path_factory: pytest.TempPathFactory) -> Lifecycle:
    return in_zone("UTC", tmp_path_factory.mktemp("zone"))


@pytest.fixture(scope="module", params=["in time order", "shuffled"])
def cdnow(request: pytest.FixtureRequest, purchases: list[Interaction], utc: Lifecycle) -> Report:
    given = shuffled(purchases) if request.param == "shuffled" else sorted(purchases, key=lambda each: each.time)
    return reckoned(utc, given)


def percent(cell: object) -> float:
    found = plain(cell)  # type: ignore[arg-type]
    assert isinstance(found, float)
    return round(found * 100, 2)


def money(cell: object) -> float:
    found = plain(cell)  # type: ignore[arg-type]
    assert isinstance(found, int | float)
    return round(found / 1e6, 2)


def test_cdnow_comes_to_what_is_published_of_it(cdnow: Report) -> None:
    values = {str(each[0]): money(each[1]) for each in table(cdnow, "order_values").rows}
    assert values == {
        "Average order value": 35.89,
        "Average order value, without orders of nothing": 35.93,
        "Average order value, by customer and day": 36.99,
        "Average of customers' averages": 32.62,
        "Median order": 25.98,
        "Customer lifetime value so far": 106.08,
        "The same before returns": 106.08,
    }
    assert [percent(each) for each in row(cdnow, "repeats", "Repeat purchase rate")[1:3]] == [49.48, 48.86]
    by_days = [row(cdnow, "repeats", f"A second within {days} days")[2] for days in (30, 90, 365)]
    assert [round(percent(each), 1) for each in by_days] == [17.5, 29.2, 45.9]
    mean, median = (row(cdnow, "repeats", f"Time to the second, {name}")[2] for name in ("mean", "median"))
    assert [round(float(plain(each) or 0) / 86_400_000) for each in (mean, median)] == [111, 57]
    assert row(cdnow, "repeats", "Time to the second, median of all")[2] == "not reached"


@pytest.mark.parametrize(
    ("month", "rates"), [("1998-03-01 1998-03-31", [102.55, 76.44]), ("1997-07-01 1997-07-31", [91.45, 74.65])]
)
def test_both_retention_rates_of_cdnow(
    purchases: list[Interaction], utc: Lifecycle, month: str, rates: list[float]
) -> None:
    """(E - N) / S passes 100 % where customers come back."""
    first, last = month.split()
    report = reckoned(utc, purchases, Asked(first=first, last=last))
    names = ("Retention rate, (E - N) / S", "Retention rate, stayed / S")
    assert [percent(row(report, "retention_rates", name)[1]) for name in names] == rates


def test_the_first_cohort_of_cdnow_by_the_calendar_and_by_rolling_days(
    purchases: list[Interaction], utc: Lifecycle
) -> None:
    report = reckoned(utc, purchases, Asked(first="1997-12-01", last="1997-12-31"))
    assert percent(row(report, "cohorts_calendar", "1997-01")[3]) == 14.75
    assert percent(row(report, "cohorts_rolling", "1997-01")[3]) == 13.71


def test_every_household_of_complete_journey_is_worth_its_baskets(utc: Lifecycle) -> None:
    """Against the lines of the tables themselves, summed by pyarrow in whole cents."""
    report = reckoned(utc, complete_journey_interactions(), Asked(first="2017-01-01", last="2018-01-01", top=5_000))
    lines = journey_table("transactions")
    cents = compute.cast(compute.round(compute.multiply(lines["sales_value"], 100)), "int64")
    sums: dict[str, int] = defaultdict(int)
    for household, each in zip(lines["household_id"].to_pylist(), cents.to_pylist(), strict=True):
        sums[str(household)] += each
    shown = {str(each[0]): plain(each[1]) for each in table(report, "top_customers").rows}
    assert shown == {household: each * 10_000 for household, each in sums.items()}
    assert money(row(report, "order_values", "Average order value")[1]) == 29.49


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Paris"])
def test_the_months_of_complete_journey_are_those_of_the_zone(zone: str, tmp_path: Path) -> None:
    """Both put their clocks forward in March 2017, on the 12th and the 26th."""
    interactions = [each for each in complete_journey_interactions() if each.name == "Order Completed"]
    shop = Shop(interactions, zone)
    report = reckoned(in_zone(zone, tmp_path), shuffled(interactions), Asked(first="2017-03-01", last="2017-03-31"))
    march = [each for each in shop.orders if (each.day.year, each.day.month) == (2017, 3)]
    assert plain(row(report, "figures", "Orders")[1]) == len(march)
    assert plain(row(report, "figures", "Sales")[1]) == int(sum(each.amount for each in march) * 1_000_000)
    assert plain(row(report, "figures", "Buyers")[1]) == len({each.who for each in march})


def test_day_one_and_seven_of_complete_journey_by_the_calendar_and_by_24_hours(utc: Lifecycle) -> None:
    """Its times name no zone and are taken as they stand. One household began so late that it has no day 7 yet."""
    baskets = [each for each in complete_journey_interactions() if each.name == "Order Completed"]
    report = reckoned(utc, baskets, Asked(per="day"))
    shown = [
        percent(row(report, f"cohorts_{name}", "All")[2 + day]) for name in ("calendar", "rolling") for day in (1, 7)
    ]
    assert shown == [11.42, 16.09, 11.62, 15.84]
    seventh = plain(row(report, "cohorts_calendar", "All")[9])
    assert round(float(seventh or 0) * 2468 / 2469 * 100, 2) == 16.08, "of all households"
