"""What sold: the report against plain Python, in two zones, in time order and shuffled."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from stream.core.interaction import Interaction
from stream.demo.shop import shop_interactions
from stream.report.making import Asked
from stream.report.tables import Report
from tests.report.plain import Shop, middle
from tests.report.reckoning import in_zone, plain, reckoned, row, shuffled, table

PEOPLE = 250
ZONES = ("Europe/Paris", "America/New_York")
# Both change their clocks in these months, Paris on the 29th, New York on the 8th of March.
MARCH, FEBRUARY = (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 2, 1), date(2026, 2, 28))


@pytest.fixture(scope="module")
def interactions() -> list[Interaction]:
    return list(shop_interactions(PEOPLE))


@pytest.fixture(scope="module", params=ZONES)
def zone(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shop(interactions: list[Interaction], zone: str) -> Shop:
    return Shop(interactions, zone)


@pytest.fixture(scope="module", params=["in time order", "shuffled by up to three days"])
def report(
    request: pytest.FixtureRequest,
    interactions: list[Interaction],
    zone: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Report:
    given = shuffled(interactions) if request.param.startswith("shuffled") else interactions
    lifecycle = in_zone(zone, tmp_path_factory.mktemp("zone"))
    return reckoned(lifecycle, given, Asked(first="2026-03-01", last="2026-03-31", top=1000))


def millionths(amount: Decimal) -> int:
    return int(amount * 1_000_000)


def test_every_figure_is_that_of_plain_python_now_and_before(report: Report, shop: Shop) -> None:
    for place, days in ((1, MARCH), (2, FEBRUARY)):
        span = shop.between(*days)
        expected = {
            "Sales": millionths(span.sales),
            "Paid back": millionths(span.paid_back),
            "Revenue": millionths(span.sales - span.paid_back),
            "Orders": len(span.orders),
            "Orders voided": sum(each.void for each in span.orders),
            "Buyers": len(span.buyers),
            "New buyers": len(span.new),
            "Visitors": len(span.visitors),
            "Visitors, day by day": len(span.visitor_days),
            "Conversion rate, by people": len(span.buyers) / len(span.visitors),
            "Conversion rate, by days": len(span.orders) / len(span.visitor_days),
            "Time to convert, median": middle(span.times_to_convert),
        }
        assert len(span.orders) > 50, "or it proves nothing"
        assert {name: plain(row(report, "figures", name)[place]) for name in expected} == expected


def test_the_zones_differ_so_that_a_wrong_one_would_be_noticed(interactions: list[Interaction]) -> None:
    spans = [Shop(interactions, zone).between(*MARCH) for zone in (*ZONES, "UTC")]
    assert len({len(each.visitor_days) for each in spans}) == 3


def test_the_months_add_up_to_everything(report: Report, shop: Shop) -> None:
    for each in table(report, "series").rows:
        year, month = map(int, str(each[0]).split("-"))
        orders = [one for one in shop.orders if (one.day.year, one.day.month) == (year, month)]
        backs = [one.amount for one in shop.backs if (one.day.year, one.day.month) == (year, month)]
        assert plain(each[1]) == millionths(sum((one.amount for one in orders), Decimal(0)) - sum(backs, Decimal(0)))
        assert plain(each[2]) == len(orders)


def test_each_customer_is_worth_what_plain_python_says(report: Report, shop: Shop) -> None:
    worth: dict[str, Decimal] = defaultdict(Decimal)
    for order in shop.orders:
        if order.day <= MARCH[1]:
            worth[order.who] += order.amount
    for back in shop.backs:
        if back.day <= MARCH[1]:
            worth[back.who] -= back.amount
    shown = {str(each[0]): plain(each[1]) for each in table(report, "top_customers").rows}
    named = {who[1:] if who[0] == "=" else f"{who[1:]} (anonymous)": millionths(each) for who, each in worth.items()}
    assert shown == named
    assert len(named) > 100


def test_retention_and_churn_are_those_of_sets(report: Report, shop: Shop) -> None:
    start, end = shop.active(MARCH[0], 90), shop.active(date(2026, 4, 1), 90)
    new = shop.between(*MARCH).new
    rates = {str(each[0]): plain(each[1]) for each in table(report, "retention_rates").rows}
    assert rates["Active at the start (S)"] == len(start)
    assert rates["Retention rate, (E - N) / S"] == (len(end) - len(new)) / len(start)
    assert rates["Retention rate, stayed / S"] == len(start & end) / len(start)
    assert rates["Churn rate"] == len(start - end) / len(start)


def test_what_is_bought_again_is_counted_by_orders_and_by_days(report: Report, shop: Shop) -> None:
    orders = [each for each in shop.orders if each.day <= MARCH[1]]
    by_customer: dict[str, list[int]] = defaultdict(list)
    first_of_day: dict[tuple[str, date], int] = {}
    for each in orders:
        by_customer[each.who].append(each.time)
        known = first_of_day.get((each.who, each.day), each.time)
        first_of_day[each.who, each.day] = min(known, each.time)
    by_day: dict[str, list[int]] = defaultdict(list)
    for (who, _day), time in first_of_day.items():
        by_day[who].append(time)
    for place, times in ((1, by_customer), (2, by_day)):
        again = [sorted(each)[1] - min(each) for each in times.values() if len(each) > 1]
        assert plain(row(report, "repeats", "Repeat purchase rate")[place]) == len(again) / len(times)
        assert plain(row(report, "repeats", "Time to the second, median")[place]) == middle(again)
        within = sum(each <= 90 * 86_400_000 for each in again) / len(times)
        assert plain(row(report, "repeats", "A second within 90 days")[place]) == within


def test_the_cohorts_of_the_calendar_are_those_of_dates(report: Report, shop: Shop) -> None:
    firsts = shop.first_order()
    back: dict[tuple[str, int], set[str]] = defaultdict(set)
    for each in shop.orders:
        if each.day > MARCH[1]:
            continue
        born = firsts[each.who].day
        months = (each.day.year - born.year) * 12 + each.day.month - born.month
        back[f"{born:%Y-%m}", months].add(each.who)
    for each in table(report, "cohorts_calendar").rows[1:]:
        size = len(back[str(each[0]), 0])
        assert plain(each[1]) == size
        for months, cell in enumerate(each[2:]):
            if cell is not None:
                assert plain(cell) == len(back[str(each[0]), months]) / size


def test_products_are_those_of_the_orders(report: Report, interactions: list[Interaction], shop: Shop) -> None:
    pieces: dict[str, float] = defaultdict(float)
    for each in interactions:
        products = each.properties.get("products")
        inside = MARCH[0] <= shop.day(each.time) <= MARCH[1]
        if each.name == "Order Completed" and isinstance(products, list) and inside:
            for product in products:
                pieces[product["name"]] += product["quantity"]
    assert {str(each[0]): plain(each[4]) for each in table(report, "products").rows if plain(each[4])} == pieces


def test_reports_are_alike_whoever_is_asked_first(interactions: list[Interaction], tmp_path: Path) -> None:
    """Twice the same file counts once: an interaction has its id."""
    lifecycle = in_zone("UTC", tmp_path)
    once, twice = reckoned(lifecycle, interactions), reckoned(lifecycle, [*interactions, *interactions])
    for name in ("figures", "retention_rates", "funnel", "carts", "nps"):
        assert table(once, name).rows == table(twice, name).rows
