"""Long work that lets the event loop go on."""

import asyncio
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")


async def drive(work: Generator[None, None, T], on_yield: Callable[[], None] | None = None) -> T:
    """Run a generator to its end, and give the event loop a turn at each of its yields."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if on_yield is not None:
            on_yield()
        await asyncio.sleep(0)
