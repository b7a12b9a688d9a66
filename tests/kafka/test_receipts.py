"""Whoever waits for a receipt hears what became of it, or, after so long and no longer, that this is not known."""

import asyncio

from stream.kafka.receipt_producer import Patience, Receipt


def receipt(settled: list[str], name: str) -> Receipt:
    return Receipt(lambda: settled.append(name))


async def test_a_receipt_tells_the_first_error_once_nothing_is_under_way() -> None:
    settled: list[str] = []
    waiting, patience = receipt(settled, "a"), Patience(60)
    outcome = asyncio.create_task(patience.outcome(waiting))
    waiting.expect()
    waiting.expect()
    waiting.close()
    first = OSError("first")
    waiting.settle(first)
    await asyncio.sleep(0)
    assert not outcome.done()
    assert settled == []
    waiting.settle(OSError("second"))
    assert await outcome is first
    assert settled == ["a"]


async def test_each_is_given_up_in_its_turn_and_only_where_nothing_was_heard() -> None:
    """And what it holds is let go only when nothing of it is under way any more."""
    settled: list[str] = []
    lost, taken, late = (receipt(settled, name) for name in ("lost", "taken", "late"))
    patience = Patience(0.05)
    ended: list[str] = []

    async def outcome(name: str, each: Receipt) -> BaseException | None:
        found = await patience.outcome(each)
        ended.append(name)
        return found

    first = asyncio.create_task(outcome("lost", lost))
    second = asyncio.create_task(outcome("taken", taken))
    await asyncio.sleep(0.02)
    third = asyncio.create_task(outcome("late", late))
    taken.close()
    assert await second is None
    assert isinstance(await first, TimeoutError)
    assert isinstance(await third, TimeoutError)
    assert ended == ["taken", "lost", "late"]
    assert settled == ["taken"]
    lost.close()
    assert settled == ["taken", "lost"]


async def test_whoever_comes_after_all_were_given_up_is_given_up_in_time_too() -> None:
    patience = Patience(0.01)
    for _ in range(3):
        assert isinstance(await patience.outcome(receipt([], "")), TimeoutError)
    leaving = asyncio.create_task(patience.outcome(receipt([], "")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert isinstance(await patience.outcome(receipt([], "")), TimeoutError)
