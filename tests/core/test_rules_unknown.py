"""Rule 11: values that do not exist, values of different types, and interactions that are not there."""

import pytest

from stream.core.language.definition import define
from stream.core.lifecycle import Lifecycle
from tests.core.subject import Subject

SHOP = {
    "lifecycle": "shop",
    "scores": {"value": {}},
    "signals": {"s": {"each": "visit", "add": {"value": 2}}},
    "facts": {
        "latest_x": {"latest": "properties.x", "each": "visit"},
        "first_buy": {"first": "buy"},
        "last_buy": {"last": "buy"},
    },
    "stages": {"a": {}, "b": {}, "c": {}},
}


def shop(from_a: str, from_b: str) -> Lifecycle:
    """A lifecycle with these conditions from a to b, and from b to c."""
    transitions = [{"from": "a", "to": "b", "when": from_a}, {"from": "b", "to": "c", "when": from_b}]
    return define({**SHOP, "transitions": transitions})


def holds(when: str, properties: dict[str, object]) -> bool:
    """Whether a condition holds for a visit with these properties, the first that is known of its subject."""
    return Subject(shop(when, "idle >= 1d")).sees(0, "visit", properties)[-1].to_stage == "b"


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize(
    ("left", "right", "properties"),
    [
        ("properties.x", "1", {}),
        ("properties.x", "1", {"x": None}),
        ("properties.x", "1", {"x": "1 "}),
        ("properties.x", "1", {"x": True}),
        ("properties.x", '"1"', {"x": 1}),
        ("properties.x", '"true"', {"x": True}),
        ("properties.x", "1", {"x": [1]}),
        ("properties.x", "1", {"x": {"a": 1}}),
        ("properties.x.y", "1", {"x": 1}),
        ("properties.x", "properties.y", {}),
        ("properties.x", "properties.y", {"x": None, "y": None}),
        ("properties.x", "properties.y", {"x": [1], "y": [1]}),
        ("properties.x", "properties.y", {"x": [1], "y": [2]}),
        ("properties.x", "properties.y", {"x": {"a": 1}, "y": {"a": 1}}),
        ("properties.x", "properties.y", {"x": {"a": 1}, "y": {"a": 2}}),
        ("properties.x", "properties.y", {"x": 1, "y": True}),
        ("value", "properties.x", {"x": "+2"}),
        ("latest_x", "2", {}),
        ("latest_x", "2", {"x": "two"}),
        ("first_buy", "last_buy", {}),
    ],
)
def test_a_comparison_without_a_value_or_of_two_types_is_false_and_its_negation_true(
    left: str, operator: str, right: str, properties: dict[str, object]
) -> None:
    """`!=` too; on both sides, for facts as for properties."""
    assert not holds(f"{left} {operator} {right}", properties)
    assert not holds(f"{right} {operator} {left}", properties)
    assert holds(f"not {left} {operator} {right}", properties)
    assert holds(f"not ({left} {operator} {right} or {left} {operator} {right})", properties)


@pytest.mark.parametrize("when", ["since(first_buy) < 90d", "since(first_buy) >= 0ms", "exists(first_buy)"])
def test_what_never_happened_was_neither_long_ago_nor_lately(when: str) -> None:
    """So that `not` of it holds for a customer who never did it."""
    assert not holds(when, {})
    assert holds(f"not ({when})", {})


@pytest.mark.parametrize(
    ("value", "bare", "negated"),
    [(True, True, False), (False, False, True), (1, False, True), ("true", False, True), (None, False, True)],
)
def test_a_bare_name_must_be_exactly_true(value: object, bare: bool, negated: bool) -> None:
    """Nothing else is as good as true."""
    assert holds("properties.x", {"x": value}) is bare
    assert holds("not properties.x", {"x": value}) is negated
    assert holds("latest_x", {"x": value}) is bare


@pytest.mark.parametrize(("value", "exists"), [(0, True), (False, True), ("", True), ([], True), (None, False)])
def test_null_is_absent_and_everything_else_exists(value: object, exists: bool) -> None:
    """Also 0, false, and what is empty."""
    assert holds("exists(properties.x)", {"x": value}) is exists
    assert not holds("exists(properties.y)", {"x": value})


@pytest.mark.parametrize(
    ("operator", "true_for"),
    [
        ("==", ["é"]),
        ("!=", ["Z", "a", "z", "\U0001f600", "\uffff", ""]),
        ("<", ["Z", "a", "z", ""]),
        ("<=", ["Z", "a", "z", "", "é"]),
        (">", ["\U0001f600", "\uffff"]),
        (">=", ["\U0001f600", "\uffff", "é"]),
    ],
)
def test_text_orders_by_code_point(operator: str, true_for: list[str]) -> None:
    """Capitals before small letters, accents after z."""
    for text in ("", "Z", "a", "z", "é", "\uffff", "\U0001f600"):
        assert holds(f'properties.x {operator} "é"', {"x": text}) is (text in true_for), text


