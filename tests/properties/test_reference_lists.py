"""Signals and facts over the elements of a list, in the reference (rule 17), worked out by hand."""

from __future__ import annotations

import pytest

from tests.properties.timelines import START, at, contributed, known

CART = [
    {"category": "coffee", "price": "2.50", "quantity": 2},
    {"category": "tea", "price": 3, "quantity": 1},
    {"category": "coffee", "price": 10, "quantity": 1},
    {"category": "coffee", "price": 10},
    None,
    "coffee",
]


def test_a_sum_over_a_list_computes_with_each_element() -> None:
    """Coffee is 2 * 2.50 + 10; the third one has no quantity and adds nothing; a refund's list is taken off."""
    fact = {
        "sum": "item.price * item.quantity",
        "each": "buy",
        "minus": "refund",
        "over": "properties.products",
        "where": 'item.category == "coffee"',
    }
    bought = at(START, "buy", products=CART)
    assert known({"facts": {"coffee": fact}}, [bought]) == {"coffee": 15.0}
    assert known({"facts": {"coffee": fact}}, [bought, at(START, "refund", products=CART[:2])]) == {"coffee": 10.0}


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ('item.category == "coffee"', 3),
        ('item == "coffee"', 1),
        ("exists(item)", 5),
        ("not exists(item)", 1),
        ("item.price >= 3", 3),
        ("exists(item.quantity) and properties.gift", 3),
        ('item.category != "coffee"', 1),
        ('item.category in ["tea", "cake"]', 1),
        ('lower(item) starts "cof"', 1),
    ],
)
def test_the_element_is_item_whatever_it_is(where: str, count: int) -> None:
    """Objects, a null and a text; `where` sees the interaction beside it."""
    fact = {"count": "buy", "over": "properties.products", "where": where}
    assert known({"facts": {"n": fact}}, [at(START, "buy", products=CART, gift=True)]) == {"n": count}


@pytest.mark.parametrize("products", [None, "coffee", 3, {"a": 1}, []])
def test_what_is_no_list_has_no_elements(products: object) -> None:
    """Nor has what is not there."""
    parts = {"facts": {"n": {"count": "buy", "over": "properties.products"}}}
    assert known(parts, [at(START, "buy", products=products), at(START, "buy")]) == {"n": 0}


def test_the_first_thousand_elements_count() -> None:
    """The rest is left."""
    parts = {"facts": {"n": {"count": "buy", "over": "properties.products"}}}
    assert known(parts, [at(START, "buy", products=[1] * 1_001)]) == {"n": 1_000}


def test_a_path_that_meets_a_list_is_absent() -> None:
    """Without `over`, `products.price` is nothing; a list within an element neither."""
    parts = {
        "facts": {
            "n": {"sum": "properties.products.price", "each": "buy"},
            "m": {"sum": "item.products.price", "each": "buy", "over": "properties.products"},
        }
    }
    assert known(parts, [at(START, "buy", products=[{"price": 3, "products": [{"price": 1}]}])]) == {"n": 0, "m": 0}


def test_caps_count_elements() -> None:
    """Two of four elements in each window, and one in a life."""
    parts = {
        "scores": {"two": {}, "one": {}},
        "signals": {
            "capped": {
                "each": "buy",
                "over": "properties.products",
                "add": {"two": "item"},
                "at_most": {"times": 2, "per": "10ms"},
            },
            "single": {"each": "buy", "over": "properties.products", "add": {"one": "item"}, "once": True},
        },
    }
    arrived = [at(START, "buy", products=[1, 2, 4, 8]), at(START + 10, "buy", products=[16, 32, 64])]
    assert known(parts, arrived) == {"two": 51, "one": 1}
    assert contributed(parts, arrived) == {"two": {"capped": (51, 4)}, "one": {"single": (1, 1)}}


def test_elements_do_not_see_each_other() -> None:
    """The count that `where` reads is the one before the interaction, for each of its elements."""
    parts = {"facts": {"n": {"count": "buy", "over": "properties.products", "where": "n < 1"}}}
    arrived = [at(START, "buy", products=[1, 2, 3]), at(START, "buy", products=[4])]
    assert known(parts, arrived) == {"n": 3}


def test_of_elements_the_last_is_the_latest_and_all_fall_out_of_a_window() -> None:
    """A `latest` takes the last element that has a value; a rolling count has one time for each."""
    parts = {
        "facts": {
            "category": {"latest": "item.category", "each": "buy", "over": "properties.products"},
            "busy": {"count": "buy", "over": "properties.products", "within": "5ms", "keep": 3},
            "first": {
                "first": "buy",
                "over": "properties.products",
                "where": 'item.category == "tea"',
            },
        }
    }
    arrived = [at(START, "buy", products=CART), at(START - 1, "buy", products=CART[:2])]
    assert known(parts, arrived) == {"category": "coffee", "busy": 3, "first": START - 1}
    assert known(parts, arrived, until=START + 5)["busy"] == 3
