"""Rule 17, conditions: `item`, the element at hand of the list that `over` names."""

import re
from dataclasses import replace

import pytest

from stream.core.event import ITEM, PROPERTIES, Event, PropertyPath
from stream.core.expressions import ConditionError
from stream.core.interaction import Interaction
from stream.core.language.conditions import compile_condition
from stream.core.language.list_paths import PathUses
from stream.core.language.parser import parse
from stream.core.lifecycle import Condition, Lifecycle
from stream.core.matches import Matches
from stream.core.mentions import properties_in, written
from tests.core.shop import SCOPE, SHOP
from tests.core.subject import lifecycle
from tests.kit.times import T0

OVER = SCOPE._replace(at_event=True, item=True)
PRODUCTS = PropertyPath(PROPERTIES, ("products",))


def where(text: str) -> Condition:
    return compile_condition(text, OVER)


def holds(text: str, item: object) -> bool:
    event = Event("buy", "Order Completed", T0, {"wanted": "tea", "many": ["tea", "5"]}, {}, item)
    return where(text).with_event.holds(SHOP.begin(T0, "", False), T0, event)


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    [
        ('item.category == "tea"', {"category": "tea"}, True),
        ('item.category == "tea"', {"category": "Tea"}, False),
        ('lower(item.category) == "tea"', {"category": "Tea"}, True),
        ('lower(item.category) in ["tea", "coffee"]', {"category": "COFFEE"}, True),
        ('item["the category"].name starts "te"', {"the category": {"name": "tea"}}, True),
        ("item.category == properties.wanted", {"category": "tea"}, True),
        ("item.category in properties.many", {"category": "tea"}, True),
        ('"new" in item.tags', {"tags": ["new"]}, True),
        ('"new" in lower(item.tags)', {"tags": ["NEW"]}, True),
        ('item.tags contains "new"', {"tags": ["new"]}, True),
        ("exists(item.price)", {"price": 0}, True),
        ("exists(item.price)", {"price": None}, False),
        ("item.gift", {"gift": True}, True),
        ("item.gift", {"gift": 1}, False),
        # a number in quotes beside a number (rule 16)
        ("item.price >= 9", {"price": "10"}, True),
        ("item.price in [9, 10]", {"price": "10"}, True),
        ("item.price > orders", {"price": "1"}, True),
        ("orders in item", ["0"], True),
        ("item.price == item.other", {"price": "10", "other": 10}, False),
        # the element itself
        ('item == "x"', "x", True),
        ('item != "x"', "y", True),
        ('item != "x"', None, False),
        ('not (item == "x")', None, True),
        ("item == 5", 5, True),
        ("item == 5", "5.0", True),
        ("item == 5", True, False),
        ("item", True, True),
        ("item", "true", False),
        ("not item", False, True),
        ("item == true", True, True),
        ('item in ["x", 5]', "5", True),
        ("item in properties.many", "tea", True),
        ("item in properties.many", 5, False),
        ('"x" in item', ["x"], True),
        ('"x" in item', "x", False),
        ('item contains "x"', "axb", True),
        ('item contains "x"', ["x"], True),
        ('lower(item) == "x"', "X", True),
        ('"x" in lower(item)', ["X"], True),
        ("exists(item)", None, False),
        ("exists(item)", False, True),
        ("exists(item)", {}, True),
        ("exists(item.price)", None, False),
        ("exists(item.price)", "price", False),
        ("exists(item.price)", [{"price": 5}], False),
        ('not (item.category == "tea")', 5, True),
        # with what is known of the customer
        ("orders == 0 and item.price > value", {"price": 5}, True),
    ],
)
def test_the_element_at_hand_compares_as_a_property_does(text, item, expected):
    """Whatever it is: an object, a text, a number, true or false, a list, null."""
    assert holds(text, item) is expected


def test_without_an_interaction_an_item_is_unknown():
    for text in ('item == "x"', "item.price > 5", "exists(item)"):
        assert where(text).without_event is None
        assert where(f"not ({text})").without_event is None
        assert not where(text).reads_state


@pytest.mark.parametrize(
    "text",
    [
        'item == "x"',
        "item.price > 5",
        "exists(item)",
        "exists(item.price)",
        'lower(item.name) == "x"',
        '"x" in item.tags',
        'item["a b"].c contains "x"',
        "item",
    ],
)
def test_where_no_over_names_a_list_there_is_no_item(text):
    """In `when`, and in a `where` without `over`."""
    message = re.escape(": there is an item only where over: names the list it is of")
    for scope in (SCOPE, SCOPE._replace(at_event=True), SCOPE._replace(interaction_only=True)):
        with pytest.raises(ConditionError, match=message):
            compile_condition(text, scope)


