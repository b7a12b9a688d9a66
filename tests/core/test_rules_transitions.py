"""Rule 10: which transitions a step takes, and which of their changes is final."""

import pytest

from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import T0


def test_the_first_transition_in_file_order_whose_condition_holds_is_taken() -> None:
    """Not the first that leaves the stage, nor the best."""
    text = """
        facts: {visits: {count: visit}}
        stages: {a: {}, b: {}, c: {}, d: {}}
        transitions:
          - {from: c, to: d, when: visits >= 0}
          - {from: a, to: b, when: visits >= 2}
          - {from: a, to: c, when: visits >= 1 and event.type == "visit"}
          - {from: a, to: d, when: visits >= 1}
    """
    subject = Subject(lifecycle(text))
    changes = subject.sees(T0, "visit")
    assert moves(changes) == [(None, "a", T0), ("a", "c", T0), ("c", "d", T0)]
    assert [each.transition for each in changes] == [
        None,
        'visits >= 1 and event.type == "visit"',
        "visits >= 0",
    ]


def test_transitions_are_taken_until_none_holds_and_the_last_is_final() -> None:
    """Each is a change of its own, with the next sequence number and the same time."""
    text = """
        facts: {visits: {count: visit}}
        stages: {a: {}, b: {channels: [email], actions: [hi]}, c: {}, d: {}}
        transitions:
          - {from: a, to: b, when: visits >= 2}
          - {from: b, to: c, when: visits >= 2}
          - {from: c, to: d, when: visits >= 3}
    """
    subject = Subject(lifecycle(text))
    subject.sees(T0, "visit")
    changes = subject.sees(T0 + 5, "visit")
    assert moves(changes) == [("a", "b", T0 + 5), ("b", "c", T0 + 5)]
    assert [(each.sequence, each.final, each.entered) for each in changes] == [
        (2, False, T0),
        (3, True, T0 + 5),
    ]
    assert [(each.channels, each.actions) for each in changes] == [(("email",), ("hi",)), ((), ())]
    assert subject.life().entered == T0 + 5


def test_no_transition_is_taken_twice_in_a_step() -> None:
    """A cycle whose conditions hold goes round once, and stops where it began.

    a -> b -> c -> a
    """
    text = """
        facts: {visits: {count: visit}}
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: a, to: b, when: visits >= 1}
          - {from: b, to: c, when: visits >= 1}
          - {from: c, to: a, when: visits >= 1}
    """
    subject = Subject(lifecycle(text))
    assert moves(subject.sees(0, "visit")) == [(None, "a", 0), ("a", "b", 0), ("b", "c", 0), ("c", "a", 0)]
    assert moves(subject.sees(1, "visit")) == [("a", "b", 1), ("b", "c", 1), ("c", "a", 1)]


def test_a_transition_from_several_stages_is_one_and_taken_once() -> None:
    """From a to c; then back, and not from b to c by the same transition."""
    text = """
        facts: {visits: {count: visit}}
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: [a, b], to: c, when: visits >= 1}
          - {from: c, to: b, when: visits >= 1}
    """
    subject = Subject(lifecycle(text))
    assert moves(subject.sees(0, "visit"))[1:] == [("a", "c", 0), ("c", "b", 0)]
    assert moves(subject.sees(1, "visit")) == [("b", "c", 1), ("c", "b", 1)]


def test_a_star_leaves_any_stage_but_the_target() -> None:
    """From the first and from any other; in the target it does nothing."""
    text = """
        stages: {a: {}, b: {}, ended: {}}
        transitions:
          - {from: a, to: b, when: event.type == "visit"}
          - {from: "*", to: ended, when: event.type == "opt_out"}
    """
    early, later = Subject(lifecycle(text)), Subject(lifecycle(text))
    assert moves(early.sees(0, "opt_out")) == [(None, "a", 0), ("a", "ended", 0)]
    later.sees(0, "visit")
    assert moves(later.sees(1, "opt_out")) == [("b", "ended", 1)]
    assert later.sees(2, "opt_out") == []


def test_one_purchase_moves_one_purchase_step() -> None:
    """What needed the interaction uses it up.

    0 buy   a -> b      1 buy   b -> c
    """
    text = """
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: a, to: b, when: event.type == "buy"}
          - {from: b, to: c, when: event.type == "buy"}
    """
    subject = Subject(lifecycle(text))
    assert moves(subject.sees(0, "buy")) == [(None, "a", 0), ("a", "b", 0)]
    assert moves(subject.sees(1, "buy")) == [("b", "c", 1)]


def test_after_the_interaction_is_used_up_other_conditions_still_count() -> None:
    """And what it counted for is still there."""
    text = """
        facts: {orders: {count: buy}}
        stages: {a: {}, b: {}, c: {}, d: {}}
        transitions:
          - {from: a, to: b, when: event.type == "buy"}
          - {from: b, to: c, when: orders >= 1}
          - {from: c, to: d, when: not properties.total > 5}
    """
    subject = Subject(lifecycle(text))
    assert moves(subject.sees(0, "buy", {"total": 1}))[1:] == [("a", "b", 0), ("b", "c", 0)]
    assert moves(subject.sees(1, "?", {"total": 1})) == [("c", "d", 1)]


