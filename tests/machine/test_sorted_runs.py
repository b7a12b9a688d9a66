"""Keys in the order of a number, as a plain sorted list has them."""

import random

import pytest

from stream.core.stage_change import StageChange, Trigger
from stream.machine.sorted_runs import RUN, Entry, SortedRuns
from stream.machine.stage_index import StageIndex


def filled(seed: int, count: int, spread: int) -> tuple[SortedRuns, list[Entry]]:
    """Runs of numbers in an order like that of a live topic, and the same entries, sorted and each once."""
    chance = random.Random(seed)
    entries = [(number // 3 + chance.randrange(spread), b"%d" % chance.randrange(count)) for number in range(count)]
    runs = SortedRuns()
    for number, key in entries:
        runs.add(number, key)
    return runs, sorted(set(entries))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("count", "spread"), [(0, 1), (1, 1), (RUN, 1), (RUN + 1, 50), (5 * RUN + 7, 4_000), (900, 3)])
def test_entries_come_in_order_and_each_once(seed: int, count: int, spread: int) -> None:
    runs, entries = filled(seed, count, spread)
    assert len(runs) == count
    assert list(runs.ascending()) == entries
    assert list(runs.descending()) == entries[::-1]


@pytest.mark.parametrize("seed", range(4))
def test_a_page_begins_after_the_last_entry_of_the_one_before(seed: int) -> None:
    """Whether that entry is there still, or not any more."""
    runs, entries = filled(seed, 2 * RUN + 7, 200)
    for after in [entries[0], entries[len(entries) // 2], entries[-1], (entries[5][0], b""), (-1, b"x"), (10**9, b"")]:
        assert list(runs.ascending(after)) == [each for each in entries if each > after]
        assert list(runs.descending(after)) == [each for each in reversed(entries) if each < after]


@pytest.mark.parametrize("count", [0, 1, 2, 6, 100, RUN, RUN + 1, 3 * RUN + 8])
def test_each_beginning_of_a_spread_is_spread_over_all_and_everybody_comes_once(count: int) -> None:
    runs = SortedRuns()
    for number in range(count):
        runs.add(number, b"%d" % number)
    spread = [int(number) for number, _key in runs.spread()]
    assert sorted(spread) == list(range(count))
    for length in (10, 100, 1_000):
        if count >= 10 * length:
            tenths = [0] * 10
            for place in spread[:length]:
                tenths[10 * place // count] += 1
            assert all(abs(each - length / 10) <= 2 for each in tenths)


def test_whoever_moves_is_found_in_the_new_stage_and_an_index_wears_out() -> None:
    index = StageIndex()
    for number in range(30_000):
        change = StageChange(
            kind="customer",
            subject=f"{number % 3}",
            identified=True,
            lifecycle="shop",
            version=1,
            born="0-0",
            sequence=number,
            final=True,
            from_stage=None,
            to_stage="lead",
            at=number,
            entered=None,
            trigger=Trigger("interaction"),
            transition=None,
            scores={},
            facts={},
            contributions={},
            channels=(),
            actions=(),
        )
        index.moved(change)
    assert next(index.read("shop", "lead", None, latest_first=True)) == (29_999, b"c2")
    assert next(index.read("shop", "lead", None, latest_first=False)) == (0, b"c0")
    assert list(index.read("shop", "customer", None, latest_first=True)) == []
    assert index.is_worn(3)
    assert not index.is_worn(10_000)
