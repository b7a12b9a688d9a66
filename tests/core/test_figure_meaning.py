"""What figures mean, in words."""

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.explanation.figure_meaning import meaning_of
from stream.core.time_zone import Unit

LIFECYCLE = """
lifecycle: shop
interactions: {{visit: [page], purchase: [Order Completed], top_up: [Paid], refund: [Order Refunded]}}
ledgers:
  bought: {{each: purchase, by: properties.order_id, amount: properties.total, minus: refund}}
facts: {{visits: {{count: visit}}}}
figures:
  one: {figure}
stages: {{lead: {{}}}}
"""


def told(figure: str, per: Unit = "day") -> str:
    lifecycle = parse(LIFECYCLE.format(figure=figure), "shop.yaml").lifecycle
    assert lifecycle.figures is not None
    return meaning_of(lifecycle.figures.figures[0], per)


OF_ORDERS = "adds properties.total of each purchase, each order of the ledger bought once, minus refund on the day of"
TWICE = "who counts in two of them counts twice"


@pytest.mark.parametrize(
    ("figure", "meaning"),
    [
        ("{each: visit}", "counts each visit"),
        ("{each: [purchase, top_up], add: properties.total}", "adds properties.total of each purchase or top_up"),
        ("{each: purchase, where: properties.total  >  5}", "counts each purchase, where properties.total > 5"),
        (
            "{each: purchase, over: properties.products, add: item.price * item.quantity}",
            "adds item.price * item.quantity of each element of properties.products of each purchase",
        ),
        ("{each: purchase, ledger: bought}", "counts each purchase, each order of the ledger bought once"),
        (
            "{each: purchase, ledger: bought, add: properties.total, minus: refund}",
            f"{OF_ORDERS} the refund",
        ),
        (
            "{each: purchase, ledger: bought, add: properties.total, minus: refund, minus_on: order}",
            f"{OF_ORDERS} the order",
        ),
        ("{each: purchase, once: true}", "counts each purchase, once for each customer"),
        (
            "{each: visit, at_most: {times: 2, per: month}}",
            f"counts each visit, at most 2 a month for each customer; a total adds up its months: {TWICE}",
        ),
    ],
)
def test_a_figure_says_what_it_counts(figure: str, meaning: str) -> None:
    assert told(figure) == meaning


@pytest.mark.parametrize(
    ("limit", "per", "said"),
    [
        ("day", "day", "; a total adds up its days"),
        ("day", "week", "; a week and a total add up their days"),
        ("day", "month", "; a month and a total add up their days"),
        ("week", "week", "; a total adds up its weeks"),
        ("week", "month", "; a month and a total add up their weeks"),
        ("month", "month", "; a total adds up its months"),
    ],
)
def test_people_of_short_times_are_said_to_be_added_up_over_longer_ones(limit: str, per: Unit, said: str) -> None:
    assert f"{said}: who counts in two of them counts twice" in told(
        f"{{each: visit, at_most: {{times: 1, per: {limit}}}}}", per
    )
