"""The collectors of a run: two processes without a balancer before them, and what happens to them."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from tests.faults.fleet import Fleet
from tests.faults.senders import write_keys

COMMAND = (sys.executable, "-m", "stream.cli", "collector")
CollectorFault = Literal["collector-kill", "collector-kill-all", "collector-terminate"]
"""collector-kill: `kill -9` of one, which is started again; collector-kill-all: of both; collector-terminate: SIGTERM
of one, which answers what it has, and a new one in its place."""
COLLECTOR_FAULTS: tuple[CollectorFault, ...] = get_args(CollectorFault)
_COUNT = 2
_EVERY = (3.0, 10.0)
"""Seconds for which both run before one comes to harm."""
_GONE = (0.0, 2.0)
"""Seconds until one is started again."""


class Collectors:
    """Two of them; they come to harm beside whatever else happens, by a seed of their own."""

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        seed: int,
        kinds: Sequence[CollectorFault] = COLLECTOR_FAULTS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """`kinds` come one after the other, again and again, in an order that the seed decides; each once at least."""
        keys = folder / "write-keys.toml"
        keys.write_text(write_keys(), encoding="utf-8")
        own = {"LIFECYCLE_COLLECTOR_PORT": "0", "LIFECYCLE_WRITE_KEYS": str(keys)}
        self.fleet = Fleet({**environment, **own}, folder, command, "collector")
        self.done: Counter[str] = Counter()
        """How often each kind of fault was there."""
        self.each_done = asyncio.Event()
        """Each kind was there."""
        self._chance = random.Random(seed)
        self._kinds = self._chance.sample(kinds, len(kinds))

    def urls(self) -> list[str]:
        """Where those are reached that run."""
        return [each.url for each in self.fleet.workers if each.runs and each.url]

    async def start(self) -> None:
        """Start both."""
        await self.fleet.size(_COUNT)

    async def harm(self, over: asyncio.Event) -> None:
        """One fault after the other until it is over; then both run."""
        kinds = self._kinds
        while not over.is_set():
            if all(self.done[each] for each in kinds):
                self.each_done.set()
                if not kinds:
                    return
            while len(self.urls()) < _COUNT and not over.is_set():
                await asyncio.sleep(0.1)
            await _passed(over, self._chance.uniform(*_EVERY))
            if over.is_set():
                break
            kind = kinds[sum(self.done.values()) % len(kinds)]
            for worker in self._chance.sample(self.fleet.workers, 1 if kind != "collector-kill-all" else _COUNT):
                await (self.fleet.terminate(worker) if kind == "collector-terminate" else self.fleet.kill(worker))
            await asyncio.sleep(self._chance.uniform(*_GONE))
            await self.fleet.size(_COUNT)
            self.done[kind] += 1


async def _passed(over: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until it is over."""
    waiting = asyncio.create_task(over.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()
