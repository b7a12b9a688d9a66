"""Rules 4, 7, 9 and 13: the clock, late interactions, signs of life, and the order of a step."""

import pytest

from stream.core.stage_change import Trigger
from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0


def test_the_clock_is_the_largest_time_applied_and_never_returns() -> None:
    """Also for words that no lifecycle knows, and by deadlines.

    0 visit   7 ?   3 visit (late)   17 gone (deadline)   12 visit (late)
    """
    text = """
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: idle >= 10ms}]
    """
    subject = Subject(lifecycle(text))
    clocks = []
    for time, name in ((0, "visit"), (7, "?"), (3, "visit")):
        subject.sees(time, name)
        clocks.append(subject.life().clock)
    subject.waits(18)
    clocks.append(subject.life().clock)
    subject.sees(12, "visit")
    clocks.append(subject.life().clock)
    assert clocks == [0, 7, 7, 17, 17]


def test_what_a_late_interaction_causes_happens_at_the_clock() -> None:
    """And the change says that it was late.

    T0 visit
    T0 - 5 buy (late)   lead -> customer at T0
    """
    text = """
        facts: {orders: {count: buy}, last_order: {last: buy}}
        stages: {lead: {}, customer: {}}
        transitions: [{from: lead, to: customer, when: orders >= 1}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(T0, "visit")
    (change,) = subject.sees(T0 - 5, "buy")
    assert (change.at, change.entered, change.trigger.late) == (T0, T0, True)
    assert change.facts == {"orders": 1, "last_order": T0 - 5}
    assert subject.step_counts.late == 1


def test_an_interaction_at_the_clock_is_not_late() -> None:
    """Equal times are in order."""
    text = """
        stages: {lead: {}, customer: {}}
        transitions: [{from: lead, to: customer, when: event.type == "buy"}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(5, "visit")
    (change,) = subject.sees(5, "buy")
    assert (change.trigger.late, subject.step_counts.late) == (False, 0)


def test_a_deadline_makes_interactions_late_too() -> None:
    """The clock is where time alone has moved it.

    0 visit ......|10 gone
          8 visit (late by 2): counted at 10
    """
    text = """
        stages: {here: {}, gone: {}, back: {}}
        transitions:
          - {from: here, to: gone, when: idle >= 10ms}
          - {from: gone, to: back, when: event.type == "visit"}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    subject.waits(10)
    (change,) = subject.sees(8, "visit")
    assert (change.from_stage, change.to_stage, change.at, change.trigger.late) == ("gone", "back", 10, True)


def test_the_points_of_a_late_interaction_decay_from_its_own_time() -> None:
    """Eight points, one half-life old when they arrive, are four."""
    text = "scores: {heat: {half_life: 1d}}\nsignals: {s: {each: visit, add: {heat: 8}}}"
    subject = Subject(lifecycle(text))
    subject.sees(T0 + DAY, "mail")
    subject.sees(T0, "visit")
    assert subject.score("heat") == 4


def test_any_interaction_moves_idle_but_the_passive_ones() -> None:
    """A word that no fact counts is a sign of life, an e-mail that we sent is not.

    0 visit   6 ?   9 mailed   ...|16 gone
    """
    text = """
        interactions: {mailed: [email_delivered]}
        passive: [mailed, pushed]
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: idle >= 10ms}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    subject.sees(6, "?")
    subject.sees(9, "email_delivered")
    subject.sees(10, "pushed")
    assert subject.life().clock == 10
    assert subject.waits(15) == []
    assert moves(subject.waits(16)) == [("here", "gone", 16)]


def test_idle_is_since_the_birth_where_that_is_later() -> None:
    """A life that a passive interaction began is idle since its birth.

    4 mailed   2 visit (late)   ...|14 gone
    """
    text = """
        passive: [mailed]
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: idle >= 10ms}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(4, "mailed")
    subject.sees(2, "visit")
    assert subject.life().active == 4
    assert moves(subject.waits(20)) == [("here", "gone", 14)]


def test_a_late_sign_of_life_does_not_turn_idle_back() -> None:
    """Idle is since the latest of them, not since the last to arrive."""
    text = """
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: idle >= 10ms}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(5, "visit")
    subject.sees(1, "visit")
    assert subject.next_due() == 15


