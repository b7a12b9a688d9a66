"""Moves counted by time: exactly, and how long customers stayed to within some per cent."""

import math
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.web.moves.beginning import FIRST, Beginning, first_offsets, known_since
from stream.web.moves.counting import MOST_MOVES, WITHIN, MoveCounts, Stages
from stream.web.moves.lengths import EMPTY, ERROR, at_shares, tally_of
from tests.kit.times import DAY, HOUR, T0

YEAR = 365 * DAY
SHARES = (0.5, 0.9)
Move = tuple[Stages, int, int | None]
"""Stages, time, and when the stage before was entered."""

STAGES: st.SearchStrategy[str | None] = st.sampled_from([None, "lead", "customer", "dormant"])
AGES = st.one_of(*(st.integers(0, 2 * each.length) for each in WITHIN.values()))
MOVES = st.tuples(st.tuples(STAGES, STAGES), AGES, st.none() | st.integers(0, 400 * DAY))


def ranked(lengths: Sequence[int], share: float) -> int:
    """The least length that this share of all does not exceed."""
    return sorted(lengths)[max(1, math.ceil(share * len(lengths))) - 1]


def is_near(told: int, length: int) -> bool:
    return abs(told - length) <= length * ERROR + 0.5


@given(st.lists(st.integers(0, 60 * YEAR), min_size=1, max_size=60))
@example([0])
@example([1, 1, 2])
@example([0, 0, 0, 0, 0, 0, 0, 0, 0, 60 * YEAR])
def test_median_and_p90_are_near_those_of_the_lengths_themselves(lengths: list[int]) -> None:
    told = at_shares(sum(map(tally_of, lengths)), SHARES)
    assert told is not None
    for share, length in zip(SHARES, told, strict=True):
        assert is_near(length, ranked(lengths, share)), (length, ranked(lengths, share))


def test_of_no_lengths_nothing_is_told_and_one_is_told_of_itself() -> None:
    assert at_shares(EMPTY, SHARES) is None
    assert at_shares(tally_of(0), SHARES) == [0, 0]
    assert at_shares(tally_of(-5), SHARES) == [0, 0]
    assert at_shares(tally_of(1000 * YEAR), SHARES) == at_shares(tally_of(70 * YEAR), SHARES)


@pytest.mark.parametrize("length", [1, 2, 10, 999, 60_000, HOUR, DAY, 30 * DAY, YEAR, 68 * YEAR])
def test_the_error_of_one_length_is_the_one_that_is_said(length: int) -> None:
    for each in (length, length + 1):
        told = at_shares(tally_of(each), (0.5,))
        assert told is not None
        assert is_near(told[0], each)


def test_a_million_lengths_are_in_a_kilobyte() -> None:
    """Each bin takes more than there are customers."""
    tally = sum(tally_of(HOUR + each) for each in range(1_000)) * 1_000_000
    told = at_shares(tally, SHARES)
    assert told is not None
    assert all(is_near(each, HOUR + 500) for each in told)
    assert tally.bit_length() < 8 * 1_300


def counted(moves: Sequence[Move], within: str, since: int, until: int) -> dict[Stages, list[int | None]]:
    """By stages how long each stayed who moved in that time, the plain way."""
    found: dict[Stages, list[int | None]] = {}
    for stages, at, entered in moves:
        if since <= at <= until:
            found.setdefault(stages, []).append(None if entered is None else at - entered)
    return found


@given(st.lists(MOVES, max_size=60), st.integers(0, DAY), st.randoms(use_true_random=False))
def test_what_is_counted_is_what_there_is_in_whatever_order_it_came(
    told: list[tuple[Stages, int, int | None]], shift: int, chance: Random
) -> None:
    latest = T0 + shift
    moves = [(stages, latest - age, None if stay is None else latest - age - stay) for stages, age, stay in told]
    counts = MoveCounts()
    for stages, at, entered in moves:
        counts.add("shop", stages, at, entered)
        counts.add("b2b", stages, at, entered)
        counts.add("b2b", stages, at, entered)
    until = counts.latest or latest
    assert until == max([at for _, at, _ in moves], default=latest)
    for name, (length, bucket) in WITHIN.items():
        for lifecycle, times in (("shop", 1), ("b2b", 2), ("none", 0)):
            since, found = counts.within(name, lifecycle, until)
            assert until - length - bucket < since <= until - length
            expected = counted(moves, name, since, until) if times else {}
            assert {stages: moved.count for stages, moved in found.items()} == {
                stages: times * len(stays) for stages, stays in expected.items()
            }
            for stages, stays in expected.items():
                lengths = [each for each in stays if each is not None]
                medians = at_shares(found[stages].stayed, SHARES)
                assert (medians is None) == (not lengths)
                for share, told_of in zip(SHARES, medians or (), strict=False):
                    assert is_near(told_of, ranked(lengths, share))
    chance.shuffle(moves)
    again = MoveCounts()
    for stages, at, entered in moves:
        again.add("shop", stages, at, entered)
    for name in WITHIN:
        assert shown(again, name, until) == shown(counts, name, until)


