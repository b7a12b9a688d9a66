"""Long work that lets the event loop go on, and whoever asks meanwhile."""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Final, TypeVar

T = TypeVar("T")

_ASKED_LATELY: Final = 1.0
"""Seconds for which one question lets others be expected."""
_TURNS: Final = 3
"""Of the event loop: so many are between a request that aiohttp reads and its answer."""


class Turns:
    """Lets the long works of one event loop have a slice one after the other, not each of them in every turn.

    While questions are asked the loop has some more turns between two slices, so that a request that came during one
    is answered before the next.
    """

    def __init__(self) -> None:
        self._slice = asyncio.Lock()
        self._asked = 0.0

    def asked(self) -> None:
        """Somebody asks, and more are likely to."""
        self._asked = time.monotonic() + _ASKED_LATELY

    async def drive(self, work: Generator[None, None, T], on_yield: Callable[[], None] | None = None) -> T:
        """Run a generator to its end, one slice at a time; `on_yield` is called after each."""
        while True:
            async with self._slice:
                try:
                    next(work)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                if on_yield is not None:
                    on_yield()
                for _ in range(_TURNS if time.monotonic() < self._asked else 1):
                    await asyncio.sleep(0)
