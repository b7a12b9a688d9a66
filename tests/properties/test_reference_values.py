"""Numbers that are computed, and texts, in the reference (rules 16 and 27), worked out by hand."""

from __future__ import annotations

import pytest

from tests.properties.reference_values import computed
from tests.properties.timelines import START, at, known


@pytest.mark.parametrize(
    ("told", "worth"),
    [
        ("properties.price * properties.quantity", 59.85),
        ("properties.price * properties.quantity * 0.5", 29.925),
        ("-properties.quantity", -3.0),
        ("-properties.quantity * 2", -6.0),
        ("2 * properties.quantity", 6.0),
        ("properties.written * properties.quantity", 7.5),
        ("properties.written", 2.5),
        ("properties.padded", None),
        ("properties.signed", None),
        ("properties.infinite * 0", None),
        ("properties.money * 1", None),
        ("properties.yes * 1", None),
        ("properties.absent * 0", None),
        ("properties.null * 0", None),
        ("properties.list * 0", None),
        ("properties.large", None),
        ("properties.large * 0.5", 5e14),
        ("properties.large * 1", None),
        ("properties.huge * 1e0", None),
        ("properties.tiny * properties.huge", 1.0),
        ("properties.huge * properties.huge * 0", None),
        ("properties.beyond * 0", None),
        ("properties.tenth * properties.tenth * properties.tenth", 0.1 * 0.1 * 0.1),
        ('properties["a * b"] * 2', 14.0),
    ],
)
def test_a_product_is_its_factors_from_left_to_right(told: str, worth: float | None) -> None:
    """A factor may be of any size; the whole is below 1e15 in magnitude, or absent."""
    properties: dict[str, object] = {
        "price": 19.95,
        "quantity": 3,
        "written": "2.5",
        "padded": " 19.90",
        "signed": "+3",
        "infinite": "1e400",
        "money": "$5",
        "yes": True,
        "null": None,
        "list": [1],
        "large": 1e15,
        "huge": 1e300,
        "tiny": 1e-300,
        "beyond": 10**400,
        "tenth": 0.1,
        "a * b": 7,
    }
    found = computed(told, {"properties": properties})
    assert found == (None if worth is None else pytest.approx(worth, rel=1e-15))


def test_a_text_that_is_a_number_counts_where_numbers_are_computed() -> None:
    """19.90 and "19.90" are the same money; what is not exactly a number adds nothing."""
    parts = {
        "facts": {"revenue": {"sum": "properties.total", "each": "buy"}},
        "scores": {"value": {}},
        "signals": {"s": {"each": "buy", "add": {"value": "properties.total * 0.1"}}},
    }
    totals = ["19.90", 0.1, " 5", "$5", True, "1e1"]
    assert known(parts, [at(START, "buy", total=each) for each in totals]) == {"value": 3.0, "revenue": 30.0}


@pytest.mark.parametrize(
    ("where", "counted"),
    [
        ("properties.n >= 3", ["3", 4, "3.5"]),
        ("properties.n in [3, 4]", ["3", 4]),
        ('properties.n in ["3", 4]', ["3", 4]),
        ('properties.n == "3"', ["3"]),
        ("properties.n == properties.three", []),
        ("properties.n != 3", [4, "3.5", "2"]),
        ("properties.n >= taps", ["3", 4, "3.5", "2"]),
    ],
)
def test_a_text_is_a_number_beside_a_number_alone(where: str, counted: list[object]) -> None:
    """Beside another property, or beside a text, both are as they are."""
    found = [
        value
        for value in ["3", 4, "3.5", "2", "x", " 3"]
        if known(
            {"facts": {"n": {"count": "tap", "where": where}, "taps": {"count": "never"}}},
            [at(START, "tap", n=value, three=3)],
        )["n"]
    ]
    assert found == counted


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ('properties.agent contains "Scanner"', True),
        ('properties.agent contains "scanner"', False),
        ('lower(properties.agent) contains "scanner"', True),
        ('lower(properties.agent) contains "Scanner"', False),
        ('properties.agent starts "The "', True),
        ('properties.agent starts "Scanner"', False),
        ('properties.agent ends "2"', True),
        ('properties.agent ends ""', True),
        ('properties.agent contains ""', True),
        ('properties.tags contains "Red"', True),
        ('properties.tags contains "Re"', False),
        ('properties.tags starts "Red"', False),
        ('properties.tags ends "Red"', False),
        ('lower(properties.tags) contains "red"', True),
        ('"red" in lower(properties.tags)', True),
        ('"Red" in lower(properties.tags)', False),
        ("3 in lower(properties.tags)", True),
        ('properties.n contains "3"', False),
        ('not properties.n contains "3"', True),
        ('not properties.absent starts "3"', True),
        ('lower(properties.city) == "straße"', True),
        ('lower(properties.city) in ["köln", "straße"]', True),
        ('lower(properties.city) != "x"', True),
        ('lower(properties.absent) != "x"', False),
        ('lower(properties.n) != "x"', False),
        ('lower(properties.turkish) == "i̇"', True),
        ('properties.decomposed contains "\\u00e9"', False),
        ('properties.decomposed starts "e"', True),
        ('event.name contains "ta"', True),
        ("exists(properties.tags)", True),
    ],
)
def test_texts_are_searched_by_code_points(where: str, holds: bool) -> None:
    """Nothing is normalised; what is neither text nor list contains nothing."""
    properties = {
        "agent": "The Scanner 2",
        "tags": ["Red", 3, None],
        "n": 3,
        "city": "STRAßE",
        "turkish": "İ",
        "decomposed": "e\u0301",
    }
    parts = {"facts": {"n": {"count": "tap", "where": where}}}
    assert known(parts, [{**at(START, "tap"), "properties": properties}]) == {"n": int(holds)}


def test_a_text_fact_is_searched_too_and_unknown_without_an_interaction() -> None:
    """The country is there at a deadline, the property is not."""
    parts = {"facts": {"country": {"latest": "properties.country"}, "n": {"count": "tap", "where": WHERE}}}
    arrived = [at(START, "tap", country="DE-BY"), at(START + 1, "tap", country="FR")]
    assert known(parts, arrived) == {"country": "FR", "n": 1}


WHERE = 'lower(country) starts "de"'
