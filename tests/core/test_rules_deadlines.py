"""Rule 12: when time alone makes a condition true, to the millisecond."""

from datetime import UTC, datetime
from math import ceil, log2

import pytest

from stream.core.interaction import MAX_TIME
from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0


def waiting(when: str, more: str = "", first: str = "") -> Subject:
    """A subject that leaves `here` when the condition holds."""
    return Subject(
        lifecycle(f"""
        scores: {{heat: {{half_life: 10ms}}, debt: {{half_life: 10ms, min: -40, max: 3}}}}
        signals: {{s: {{each: visit, add: {{heat: 16, debt: -16}}}}}}
        facts:
          busy: {{count: visit, within: 10ms}}
          few: {{count: visit, within: 10ms, keep: 2}}
          last_visit: {{last: visit}}
          first_visit: {{first: visit}}
          bought: {{last: buy}}
          orders: {{count: buy}}
        stages: {{{first}here: {{}}, gone: {{}}}}
        transitions:
          - {{from: here, to: gone, when: '{when}'}}
          {more}
    """)
    )


@pytest.mark.parametrize(
    ("when", "passed"),
    [
        ("idle >= 7ms", 7),
        ("idle > 7ms", 8),
        ("7ms <= idle", 7),
        ("7ms < idle", 8),
        ("not idle < 7ms", 7),
        ("not idle <= 7ms", 8),
        ("not 7ms > idle", 7),
        ("idle >= 2s", 2_000),
        ("idle >= 3m", 180_000),
        ("idle >= 2h", 7_200_000),
        ("idle >= 2d", 2 * DAY),
        ("idle >= 2w", 14 * DAY),
        ("in_stage >= 7ms", 7),
        ("in_stage > 7ms", 8),
        ("since(last_visit) >= 7ms", 7),
        ("since(first_visit) > 7ms", 8),
        ("heat <= 4", 20),
        ("heat < 4", 21),
        ("4 >= heat", 20),
        ("4 > heat", 21),
        ("not heat >= 4", 21),
        ("not heat > 4", 20),
        ("heat < 8", 11),
        ("heat < 5", ceil(10 * log2(16 / 5))),
        ("heat < 0.001", ceil(10 * log2(16 / 0.001))),
        ("heat <= 0", 341),
        ("not heat > 0", 341),
        ("debt >= -4", 20),
        ("debt > -4", 21),
        ("-4 <= debt", 20),
        ("debt >= 0", 341),
        ("busy < 1", 10),
        ("busy <= 0", 10),
        ("busy == 0", 10),
        ("busy != 1", 10),
        ("busy in [0]", 10),
        ("not busy in [1, 2]", 10),
        ("not busy >= 1", 10),
        ("1 > busy", 10),
        ("busy < 1 and idle >= 12ms", 12),
        ("busy < 1 and heat <= 4", 20),
        ("busy < 1 or heat <= 4", 10),
        ('idle >= 7ms or event.type == "mail"', 7),
        ("not (idle < 7ms or orders >= 1)", 7),
        ("idle >= 7ms and not since(bought) < 1d", 7),
    ],
)
def test_a_deadline_is_the_first_millisecond_at_which_the_condition_holds(when: str, passed: int) -> None:
    """Nothing just before, the change at.

    visit ............|deadline
    """
    subject = waiting(when)
    subject.sees(T0, "visit")
    assert subject.next_due() == T0 + passed
    assert subject.waits(T0 + passed - 1) == []
    assert subject.stage() == "here"
    assert moves(subject.waits(T0 + passed)) == [("here", "gone", T0 + passed)]
    assert subject.life().clock == T0 + passed


