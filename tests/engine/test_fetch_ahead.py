"""What is fetched beside the writing of a batch: all of it, in order, once, and errors where they stand."""

import asyncio

import pytest

from stream.engine.fetch_ahead import MOST, FetchAhead
from stream.errors import PositionError
from stream.kafka.partition_reader import Fetched
from tests.kit.machines import Record


class Source:
    """Answers a fetch with what `give` put there, once it is put there."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._answers: asyncio.Queue[Fetched | Exception | None] = asyncio.Queue()

    async def fetch(self, position: int) -> Fetched | None:
        self.asked.append(position)
        answer = await self._answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def give(self, *answers: Fetched | Exception | None) -> None:
        """Returns once all of them were fetched."""
        for each in answers:
            self._answers.put_nowait(each)
        for _ in range(10 * len(answers)):
            await asyncio.sleep(0)


def fetched(first: int, count: int, behind: int = 0) -> Fetched:
    """So many records from this offset on, and offsets behind them that hold none."""
    records = tuple(Record(first + number, 0, None, None) for number in range(count))
    return Fetched(records, first + count + behind, caught_up=False, end_offset=None)


def offsets(answer: Fetched | None) -> list[int]:
    assert answer is not None
    return [each.offset for each in answer.records]


async def test_what_comes_by_and_by_is_taken_at_once_and_in_order() -> None:
    source = Source()
    ahead = FetchAhead(source.fetch)
    ahead.begin(5)
    await source.give(fetched(5, 2), fetched(7, 1, behind=1), fetched(9, 3))
    answer = ahead.take()
    assert offsets(answer) == [5, 6, 7, 9, 10, 11]
    assert answer is not None
    assert answer.next_offset == 12
    assert not ahead.is_there
    ahead.begin(12)
    await source.give(fetched(12, 1))
    assert offsets(ahead.take()) == [12]
    assert source.asked == [5, 7, 9, 12, 13]
    ahead.stop()


async def test_the_end_is_told_and_then_waited_at_again() -> None:
    source = Source()
    ahead = FetchAhead(source.fetch)
    ahead.begin(5)
    await source.give(fetched(5, 0))
    assert source.asked == [5]
    assert offsets(ahead.take()) == []
    await source.give(fetched(5, 1))
    assert source.asked == [5, 5, 6]
    assert offsets(ahead.take()) == [5]
    ahead.stop()


async def test_no_more_is_fetched_ahead_than_is_enough() -> None:
    source = Source()
    ahead = FetchAhead(source.fetch)
    ahead.begin(0)
    await source.give(fetched(0, MOST), fetched(MOST, 1))
    assert source.asked == [0]
    assert len(offsets(ahead.take())) == MOST
    await asyncio.wait_for(ahead.wait(), 5)
    assert offsets(ahead.take()) == [MOST]
    ahead.stop()


async def test_an_error_is_raised_behind_what_was_fetched_before_it_and_then_it_is_tried_again() -> None:
    source = Source()
    ahead = FetchAhead(source.fetch)
    ahead.begin(5)
    await source.give(fetched(5, 1), PositionError("gone"))
    assert offsets(ahead.take()) == [5]
    ahead.begin(6)
    assert source.asked == [5, 6]
    with pytest.raises(PositionError):
        ahead.take()
    assert not ahead.is_there
    ahead.begin(6)
    await source.give(fetched(6, 1))
    assert offsets(ahead.take()) == [6]
    ahead.stop()


async def test_a_partition_that_is_not_ours_is_said_so_behind_what_was_fetched_before() -> None:
    source = Source()
    ahead = FetchAhead(source.fetch)
    ahead.begin(5)
    await source.give(fetched(5, 1), None)
    assert offsets(ahead.take()) == [5]
    await source.give(None)
    assert ahead.is_there
    assert ahead.take() is None
    ahead.stop()


async def test_from_another_position_nothing_of_before_is_taken() -> None:
    source = Source()
    ahead = FetchAhead(source.fetch)
    ahead.begin(5)
    await source.give(fetched(5, 3))
    ahead.begin(20)
    await source.give(fetched(20, 1))
    assert offsets(ahead.take()) == [20]
    ahead.stop()
    assert not ahead.is_there
