"""Rule 5: scores that decay, scores that do not, and what they are read as."""

import math

import pytest

from stream.core.exact import points_of
from stream.core.stage_change import Contribution
from tests.core.subject import Subject, lifecycle
from tests.kit.times import DAY, T0

HEAT = """
    scores: {heat: {half_life: 10ms}}
    signals: {s: {each: visit, add: {heat: 8}}}
"""
PAID = """
    scores: {value: {}}
    signals: {spent: {each: buy, add: {value: properties.total}}}
"""


@pytest.mark.parametrize(("passed", "score"), [(0, 8), (10, 4), (20, 2), (5, 8 * 2**-0.5), (1, 8 * 2**-0.1)])
def test_points_halve_with_every_half_life(passed: int, score: float) -> None:
    """2 to the power of minus time over half-life."""
    subject = Subject(lifecycle(HEAT))
    subject.sees(T0, "visit")
    assert subject.score("heat", T0 + passed) == score


@pytest.mark.parametrize("order", [(0, 10, 20), (20, 0, 10), (10, 20, 0), (20, 10, 0)])
def test_a_decaying_score_is_the_same_in_every_order_of_arrival(order: tuple[int, ...]) -> None:
    """Eight points at 0, 10 and 20 are 2 + 4 + 8 at 20."""
    subject = Subject(lifecycle(HEAT))
    for time in order:
        subject.sees(T0 + time, "visit")
    assert subject.score("heat", T0 + 20) == 14


def test_a_later_point_rebases_the_sum_and_an_earlier_one_does_not() -> None:
    """What is kept per signal and score is the sum at the latest time, and that time.

    0 visit   10 visit   0 visit (late)
    """
    subject = Subject(lifecycle(HEAT))
    kept = []
    for time in (T0, T0 + 10, T0):
        subject.sees(time, "visit")
        kept.append((list(subject.life().sums), list(subject.life().ats)))
    rebased = 8 * 2.0 ** (-10 / 10) + 8
    assert kept == [([8.0], [T0]), ([rebased], [T0 + 10]), ([16.0], [T0 + 10])]


def test_signals_are_added_in_file_order_whatever_arrives_first() -> None:
    """0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1 in doubles."""
    text = """
        scores: {{heat: {{half_life: 1d}}}}
        signals:
          one: {{each: a, add: {{heat: {}}}}}
          two: {{each: b, add: {{heat: {}}}}}
          three: {{each: c, add: {{heat: {}}}}}
    """
    up, down = Subject(lifecycle(text.format(0.1, 0.2, 0.3))), Subject(lifecycle(text.format(0.3, 0.2, 0.1)))
    for name in ("c", "a", "b"):
        up.sees(T0, name)
        down.sees(T0, name)
    assert (up.score("heat"), down.score("heat")) == (0.6000000000000001, 0.6)


@pytest.mark.parametrize("points", [1, -1])
def test_a_score_below_two_to_the_minus_30_is_0(points: int) -> None:
    """At 30 half-lives it is exactly 2^-30, one millisecond later it is nothing."""
    subject = Subject(lifecycle(HEAT.replace("8", str(points)).replace("10ms", "1ms")))
    subject.sees(T0, "visit")
    assert subject.score("heat", T0 + 30) == points * 2**-30
    assert subject.score("heat", T0 + 31) == 0


