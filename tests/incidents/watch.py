"""Which alerts fire, and since when, as Prometheus says it twice a second."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from tests.kit.prometheus import Prometheus

_EVERY = 0.5


class Watch:
    """What fired so far."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self.since: dict[str, float] = {}
        """Alerts that fire now, and since when; seconds of time.monotonic()."""
        self.over: dict[str, list[float]] = {}
        """Alerts that fired, and when they ceased to, each time."""
        self.first: dict[str, float] = {}
        """All that fired since `forget`, and when that was first seen."""
        self._looked = asyncio.Condition()

    async def look(self) -> None:
        """Until cancelled."""
        while True:
            firing, now = await self._prometheus.firing(), time.monotonic()
            for name in firing - self.since.keys():
                self.since[name] = now
            for name in self.since.keys() - firing:
                del self.since[name]
                self.over.setdefault(name, []).append(now)
            for name in firing - self.first.keys():
                self.first[name] = now
            async with self._looked:
                self._looked.notify_all()
            await asyncio.sleep(_EVERY)

    @property
    def fired(self) -> set[str]:
        """All that fired since `forget`."""
        return set(self.first)

    def forget(self) -> None:
        """What fired until now is of no interest any more."""
        self.first.clear()

    async def until_firing(self, names: Collection[str], seconds: float) -> bool:
        """Wait until each of them has fired since `forget`; False where one has not within so long."""
        return await self._until(lambda: self.first.keys() >= set(names), seconds)

    async def until_quiet(self, names: Collection[str] | None, seconds: float) -> bool:
        """Wait until none of them fires, or nothing at all where `names` is None; False where one does still."""
        return await self._until(lambda: not (self.since if names is None else self.since.keys() & set(names)), seconds)

    async def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds), self._looked:
                await self._looked.wait_for(holds)
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def watching(prometheus: Prometheus) -> AsyncIterator[Watch]:
    """One that looks while the block lasts."""
    made = Watch(prometheus)
    task = asyncio.create_task(made.look())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()
