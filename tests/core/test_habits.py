"""What is said to people who write a condition as they are used to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.durations import parse_duration
from stream.core.expressions import ConditionError
from stream.core.language.habits import decimal_point, length_of_time, minutes_for_months
from stream.core.language.parser import parse

SIGNS = "aN1.,-+*/%€'\"“„=<>!&|()[]~ \t\xa0"
HABITS = """
    not NOT is in days 1.5d 2026-01-01 "%a" like has lower LOWER contains starts with doesn't since properties
"""
LIKELY = st.lists(
    st.sampled_from([*SIGNS, *HABITS.split()]),
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
        ("60 D", "write 60d"),
        ("3M", "for 3 months write 90d"),
        ("3 M", "for 3 months write 90d"),
        ("1.5M", "for 1.5 months write 45d"),
        ("1.5h", "write 90m"),
        ("0,5 d", "write 12h"),
        ("2 months", "as in 60d"),
        ("12 months", "as in 365d"),
        ("1 Jahr", "as in 365d"),
        ("0.5 years", "as in 182d"),
    ],
)
def test_a_length_of_time_in_other_words_is_told_in_ours(written, right):
    said = length_of_time(written)
    assert said.endswith(right)
    assert parse_duration(said.rpartition(" ")[2]) is not None


@pytest.mark.parametrize("written", ["1m", "12m", "18m", "24m"])
def test_minutes_that_may_be_meant_for_months_are_told_in_days_and_in_seconds(written):
    said = minutes_for_months(written)
    months = int(written[:-1])
    assert f"would be {months * 30}d" in said
    assert parse_duration(said.split()[-6]) == parse_duration(written)


@pytest.mark.parametrize("written", ["0m", "13m", "30m", "90m", "2h", "120s", "60d", "2ms"])
def test_minutes_that_nobody_means_for_months_are_left_alone(written):
    assert minutes_for_months(written) == ""


@pytest.mark.parametrize(
    ("written", "sign"),
    [
        ("is greater than", ">"),
        ("more than", ">"),
        ("is above", ">"),
        ("is higher", ">"),
        ("is greater than or equal to", ">="),
        ("is at least", ">="),
        ("no less than", ">="),
        ("is less than", "<"),
        ("is below", "<"),
        ("at most", "<="),
        ("not more than", "<="),
        ("is equal to", "=="),
        ("IS GREATER THAN", ">"),
    ],
)
def test_an_operator_in_words_is_told_as_a_sign(written, sign):
    with pytest.raises(ConditionError) as caught:
        parse(f"heat {written} 20")
    assert caught.value.message == f"{written!r} is not an operator here; write {sign!r}"
    parse(f"heat {sign} 20")


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ('x includes "a"', "contains"),
        ('x has "a"', "contains"),
        ('x is containing "a"', "contains"),
        ('x CONTAINS "a"', "contains"),
        ('x startswith "a"', "starts"),
        ('x starts_with "a"', "starts"),
        ('x startsWith "a"', "starts"),
        ('x starts with "a"', "starts"),
        ('x starts-with "a"', "starts"),
        ('x begins with "a"', "starts"),
        ('x begins "a"', "starts"),
        ('x Starts "a"', "starts"),
        ('x ends with "a"', "ends"),
        ('x endswith "a"', "ends"),
        ('x ending with "a"', "ends"),
    ],
)
def test_an_operator_on_texts_in_other_words_is_told_in_ours(written, right):
    with pytest.raises(ConditionError) as caught:
        parse(written)
    assert caught.value.message.endswith(f"is not an operator here; write '{right}'")


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ('x like "a%"', 'x starts "a"'),
        ('x like "%a"', 'x ends "a"'),
        ('x like "%a%"', 'x contains "a"'),
        ('x like "*a*"', 'x contains "a"'),
        ('x like "a"', 'x contains "a"'),
        ('x LIKE "a%"', 'x starts "a"'),
        ('x ilike "%Ab%"', 'lower(x) contains "ab"'),
        ('x icontains "Ab"', 'lower(x) contains "ab"'),
        ('properties["a b"].c not like "a%"', 'not (properties["a b"].c starts "a")'),
        ('x not contains "a"', 'not (x contains "a")'),
        ('x NOT CONTAINS "a"', 'not (x contains "a")'),
        ('lower(x) does not contain "a"', 'not (lower(x) contains "a")'),
        ('x doesn\'t contain "a"', 'not (x contains "a")'),
        ('x doesnt start with "a"', 'not (x starts "a")'),
        ('x is not like "a%"', 'not (x starts "a")'),
        ('lowercase(x) == "a"', "lower(x)"),
        ('LOWER(x) == "a"', "lower(x)"),
        ('x.lower() == "a"', "lower(x)"),
        ('properties.x.toLowerCase() == "a"', "lower(properties.x)"),
        ('x == lower("AB")', '"ab"'),
        ('contains(x, "a")', 'x contains "a"'),
        ('starts_with(x, "a")', 'x starts "a"'),
        ('properties.x.endsWith("a")', 'properties.x ends "a"'),
        ("Exists(x)", "exists(x)"),
        ("is_set(properties.x)", "exists(properties.x)"),
        ("isnull(x)", "not exists(x)"),
        ('exists("x")', "exists(x)"),
    ],
)
def test_what_is_written_for_a_part_of_a_text_or_for_a_function_is_told_as_it_can_be_copied(written, right):
    with pytest.raises(ConditionError) as caught:
        parse(written)
    assert caught.value.message.endswith(right)
    parse(right if right != '"ab"' else f"x == {right}")


@pytest.mark.parametrize(
    "written",
    [
        *('x ~ "a"', 'x =~ "a"', 'x !~ "a"', 'x ~* "a"', 'x matches "a"', 'x regexp "a"', 'x not matches "a"'),
        *("x contains /a/", "x matches /a/", "x =~ /a/", 'x.match("a")', 'regex(x, "a")'),
    ],
)
def test_of_regular_expressions_it_is_told_that_there_are_none(written):
    with pytest.raises(ConditionError, match="there are no regular expressions; write contains, starts or ends"):
        parse(written)


@pytest.mark.parametrize("written", ['x like "a%b"', 'x like "a_b"', 'x like "%"', 'x not like "a%b%"'])
def test_a_text_with_wildcards_within_has_no_simple_form(written):
    with pytest.raises(ConditionError, match="'like' is not an operator here; write contains, starts or ends"):
        parse(written)


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
