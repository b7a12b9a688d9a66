"""Rule 8, of imports: a row that a customer knows has no effect at all but a count, with or without an id."""

import pytest

from stream.core.imported import REMEMBERED
from stream.core.interaction import ImportedRow, Interaction
from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0

VISITS = """
    facts: {visits: {count: visit}}
    stages: {here: {}, gone: {}}
    transitions: [{from: here, to: gone, when: idle >= 10ms}]
"""
ONE = b"import-1"
TWO = b"import-2"


def visit(time: int, row: tuple[bytes, int, int], id: str | None = None) -> Interaction:  # noqa: A002
    """A visit that is a row of an import."""
    return Interaction("c1", None, id, "visit", time, {}, {}, ImportedRow(*row))


def test_a_row_that_is_known_has_no_effect_at_all_but_a_count() -> None:
    """No fact, no clock, no deadline, no change.

    0     row 1
    |     ......|10 idle -> gone
    20    row 1    the deadline does not even fire
    """
    subject = Subject(lifecycle(VISITS))
    subject.applies(visit(0, (ONE, 0, 1)))
    assert subject.applies(visit(20, (ONE, 0, 1))) == []
    assert (subject.fact("visits"), subject.life().clock, subject.stage()) == (1, 0, "here")
    assert (subject.step_counts.known_rows, subject.step_counts.untouched, subject.step_counts.duplicates) == (1, 1, 0)
    assert moves(subject.waits(20)) == [("here", "gone", 10)]


def test_the_last_row_stands_for_all_before_it_however_many_and_however_long_ago() -> None:
    """Two years of rows, all of them again, and one more: as if they had come once. None has an id."""
    subject = Subject(lifecycle("facts: {visits: {count: visit}}"))
    history = [visit(T0 + day * DAY, (ONE, T0 + day * DAY, 700 - day)) for day in range(700)]
    for each in [*history[:400], *history, *history]:
        subject.applies(each)
    assert (subject.fact("visits"), subject.step_counts.known_rows) == (700, 1_100)
    assert subject.customer is not None
    assert subject.customer.rows == [history[-1].row]


@pytest.mark.parametrize("later", [(T0, 8), (T0 + 1, 1)])
def test_rows_ascend_by_time_and_then_by_number(later: tuple[int, int]) -> None:
    """A row of a later time has any number; of one time, the later number is new."""
    subject = Subject(lifecycle("facts: {visits: {count: visit}}"))
    for row in [(T0, 7), later, (T0, 7), later, (T0 - 1, 99)]:
        subject.applies(visit(T0, (ONE, *row)))
    assert (subject.fact("visits"), subject.step_counts.known_rows) == (2, 3)


def test_each_import_has_rows_of_its_own() -> None:
    """Row 1 of one says nothing of row 1 of the other."""
    subject = Subject(lifecycle("facts: {visits: {count: visit}}"))
    for source in (ONE, TWO, ONE, TWO):
        subject.applies(visit(T0, (source, 0, 1)))
    assert subject.fact("visits") == 2


@pytest.mark.parametrize(("others", "visits"), [(REMEMBERED - 1, REMEMBERED), (REMEMBERED, REMEMBERED + 2)])
def test_the_16_imports_whose_rows_came_last_are_remembered(others: int, visits: int) -> None:
    """The first one is known after 15 others, and forgotten after 16."""
    subject = Subject(lifecycle("facts: {visits: {count: visit}}"))
    for number in range(1 + others):
        subject.applies(visit(T0, (b"%8d" % number, 0, 1)))
    subject.applies(visit(T0, (b"%8d" % 0, 0, 1)))
    assert subject.fact("visits") == visits
    assert subject.customer is not None
    assert len(subject.customer.rows or ()) == REMEMBERED


def test_an_import_whose_rows_go_on_stays_remembered() -> None:
    """It is not the one that began first that is forgotten."""
    subject = Subject(lifecycle("facts: {visits: {count: visit}}"))
    for number in range(2 * REMEMBERED):
        subject.applies(visit(T0, (ONE, 0, number)))
        subject.applies(visit(T0, (b"%8d" % number, 0, 1)))
    subject.applies(visit(T0, (ONE, 0, 5)))
    assert subject.step_counts.known_rows == 1


def test_a_row_that_is_a_duplicate_is_known_when_its_id_is_forgotten() -> None:
    """The order came live, then by an import, and two days later by the same import again.

    0       i1 live
    1       i1 as row 1: a duplicate
    2 d     another row
    0       i1 as row 1 again: its id is forgotten, its row is not
    """
    subject = Subject(lifecycle("facts: {visits: {count: visit}}"))
    subject.sees(T0, "visit", id="i1")
    subject.applies(visit(T0, (ONE, 0, 1), "i1"))
    assert (subject.step_counts.duplicates, subject.step_counts.untouched) == (1, 0)
    subject.sees(T0 + 2 * DAY, "visit", id="i2")
    subject.applies(visit(T0, (ONE, 0, 1), "i1"))
    assert (subject.fact("visits"), subject.step_counts.known_rows) == (2, 1)


def test_who_was_in_no_import_remembers_none() -> None:
    """Nothing is kept for it, either."""
    subject = Subject(lifecycle(VISITS))
    subject.sees(0, "visit", id="i1")
    assert subject.customer is not None
    assert subject.customer.rows is None
