"""The product as it runs in the field: Apache Kafka, a worker and a collector, each a process of its own."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import orjson

from stream.kafka.embedded.process import HOST, free_port
from stream.settings import Settings
from tests.kit.kafka import KafkaBroker
from tests.sdks.keys import Key

PARTITIONS: Final = 4
_SECONDS: Final = 120
LIFECYCLE: Final = """
lifecycle: sdks
interactions: {order: [Order Completed, Order Completed Again], signup: [identify]}
scores: {spent: {}}
signals: {bought: {each: order, add: {spent: properties.total}}}
facts: {orders: {count: order}, pings: {count: Ping}, plan: {latest: properties.name}}
stages: {visitor: {}, known: {}, customer: {}}
transitions:
  - {from: visitor, to: known, when: event.type == "signup"}
  - {from: [visitor, known], to: customer, when: orders >= 1}
"""


class Product:
    """All of it, from `async with` to its end; logs are in a folder."""

    def __init__(self, folder: Path, keys: Iterable[Key]) -> None:
        self.kafka = KafkaBroker()
        self.settings = Settings(bootstrap=self.kafka.bootstrap, partitions=PARTITIONS)
        self._folder = folder
        self._keys = tuple(keys)
        self.port, self._worker_port = free_port(), free_port()
        """The collector's, also after it was started again."""
        self._worker: Process | None = None
        self._collector: Process | None = None

    async def __aenter__(self) -> Self:
        (self._folder / "keys.toml").write_text("\n".join(each.table() for each in self._keys), encoding="utf-8")
        (self._folder / "sdks.yaml").write_text(LIFECYCLE, encoding="utf-8")
        await asyncio.to_thread(self.kafka.start)
        try:
            self._worker = await self._started("worker", WEB_PORT=str(self._worker_port))
            await self.start_collector()
            await self._until_ready(self._worker_port)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in (self._collector, self._worker):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
        await asyncio.to_thread(self.kafka.__exit__)

    async def start_collector(self) -> None:
        """Start it, and return once it takes something."""
        self._collector = await self._started(
            "collector", COLLECTOR_PORT=str(self.port), WRITE_KEYS=str(self._folder / "keys.toml")
        )
        await self.until_taking()

    async def kill_collector(self) -> None:
        """End it as a machine that fails does."""
        assert self._collector is not None
        self._collector.send_signal(signal.SIGKILL)
        await self._collector.wait()

    async def until_taking(self) -> None:
        """Return once the collector is ready."""
        await self._until_ready(self.port)

    async def ask(self, path: str) -> tuple[int, Any]:
        """Status and body of what the worker answers; 503 is asked again."""
        async with asyncio.timeout(_SECONDS), aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"http://{HOST}:{self._worker_port}{path}") as response:
                    if response.status != 503:
                        return response.status, orjson.loads(await response.read())
                await asyncio.sleep(0.1)

    async def until_read(self, records: int) -> dict[str, int]:
        """Wait until the worker has read so many interactions; how many had which result."""
        counts: dict[str, int] = {}
        try:
            async with asyncio.timeout(_SECONDS), aiohttp.ClientSession() as session:
                while sum(counts.values()) < records:
                    async with session.get(f"http://{HOST}:{self._worker_port}/metrics") as response:
                        counts = _results(await response.text())
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"the worker read {counts} of {records} records; see worker.log") from None
        return counts

    async def _started(self, role: str, **settings: str) -> Process:
        around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        named = {
            "BOOTSTRAP": self.kafka.bootstrap,
            "PARTITIONS": str(PARTITIONS),
            "LIFECYCLES": str(self._folder / "sdks.yaml"),
            "SESSION_TIMEOUT": "2s",
            **settings,
        }
        with (self._folder / f"{role}.log").open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stream.cli", role),
                env=around | {f"LIFECYCLE_{name}": value for name, value in named.items()},
                stdout=output,
                stderr=output,
            )

    async def _until_ready(self, port: int) -> None:
        async with asyncio.timeout(_SECONDS), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://{HOST}:{port}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)


def _results(metrics: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in metrics.splitlines():
        if line.startswith("lifecycle_interactions_total{"):
            label, _, count = line.partition("} ")
            found[label.split('"')[1]] = int(float(count))
    return found
