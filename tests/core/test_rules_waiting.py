"""Rule 12, its last sentence: after 64 deadlines without an interaction a customer waits."""

from tests.core.subject import Subject, lifecycle, moves

BLINKING = """
    stages: {a: {}, b: {}}
    transitions:
      - {from: a, to: b, when: in_stage >= 1ms}
      - {from: b, to: a, when: in_stage >= 1ms}
"""


def test_after_64_deadlines_without_an_interaction_a_customer_waits() -> None:
    """For the next interaction, and is counted.

    0 visit |1|2|3 ... |64   then nothing   1000 mail   |1001 ...
    """
    subject = Subject(lifecycle("passive: [mail]\n" + BLINKING.replace("\n    ", "\n")))
    subject.sees(0, "visit")
    assert [each.at for each in subject.waits(63)] == list(range(1, 64))
    assert (subject.step_counts.waiting, subject.next_due()) == (0, 64)
    assert [each.at for each in subject.waits(900)] == [64]
    assert (subject.step_counts.waiting, subject.next_due()) == (1, None)
    assert moves(subject.sees(1_000, "mail")) == [("a", "b", 1_000)]
    assert len(subject.waits(2_000)) == 64
    assert subject.step_counts.waiting == 2


def test_a_repeat_does_not_end_the_wait_and_a_late_interaction_does() -> None:
    """A repeat has no effect at all."""
    subject = Subject(lifecycle(BLINKING))
    subject.sees(0, "visit", id="i1")
    subject.waits(900)
    subject.sees(1_000, "visit", id="i1")
    assert subject.next_due() is None
    subject.sees(3, "visit", id="i2")
    assert subject.next_due() == 65


def test_waiting_is_of_one_lifecycle_and_forgetting_still_comes() -> None:
    """The other one's deadlines go on."""
    calm = lifecycle("stages: {x: {}, y: {}}\ntransitions: [{from: x, to: y, when: idle >= 500ms}]", "calm")
    subject = Subject(lifecycle(BLINKING), calm, kind="anonymous", forget_after=1_000)
    subject.sees(0, "visit")
    changes = subject.waits(2_000)
    assert len(changes) == 64 + 1 + 2
    assert moves(changes[-3:]) == [("x", "y", 500), ("y", None, 1_000), ("a", None, 1_000)]
