"""What is said to people who write a condition as they are used to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.durations import parse_duration
from stream.core.expressions import ConditionError
from stream.core.language.habits import decimal_point, length_of_time
from stream.core.language.parser import parse

LIKELY = st.lists(
    st.sampled_from([*"aN1.,-+*/%€'\"“„=<>!&|()[] \t\xa0", "not", "NOT", "is", "in", "days", "1.5d", "2026-01-01"]),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("60 days", "write 60d"),
        ("1 day", "write 1d"),
        ("3 Tage", "write 3d"),
        ("2 Wochen", "write 2w"),
        ("12 hrs", "write 12h"),
        ("90 Min", "write 90m"),
        ("30D", "write 30d"),
        ("1.5h", "write 90m"),
        ("0,5 d", "write 12h"),
        ("2 months", "as in 60d"),
        ("1 Jahr", "as in 365d"),
        ("0.5 years", "as in 182d"),
    ],
)
def test_a_length_of_time_in_other_words_is_told_in_ours(written, right):
    said = length_of_time(written)
    assert said.endswith(right)
    assert parse_duration(said.rpartition(" ")[2]) is not None


@pytest.mark.parametrize("written", ["", "days", "5", "5 orders", "five days", "9" * 400 + " years"])
def test_what_is_no_length_of_time_is_not_taken_for_one(written):
    assert length_of_time(written) == ""


@pytest.mark.parametrize(("written", "right"), [("2,5", "2.5"), ("-2,5", "-2.5"), ("1.234,50", "1234.50")])
def test_a_decimal_comma_becomes_a_point(written, right):
    assert decimal_point(written) == f"a number has a decimal point; write {right}"


@pytest.mark.parametrize("written", ["2.5", "a,b", "1,2,3", "12.34,5", ""])
def test_what_is_no_decimal_comma_is_left_alone(written):
    assert decimal_point(written) == ""


@given(LIKELY)
def test_whatever_is_written_is_a_condition_or_refused_at_a_place_within_it(text):
    refused: list[ConditionError] = []
    try:
        parse(text)
    except ConditionError as error:
        refused.append(error)
    assert [each for each in refused if not (0 <= each.offset <= len(text) and each.message)] == []
