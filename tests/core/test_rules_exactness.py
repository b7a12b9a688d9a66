"""Rules 5 and 12 at the edges of doubles and of time: scores before the epoch, deadlines without rounding."""

import pytest

from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0

HEAT = """
    scores: {heat: {half_life: 10ms}}
    signals: {s: {each: visit, add: {heat: 8}}}
"""


@pytest.mark.parametrize("threshold", [1, 0.9, 0.77, 0.5, 0.3, 0.1, 0.05])
def test_a_deadline_of_signals_that_nearly_cancel_is_exact(threshold: float) -> None:
    """Of two huge signals hardly anything is left, so that doubles blur the closed form by many milliseconds.

    0 credit (1e11)   1 h debit (nearly all of it)   what is left decays ......|deadline
    """
    text = f"""
        scores: {{heat: {{half_life: 14d}}}}
        signals:
          one: {{each: credit, add: {{heat: 100000000000}}}}
          two: {{each: debit, add: {{heat: -99793918834}}}}
        stages: {{here: {{}}, gone: {{}}}}
        transitions: [{{from: here, to: gone, when: heat < {threshold}}}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(T0, "credit")
    subject.sees(T0 + 3_600_000, "debit")
    due = subject.next_due()
    assert due is not None
    assert subject.score("heat", due) < threshold <= subject.score("heat", due - 1)


def test_a_deadline_in_the_very_long_run_is_exact() -> None:
    """Half-lives of a hundred years, crossing after two of them."""
    text = """
        scores: {heat: {half_life: 36500d}}
        signals: {s: {each: visit, add: {heat: 100}}}
        stages: {here: {}, gone: {}}
        transitions: [{from: here, to: gone, when: heat < 25}]
    """
    subject = Subject(lifecycle(text))
    subject.sees(0, "visit")
    due = subject.next_due()
    assert due is not None
    assert subject.score("heat", due) < 25 <= subject.score("heat", due - 1)
    assert due == pytest.approx(2 * 36_500 * DAY, abs=2)


@pytest.mark.parametrize("time", [-62_135_596_800_000, -DAY, -1, 0])
def test_points_before_the_epoch_count_as_later_ones_do(time: int) -> None:
    """The first points of a signal, and an earlier one that comes late."""
    subject = Subject(lifecycle(HEAT))
    subject.sees(time, "visit")
    assert (subject.score("heat"), subject.score("heat", time + 10)) == (8, 4)
    subject.sees(time - 10, "visit")
    assert subject.score("heat") == 12


def test_decay_reaches_over_all_of_time_without_failing() -> None:
    """From before the epoch to the year 9999, with the shortest half-life."""
    subject = Subject(lifecycle(HEAT.replace("10ms", "1ms")))
    subject.sees(-62_135_596_800_000, "visit")
    subject.sees(253_402_300_799_999, "visit")
    subject.sees(0, "visit")
    assert subject.score("heat") == 8
    assert moves(subject.waits(253_402_300_799_999)) == []
