"""Servers that a benchmark starts and asks: on a free port, watched from outside, ended with their block."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from stream.kafka.embedded.process import free_port
from tests.bench import children
from tests.bench.builds import ROOT
from tests.bench.http_load import Load
from tests.bench.probes import quantile
from tests.bench.worker import cpu_seconds

_READY_SECONDS = 60.0
_END_SECONDS = 20.0
_POLL = 0.05


@dataclass(frozen=True)
class Program:
    """A server; `environment` adds to this process's own."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    port_variable: str = "PORT"
    """The variable that tells it its port."""
    ends_with_port: bool = False
    """The command's last words name the port; it is to be put behind them."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        """The server, in a process of its own until the block ends."""
        port = free_port()
        command: Sequence[str] = (*self.command, *([str(port)] if self.ends_with_port else []))
        with self.log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self.folder,
                env={**os.environ, **self.environment, self.port_variable: str(port)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            yield Server(process, port, self.log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _END_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


@dataclass(frozen=True)
class Server:
    """One that runs."""

    process: asyncio.subprocess.Process
    port: int
    log: Path

    @property
    def cpu_seconds(self) -> float:
        """Its processor time so far, user and system."""
        return cpu_seconds(self.process.pid)


async def until_ready(server: Server, path: str) -> None:
    """Return once `path` is answered with 200. Raises RuntimeError where the process ended, TimeoutError."""
    async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as session:
        while True:
            if server.process.returncode is not None:
                said = server.log.read_text(encoding="utf-8", errors="replace")[-2_000:]
                raise RuntimeError(f"{server.log.stem} exited with {server.process.returncode}:\n{said}")
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{server.port}{path}") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(_POLL)


@dataclass(frozen=True)
class Answers:
    """What came of a load: requests that were answered, in how many seconds, and how long each took."""

    answered: int
    seconds: float
    cpu_seconds: float
    """Of the sender."""
    later: int
    """How many of them were answered with 503."""
    took: Sequence[float] = field(repr=False)
    """Seconds, ascending."""

    def quantile(self, share: float) -> float:
        """So many seconds at most did this share of the answers take."""
        return quantile(self.took, share)


async def generate(load: Load, *, or_later: bool = False) -> Answers:
    """Send a load from a process of its own. Raises RuntimeError where any request was not answered with 200.

    With `or_later` 503 is an answer, too: ask again.
    """
    command = (sys.executable, "-m", "tests.bench.http_load", json.dumps(load._asdict()))
    ended = await children.run(command, ROOT, seconds=load.seconds + 60)
    if ended.code:
        raise RuntimeError(f"the load generator failed: {ended.why}")
    said = json.loads(ended.output)
    later = said["failed"].pop("503", 0) if or_later else 0
    if said["failed"] or not said["answered"]:
        raise RuntimeError(f"requests were not answered with 200: {said['failed'] or 'none was answered'}")
    return Answers(said["answered"], said["seconds"], said["cpu_seconds"], later, sorted(said["took"]))
