"""Fetches one partition on while a batch of it is written, so that the next batch holds all that came meanwhile.

A consumer keeps one answer of the broker, and asks again once that was taken. What comes while a transaction is written
would so be found in two turns: what came first in the next one, and what came after it in the one behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from stream.codec.record_block import joined
from stream.kafka.partition_reader import Fetched

MOST: Final = 2_000
"""Records that are fetched ahead, about."""

Fetch = Callable[[int], Awaitable[Fetched | None]]
"""Records from exactly this offset; as `PartitionReader.fetch`."""


class FetchAhead:
    """What was fetched of one partition and not taken yet."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._ready: Fetched | None = None
        self._error: Exception | None = None
        self._next = -1
        """Where what is fetched, or will be, goes on from what was taken."""
        self._is_there = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, position: int) -> None:
        """Fetch from there on; without effect where that goes on already, or is there."""
        if position != self._next:
            self.stop()
        if self._task is None and not self._is_there.is_set():
            self._next = position
            self._task = asyncio.create_task(self._run(position))

    async def wait(self) -> None:
        """Returns once there is something to take, which may be that there is nothing."""
        await self._is_there.wait()

    @property
    def is_there(self) -> bool:
        """Whether there is something to take."""
        return self._is_there.is_set()

    def take(self) -> Fetched | None:
        """All that was fetched; None while the partition is not ours. Goes on behind it. Raises as `fetch`."""
        fetched, error = self._ready, self._error
        self._ready = None
        if fetched is None:
            self._error = None
        if error is None or fetched is None:
            self._is_there.clear()
        if fetched is not None:
            self._next = fetched.next_offset
            if error is None:
                self.begin(self._next)
        elif error is not None:
            raise error
        return fetched

    def stop(self) -> None:
        """Forget what there is, and fetch no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self._ready = self._error = None
        self._is_there.clear()

    async def _run(self, position: int) -> None:
        """Until nothing more is there, or it is enough."""
        me = asyncio.current_task()
        try:
            while True:
                fetched = await self._fetch(position)
                if fetched is not None:
                    position = fetched.next_offset
                    records = fetched.records if self._ready is None else joined(self._ready.records, fetched.records)
                    self._ready = fetched._replace(records=records)
                self._is_there.set()
                if fetched is None or not fetched.records or len(self._ready.records if self._ready else ()) >= MOST:
                    return
        except Exception as error:  # noqa: BLE001 whoever takes gets it
            self._error = error
            self._is_there.set()
        finally:
            if self._task is me:
                self._task = None
