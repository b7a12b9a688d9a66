"""Processes of workers of one group on a Kafka, and what they answer over HTTP."""

import asyncio
import os
import ssl
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import orjson
from aiokafka.structs import RecordMetadata

from stream.kafka.embedded.process import free_port

PARTITIONS = 4
Answer = tuple[int, dict[str, Any]]


class Worker:
    """One worker process, and what it answers."""

    def __init__(self, process: Process, url: str) -> None:
        self.process, self.url = process, url
        self.headers: dict[str, str] = {}
        self.trusts: ssl.SSLContext | bool = True

    async def ask(self, path: str, seconds: float = 10.0) -> Answer:
        """Status and body; 0 where it does not answer."""
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=self.headers) as session,
                session.get(self.url + path, ssl=self.trusts) as response,
            ):
                return response.status, orjson.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return 0, {}

    async def owned(self) -> int:
        """How many partitions it has that run."""
        _, body = await self.ask("/readyz")
        return sum(each["state"] == "running" for each in body.get("partitions", ()))

    async def until(self, path: str, holds: Callable[[Answer], bool], seconds: float = 60.0) -> Answer:
        """The first answer of which `holds`."""
        last: Answer = (0, {})
        try:
            async with asyncio.timeout(seconds):
                while not holds(last := await self.ask(path)):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(str(last)[:2_000]) from None
        return last


class Start(Protocol):
    """Starts another worker."""

    async def __call__(self, **more: str) -> Worker:
        """With further settings, each by its name; `{port}` in one is the worker's."""


def has_read(landed: Iterable[RecordMetadata]) -> Callable[[Answer], bool]:
    """Whether a worker that is ready is past these records, in the partitions that are its own.

    A lag of 0 does not say so: it is against the end that the last fetch told, maybe of before they were written.
    """
    ends = dict[int, int]()
    for each in landed:
        ends[each.partition] = max(ends.get(each.partition, 0), each.offset + 1)

    def holds(answer: Answer) -> bool:
        status, body = answer
        return status == 200 and all(
            (each["position"] or 0) >= ends.get(each["partition"], 0) for each in body["partitions"]
        )

    return holds


@asynccontextmanager
async def worker_processes(settings: Mapping[str, str], folder: Path) -> AsyncIterator[Start]:
    """Start workers with these settings, whose logs are in `folder`; whatever still runs at the end is killed."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    around |= {f"LIFECYCLE_{name.upper()}": value for name, value in settings.items()}
    workers: list[Worker] = []

    async def start_worker(**more: str) -> Worker:
        port = free_port()
        added = {f"LIFECYCLE_{name.upper()}": value.format(port=port) for name, value in more.items()}
        with (folder / f"worker{len(workers)}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stream.cli", "worker", "--web-port", str(port)),
                env=around | added,
                stdout=log,
                stderr=log,
            )
        workers.append(Worker(process, added.get("LIFECYCLE_WEB_URL", f"http://127.0.0.1:{port}")))
        return workers[-1]

    try:
        yield start_worker
    finally:
        for worker in workers:
            if worker.process.returncode is None:
                worker.process.kill()
            await worker.process.wait()


async def running_pair(start: Start) -> tuple[Worker, Worker]:
    """Two workers that share the partitions."""
    one = await start()
    await one.until("/readyz", lambda answer: answer[0] == 200 and len(answer[1]["partitions"]) == PARTITIONS)
    two = await start()
    half = PARTITIONS // 2
    for each in (one, two):
        await each.until("/readyz", lambda answer: answer[0] == 200 and len(answer[1]["partitions"]) == half)
    return one, two
