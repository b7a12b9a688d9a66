"""The verdict itself: what it must notice of dead letters, and of rows of imports."""

from dataclasses import replace
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import dead_letter
from tests.faults.importing import compare_rows
from tests.faults.oracle import Letter
from tests.faults.verdict import compare_letters
from tests.kit.machines import Record
from tests.kit.topics import Records


def letter(offset: int, **other: Any) -> Letter:
    parts = {
        "topic": "interactions",
        "partition": 2,
        "offset": offset,
        "reason": "not_json",
        "key": b"k",
        "value": b"{",
    }
    return Letter(**{**parts, **other})


def written(*letters: Letter) -> Records:
    """As a worker writes them."""
    records: list[ConsumerRecord[bytes | None, bytes | None]] = []
    for at, each in enumerate(letters):
        source = Record(each.offset, 1, each.key, each.value)
        out = dead_letter(source, Rejected(Reason(each.reason), "…"), each.topic, each.partition)
        headers = tuple(out.headers)
        records.append(ConsumerRecord("dead", 2, at, 1, 0, out.key, out.value, None, 0, 0, headers))
    return {2: records}


WANTED = [letter(3), letter(5), letter(8, reason="no_subject", key=None)]


def test_the_very_letters_are_no_difference() -> None:
    assert compare_letters(written(*WANTED), WANTED) == []
    assert compare_letters({0: [], 2: []}, []) == []


def test_a_missing_one_is_a_difference() -> None:
    [line] = compare_letters(written(*WANTED[1:]), WANTED)
    assert "offset=3" in line
    assert line.endswith("0 times there, 1 must be")


def test_one_that_is_there_twice_is_a_difference_where_that_is_promised() -> None:
    twice = written(*WANTED, WANTED[0])
    [line] = compare_letters(twice, WANTED)
    assert line.endswith("2 times there, 1 must be")
    assert compare_letters(twice, WANTED, exactly_once=False) == []


def test_an_extra_one_is_a_difference() -> None:
    for exactly_once in (True, False):
        [line] = compare_letters(written(*WANTED, letter(4)), WANTED, exactly_once=exactly_once)
        assert line.endswith("1 times there, 0 must be")


OTHERS: list[dict[str, Any]] = [
    {"reason": "bad_time"},
    {"offset": 4},
    {"partition": 1},
    {"topic": "t"},
    {"key": b"x"},
    {"key": None},
    {"value": b"}"},
    {"value": None},
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
@pytest.mark.parametrize("exactly_once", [True, False])
def test_one_that_is_other_is_both_missing_and_extra(other: dict[str, Any], exactly_once: bool) -> None:
    """Though the count is right: this is what the verdict did not see when it only counted."""
    found = written(WANTED[0]._replace(**other), *WANTED[1:])
    assert len(compare_letters(found, WANTED, exactly_once=exactly_once)) == 2


def test_a_record_without_our_headers_is_a_difference() -> None:
    [bare] = written(letter(3))[2]
    assert len(compare_letters({2: [replace(bare, headers=())]}, [letter(3)])) == 2


def test_rows_of_imports_that_are_lost_or_counted_twice_are_a_difference_each() -> None:
    assert compare_rows({"a": 2, "b": 1}, {"a": 2, "b": 1}) == []
    assert compare_rows({"a": 4, "c": 1}, {"a": 2, "b": 1}) == [
        "4 rows of imports were counted for a, of 2 in the files",
        "0 rows of imports were counted for b, of 1 in the files",
        "1 rows of imports were counted for c, of 0 in the files",
    ]