@pytest.mark.parametrize(
    "when",
    [
        "idle < 7ms and orders >= 1",
        "heat >= 1 and orders >= 1",
        "busy >= 1 and orders >= 1",
        "heat > 20",
        "debt > 0",
        "debt < -50",
        "heat < -1",
        "busy >= 3",
        "since(bought) >= 7ms",
        'idle >= 7ms and event.type == "mail"',
        "idle >= 7ms and not properties.x",
        "orders >= 1",
        "idle >= 7ms and orders >= 1",
    ],
)
def test_where_time_alone_makes_nothing_true_there_is_no_deadline(when: str) -> None:
    """What time only ends, what never comes, and what needs an interaction."""
    subject = waiting(when)
    subject.sees(T0, "visit")
    assert subject.next_due() is None
    assert subject.waits(MAX_TIME) == []


def test_a_condition_that_is_true_already_is_no_deadline_until_it_was_false() -> None:
    """A cycle that stopped in its own step does not go on while its conditions stay true.

    0 visit   here -> gone -> here (both taken)   true .........10 false ........|20 true: gone
    """
    back = '- {from: gone, to: here, when: event.type == "visit"}'
    still = waiting("busy < 5", back)
    assert moves(still.sees(T0, "visit"))[1:] == [("here", "gone", T0), ("gone", "here", T0)]
    assert still.next_due() is None
    subject = waiting("busy >= 1 or idle >= 20ms", back)
    assert moves(subject.sees(T0, "visit"))[1:] == [("here", "gone", T0), ("gone", "here", T0)]
    assert subject.next_due() == T0 + 20


@pytest.mark.parametrize(
    ("times", "when", "due"),
    [
        ((0, 1, 3), "busy < 3", 10),
        ((0, 1, 3), "busy < 2", 11),
        ((0, 1, 3), "busy < 1", 13),
        ((0, 1, 3), "busy == 1", 11),
        ((0, 1, 3), "busy != 3", 10),
        ((0, 1, 3), "busy in [0, 1]", 11),
        ((0, 3, 1), "busy < 2", 11),
        ((0, 0, 0), "busy < 3", 10),
        ((0, 1, 3), "few < 2", 11),
        ((0, 1, 3), "few < 1", 13),
        ((0, 5), "since(first_visit) >= 9ms", 9),
        ((0, 5), "since(last_visit) >= 9ms", 14),
        ((0, 5), "idle >= 9ms", 14),
        ((0, 5), "in_stage >= 9ms", 14),
        ((0, 10), "heat <= 12", 20),
        ((10, 0), "heat <= 12", 20),
        ((0, 10), "heat < 12", 21),
    ],
)
def test_a_deadline_follows_from_all_that_happened(times: tuple[int, ...], when: str, due: int) -> None:
    """Counted at a kept time plus the window, decayed from the sum, since the first or the last.

    visits ... enter (with the latest visit) ......|deadline
    """
    subject = waiting(when, '- {from: outside, to: here, when: event.type == "enter"}', "outside: {}, ")
    for time in times:
        subject.sees(T0 + time, "visit")
    assert subject.sees(T0 + max(times), "enter")[-1].to_stage == "here"
    assert subject.next_due() == T0 + due
    assert subject.waits(T0 + due - 1) == []
    assert moves(subject.waits(T0 + due)) == [("here", "gone", T0 + due)]


def test_a_condition_may_hold_for_a_while_only() -> None:
    """The deadline is where both sides hold, and there is none where they never do.

    idle >= 5 ms and busy >= 1: from 5 to 10;  idle >= 10 ms and busy >= 1: never
    """
    assert_due(waiting("idle >= 5ms and busy >= 1"), 5)
    assert_due(waiting("idle >= 9ms and busy >= 1"), 9)
    assert_due(waiting("idle >= 10ms and busy >= 1"), None)
    assert_due(waiting("idle >= 5ms and heat >= 11.4"), None)
    assert_due(waiting("idle >= 5ms and heat >= 11.3"), 5)


def assert_due(subject: Subject, passed: int | None) -> None:
    """A visit makes something due so much later."""
    subject.sees(T0, "visit")
    assert subject.next_due() == (None if passed is None else T0 + passed)