def test_an_item_is_among_the_names_where_there_is_one():
    for scope, known in ((OVER, True), (SCOPE, False)):
        with pytest.raises(ConditionError, match="unknown name 'xyzzy'") as caught:
            compile_condition("xyzzy >= 1", scope)
        assert (", item;" in caught.value.message) is known


def test_properties_of_items_are_among_those_that_a_condition_reads():
    tree = parse('item.a == 1 and lower(item["b c"]) contains "x" and properties.d in item.e and item == 5')
    assert [written(each) for each in properties_in(tree)] == ["item.a", 'item["b c"]', "properties.d", "item.e"]


RULES = """
    scores: {points: {}}
    signals: {bought: {each: buy, add: {points: 1}}}
    facts: {teas: {count: buy}}
"""


def over_products(text: str) -> Lifecycle:
    """A lifecycle whose signal and fact apply to each product for which a condition holds."""
    whole, ready = lifecycle(RULES), where(text)
    buy = whole.reactions["buy"]
    signals = tuple(replace(each, where=ready, over=PRODUCTS) for each in buy.signals)
    counted = tuple(replace(each, where=ready, over=PRODUCTS) for each in buy.counted)
    reactions = {**whole.reactions, "buy": replace(buy, signals=signals, counted=counted)}
    return replace(whole, signals=signals, reactions=reactions)


def seen(text: str, *products: object) -> Matches:
    """What matched of one order for each list of products."""
    found = Matches(over_products(text))
    for each in products:
        found.add(Interaction("ann", None, None, "buy", T0, {"products": each}, {}))
    return found


@pytest.mark.parametrize(
    ("products", "matched"),
    [
        ([{"category": "tea"}], True),
        ([{"category": "milk"}, 5, None, {"category": "tea"}], True),
        ([{"category": "milk"}], False),
        ([], False),
        ({"category": "tea"}, False),
        (None, False),
        ([{"category": "milk"}] * 1_000 + [{"category": "tea"}], False),  # beyond the first thousand
    ],
)
def test_a_rule_over_a_list_matches_by_any_of_its_elements(products, matched):
    found = seen('item.category == "tea"', products)
    assert (found.signals, found.facts) == ({"bought": matched}, {"teas": matched})


def test_a_rule_that_asks_what_is_known_of_the_customer_matches_by_what_the_interaction_says():
    """Whoever it is of: that is not known here."""
    assert seen('item.category == "tea" and orders >= 9', [{"category": "tea"}]).signals["bought"]
    assert not seen('item.category == "tea" and orders >= 9', [{"category": "milk"}]).signals["bought"]


def test_a_property_that_no_element_has_is_missing_with_what_they_have_instead():
    """In as many interactions as have elements."""
    found = seen('item.categry == "tea"', [{"category": "tea"}], [5], [], None)
    missing = {written(each.path): each for each in found.missing if each.rule == "signal bought"}
    assert list(missing) == ["item.categry"]
    assert missing["item.categry"].looked == 2
    assert list(missing["item.categry"].instead) == ["item.category"]
    assert seen("item.category == 5", [{}], [5, {"category": "tea"}]).missing == []


def test_a_list_that_never_came_is_missing_itself():
    found = Matches(over_products("item.price > 5"))
    found.add(Interaction("ann", None, None, "buy", T0, {"items": [{"price": 9}]}, {}))
    missing = [each for each in found.missing if each.rule == "fact teas"]
    assert [(written(each.path), list(each.instead)) for each in missing] == [
        ("properties.products", ["properties.items"])
    ]


def test_a_path_through_the_list_that_over_names_is_warned_of_with_the_item_that_is_meant():
    uses = PathUses()
    uses.note_list(PropertyPath(PROPERTIES, ("cart", "lines")))
    for place, text in (
        (("signals", "a", "where"), "properties.cart.lines.price > 5"),
        (("facts", "b", "where"), 'properties.cart.lines["0"].price > 5'),
        (("transitions", 0, "when"), "properties.cart.lines.price > 5"),
        (("signals", "c", "where"), "item.price > 5 and item.lines.price > 5 and properties.cart.lines contains 5"),
    ):
        uses.note_condition(place, parse(text))
    through = "leads through 'lines', whose elements `over` takes: a path finds nothing in a list"
    over = "; with over: properties.cart.lines it is item.price"
    assert [(each.path[0], each.message) for each in uses.warnings()] == [
        ("signals", f"properties.cart.lines.price {through}{over}"),
        ("facts", f'properties.cart.lines["0"].price {through}{over}'),
        ("transitions", f"properties.cart.lines.price {through}"),
    ]


def test_an_item_is_a_path_with_a_root_of_its_own():
    assert PropertyPath(ITEM, ("price",)).path == ("item", "price")
