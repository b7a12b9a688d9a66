"""Rule 22: a `where` that names what is known of the customer; lengths of time end at the interaction's own time."""

from dataclasses import replace

import pytest

from stream.core.event import Event
from stream.core.expressions import ConditionError
from stream.core.facts import LATEST_TIME
from stream.core.language.conditions import compile_condition, state_names_in
from stream.core.lifecycle import Condition
from tests.core.shop import SCOPE, SHOP
from tests.core.subject import Subject
from tests.kit.times import DAY, HOUR, T0

TRIAL = replace(SHOP.facts[-1], name="trial_end", kind="latest_time", code=LATEST_TIME)
AT_EVENT = SCOPE._replace(at_event=True, facts={**SCOPE.facts, "trial_end": TRIAL})
CLOCK = T0 + 10 * HOUR
LATE = T0 + 2 * HOUR
"""The time of an interaction that comes late: between the two visits."""


def where(text: str) -> Condition:
    return compile_condition(text, AT_EVENT)


def known() -> Subject:
    """Visits at 0 and 3 h, an order of 12.5 at 1 h; the trial ends at 12 h. The clock is at 10 h.

    0 visit   1 h order, stage customer   2 h the late interaction   3 h visit   10 h clock, a mail   12 h trial_end
    """
    subject = Subject(SHOP)
    subject.sees(T0, "page", {"country": "FR"})
    subject.sees(T0 + HOUR, "Order Completed", {"total": 12.5})
    subject.sees(T0 + 3 * HOUR, "page")
    life = subject.life()
    life.clock = CLOCK
    life.facts[TRIAL.index] = (T0, T0 + 12 * HOUR)
    return subject


def holds(text: str, time: int = LATE, **properties: object) -> bool:
    event = Event("visit", "page", time, properties, {})
    return where(text).with_event.holds(known().life(), CLOCK, event)


@pytest.mark.parametrize(
    ("text", "late", "in_time"),
    [
        # measured at the interaction's own time; what is later than it is less than nothing ago
        ("since(last_visit) >= -1h", True, True),
        ("since(last_visit) > -1h", False, True),
        ("since(last_visit) < 0ms", True, False),
        ("since(last_visit) >= 7h", False, True),
        ("since(last_visit) > 7h", False, False),
        ("since(first_visit) <= 2h", True, False),
        ("until(trial_end) <= 2h", False, True),
        ("until(trial_end) >= 10h", True, False),
        ("until(trial_end) > 10h", False, False),
        ("since(trial_end) >= -10h", True, True),
        ("since(trial_end) > -10h", False, True),
        ("idle >= -1h", True, True),
        ("idle > -1h", False, True),
        ("idle < 0ms", True, False),
        ("7h <= idle", False, True),
        ("in_stage >= 1h", True, True),
        ("in_stage > 1h", False, True),
        ("in_stage <= 1h", True, False),
        ("not (since(last_visit) < 0ms)", False, True),
        ("not (since(refunded) < 90d)", True, True),
        ("since(refunded) < 90d", False, False),
        # all else is as it is at the clock
        ("busy == 0 and busy < 1 and busy in [0]", True, True),
        ("heat < 0.1", True, True),
        ("value == 12.5 and orders == 1 and revenue >= 12.5", True, True),
        ('identified and stage == "customer" and country == "FR"', True, True),
        ("exists(trial_end) and not exists(refunded)", True, True),
        ("first_visit < last_visit and last_visit < trial_end", True, True),
        # with what the interaction says
        ("since(last_visit) >= 7h and properties.total > value", False, True),
        ("properties.total < value or idle >= 7h", False, True),
        ("not (properties.total > value and idle < 7h)", False, True),
        ('event.type == "visit" and orders < properties.total', True, True),
    ],
)
def test_lengths_of_time_end_at_the_interaction_and_all_else_is_as_at_the_clock(text, late, in_time):
    """The late interaction of 2 h, and one of 10 h that comes in time."""
    assert holds(text, LATE, total=13) is late
    assert holds(text, CLOCK, total=13) is in_time


def test_the_same_length_of_time_ends_at_the_clock_where_it_stands_after_when():
    life = known().life()
    event = Event("visit", "page", LATE, {}, {})
    assert compile_condition("idle >= 7h", SCOPE).with_event.holds(life, CLOCK, event)
    assert not where("idle >= 7h").with_event.holds(life, CLOCK, event)