def test_a_score_stops_being_above_0_at_a_time_of_its_own() -> None:
    """`heat > 0` ends, and is a deadline, when the score falls below 2^-30.

    0 visit (1 point, half-life 1 ms) ...30: 2^-30 ...|31: cold
    """
    text = """
        scores: {heat: {half_life: 1ms}}
        signals: {s: {each: visit, add: {heat: 1}}}
        stages: {here: {}, cold: {}}
        transitions: [{from: here, to: cold, when: not heat > 0}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(T0, "visit")
    assert subject.waits(T0 + 30) == []
    (change,) = subject.waits(T0 + 31)
    assert (change.to_stage, change.at, change.scores) == ("cold", T0 + 31, {"heat": 0})


def test_it_is_the_score_that_vanishes_not_its_signals() -> None:
    """Two signals of 2^-31 are 2^-30, and are still listed when the score is 0."""
    text = """
        scores: {heat: {half_life: 1ms}}
        signals: {a: {each: visit, add: {heat: 1}}, b: {each: visit, add: {heat: 1}}}
        stages: {here: {}, cold: {}}
        transitions: [{from: here, to: cold, when: heat <= 0}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert subject.score("heat", 31) == 2**-30
    (change,) = subject.waits(32)
    assert (change.at, change.scores["heat"]) == (32, 0)
    assert [each.points for each in change.contributions["heat"]] == [2**-32, 2**-32]


def test_min_and_max_clamp_what_is_read_never_what_is_added() -> None:
    """Sixteen points read as 10, and a half-life later as 8.

    raw   16 ... 8     score   10 ... 8
    """
    subject = Subject(lifecycle(HEAT.replace("10ms", "10ms, min: -3, max: 10")))
    subject.sees(T0, "visit")
    subject.sees(T0, "visit")
    assert (subject.score("heat"), subject.score("heat", T0 + 10)) == (10, 8)
    minus = Subject(lifecycle(HEAT.replace("10ms", "10ms, min: -3, max: 10").replace("8", "-8")))
    minus.sees(T0, "visit")
    assert [minus.score("heat", T0 + passed) for passed in (0, 10, 20, 30)] == [-3, -3, -2, -1]


def test_min_applies_after_a_score_has_vanished() -> None:
    """Nothing at all reads as the minimum where that is above 0."""
    subject = Subject(lifecycle(HEAT.replace("10ms", "10ms, min: 1")))
    subject.sees(T0, "mail")
    assert subject.score("heat") == 1
    subject.sees(T0, "visit")
    assert (subject.score("heat", T0 + 20), subject.score("heat", T0 + 1000)) == (2, 1)


def test_clamps_apply_to_permanent_scores_too() -> None:
    """And what is above the maximum is not lost: a refund of 50 leads from 130 to 80."""
    subject = Subject(lifecycle(PAID.replace("value: {}", "value: {max: 100}")))
    subject.sees(0, "buy", {"total": 130})
    assert subject.score("value") == 100
    subject.sees(0, "buy", {"total": -50})
    assert subject.score("value") == 80


def test_a_permanent_score_never_changes_with_time_and_is_exact() -> None:
    """Ten times 0.1 is 1, after a hundred years too."""
    subject = Subject(lifecycle(PAID))
    for _ in range(10):
        subject.sees(0, "buy", {"total": 0.1})
    assert subject.score("value", 36_500 * DAY) == 1
    assert list(subject.life().millionths) == [1_000_000]


@pytest.mark.parametrize(
    ("total", "millionths"),
    [
        (5e-7, 0),
        (1.5e-6, 2),
        (2.5e-6, 2),
        (3.5e-6, 4),
        (-1.5e-6, -2),
        (-2.5e-6, -2),
        (4.9e-7, 0),
        (5.1e-7, 1),
        (19.99, 19_990_000),
        (999_999_999_999_999, 999_999_999_999_998_951_424),
    ],
)
def test_permanent_points_are_rounded_to_millionths_with_ties_to_even(total: float, millionths: int) -> None:
    """Read as millionths / 1e6."""
    subject = Subject(lifecycle(PAID))
    subject.sees(0, "buy", {"total": total})
    assert points_of(subject.life(), 0) == millionths
    assert subject.score("value") == millionths / 1e6


def test_permanent_sums_are_exact_however_large() -> None:
    """Beyond 64 bits, and back to one millionth."""
    subject = Subject(lifecycle(PAID))
    for total in (999e12, 999e12, 0.000001, -999e12, -999e12):
        subject.sees(0, "buy", {"total": total})
    assert subject.score("value") == 0.000001


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"total": None},
        {"total": "$5"},
        {"total": True},
        {"total": [5]},
        {"total": {"a": 5}},
        {"total": 1e15},
        {"total": -1e15},
        {"total": 10**15},
        {"total": math.nan},
        {"total": math.inf},
        {"other": 5},
    ],
)
@pytest.mark.parametrize("half_life", ["", "half_life: 1d"])
def test_points_that_are_no_number_below_1e15_add_nothing(properties: dict[str, object], half_life: str) -> None:
    """They are counted, and so is the signal."""
    subject = Subject(lifecycle(PAID.replace("value: {}", f"value: {{{half_life}}}")))
    subject.sees(0, "buy", properties)
    assert subject.score("value") == 0
    assert subject.step_counts.wrong_types == {("shop", "spent"): 1}
    assert subject.step_counts.signals == {("shop", "spent"): 1}
    assert list(subject.life().counts) == [1]


