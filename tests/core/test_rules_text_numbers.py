"""Rule 16: a text that is exactly a JSON number counts as that number, where a number is meant."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.event import Event
from stream.core.expressions import ConditionError
from stream.core.text_numbers import number_of
from tests.core.shop import SHOP, compiled
from tests.core.subject import Subject, lifecycle
from tests.kit.times import T0

NO_NUMBERS = [
    "", " 19.90", "19.90 ", "19.90\n", "+3", "1e400", "-1e400", "$5", "19,90", "1.234,00", "1_000", "0x10", "05", "-05",
    ".5", "5.", "-", "1e", "1e+", "NaN", "Infinity", "true", "null", "\u0665", "1.\u0665", "--1", "1 2", "1e1.5",
    "9" * 400,
]  # fmt: skip

REVENUE = """
    scores: {value: {}, warm: {half_life: 1d}}
    signals: {spent: {each: Order Completed, add: {value: properties.total, warm: properties.total}}}
    facts:
      orders: {count: Order Completed}
      revenue: {sum: properties.total, each: Order Completed}
      latest_total: {latest: properties.total}
"""


@pytest.mark.parametrize(
    ("text", "number"),
    [("19.90", 19.9), ("5", 5), ("-0.5", -0.5), ("0", 0), ("1E2", 100.0), ("1e-3", 0.001), ("2.5e+1", 25.0)],
)
def test_a_text_that_json_would_read_as_a_number_is_that_number(text: str, number: float) -> None:
    """With fraction, sign and exponent."""
    assert number_of(text) == number


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_a_text_that_is_nearly_a_number_is_none(text: str) -> None:
    """No blanks, plus signs, currencies, commas; digits of other scripts neither; finite as a double."""
    assert number_of(text) is None


@pytest.mark.parametrize("text", ["-9223372036854775808", "18446744073709551615", "9007199254740993"])
def test_a_whole_number_within_64_bits_keeps_its_digits(text: str) -> None:
    """As one without quotes does."""
    assert str(number_of(text)) == text


@given(st.text("0123456789.eE+- \u0665", max_size=24) | st.floats().map(repr) | st.integers().map(str))
def test_the_number_is_always_what_the_reader_of_json_has(text: str) -> None:
    """Wherever that has a finite number and the text nothing around it."""
    try:
        wanted = orjson.loads(text) if text == text.strip() else None
    except orjson.JSONDecodeError:
        wanted = None
    number = number_of(text)
    assert (number, type(number)) == (wanted, type(wanted))


def test_a_text_of_a_million_digits_is_decided_too() -> None:
    """Python refuses to make a whole number of more than 4,300 digits, which is not asked of it."""
    assert number_of("1" * 1_000_000) is None
    assert number_of("0." + "1" * 1_000_000) == 0.1111111111111111


def test_money_sent_as_text_is_worth_as_much_as_money_sent_as_number() -> None:
    """Field report: `"total": "19.90"` was worth 0 in JSON and 19.9 in CSV."""
    texts, numbers = Subject(lifecycle(REVENUE)), Subject(lifecycle(REVENUE))
    for subject, total in ((texts, "19.90"), (numbers, 19.90)):
        subject.sees(T0, "Order Completed", {"total": total})
        assert subject.fact("revenue") == subject.score("value") == subject.score("warm") == 19.9
        assert subject.step_counts.wrong_types == {}
    assert texts.fact("latest_total") == "19.90"  # it keeps the text
    assert numbers.fact("latest_total") == 19.9


@pytest.mark.parametrize("total", [*NO_NUMBERS[1:-1], "1e15", "-1000000000000000"])
def test_money_that_is_no_plain_number_is_worth_nothing_and_counted(total: str) -> None:
    """By signal (for both of its scores) and fact; the limit of 1e15 is for texts, too."""
    subject = Subject(lifecycle(REVENUE))
    subject.sees(T0, "Order Completed", {"total": total})
    assert (subject.fact("revenue"), subject.score("value"), subject.score("warm")) == (0, 0, 0)
    assert subject.step_counts.wrong_types == {("shop", "spent"): 2, ("shop", "revenue"): 1}


@pytest.mark.parametrize(
    ("condition", "x", "holds"),
    [
        ("properties.x == 5", "5", True),
        ("properties.x == 5", "5.0", True),
        ("properties.x == 5", " 5", False),
        ("properties.x != 5", "6", True),
        ("properties.x != 5", "5.0", False),
        ("properties.x != 5", "five", False),
        ("properties.x >= 9", "10", True),  # as numbers, not as texts
        ("properties.x < 9", "10", False),
        ("9 <= properties.x", "10", True),
        ('properties.x == "5"', "5.0", False),
        ('properties.x < "9"', "10", True),
        ('properties.x == "5"', 5, False),
        ("properties.x in [4, 5]", "5", True),
        ("properties.x in [4, 5]", "6", False),
        ('properties.x in ["4", 5]', "4", True),
        ('properties.x in ["4", 5]', "4.0", False),
        ('properties.x in ["4", 5]', 4, False),
        ('properties.x in ["5"]', 5, False),
        ("properties.x in [true]", "1", False),
        ("orders == properties.x", "1", True),
        ("orders < properties.x", "2", True),
        ("revenue > properties.x", "12", True),
        ("properties.x > value", "12.6", True),
        ("orders in properties.x", ["1"], True),
        ("orders in properties.x", ["1.0", "a"], True),
        ("orders in properties.x", ["+1"], False),
        ("5 in properties.x", ["5"], True),
        ('"5" in properties.x', [5], False),
        ("plan >= 3", "10", True),
        ("plan in [1, 10]", "10", True),
        ("properties.x == properties.y", "10", False),
        ("properties.x > properties.y", "11", False),
        ("plan == properties.y", "10", False),
        ("properties.y in properties.x", ["10"], False),
        ("plan in properties.x", [10], False),
    ],
)
def test_beside_a_number_a_text_that_is_one_compares_as_one(condition: str, x: object, holds: bool) -> None:
    """A literal, a count, a sum or a score beside it; two properties, or one and a `latest` fact, are as they are.

    One order of 12.5; `plan` is the text "10", `y` the number 10.
    """
    subject = Subject(SHOP)
    subject.sees(T0, "Order Completed", {"total": "12.5", "plan": "10"})
    event = Event("visit", "page", T0, {"x": x, "y": 10}, {})
    assert compiled(condition).with_event.holds(subject.life(), T0, event) is holds


@pytest.mark.parametrize(
    "condition",
    [
        'properties.x == 5 and properties.x == "5"',
        'properties.x == "5.0" and properties.x == 5',
        'properties.x in [1, 5] and properties.x in ["5", "a"]',
        'properties.x == "10" and properties.x > 9',
        'plan == "10" and plan >= 10 and plan < 11',
    ],
)
def test_a_text_and_the_number_that_it_is_do_not_contradict_each_other(condition: str) -> None:
    """Both hold for the text."""
    assert compiled(condition).text == condition


@pytest.mark.parametrize(
    "condition",
    [
        'properties.x == 5 and properties.x == "6"',
        'properties.x == "5" and properties.x > 5',
        'properties.x == "five" and properties.x > 4',
        'properties.x in [1, 5] and properties.x in ["2", "a"]',
    ],
)
def test_a_text_and_a_number_that_it_is_not_contradict_each_other(condition: str) -> None:
    """Found at load."""
    with pytest.raises(ConditionError, match="contradicts"):
        compiled(condition)


def test_the_answer_ten_given_as_text_is_a_promoter() -> None:
    """Field report: with the preset `metrics`, `"score": "10"` gave no points."""
    subject = Subject(load("metrics").lifecycle)
    subject.sees(T0, "NPS Answered", {"score": "10"})
    as_text = dict(subject.step_counts.signals)
    subject = Subject(load("metrics").lifecycle)
    subject.sees(T0, "NPS Answered", {"score": 10})
    assert as_text == subject.step_counts.signals
    assert as_text