def test_a_where_with_lengths_of_time_never_holds_without_an_interaction():
    """They are unknown then, negated or not, and time alone brings nothing."""
    for text in ("idle >= 7h", "not (idle >= 7h)", "since(last_visit) >= 7h and orders == 1"):
        assert where(text).without_event is None
        assert not where(text).timed


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("properties.x == 1", set()),
        ('not (lower(properties.x) contains "y") and event.name == "page" and exists(context.z)', set()),
        ("properties.x in [1, 2] or properties.flag", set()),
        ("orders >= 1", {"orders"}),
        ("properties.x == 1 or not (value > properties.x and identified)", {"value", "identified"}),
        ("since(last_visit) >= 30s and until(trial_end) < 7d", {"last_visit", "trial_end"}),
        ('idle >= 1d or in_stage < 1d or stage == "lead"', {"idle", "in_stage", "stage"}),
        ("exists(country) and properties.country != country", {"country"}),
        ('lower(country) == "fr" or country in properties.list', {"country"}),
        ('5 < heat or "FR" == country', {"heat", "country"}),
    ],
)
def test_what_a_where_reads_of_the_customer_is_known(text, names):
    """So that it is asked before the interaction is applied."""
    ready = where(text)
    assert state_names_in(ready.tree) == names
    assert ready.reads_state is bool(names)


@pytest.mark.parametrize(
    ("text", "x", "may"),
    [
        ("properties.x == 1", 1, True),
        ("properties.x == 1", 2, False),
        ("properties.x == 1 and orders >= 9", 1, True),
        ("properties.x == 1 and orders >= 9", 2, False),
        ("properties.x == 1 and not (orders < 9)", 1, True),
        ("properties.x == 1 or orders >= 9", 2, True),
        ("not (properties.x == 1 or orders >= 9)", 1, False),
        ("not (properties.x == 1 or orders >= 9)", 2, True),
        ("not (properties.x == 1 and orders >= 9)", 1, True),
        ("orders >= 9 and idle >= 400d", 2, True),
        ("orders < properties.x", 0, True),
        ("(properties.x == 1 or orders >= 9) and properties.x == 3", 3, True),
        ("(properties.x == 1 or orders >= 9) and properties.x == 3", 4, False),
    ],
)
def test_what_the_interaction_alone_decides_of_a_where_is_known(text, x, may):
    """Whoever it is of: for who asks whether an interaction could match at all."""
    decided = where(text).by_interaction
    event = Event("visit", "page", T0, {"x": x}, {})
    assert (decided is None or decided.holds(SHOP.begin(T0, "", False), T0, event)) is may


def test_a_where_that_reads_nothing_of_the_customer_is_decided_by_the_interaction_as_a_whole():
    """By the same predicate."""
    for text in ("properties.x == 1", "properties.x == 1 and not properties.y", "not (properties.x or properties.y)"):
        ready = where(text)
        assert ready.by_interaction is ready.with_event
    assert where("orders >= 1 or idle >= 1d").by_interaction is None


@pytest.mark.parametrize(
    "text",
    ["idle >= -3d", "since(last_visit) > -1h", "in_stage < 0ms", "until(last_visit) <= 7d", "until(last_visit) > 0ms"],
)
def test_a_length_of_time_below_0_is_no_mistake_in_a_where(text):
    """An interaction that comes late has one."""
    assert where(text).warnings == ()


def test_in_a_where_too_what_changes_with_time_compares_with_constants_only():
    for text in ("idle > in_stage", "heat > value", "idle == 1d", "heat in [5]", "busy >= 6"):
        with pytest.raises(ConditionError):
            where(text)


@pytest.mark.parametrize(
    "text",
    [
        *("orders >= 1", "heat > 1", "identified", 'stage == "lead"', "idle > 1d", "in_stage > 1d"),
        *("since(last_visit) > 1d", "until(trial_end) < 1d", "exists(country)", 'lower(country) == "a"'),
        'country contains "a"',
    ],
)
def test_the_where_of_a_ledger_sees_the_interaction_only(text):
    scope = AT_EVENT._replace(at_event=False, interaction_only=True)
    with pytest.raises(ConditionError, match="`where` of a ledger sees the interaction only"):
        compile_condition(text, scope)
    assert compile_condition('lower(properties.x) contains "a" and lower(event.name) != "b"', scope)


def test_a_warning_of_what_the_interaction_ends_is_for_transitions_alone():
    """A `where` is asked before `idle` moves: who comes back after sixty days."""
    assert where('event.type == "visit" and idle >= 60d').warnings == ()
    assert holds('event.type == "visit" and idle >= 60d', T0 + 100 * DAY)