def test_a_condition_that_holds_without_the_interaction_does_not_use_it_up() -> None:
    """Also where it names the interaction.

    visits >= 1 or event.type == "buy": true by itself, so that buy is left for the next
    """
    text = """
        facts: {visits: {count: buy}}
        stages: {a: {}, b: {}, c: {}, d: {}}
        transitions:
          - {from: a, to: b, when: visits >= 1 or event.type == "buy"}
          - {from: b, to: c, when: visits >= 1}
          - {from: c, to: d, when: event.type == "buy"}
    """
    assert Subject(lifecycle(text)).sees(0, "buy")[-1].to_stage == "d"


def test_a_condition_that_would_not_hold_without_the_interaction_uses_it_up_although_partly_its_own() -> None:
    """`and` with the interaction, and a Kleene `or` that is unknown without it."""
    for when in ('visits >= 1 and event.type == "buy"', 'visits >= 9 or not event.type == "mail"'):
        text = f"""
            facts: {{visits: {{count: buy}}}}
            stages: {{a: {{}}, b: {{}}, c: {{}}}}
            transitions:
              - {{from: a, to: b, when: '{when}'}}
              - {{from: b, to: c, when: event.name == "buy"}}
        """
        assert Subject(lifecycle(text)).sees(0, "buy")[-1].to_stage == "b"


def test_whether_it_needs_the_interaction_is_asked_before_the_stage_changes() -> None:
    """In stage a the condition holds by itself; in b it would not."""
    text = """
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: a, to: b, when: stage == "a" or event.type == "buy"}
          - {from: b, to: c, when: event.type == "buy"}
    """
    assert Subject(lifecycle(text)).sees(0, "buy")[-1].to_stage == "c"


def test_a_deadline_s_step_sees_no_interaction() -> None:
    """`"*"` on the kind of interaction that came before does nothing at the deadline."""
    text = """
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: a, to: b, when: in_stage >= 5ms}
          - {from: b, to: c, when: not event.type == "visit"}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert moves(subject.waits(100)) == [("a", "b", 5)]
    assert moves(subject.sees(100, "buy")) == [("b", "c", 100)]


def test_a_condition_is_evaluated_at_the_clock_not_at_a_late_interaction_s_time() -> None:
    """At 100 nobody was here for 50 ms, whatever comes late."""
    text = """
        facts: {last_visit: {last: visit}}
        stages: {a: {}, b: {}}
        transitions: [{from: a, to: b, when: event.type == "mail" and since(last_visit) < 50ms}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    subject.sees(100, "form")
    assert subject.sees(40, "mail") == []


def test_in_stage_is_since_the_stage_was_entered() -> None:
    """A transition in the same step begins it again.

    0 a   30 b -> in_stage 0 ms   40 c
    """
    text = """
        stages: {a: {}, b: {}, c: {}}
        transitions:
          - {from: a, to: b, when: event.type == "buy"}
          - {from: b, to: c, when: in_stage >= 10ms}
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    assert moves(subject.sees(30, "buy")) == [("a", "b", 30)]
    assert subject.next_due() == 40


@pytest.mark.parametrize("name", ["visit", "buy"])
def test_a_birth_is_final_unless_a_transition_follows(name: str) -> None:
    """The last change of a step is the one to act on."""
    text = """
        stages: {a: {}, b: {}}
        transitions: [{from: a, to: b, when: event.type == "buy"}]
    """
    changes = Subject(lifecycle(text)).sees(0, name)
    assert [each.final for each in changes] == ([True] if name == "visit" else [False, True])


def test_every_change_tells_its_lifecycle_version_and_life() -> None:
    """The version of the file, and where the life began."""
    text = """
        version: 7
        stages: {a: {}, b: {}}
        transitions: [{from: a, to: b, when: event.type == "buy"}]
    """
    subject = Subject(lifecycle(text), kind="anonymous")
    subject.sees(0, "visit")
    (change,) = subject.sees(1, "buy")
    assert (change.kind, change.subject, change.lifecycle, change.version, change.born) == (
        "anonymous",
        "a1",
        "shop",
        7,
        "0-0",
    )


def test_a_stage_that_the_file_has_no_more_is_left_with_the_next_interaction() -> None:
    """To the first stage, by the lifecycle; then transitions go on from there.

    in b, which the file then loses   9 visit   b -> a
    """
    before = lifecycle('stages: {a: {}, b: {}}\ntransitions: [{from: a, to: b, when: event.type == "buy"}]')
    after = lifecycle('stages: {a: {}, c: {}}\ntransitions: [{from: a, to: c, when: event.type == "pay"}]')
    subject = Subject(before)
    subject.sees(0, "buy")
    moved = Subject(after)
    moved.customer = subject.customer
    (change,) = moved.sees(9, "visit")
    assert moves([change]) == [("b", "a", 9)]
    assert (change.trigger.kind, change.sequence, change.final, change.transition) == (
        "lifecycle",
        3,
        True,
        None,
    )


def test_of_a_stage_that_is_left_for_another_at_once_only_the_last_change_is_final() -> None:
    """Whoever acts on final changes must not welcome a customer to a stage that is already left.

    in b, which the file then loses   9 pay   b -> a -> c
    """
    before = lifecycle('stages: {a: {}, b: {}}\ntransitions: [{from: a, to: b, when: event.type == "buy"}]')
    after = lifecycle('stages: {a: {}, c: {}}\ntransitions: [{from: a, to: c, when: event.type == "pay"}]')
    subject, moved = Subject(before), Subject(after)
    subject.sees(0, "buy")
    moved.customer = subject.customer
    changes = moved.sees(9, "pay")
    assert moves(changes) == [("b", "a", 9), ("a", "c", 9)]
    assert [each.final for each in changes] == [False, True]
