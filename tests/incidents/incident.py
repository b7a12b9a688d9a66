"""What an incident is: something that breaks while a block lasts, and is mended at its end as its runbook says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from tests.incidents.site import Site
from tests.incidents.traffic import Traffic

Harm = Callable[[Site, Traffic], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Incident:
    """One, with the alerts that it must make fire."""

    name: str
    what: str
    """What is broken, in a few words."""
    alerts: tuple[str, ...]
    harm: Harm
    within: float
    """Seconds, at most, until all have fired."""


CATALOGUE: list[Incident] = []
"""All of them, in the order in which they happen."""


def incident(
    name: str, what: str, *alerts: str, within: float = 60.0
) -> Callable[[Callable[[Site, Traffic], AsyncIterator[None]]], Harm]:
    """Put a generator into the catalogue: what stands before its `yield` breaks, what stands behind it mends."""

    def put(breaks: Callable[[Site, Traffic], AsyncIterator[None]]) -> Harm:
        harm = asynccontextmanager(breaks)
        CATALOGUE.append(Incident(name, what, tuple(f"Lifecycle{each}" for each in alerts), harm, within))
        return harm

    return put


@asynccontextmanager
async def again_and_again(act: Callable[[], Awaitable[None]], every: float) -> AsyncIterator[None]:
    """Do it, with pauses of so many seconds, while the block lasts; an error of it is raised at the end."""

    async def repeat() -> None:
        while True:
            await act()
            await asyncio.sleep(every)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()
