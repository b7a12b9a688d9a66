"""How often a signal counts in the reference (rules 20 and 21), worked out by hand."""

from __future__ import annotations

import pytest

from tests.properties.lifecycles import Source
from tests.properties.timelines import START, at, contributed


def counted(signal: Source, arrived: list[Source]) -> list[int]:
    """How often a signal has counted after each arrival."""
    parts = {"scores": {"s": {}}, "signals": {"it": {"each": "tap", "add": {"s": 1}, **signal}}}
    found = []
    for number in range(1, len(arrived) + 1):
        of_score = contributed(parts, arrived[:number])["s"]
        assert isinstance(of_score, dict)
        found.append(of_score.get("it", (0, 0))[1])
    return found


def cooled(times: int, within: str, *taps: int) -> list[int]:
    """How often a signal with a cool-down has counted after each tap at these times."""
    signal: Source = {"at_most": {"times": times, "within": within}}
    return counted(signal, [at(START + time, "tap") for time in taps])


def test_a_cool_down_is_measured_from_what_counted() -> None:
    """10 ms from 0 on: 9 is too early and prolongs nothing, 10 counts, 19 is too early, 20 counts."""
    assert cooled(1, "10ms", 0, 9, 10, 19, 20) == [1, 1, 2, 2, 3]


def test_a_cool_down_reaches_to_both_sides() -> None:
    """Late arrivals: 15 is too near to 20, 10 is not, 11 then is too near to 10, 0 is not, 5 is to both."""
    assert cooled(1, "10ms", 20, 15, 10, 11, 0, 5) == [1, 1, 2, 2, 3, 3]


def test_a_cool_down_may_let_several_through() -> None:
    """Two around each: 0 and 5 count, 7 and 9 do not, 10 has only 5 around it, 12 has 5 and 10, 15 has 10 alone."""
    assert cooled(2, "10ms", 0, 5, 7, 9, 10, 12, 15) == [1, 2, 2, 2, 3, 3, 4]


def test_equal_times_are_near_to_each_other() -> None:
    """Three at one time, of which two count."""
    assert cooled(2, "1ms", 0, 0, 0, 1, -1) == [1, 2, 2, 3, 4]


def test_what_is_before_20_kept_times_does_not_count() -> None:
    """20 are kept, from 10 on: 9 and 10 do not count. When 30 counted, 10 is forgotten: then 11 is the first."""
    taps = range(10, 30)
    assert cooled(1, "1ms", *taps, 9, 10, 30, 10, 11)[19:] == [20, 20, 20, 21, 21, 21]
    assert cooled(1, "1ms", *taps[1:], 10)[-2:] == [19, 20]
    # 20 kept, from 10 to 48: between them there is room, before them there is none
    assert cooled(1, "1ms", *range(10, 50, 2), 9, 11)[19:] == [20, 20, 21]


def test_elements_use_up_a_cool_down() -> None:
    """Three of four elements count, then none until 5 ms later."""
    signal: Source = {"over": "properties.list", "at_most": {"times": 3, "within": "5ms"}}
    taps = [at(START + time, "tap", list=[1, 2, 3, 4]) for time in (0, 4, 5)]
    assert counted(signal, taps) == [3, 3, 6]


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (["a", "b", "a", "A"], [1, 2, 2, 3]),
        ([1, "1", 1.0, True, "true", False], [1, 1, 1, 2, 3, 4]),
        ([2.5, "2.5", 2.5, 2.50], [1, 2, 2, 2]),
        ([None, "", [], {}, ["a"]], [0, 0, 0, 0, 0]),
    ],
)
def test_a_value_counts_once(values: list[object], counts: list[int]) -> None:
    """Told apart as keys of ledgers are; without a value nothing counts."""
    assert counted({"once": "properties.form"}, [at(START, "tap", form=each) for each in values]) == counts


def test_without_the_property_nothing_counts() -> None:
    """Nor where the path leads through a list."""
    assert counted({"once": "properties.form.id"}, [at(START, "tap"), at(START, "tap", form=[{"id": 1}])]) == [0, 0]


def test_the_64_values_that_arrived_last_are_known() -> None:
    """A value that comes again does not move up: 0 is pushed out by the 65th, and then counts again."""
    taps = [at(START - each, "tap", form=each) for each in range(64)]
    again = [at(START, "tap", form=each) for each in (0, 64, 0, 1, 3)]
    assert counted({"once": "properties.form"}, [*taps, *again])[63:] == [64, 64, 65, 66, 67, 67]


def test_once_for_each_value_of_elements() -> None:
    """A product counts once, in whichever order it stands."""
    signal: Source = {"over": "properties.list", "once": "item.sku"}
    lists = [[{"sku": 1}, {"sku": 2}, {"sku": 1}, 3], [{"sku": 2}, {"sku": 4}]]
    assert counted(signal, [at(START, "tap", list=each) for each in lists]) == [2, 3]


def test_what_does_not_match_uses_up_nothing_and_what_gives_no_points_does() -> None:
    """The value is known after the interaction that counted, though it had no points."""
    signal: Source = {"once": "properties.form", "where": "properties.ok", "add": {"s": "properties.points"}}
    taps = [
        at(START, "tap", form="a", points=5),
        at(START, "tap", form="a", ok=True),
        at(START, "tap", form="a", ok=True, points=5),
    ]
    assert counted(signal, taps) == [0, 1, 1]