def test_code_points_order_not_their_encodings() -> None:
    """U+FFFF comes before U+1F600, which UTF-16 would put first."""
    assert holds("properties.x < properties.y", {"x": "\uffff", "y": "\U0001f600"})


@pytest.mark.parametrize(
    ("when", "properties", "truth"),
    [
        ("properties.x == 2", {"x": 2.0}, True),
        ("properties.x == 2.0", {"x": 2}, True),
        ("properties.x != 2", {"x": 3}, True),
        ("properties.x == -0.5e1", {"x": -5}, True),
        ("properties.x == true", {"x": True}, True),
        ("properties.x != true", {"x": False}, True),
        ("true == properties.x", {"x": True}, True),
        ("2 < properties.x", {"x": 3}, True),
        ("2 < properties.x", {"x": 2}, False),
        ("2 >= properties.x", {"x": 2}, True),
        ("2 >= properties.x", {"x": 3}, False),
        ('properties.x in [1, "a", true]', {"x": 1}, True),
        ('properties.x in [1, "a", true]', {"x": "a"}, True),
        ('properties.x in [1, "a"]', {"x": True}, False),
        ('properties.x in ["1"]', {"x": 1}, False),
        ("properties.x in [1]", {"x": [1]}, False),
        ("properties.x in [1]", {}, False),
        ("not properties.x in [1]", {}, True),
        ("1 in properties.x", {"x": [2, 1]}, True),
        ("1 in properties.x", {"x": [True, "1 "]}, False),
        ("1 in properties.x", {"x": 1}, False),
        ("1 in properties.x", {}, False),
        ('"a" in properties.x', {"x": "abc"}, False),
        ('"a" in properties.x', {"x": {"a": 1}}, False),
        ("properties.y in properties.x", {"x": [None], "y": None}, False),
        ("properties.y in properties.x", {"x": [[1]], "y": [1]}, False),
        ("properties.y in properties.x", {"x": [1, 2], "y": 2}, True),
        ("value in properties.x", {"x": [2]}, True),
        ('stage in ["a"]', {}, True),
        ('stage in ["b"]', {}, False),
        ('event.type in ["visit", "form"]', {}, True),
        ("value in [1, 2]", {}, True),
    ],
)
def test_equality_and_membership_are_by_type_and_value(when: str, properties: dict[str, object], truth: bool) -> None:
    """Numbers equal numbers, whole or not; true is no 1, and a text holds no letters."""
    assert holds(when, properties) is truth


UNKNOWN = 'event.type == "mail"'


@pytest.mark.parametrize(
    ("when", "truth"),
    [
        (UNKNOWN, False),
        (f"not {UNKNOWN}", False),
        (f"not not {UNKNOWN}", False),
        ('event.type != "visit"', False),
        ("not properties.x", False),
        ("not exists(properties.x)", False),
        ("not context.x.y > 1", False),
        ('not event.name in ["mail"]', False),
        ("not 1 in properties.x", False),
        ("not value == properties.x", False),
        (f"value == 2 or {UNKNOWN}", True),
        (f"{UNKNOWN} or value == 2", True),
        (f"value == 9 or {UNKNOWN}", False),
        (f"not (value == 9 or {UNKNOWN})", False),
        (f"not (value == 2 or {UNKNOWN})", False),
        (f"not (value == 9 and {UNKNOWN})", True),
        (f"not ({UNKNOWN} and value == 9)", True),
        (f"not (value == 2 and {UNKNOWN})", False),
        (f"not (not value == 2 and not {UNKNOWN})", True),
        (f"not ({UNKNOWN} or not {UNKNOWN})", False),
        (f"{UNKNOWN} or not {UNKNOWN}", False),
        (f"value == 2 and not (value == 3 and ({UNKNOWN} or value == 4))", True),
        (f"value == 2 or {UNKNOWN} or value == 4", True),
        (f"value == 2 and {UNKNOWN} and value < 4", False),
        (f'not (value == 2 and {UNKNOWN} and stage == "a")', True),
    ],
)
def test_without_an_interaction_what_names_it_is_unknown(when: str, truth: bool) -> None:
    """Kleene's logic, at a deadline: unknown stays unknown under `not`, and does not hold.

    0 visit   a ...|10 b: by itself   then, without an interaction: b -> c?
    """
    subject = Subject(shop("in_stage >= 10ms", when))
    subject.sees(0, "visit")
    assert (subject.waits(10)[-1].to_stage == "c") is truth