@pytest.mark.parametrize("total", [999_999_999_999_999, -999_999_999_999_999, 0, -0.5])
def test_every_number_below_1e15_in_magnitude_counts(total: float) -> None:
    """Whole or not, negative or not."""
    subject = Subject(lifecycle(PAID))
    subject.sees(0, "buy", {"total": total})
    assert subject.score("value") == total
    assert subject.step_counts.wrong_types == {}


def test_points_are_found_in_nested_properties_and_in_the_context() -> None:
    """Also under keys that are no names; a path that runs into something else is absent."""
    text = """
        scores: {a: {}, b: {}, c: {}}
        signals:
          s: {each: buy, add: {a: properties.cart.total, b: 'properties["a b"]', c: context.weight}}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "buy", {"cart": {"total": 3}, "a b": 4}, context={"weight": 5})
    subject.sees(0, "buy", {"cart": 3, "a b": {"x": 1}}, context={"weight": [5]})
    assert [subject.score(each) for each in "abc"] == [3, 4, 5]


def test_a_score_is_the_sum_of_its_signals_and_explains_itself() -> None:
    """The contributions of a change are before min and max; a signal that never counted is not listed.

    0 visit visit   10 buy   10 mail
    """
    text = """
        scores: {heat: {half_life: 10ms, max: 20}, value: {}}
        signals:
          never: {each: nothing, add: {heat: 1}}
          bought: {each: buy, add: {heat: 30, value: 1.5}}
          visited: {each: visit, add: {heat: 8}}
        stages: {here: {}, there: {}}
        transitions: [{from: here, to: there, when: event.type == "mail"}]
    """
    subject = Subject(lifecycle(text))
    for time, name in ((0, "visit"), (0, "visit"), (10, "buy")):
        subject.sees(time, name)
    (change,) = subject.sees(10, "mail")
    contributions = {
        score: [(each.signal, each.points, each.count) for each in found]
        for score, found in change.contributions.items()
    }
    assert contributions == {"heat": [("bought", 30, 1), ("visited", 8, 2)], "value": [("bought", 1.5, 1)]}
    assert change.scores == {"heat": 20, "value": 1.5}


@pytest.mark.parametrize("half_life", ["", "half_life: 1d"])
def test_a_signal_that_counted_and_added_nothing_is_told_of(half_life: str) -> None:
    """It contributes no points, and how often it counted."""
    stages = """
    stages: {here: {}, there: {}}
    transitions: [{from: here, to: there, when: event.type == "buy"}]
    """
    subject = Subject(lifecycle(PAID.replace("value: {}", f"value: {{{half_life}}}") + stages))
    change = subject.sees(0, "buy")[-1]
    assert change.contributions == {"value": (Contribution("spent", 0, 1),)}


def test_points_that_cancel_leave_nothing_and_later_ones_count_from_their_own_time() -> None:
    """Plus 8 and minus 8 at 10, then 8 more of time 0 (late): 4 at 10."""
    text = """
        scores: {heat: {half_life: 10ms}}
        signals: {s: {each: visit, add: {heat: properties.n}}}
        stages: {here: {}, cold: {}}
        transitions: [{from: here, to: cold, when: heat < 4}]
    """
    subject = Subject(lifecycle(text))
    for time, amount in ((10, 8), (10, -8), (0, 8)):
        subject.sees(time, "visit", {"n": amount})
    assert subject.score("heat") == 4
