"""A real worker on a real Kafka with a shop's customers, for pages to look at."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from stream.core.interaction import Interaction
from stream.demo.shop import SHOP_CLOSED
from stream.kafka.embedded.process import free_port
from stream.kafka.interaction_producer import InteractionProducer
from stream.settings import Settings
from tests.kit.times import HOUR

PARTITIONS = 4
_SECONDS = 60
MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
STRANGE = (MARKUP, "a/b c%2F?#&", "ünï côde ☕", '"; DROP TABLE')
VISITOR = "anon/7 <b>"
_numbers = count(1)


def prefix() -> str:
    """The beginning of topic and group names of one worker."""
    return f"console-{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}-{os.getpid()}-{next(_numbers)}-"


def strange() -> list[Interaction]:
    """People whose ids are no names: each looks around and buys once, and a visitor only looks."""
    time = SHOP_CLOSED - HOUR
    bought = [
        Interaction(each, None, None, name, time, {"total": 20, "order_id": each}, {})
        for each in STRANGE
        for name in ("page", "Order Completed")
    ]
    return [*bought, Interaction(None, VISITOR, None, "page", time, {}, {})]


class Worker:
    """One worker process, which may be ended and started again on its port."""

    def __init__(self, settings: Settings, folder: Path, more: Mapping[str, str]) -> None:
        self.settings = settings
        self.url = f"http://127.0.0.1:{settings.web_port}"
        self._log = folder / f"worker-{settings.web_port}.log"
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        self._environment |= {
            "LIFECYCLE_BOOTSTRAP": settings.bootstrap,
            "LIFECYCLE_TOPIC_PREFIX": settings.topic_prefix,
            "LIFECYCLE_PARTITIONS": str(settings.partitions),
            "LIFECYCLE_LIFECYCLES": ",".join(settings.lifecycles),
            "LIFECYCLE_CLOCK": settings.clock,
            "LIFECYCLE_SESSION_TIMEOUT": "6s",
            "LIFECYCLE_WEB_PORT": str(settings.web_port),
            **{f"LIFECYCLE_{name.upper()}": value for name, value in more.items()},
        }
        self._process: Process | None = None

    async def start(self) -> None:
        """Without waiting until it is ready."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stream.cli", "worker"), env=self._environment, stdout=log, stderr=log
            )

    async def end(self, number: int = signal.SIGTERM) -> None:
        """Let it end; by SIGKILL its group notices that only after its session."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.wait()

    async def ask(self, path: str, token: str = "") -> Any:
        """An answer, which must be 200."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with aiohttp.ClientSession(headers=headers) as session, session.get(self.url + path) as response:
            body = await response.read()
            assert response.status == 200, f"{path}: {response.status} {body[:500]!r}"
            return orjson.loads(body)

    async def ready(self) -> None:
        """Return once it is, and took all there is."""
        async with asyncio.timeout(_SECONDS):
            while not await self._has_all():
                assert self._process is not None
                assert self._process.returncode is None, self._log.read_text(encoding="utf-8")[-3_000:]
                await asyncio.sleep(0.1)

    async def _has_all(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as response:
                if response.status != 200:
                    return False
            operations = await self.ask("/v1/operations")
        except (aiohttp.ClientError, AssertionError):
            return False
        return operations["owned"] == self.settings.partitions and operations["lag"] == 0

    async def is_ready(self) -> None:
        """As `ready`, where it does not say how much waits to whoever has no token."""
        async with asyncio.timeout(_SECONDS):
            while True:
                try:
                    async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.1)


@asynccontextmanager
async def worker(
    bootstrap: str, prefix: str, folder: Path, *lifecycles: str, clock: str = "stream", **more: str
) -> AsyncIterator[Worker]:
    """A worker of these lifecycles; `more` are further settings."""
    settings = Settings(
        bootstrap=bootstrap,
        topic_prefix=prefix,
        partitions=PARTITIONS,
        lifecycles=lifecycles,
        clock="stream" if clock == "stream" else "wall",
        web_port=free_port(),
    )
    started = Worker(settings, folder, more)
    await started.start()
    try:
        yield started
    finally:
        await started.end(signal.SIGKILL)


async def send(settings: Settings, interactions: Iterable[Interaction], *, until: int | None = None) -> None:
    """Write interactions, and at the end a tick that lets the stream's clock come to a time."""
    async with InteractionProducer(settings) as producer:
        for each in interactions:
            await producer.send(each)
        if until is not None:
            await producer.tick(until)