def shown(counts: MoveCounts, name: str, until: int) -> dict[Stages, tuple[int, int]]:
    return {stages: (moved.count, moved.stayed) for stages, moved in counts.within(name, "shop", until).moves.items()}


def test_as_time_goes_on_what_is_old_is_counted_no_more_though_nothing_comes() -> None:
    counts = MoveCounts()
    counts.add("shop", ("lead", "customer"), T0, T0 - DAY)
    left = {name: bool(counts.within(name, "shop", T0 + 2 * HOUR).moves) for name in WITHIN}
    assert left == {"1m": False, "1h": False, "1d": True, "7d": True, "30d": True, "90d": True}
    assert not counts.within("90d", "shop", T0 + 92 * DAY).moves


def test_memory_is_bounded_however_long_moves_come() -> None:
    counts = MoveCounts()
    for minute in range(100 * 24 * 60):
        counts.add("shop", ("lead", "customer"), T0 + minute * 60_000, T0)
    held = {bucket: len(ring._buckets) for bucket, ring in counts._rings.items()}
    assert held == {1_000: 2, 60_000: 61, HOUR // 2: 49, 6 * HOUR: 29, DAY: 91}


def test_kinds_of_moves_are_bounded_and_that_some_are_left_out_is_known() -> None:
    counts = MoveCounts()
    for number in range(MOST_MOVES):
        counts.add("shop", ("lead", f"stage {number}"), T0, T0)
    assert not counts.left_out
    counts.add("shop", ("lead", "stage 0"), T0, T0)
    counts.add("shop", ("lead", "one more"), T0, T0)
    assert counts.left_out
    found = counts.within("1d", "shop", T0).moves
    assert Counter({stages[1]: moved.count for stages, moved in found.items()}) == Counter(
        {f"stage {number}": 1 for number in range(MOST_MOVES)} | {"stage 0": 2}
    )


SPANS = st.dictionaries(
    st.integers(0, 20), st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)).map(lambda each: (each[0], sum(each)))
)


@given(SPANS, st.integers(0, 3_000))
def test_of_each_partition_the_last_offsets_are_read_and_never_more_than_are_wanted(
    spans: dict[int, tuple[int, int]], most: int
) -> None:
    starts = first_offsets(spans, most)
    assert starts.keys() == spans.keys()
    assert all(begin <= starts[each] <= end for each, (begin, end) in spans.items())
    read = {each: end - starts[each] for each, (_, end) in spans.items()}
    whole = {each: end - begin for each, (begin, end) in spans.items()}
    assert sum(read.values()) <= most
    assert most >= sum(whole.values()) or sum(read.values()) == min(most, sum(whole.values()))
    cut = [read[each] for each in spans if read[each] < whole[each]]
    assert all(read[each] <= min(cut) + 1 for each in spans) if cut else read == whole


def test_what_is_known_begins_with_the_first_moves_that_were_read() -> None:
    """One that came late among them changes nothing, and none was written before what was not read."""
    late, first = Beginning(), Beginning()
    for number in range(FIRST):
        late.add(T0 + number if number else T0 - YEAR, T0 + DAY + number)
        first.add(T0 - DAY + number, T0 - HOUR)
    assert late.is_known
    assert late.since == T0 + FIRST - 1
    assert known_since([late, first], T0 + YEAR) == T0 + FIRST - 1
    assert known_since([first, Beginning()], T0 + YEAR) == T0 - DAY + FIRST - 1
    ahead = Beginning()
    ahead.add(T0 + DAY, T0)
    assert ahead.since == T0


def test_all_is_known_where_every_partition_was_read_whole_and_nothing_where_all_is_gone() -> None:
    assert known_since([], T0) is None
    assert known_since([Beginning()], T0) == T0
