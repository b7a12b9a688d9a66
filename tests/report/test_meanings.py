"""What is an order, a cost, a subscription: by the lifecycle file, by usual names, and as whoever asks says."""

from decimal import Decimal

import orjson
import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import load, parse
from stream.core.interaction import MAX_TIME, Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.demo.shop import shop_interactions
from stream.offline.simulation import Simulation
from stream.report.making import Asked
from tests.report.reckoning import plain, reckoned, row, table

JUNE = 1_780_272_000_000
"""1 June 2026, UTC."""
DAY = 86_400_000
BARE = """
lifecycle: bare
facts: {seen: {count: hit}}
stages: {here: {}, there: {}}
transitions:
  - {from: here, to: there, when: seen >= 1}
"""


def lifecycle(text: str = BARE) -> Lifecycle:
    return parse(text, "test.yaml").lifecycle


def did(name: str, day: int, customer: str = "ann", **properties: object) -> Interaction:
    return Interaction(customer, None, None, name, JUNE + day * DAY, properties, {})


def test_without_a_ledger_orders_are_words_that_are_told_apart_by_their_id() -> None:
    sent = [
        did("sale", 1, order_id="a", total="10.50"),
        did("sale", 1, order_id="a", total="10.50"),
        did("sale", 2, order_id="b", total=7),
        did("sale", 3, total=1),
        did("return", 4, order_id="b", total=2),
        did("sale", 29, "ben", order_id="c", price=3),
    ]
    report = reckoned(lifecycle(), sent, words=["orders=sale,refunds=return"])
    assert plain(row(report, "figures", "Orders")[1]) == 4
    assert plain(row(report, "figures", "Sales")[1]) == 18_500_000
    assert plain(row(report, "figures", "Revenue")[1]) == 16_500_000


def test_a_ledger_restates_orders_and_returns_count_on_their_own_day() -> None:
    text = """
lifecycle: shop
ledgers:
  other: {each: quote, by: properties.id}
  sold: {each: deal, by: properties.id, amount: properties.sum, update: change, minus: [back], returned: properties.sum}
stages: {here: {}, there: {}}
transitions:
  - {from: here, to: there, when: event.type == "deal"}
"""
    sent = [
        did("deal", -20, id=1, sum=100),
        did("change", -19, id=1, sum=80),
        did("back", 3, id=1, sum=50),
        did("back", 4, id=1, sum=50),  # 30 are left
        did("deal", 5, id=2, sum=40),
        did("back", 6, id=2),  # all of it
        did("back", 7, id=2, sum=40),
        did("deal", 29, "ben", id=1, sum=9),  # another customer's
    ]
    report = reckoned(lifecycle(text), sent)
    sales, paid_back = row(report, "figures", "Sales"), row(report, "figures", "Paid back")
    assert [plain(each) for each in sales[1:3]] == [49_000_000, 80_000_000]
    assert [plain(each) for each in paid_back[1:3]] == [120_000_000, 0]
    assert plain(row(report, "figures", "Orders voided")[1]) == 1
    worth = {each[0]: plain(each[1]) for each in table(report, "top_customers").rows}
    assert worth == {"ben": 9_000_000, "ann": 0}


def test_the_ledger_of_the_figures_comes_first() -> None:
    text = """
lifecycle: two
ledgers:
  first: {each: quote, by: properties.id, amount: properties.sum}
  second: {each: deal, by: properties.id, amount: properties.sum}
figures:
  revenue: {each: deal, ledger: second, add: properties.sum}
  cost: {each: click, add: properties.cost}
stages: {here: {}, there: {}}
transitions:
  - {from: here, to: there, when: event.type == "deal"}
"""
    sent = [did("quote", 1, id=1, sum=5), did("deal", 2, id=1, sum=7), did("click", 2, cost=0.35), did("x", 29)]
    report = reckoned(lifecycle(text), sent)
    assert plain(row(report, "figures", "Revenue")[1]) == 7_000_000
    assert plain(row(report, "figures", "Acquisition cost")[1]) == 350_000


