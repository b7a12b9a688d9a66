"""Customers in the order of a score: made where somebody asks, and kept for a while for the pages that follow.

Scores change with each interaction, and to keep an order up to date would cost the hot path. So an order is of one
moment, which the answer names, and is used for ten times as long as it took to make, at least ten seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable
from typing import Final

from stream.machine.sorted_runs import Entry, SortedRuns

_KEPT: Final = 16
"""Orders at most; each has sixteen bytes a customer."""
_LEAST_SECONDS: Final = 10.0
_TIMES_AS_LONG: Final = 10.0

Scores = Callable[[], AsyncIterator[list[Entry]]]
"""Scores and keys, some hundred at a time."""


class Ranking:
    """An order of one moment."""

    def __init__(self) -> None:
        self.runs = SortedRuns()
        self.at = time.time_ns() // 1_000_000
        """Epoch milliseconds."""
        self.until = 0.0
        """By time.monotonic(): a question that comes later gets a new one."""


class Rankings:
    """The latest orders that were asked for."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Ranking]] = {}

    async def of(self, key: Hashable, scores: Scores) -> Ranking:
        """The order with this key, made of `scores` where there is none, or none that is young enough."""
        task = self._tasks.pop(key, None)
        if task is None or (task.done() and (task.exception() is not None or task.result().until < time.monotonic())):
            task = asyncio.create_task(_make(scores()))
        self._tasks[key] = task  # the latest stands last
        while len(self._tasks) > _KEPT:
            self._tasks.pop(next(iter(self._tasks)))
        return await asyncio.shield(task)


async def _make(scores: AsyncIterator[list[Entry]]) -> Ranking:
    ranking, began = Ranking(), time.monotonic()
    async for entries in scores:
        for number, key in entries:
            ranking.runs.add(number, key)
    now = time.monotonic()
    ranking.until = now + max(_LEAST_SECONDS, _TIMES_AS_LONG * (now - began))
    return ranking
