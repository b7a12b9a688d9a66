"""Rule 26, conditions: the time until a fact and since it, before and after it, to the millisecond."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.customer import Life
from stream.core.deadlines import rises
from stream.core.expressions import ConditionError
from stream.core.facts import LATEST_TIME
from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.language.conditions import compile_condition
from stream.core.lifecycle import Condition
from tests.core.shop import SCOPE, SHOP
from tests.kit.times import DAY, HOUR, T0

PLAN = SHOP.facts[-1]
WITH_TRIAL = SCOPE._replace(
    facts={**SCOPE.facts, "trial_end": replace(PLAN, name="trial_end", kind="latest_time", code=LATEST_TIME)}
)
"""The shop, with a time that interactions tell in place of the plan."""
SIGNS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def condition(text: str) -> Condition:
    return compile_condition(text, WITH_TRIAL)


def life(trial_end: int | None, now: int = T0) -> Life:
    """One who visited first and last at T0 and was told of the end of a trial then; None: that it was taken back."""
    begun = SHOP.begin(min(now, T0), "", False)
    begun.clock = now
    begun.facts[WITH_TRIAL.facts["trial_end"].index] = (T0, trial_end)
    for name in ("first_visit", "last_visit"):
        begun.numbers[WITH_TRIAL.facts[name].index] = T0
    return begun


def holds(text: str, trial_end: int | None, now: int = T0) -> bool:
    alone = condition(text).without_event
    return alone is not None and alone.holds(life(trial_end, now), now, None)


def deadline(text: str, trial_end: int | None, now: int = T0) -> int | None:
    """The deadline of a condition; it holds there and not a millisecond before."""
    ready = condition(text)
    moment = None if ready.without_event is None else rises(ready.without_event, life(trial_end, now))
    if moment is not None:
        assert ready.timed
        assert holds(text, trial_end, moment)
        assert not holds(text, trial_end, moment - 1)
    return moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("until(trial_end) <= 7d", 3 * DAY),
        ("until(trial_end) < 7d", 3 * DAY + 1),
        ("7d >= until(trial_end)", 3 * DAY),
        ("until(trial_end) <= 0ms", 10 * DAY),
        ("until(trial_end) < 0d", 10 * DAY + 1),
        ("until(trial_end) <= -3d", 13 * DAY),
        ("until(trial_end) < -3d", 13 * DAY + 1),
        ("not (until(trial_end) > 7d)", 3 * DAY),
        ("not (until(trial_end) >= 7d)", 3 * DAY + 1),
        ("since(trial_end) >= 3d", 13 * DAY),
        ("since(trial_end) >= -7d", 3 * DAY),
        ("since(trial_end) > -7d", 3 * DAY + 1),
        ("-7d <= since(trial_end)", 3 * DAY),
        ("until(trial_end) <= 7d and in_stage >= 4d", 4 * DAY),
        ("until(trial_end) <= 7d and until(trial_end) > 2d", 3 * DAY),
        ("until(trial_end) <= 7d and last_visit < trial_end", 3 * DAY),
        ("until(trial_end) > 7d", None),
        ("until(trial_end) >= 7d", None),
        ("until(trial_end) <= 10d", None),  # holds already
        ("until(trial_end) <= 400d", None),
        ("since(trial_end) < 3d", None),
        ("not (until(trial_end) <= 7d)", None),
    ],
)
def test_what_time_until_a_fact_decides_becomes_true_at_its_very_millisecond(text, moment):
    """The trial ends ten days from now.

    T0 now   3 d seven days are left   10 d trial_end   13 d three days ago
    """
    assert deadline(text, T0 + 10 * DAY) == (None if moment is None else T0 + moment)


@pytest.mark.parametrize("sign", [*SIGNS])
@given(
    end=st.integers(-30, 30),
    length=st.integers(-30, 30),
    function=st.sampled_from(["since", "until"]),
    negated=st.booleans(),
    turned=st.booleans(),
)
def test_no_millisecond_is_missed(sign, end, length, function, negated, turned):
    """Compared with what each millisecond says of itself."""
    text = f"{length}ms {sign} {function}(trial_end)" if turned else f"{function}(trial_end) {sign} {length}ms"

    def says(moment: int) -> bool:
        left = end - moment if function == "until" else moment - end
        return SIGNS[sign](*((length, left) if turned else (left, length))) != negated

    text = f"not ({text})" if negated else text
    moments = [T0 + at for at in range(1, 70) if says(at) and not says(at - 1)]
    assert deadline(text, T0 + end) == (moments[0] if moments else None)
    assert [holds(text, T0 + end, T0 + at) for at in range(-5, 5)] == [says(at) for at in range(-5, 5)]


@pytest.mark.parametrize("function", ["since", "until"])
def test_a_time_that_was_taken_back_or_never_told_is_neither_ahead_nor_past(function):
    """Every comparison is false, `not` of it true (rule 11); and nothing will happen."""
    for text in (f"{function}(trial_end) {sign} {length}" for sign in SIGNS for length in ("-7d", "0d", "7d")):
        assert not holds(text, None)
        assert holds(f"not ({text})", None)
        assert deadline(text, None) is None
        assert deadline(f"not ({text})", None) is None
    assert not holds("exists(trial_end)", None)
    assert holds("not exists(trial_end)", None)
    assert holds("exists(trial_end)", T0 + DAY)
    never = SHOP.begin(T0, "", False)
    check = condition(f"{function}(trial_end) <= 7d").without_event
    assert check is not None
    assert not check.holds(never, T0, None)


def test_since_of_a_time_ahead_is_negative():
    """So that it is below any length that is not."""
    assert holds("since(trial_end) < 0d", T0 + 1)
    assert holds("since(trial_end) < 90d", T0 + 400 * DAY)
    assert holds("since(trial_end) <= -10d and since(trial_end) >= -10d", T0 + 10 * DAY)
    assert not holds("since(trial_end) >= 0ms", T0 + 1)


def test_a_time_that_was_told_compares_with_other_times():
    assert holds("last_visit < trial_end and trial_end != first_visit", T0 + 1)
    assert holds("last_visit == trial_end", T0)
    assert not holds("trial_end < last_visit", None)


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("until(trial_end) <= 1ms", MAX_TIME, MAX_TIME - 1),
        ("until(trial_end) <= 0ms", MAX_TIME, MAX_TIME),
        ("until(trial_end) < 0ms", MAX_TIME, None),  # would be in the year 10000
        ("since(trial_end) >= 1ms", MAX_TIME, None),
        ("until(trial_end) <= 999999999999999w", MAX_TIME, None),  # holds from the first
        ("until(trial_end) >= 999999999999999w", MAX_TIME, None),
        ("until(trial_end) <= -999999999999999w", MIN_TIME, None),
        ("since(trial_end) >= 999999999999999w", MIN_TIME, None),
        ("since(trial_end) > 0ms", MIN_TIME, None),
        ("until(trial_end) <= 7d", MIN_TIME, None),
        ("until(trial_end) < -3652058d", MIN_TIME, MIN_TIME + 3_652_058 * DAY + 1),  # the last day of all
    ],
)
def test_what_lies_beyond_the_calendar_never_comes(text, end, moment):
    """From the year 1 to the end of the year 9999, with lengths that no 64 bits hold."""
    assert deadline(text, end) == moment


def test_lengths_beyond_the_calendar_are_compared_all_the_same():
    assert holds("until(trial_end) <= 999999999999999w", MAX_TIME)
    assert holds("until(trial_end) > -999999999999999w", MIN_TIME)
    assert not holds("since(trial_end) >= 999999999999999w", MIN_TIME, MAX_TIME)


@pytest.mark.parametrize(
    ("text", "value"), [("-3d", -3 * DAY), ("-0d", 0), ("-007ms", -7), ("-1h", -HOUR), ("- 3d", None), ("--3d", None)]
)
def test_a_length_of_time_may_be_below_0(text, value):
    if value is None:
        with pytest.raises(ConditionError):
            condition(f"since(trial_end) > {text}")
    else:
        assert condition(f"since(trial_end) > {text}").tree.right.value == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "until(orders) <= 7d",
            "until(orders) needs a fact of kind `first`, `last` or `latest_time`; here: first_",
        ),
        ("until(country) <= 7d", "needs a fact of kind"),
        ("until(nothing) <= 7d", "needs a fact of kind"),
        ("until(properties.ends) <= 7d", "needs a fact of kind"),
        ("until(trial_end) <= 7", "a duration with a number; a duration has a unit, as in 90d"),
        ("until(trial_end) == 7d", "'==' on what changes with time alone would hold for a moment only"),
        ("until(trial_end) in [7]", "`in` on what changes with time alone"),
        ("until(trial_end) < since(last_visit)", "compares with constants only"),
        ("until(trial_end) < properties.x", "a duration with a property"),
        ('until(trial_end) contains "7"', "looks into a text; this is a duration"),
        ("until(trial_end)", "this is a duration, not true or false"),
        ("trial_end <= 7d", "how long ago a time fact was is since(fact), how long it is until then until(fact)"),
        ("trial_end > now", "unknown name 'now'; how long ago a time fact was is since(fact), how long"),
        ("trial_end == properties.x", "compares a time with a property"),
        ('lower(trial_end) == "x"', "needs what may be a text"),
        ("trial_end - 7d > 3d", "nothing is calculated here"),
        ("trial_end -7d > 3d", "nothing is calculated here"),
        ("orders -1 > 3", "nothing is calculated here"),
        ("until(trial_end) > 3d and until(trial_end) < 2d", "contradicts"),
        ("until(trial_end) <= 7d and since(trial_end) < -7d", "contradicts"),
        ("until(trial_end) > 0ms and since(trial_end) >= 0ms", "contradicts"),
        (
            "days_until(trial_end) <= 7",
            "no 'days_until'; write until(trial_end), and compare it with",
        ),
        ("UNTIL(trial_end) <= 7d", "there is no 'UNTIL'; write until(trial_end)"),
        ("until trial_end <= 7d", "'(' was expected, not 'trial_end'"),
        ('until("trial_end") <= 7d', "a name stands without quotes: until(trial_end)"),
        ("until(trial_end) <= 7 days", "write 7d"),
        ("until(trial_end) >= -3 days", "write -3d"),
        ("until(trial_end) >= -1.5d", "write -36h"),
        ("until(trial_end) >= -2 months", "count days, as in -60d"),
    ],
)
def test_what_makes_no_sense_of_a_time_ahead_is_refused_at_load(text, message):
    with pytest.raises(ConditionError, match=re.escape(message)):
        condition(text)


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("idle >= -3d", "idle is at least 0ms: this holds always"),
        ("-3d < in_stage", "in_stage is at least 0ms: this holds always"),
        ("idle < 0d", "idle is at least 0ms: this never holds"),
        ("in_stage <= -1ms", "in_stage is at least 0ms: this never holds"),
        ("since(last_visit) > -1d", "since(last_visit) is at least 0ms: this holds wherever there is a last_visit"),
        ("since(last_visit) < -1d", "since(last_visit) is at least 0ms: this never holds"),
        ("until(last_visit) <= 7d", "until(last_visit) is at most 0ms: this holds wherever there is a last_visit"),
        ("until(last_visit) > 0d", "until(last_visit) is at most 0ms: this never holds"),
        ("until(last_visit) >= 7d", "until(last_visit) is at most 0ms: this never holds"),
        ("not (until(trial_end) > 7d)", None),
        ("not (since(trial_end) > 7d)", None),
    ],
)
def test_what_is_decided_for_ever_or_holds_for_who_is_not_meant_is_warned_of(text, warning):
    """What happened lies never ahead."""
    wanted = warning or (
        f"`not` of a comparison with {text[5:21]} also holds for who has no trial_end; "
        "write `exists(trial_end) and …`, or the opposite comparison"
    )
    assert condition(text).warnings == (wanted,)


@pytest.mark.parametrize(
    "text",
    [
        *("idle >= 0d", "since(last_visit) <= 0d", "until(last_visit) <= -7d", "since(trial_end) < -7d", "idle < 1ms"),
        *("until(trial_end) <= 7d", "until(trial_end) > 0d", "since(trial_end) > -7d", "until(last_visit) <= 0ms"),
    ],
)
def test_what_time_may_still_decide_is_not_warned_of(text):
    assert condition(text).warnings == ()
