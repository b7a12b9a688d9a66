"""Long works share an event loop with each other and with whoever asks."""

import asyncio
from collections.abc import Generator, Sequence
from itertools import pairwise

import pytest

from stream.engine.cooperation import Turns


class Loop:
    """Counts the turns of the event loop."""

    def __init__(self) -> None:
        self.turns = 0
        self._count()

    def _count(self) -> None:
        self.turns += 1
        self._next = asyncio.get_running_loop().call_soon(self._count)

    def stop(self) -> None:
        self._next.cancel()


def slices(turns: list[int], loop: Loop, count: int = 5) -> Generator[None, None, str]:
    """Work that notes the turn in which each of its slices was."""
    for _ in range(count):
        turns.append(loop.turns)
        yield
    return "done"


def gaps(turns: Sequence[int]) -> set[int]:
    return {later - earlier for earlier, later in pairwise(turns)}


async def test_no_turn_of_the_loop_has_slices_of_two_works() -> None:
    """However many works there are, who asks waits for one slice at most."""
    loop, shared, seen = Loop(), Turns(), list[int]()
    works = [shared.drive(slices(seen, loop)) for _ in range(4)]
    assert await asyncio.gather(*works) == ["done"] * 4
    loop.stop()
    assert len(seen) == len(set(seen)) == 20


async def test_one_work_alone_has_a_slice_in_every_turn() -> None:
    loop, seen, moved = Loop(), list[int](), list[int]()
    await Turns().drive(slices(seen, loop), lambda: moved.append(loop.turns))
    loop.stop()
    assert gaps(seen) == {1}
    assert moved == seen


async def test_while_questions_are_asked_the_loop_has_the_turns_of_a_request_between_two_slices() -> None:
    """From what was read of its socket to its answer."""
    loop, shared, seen = Loop(), Turns(), list[int]()
    shared.asked()
    await shared.drive(slices(seen, loop))
    loop.stop()
    assert gaps(seen) == {3}


async def test_a_work_that_fails_holds_up_no_other() -> None:
    loop, shared, seen = Loop(), Turns(), list[int]()

    def fails() -> Generator[None, None, None]:
        yield
        raise LookupError

    failing = asyncio.create_task(shared.drive(fails()))
    assert await shared.drive(slices(seen, loop)) == "done"
    loop.stop()
    with pytest.raises(LookupError):
        await failing