def test_a_life_begins_in_the_first_stage_with_sequence_1() -> None:
    """A change from null, in every lifecycle, at the time of the interaction."""
    shop = lifecycle(
        "stages: {b: {title: B, channels: [email], actions: [hello]}, a: {}}\ntransitions:"
        " [{from: b, to: a, when: idle > 1d}]"
    )
    zoo = lifecycle("", "zoo")
    changes = Subject(zoo, shop).sees(T0, "visit", id="i1")
    assert [(each.lifecycle, each.sequence, each.final, each.born) for each in changes] == [
        ("shop", 1, True, "0-0"),
        ("zoo", 1, True, "0-0"),
    ]
    assert moves(changes) == [(None, "b", T0), (None, "start", T0)]
    assert changes[0].entered is None
    assert changes[0].transition is None
    assert (changes[0].trigger.kind, changes[0].trigger.id, changes[0].trigger.late) == (
        "interaction",
        "i1",
        False,
    )
    assert (changes[0].channels, changes[0].actions) == (("email",), ("hello",))


def test_a_birth_does_not_see_what_its_interaction_counts_for() -> None:
    """Birth, then identification, signals, facts, transitions: the first change carries nothing yet."""
    text = """
        scores: {value: {}}
        signals: {spent: {each: buy, add: {value: 5}}}
        facts: {orders: {count: buy}, last_order: {last: buy}}
        stages: {lead: {}, customer: {}}
        transitions: [{from: lead, to: customer, when: orders >= 1 and value >= 5 and identified}]
    """
    birth, change = Subject(lifecycle(text)).sees(T0, "buy")
    assert (birth.scores, birth.facts) == ({"value": 0}, {"orders": 0})
    assert (change.scores, change.facts) == ({"value": 5}, {"orders": 1, "last_order": T0})
    assert (birth.contributions["value"], change.contributions["value"][0].signal) == ((), "spent")
    assert (birth.final, change.final, change.sequence) == (False, True, 2)


@pytest.mark.parametrize(("time", "first"), [(9, "customer"), (10, "gone"), (11, "gone")])
def test_every_deadline_at_or_before_an_interaction_comes_before_it(time: int, first: str) -> None:
    """At the very millisecond of the deadline, too.

    0 visit ......|10 gone
           9 buy  10 buy  11 buy
    """
    text = """
        stages: {here: {}, gone: {}, customer: {}}
        transitions:
          - {from: here, to: gone, when: idle >= 10ms}
          - {from: "*", to: customer, when: event.type == "buy"}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert subject.sees(time, "buy")[0].to_stage == first
    assert subject.stage() == "customer"


def test_the_deadlines_before_an_interaction_fire_in_order_and_do_not_see_it() -> None:
    """Three of them in one step of the machine, each at its own time and final by itself.

    0 visit ...|10 b ...|20 c ...|30 d   35 buy
    """
    text = """
        facts: {orders: {count: buy}}
        stages: {a: {}, b: {}, c: {}, d: {}}
        transitions:
          - {from: a, to: b, when: in_stage >= 10ms}
          - {from: b, to: c, when: in_stage >= 10ms and orders < 1}
          - {from: c, to: d, when: in_stage >= 10ms}
          - {from: d, to: a, when: orders >= 1}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    changes = subject.sees(35, "buy")
    assert moves(changes) == [("a", "b", 10), ("b", "c", 20), ("c", "d", 30), ("d", "a", 35)]
    assert [each.final for each in changes] == [True] * 4
    assert [each.trigger.kind for each in changes] == ["deadline"] * 3 + ["interaction"]
    assert [each.sequence for each in changes] == [2, 3, 4, 5]
    assert subject.step_counts.fired == [10, 20, 30]


def test_a_deadline_s_change_carries_the_deadline_s_time_whenever_it_is_fired() -> None:
    """Rule 13: a year late, the change is of the day it was due, and so are its scores."""
    text = """
        scores: {heat: {half_life: 10ms}}
        signals: {s: {each: visit, add: {heat: 8}}}
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: idle >= 10ms}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(T0, "visit")
    (change,) = subject.waits(T0 + 365 * DAY)
    assert (change.at, change.entered, change.scores) == (T0 + 10, T0, {"heat": 4})
    assert change.trigger == Trigger("deadline", None, None, False)


def test_time_that_has_passed_already_changes_nothing() -> None:
    """Passing to before the clock."""
    subject = Subject(lifecycle(""))
    subject.sees(T0, "visit")
    assert subject.waits(T0 - DAY) == []
    assert subject.life().clock == T0


def test_time_passes_for_nobody() -> None:
    """A subject without a record stays without one."""
    subject = Subject(lifecycle(""))
    assert subject.waits(T0) == []
    assert subject.customer is None
