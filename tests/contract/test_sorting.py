"""Sorting by time: the order that `sorted` gives, whatever fits in memory, and nothing left behind."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codec.files.sorting import sort_by_time
from stream.core.interaction import MAX_TIME, MIN_TIME, Interaction
from stream.errors import InputFileError

NOTHING_FITS = 0
"""Every interaction is a run of its own."""

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=5), values, max_size=3)
texts = st.text(min_size=1, max_size=8)
# Few times, so that many interactions share one.
times = st.sampled_from([MIN_TIME, -1, 0, 1, 2, 1_700_000_000_000, MAX_TIME])
interactions = st.lists(
    st.builds(
        Interaction,
        customer_id=texts,
        anonymous_id=st.none() | texts,
        id=st.none() | texts,
        name=texts,
        time=times,
        properties=objects,
        context=objects,
    ),
    max_size=30,
)


def at(time: int, number: int = 0) -> Interaction:
    """An interaction that is told from others of its time by its number."""
    return Interaction("c", None, str(number), "visit", time, {"number": number}, {})


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, empty and for this test alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@settings(deadline=None)
@given(interactions, st.sampled_from([NOTHING_FITS, 500, 2_000, 1_000_000]))
def test_the_order_is_by_time_and_then_as_they_came(unsorted: list[Interaction], memory: int) -> None:
    """Equal to Python's own stable sort, through files or not; each interaction comes back as it was."""
    assert list(sort_by_time(unsorted, memory=memory)) == sorted(unsorted, key=lambda each: each.time)


def test_interactions_of_one_time_keep_their_order_over_many_runs() -> None:
    """Stability holds between runs, and between the runs and what stayed in memory."""
    unsorted = [at(number % 3, number) for number in range(2_000)]
    assert list(sort_by_time(unsorted, memory=20_000)) == sorted(unsorted, key=lambda each: each.time)


def test_an_interaction_larger_than_a_block_comes_back_whole() -> None:
    """What is read from a run piece by piece is put together again."""
    unsorted = [replace(at(2 - number), properties={"text": str(number) * 50_000}) for number in range(3)]
    assert list(sort_by_time(unsorted, memory=NOTHING_FITS)) == unsorted[::-1]


def test_nothing_is_read_before_the_first_is_asked_for() -> None:
    """Sorting begins with the first `next`, so that making the iterator cannot fail."""

    def broken() -> Iterator[Interaction]:
        yield at(1)
        raise InputFileError("nothing to read")

    ordered = sort_by_time(broken())
    with pytest.raises(InputFileError, match="nothing to read"):
        next(ordered)


def test_no_file_is_left_behind(temporary: Path) -> None:
    """Neither when all were taken, nor when the taker stops in between, nor while the sorting runs."""
    assert len(list(sort_by_time(map(at, range(100)), memory=1_000))) == 100
    assert list(temporary.iterdir()) == []
    ordered = sort_by_time(map(at, range(100)), memory=1_000)
    next(ordered)
    assert list(temporary.iterdir()) == []
    ordered.close()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_no_file_is_left_behind_by_an_input_that_fails(temporary: Path, error: type[BaseException]) -> None:
    """An error or an interrupt while reading passes through, and the file is gone."""

    def failing() -> Iterator[Interaction]:
        yield from map(at, range(100))
        raise error

    with pytest.raises(error):
        list(sort_by_time(failing(), memory=1_000))
    assert list(temporary.iterdir()) == []


def test_what_fits_in_memory_needs_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file is sorted where no temporary folder can be written."""
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    assert [each.time for each in sort_by_time([at(2), at(1)])] == [1, 2]


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the folder, the reason and the variable that chooses another one."""
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    with pytest.raises(InputFileError, match=r"/nonexistent.*No such file.*TMPDIR"):
        list(sort_by_time([at(2), at(1)], memory=NOTHING_FITS))


@pytest.mark.parametrize("memory", [NOTHING_FITS + 200_000, 1_000_000_000])
def test_progress_is_told_in_both_phases(memory: int) -> None:
    """Every 10,000 interactions and at the end of each phase, first read, then handed on."""
    told: list[tuple[str, int]] = []
    for _ in sort_by_time(map(at, range(25_000)), memory=memory, progress=lambda *now: told.append(now)):
        pass
    counts = [10_000, 20_000, 25_000]
    assert told == [("reading", count) for count in counts] + [("sorted", count) for count in counts]
