"""Rule 15: several lifecycles on the same interactions."""

import pytest

from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from tests.core.subject import Subject, lifecycle, moves

IDLE = """
    facts: {{visits: {{count: visit}}}}
    scores: {{points: {{}}}}
    signals: {{s: {{each: visit, add: {{points: {points}}}}}}}
    passive: [{passive}]
    stages: {{here: {{}}, gone: {{}}, back: {{}}}}
    transitions:
      - {{from: here, to: gone, when: idle >= {idle}}}
      - {{from: gone, to: back, when: event.type == "visit"}}
"""


def idle(name: str, length: str, points: int = 1, passive: str = "nothing") -> Lifecycle:
    """A lifecycle that is left after some time."""
    return lifecycle(IDLE.format(idle=length, points=points, passive=passive), name)


def entries(changes: list[StageChange]) -> list[tuple[str, str | None, int]]:
    """Lifecycle, target and time."""
    return [(each.lifecycle, each.to_stage, each.at) for each in changes]


def test_each_lifecycle_goes_on_as_if_it_ran_alone() -> None:
    """Own clock, scores, facts, stage, sequence, deadlines and lateness."""
    parts = [idle("a", "10ms"), idle("b", "25ms", 5, "mail"), idle("c", "3ms", 7)]
    history = [(0, "visit"), (8, "mail"), (30, "visit"), (4, "visit"), (20, "?"), (31, "mail"), (90, "visit")]
    together = Subject(*parts)
    for time, name in history:
        together.sees(time, name)
    together.waits(500)
    for part in parts:
        alone = Subject(part)
        for time, name in history:
            alone.sees(time, name)
        alone.waits(500)
        assert [each for each in together.changes if each.lifecycle == part.id] == alone.changes
        assert together.life(part.id) == alone.life(part.id)


def test_deadlines_of_the_same_millisecond_come_in_the_order_of_the_lifecycles_ids() -> None:
    """However the lifecycles are given; earlier ones come first."""
    parts = [idle("b", "10ms"), idle("c", "9ms"), idle("a", "10ms")]
    subject = Subject(*parts)
    subject.sees(0, "visit")
    assert entries(subject.waits(10)) == [("c", "gone", 9), ("a", "gone", 10), ("b", "gone", 10)]


def test_the_clocks_of_lifecycles_differ_after_their_deadlines() -> None:
    """The same interaction is late in the one whose deadline moved its clock, and not in the other.

    0 visit   a: |5 gone      7: b gone      6 visit: late in b only
    """
    subject = Subject(idle("a", "5ms"), idle("b", "7ms"))
    subject.sees(0, "visit")
    subject.waits(7)
    assert (subject.life("a").clock, subject.life("b").clock) == (5, 7)
    changes = subject.sees(6, "visit")
    assert [(each.lifecycle, each.at, each.trigger.late) for each in changes] == [
        ("a", 6, False),
        ("b", 7, True),
    ]
    assert subject.step_counts.late == 1


def test_one_lifecycle_does_not_use_up_the_interaction_of_another() -> None:
    """One purchase moves one step in each."""
    text = (
        'stages: {a: {}, b: {}, c: {}}\ntransitions: [{from: a, to: b, when: event.type == "buy"},'
        ' {from: b, to: c, when: event.type == "buy"}]'
    )
    changes = Subject(lifecycle(text, "one"), lifecycle(text, "two")).sees(0, "buy")
    assert entries(changes) == [("one", "a", 0), ("two", "a", 0), ("one", "b", 0), ("two", "b", 0)]
    assert [each.final for each in changes] == [False, False, True, True]
    assert [each.sequence for each in changes] == [1, 1, 2, 2]


def test_births_are_final_in_the_lifecycles_where_nothing_follows() -> None:
    """Each lifecycle's last change of the step is."""
    moving = 'stages: {a: {}, b: {}}\ntransitions: [{from: a, to: b, when: event.type == "buy"}]'
    changes = Subject(lifecycle("", "a"), lifecycle(moving, "b"), lifecycle("", "c")).sees(0, "buy")
    assert [(each.lifecycle, each.to_stage, each.final) for each in changes] == [
        ("a", "start", True),
        ("b", "a", False),
        ("c", "start", True),
        ("b", "b", True),
    ]


def test_remembered_ids_are_the_customer_s() -> None:
    """A repeat has no effect in any, and is counted once."""
    subject = Subject(idle("a", "10d"), idle("b", "10d"))
    subject.sees(0, "visit", id="i1")
    subject.sees(1, "visit", id="i1")
    assert (subject.step_counts.duplicates, subject.life("a").clock, subject.life("b").clock) == (1, 0, 0)
    assert (list(subject.life("a").numbers), list(subject.life("b").numbers)) == ([1], [1])


def test_a_lifecycle_that_is_added_begins_with_the_customer_s_next_interaction() -> None:
    """Its clock is that of the interaction, also where that is late for the others.

    10 visit (a)   7 visit: late in a, b is born at 7
    """
    before = Subject(idle("a", "10d"))
    before.sees(10, "visit", id="i1")
    subject = Subject(
        idle("a", "10d"),
        lifecycle("stages: {x: {}, y: {}}\ntransitions: [{from: x, to: y, when: identified}]", "b"),
    )
    assert before.customer is not None
    before.customer.by_place.append(None)  # as it is read where the second is new
    subject.customer = before.customer
    birth, move = subject.sees(7, "visit")
    assert moves([birth, move]) == [(None, "x", 7), ("x", "y", 7)]
    assert (birth.identified, birth.sequence, birth.trigger.late, move.trigger.late) == (
        True,
        1,
        False,
        False,
    )
    assert (subject.life("a").clock, subject.life("b").clock) == (10, 7)


def test_two_lifecycles_of_one_id_are_refused() -> None:
    """Nobody could tell their changes apart."""
    with pytest.raises(ValueError, match="two lifecycles have the same id"):
        model_of([idle("a", "1d"), idle("a", "2d")])