def test_subscriptions_by_hand() -> None:
    """Ann pays 10, then 12, then stops; Ben pays 60 for six months; Cleo comes in June."""
    sent = [
        did("renewal", -60, total=10),
        did("renewal", -30, total=12),
        did("renewal", -61, "ben", total=60, months=6),
        did("renewal", 3, "cleo", total=5),
        did("x", 29),
    ]
    rows = {str(each[0]): [plain(cell) for cell in each[1:]] for each in table(reckoned(lifecycle(), sent), "mrr").rows}
    million = 1_000_000
    assert rows["2026-04"] == [20 * million, None, 2, 20 * million, 0, 0, 0]
    assert rows["2026-05"] == [22 * million, pytest.approx(0.1), 2, 0, 2 * million, 0, 0]
    assert rows["2026-06"] == [15 * million, pytest.approx(-7 / 22), 2, 5 * million, 0, 0, -12 * million]


def test_what_there_is_no_material_for_is_named() -> None:
    report = reckoned(lifecycle(), [did("hit", 1), did("hit", 29)])
    assert [each.partition(":")[0] for each in report.missing] == [
        "no order was found among interactions 'Order Completed' and 'order' and 'order_completed' and 'purchase'",
        "no words of visits, products, carts, checkouts and orders",
        "no stage is called dormant, lapsed, inactive, churned, lost, ended",
        "nothing was put into a cart",
        "nobody answered a survey",
        "there are no subscriptions",
    ]


def test_the_figures_of_the_file_are_those_that_simulate_writes() -> None:
    """The topic's rows, added up over the days of June."""
    preset = load("metrics").lifecycle
    assert preset.figures is not None
    simulation = Simulation(model_of([preset]), MAX_TIME)
    interactions = list(shop_interactions(100))
    assert list(simulation.run(enumerate(interactions)))
    sums: dict[str, Decimal] = {}
    for each in map(orjson.loads, simulation.figures()):
        if each["kind"] == "all" and each["day"].startswith("2026-06"):
            sums[each["figure"]] = sums.get(each["figure"], Decimal(0)) + Decimal(str(each["value"]))
    shown: dict[str, object] = {}
    for each in table(reckoned(preset, interactions), "own_figures").rows:
        shown.setdefault(str(each[0]), plain(each[1]))  # figures stand before rates, which may be called alike
    titles = {each.name: each.title for each in preset.figures.figures}
    money = {each.name for each in preset.figures.figures if each.is_money}
    compared = {name: value for name, value in sums.items() if name in titles}
    assert len(compared) > 10
    for name, value in compared.items():
        found = Decimal(str(shown[titles[name]]))
        assert found == value or (name in money and found == value * 1_000_000), name


def test_segments_are_those_of_the_latest_value() -> None:
    text = """
lifecycle: paint
ledgers: {sold: {each: deal, by: properties.id, amount: properties.sum}}
facts: {colour: {latest: properties.colour, each: deal}}
stages: {here: {}, there: {}}
transitions:
  - {from: here, to: there, when: event.type == "deal"}
  - {from: there, to: here, when: event.type == "deal"}
"""
    sent = [
        did("deal", 1, id=1, sum=5, colour="red"),
        did("deal", 2, id=2, sum=7, colour="blue"),
        did("deal", 3, "ben", id=3, sum=1, colour="red"),
        did("deal", 29, "cleo", id=4, sum=2),
    ]
    rows = table(reckoned(lifecycle(text), sent, Asked(by=("colour",))), "by_colour").rows
    assert [(each[0], plain(each[1]), plain(each[6])) for each in rows] == [
        ("blue", 1, 12_000_000),
        ("(not known)", 1, 2_000_000),
        ("red", 1, 1_000_000),
    ]


def test_a_period_that_the_data_do_not_fill_is_told_first() -> None:
    sent = [did("hit", 5), did("hit", 24)]
    report = reckoned(lifecycle(), sent, Asked(first="2026-06-10", last="2026-06-30"))
    assert report.sentences[:2] == [
        "The data begin on 6 June 2026: 20 May 2026 to 9 June 2026 is not whole.",
        "The data end on 25 June 2026: 10 June 2026 to 30 June 2026 is not whole.",
    ]
    assert not any(
        "is not whole" in each for each in reckoned(lifecycle(), [did("hit", -31), did("hit", 29)]).sentences
    )