def test_a_clamp_moves_a_deadline_or_prevents_it() -> None:
    """At most 10 is read of 16 points: below 10 when 16 have decayed to less; never below the minimum."""
    text = """
        scores: {{heat: {{half_life: 10ms, min: 2, max: 10}}}}
        signals: {{s: {{each: visit, add: {{heat: 16}}}}}}
        stages: {{here: {{}}, gone: {{}}}}
        transitions: [{{from: here, to: gone, when: heat {}}}]
    """
    for when, passed in (("< 10", 7), ("< 8", 11), ("<= 2", 30), ("< 2", None)):
        assert_due(Subject(lifecycle(text.format(when))), passed)


def test_a_deadline_is_found_again_after_every_interaction() -> None:
    """Each visit puts it off; an interaction that changes nothing does not.

    0 visit   5 visit   9 mail      |12 gone (7 ms since the last visit)
    """
    subject = waiting("since(last_visit) >= 7ms")
    for time, name in ((0, "visit"), (5, "visit"), (9, "mail")):
        assert subject.sees(time, name)[1:] == []
    assert moves(subject.waits(100)) == [("here", "gone", 12)]


def test_all_transitions_are_tried_at_a_deadline_in_file_order() -> None:
    """Not the one whose time has come first, where another one holds too.

    5: in_stage makes here -> gone true, and at 5 the first in the file has come as well
    """
    text = """
        stages: {here: {}, gone: {}, lost: {}, found: {}}
        transitions:
          - {from: here, to: lost, when: idle > 4ms}
          - {from: here, to: gone, when: in_stage >= 5ms}
          - {from: lost, to: found, when: idle >= 5ms}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    changes = subject.waits(5)
    assert moves(changes) == [("here", "lost", 5), ("lost", "found", 5)]
    assert [each.final for each in changes] == [False, True]


def test_the_earliest_of_several_deadlines_comes_first() -> None:
    """Whatever their order in the file."""
    text = """
        stages: {here: {}, gone: {}, lost: {}}
        transitions:
          - {from: here, to: gone, when: idle >= 9ms}
          - {from: here, to: lost, when: idle >= 5ms}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert moves(subject.waits(100)) == [("here", "lost", 5)]


def test_only_transitions_out_of_the_current_stage_have_deadlines() -> None:
    """Those of other stages begin when they are entered."""
    text = """
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: a, to: b, when: event.type == "buy"}
          - {from: b, to: c, when: idle >= 5ms}
          - {from: c, to: a, when: idle >= 3ms and orders >= 1}
        facts: {orders: {count: buy}}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert subject.next_due() is None
    subject.sees(1, "buy")
    assert subject.next_due() == 6


@pytest.mark.parametrize(
    "when", ["idle >= 10ms", "in_stage > 9ms", "since(last_visit) >= 10ms", "busy < 1", "heat < 8.1"]
)
def test_nothing_happens_after_the_year_9999(when: str) -> None:
    """The last millisecond is the last deadline."""
    subject = waiting(when)
    subject.sees(MAX_TIME - 10, "visit")
    assert moves(subject.waits(MAX_TIME)) == [("here", "gone", MAX_TIME)]
    late = waiting(when)
    late.sees(MAX_TIME - 9, "visit")
    assert late.next_due() is None
    assert late.waits(MAX_TIME) == []


def test_a_score_that_crosses_a_millisecond_too_late_never_does() -> None:
    """At the last millisecond it is exactly 8; below 8 would be in the year 10000."""
    assert datetime.fromtimestamp(MAX_TIME / 1000, UTC).isoformat(timespec="seconds") == "9999-12-31T23:59:59+00:00"
    assert MAX_TIME % 1000 == 999
    for when, due in (("heat <= 8", MAX_TIME), ("heat < 8", None)):
        subject = waiting(when)
        subject.sees(MAX_TIME - 10, "visit")
        assert subject.next_due() == due
