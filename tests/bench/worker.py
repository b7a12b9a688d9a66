"""One of our workers as a benchmark sees it: a process of its own, run as an operator would, watched from outside."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from stream.kafka.embedded.process import free_port
from tests.bench.builds import THIS, Build

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class BenchWorker:
    """`lifecycle worker` on a broker; ended with the block.

    `settings` are the names of `lifecycle settings` in capitals, such as LIFECYCLES or CLOCK.
    """

    def __init__(
        self, bootstrap: str, prefix: str, log: Path, settings: Mapping[str, str], build: Build = THIS
    ) -> None:
        self.port = free_port()
        """Where it answers over HTTP."""
        self._log, self._build = log, build
        named = {
            "BOOTSTRAP": bootstrap,
            "TOPIC_PREFIX": prefix,
            "APP": f"{prefix}app",
            "WEB_PORT": str(self.port),
            **settings,
        }
        inherited = {**os.environ, **build.environment}
        kept = {name: value for name, value in inherited.items() if not name.startswith("LIFECYCLE_")}
        self._environment = {**kept, **{f"LIFECYCLE_{name}": value for name, value in named.items()}}

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *(self._build.python, "-m", "stream.cli", "worker"),
                env=self._environment,
                cwd=self._build.folder,
                stdout=output,
                stderr=output,
            )
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 20)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the process so far, user and system."""
        return cpu_seconds(self.process.pid)

    @property
    def resident_bytes(self) -> int:
        """Resident memory now."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE

    async def health(self) -> Mapping[str, Any] | None:
        """The body of /readyz; None while nothing answers."""
        try:
            async with self._session.get(f"http://127.0.0.1:{self.port}/readyz") as response:
                body: Mapping[str, Any] = await response.json()
                return body
        except aiohttp.ClientError:
            return None

    async def until_ready(self, seconds: float = 60) -> None:
        """Return once every partition is recovered. Raises RuntimeError where it ended, TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                await self.taken()
                body = await self.health()
                if body is not None and body["status"] == "ready" and body["partitions"]:
                    return
                await asyncio.sleep(0.05)

    async def processed(self) -> dict[str, int]:
        """Records of the source by what became of them, such as `applied` or `duplicate`; the worker's own count."""
        counts: dict[str, int] = {}
        for family in text_string_to_metric_families(await self.metrics()):
            for name, labels, value, *_ in family.samples:
                if name == "lifecycle_interactions_total" and value:
                    counts[labels["result"]] = int(value)
        return counts

    async def metrics(self) -> str:
        """The text of /metrics."""
        async with self._session.get(f"http://127.0.0.1:{self.port}/metrics") as response:
            return await response.text()

    async def taken(self) -> int:
        """Interactions taken so far: the sum of the partitions' positions. Raises RuntimeError where it ended."""
        if self.process.returncode is not None:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-4_000:]
            raise RuntimeError(f"the worker exited with {self.process.returncode}:\n{said}")
        body = await self.health()
        return sum(each["position"] or 0 for each in body["partitions"]) if body is not None else 0

    async def until_taken(self, count: int, *, every: float = 0.02, seconds: float = 600) -> float:
        """Return, by time.perf_counter(), when so many interactions were processed."""
        async with asyncio.timeout(seconds):
            while await self.taken() < count:
                await asyncio.sleep(every)
        return time.perf_counter()
