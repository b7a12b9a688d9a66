"""A collector for tests: in the test's own event loop, or as the command in a process of its own."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from stream.collector import Collector
from stream.settings import Settings
from tests.kit.http_contract import held

_LARGE = 1 << 20
"""From here on aiohttp's client warns of bytes."""


class Served:
    """One that runs, and a client of it."""

    def __init__(self, collector: Collector, port: int, session: aiohttp.ClientSession) -> None:
        self.collector, self.port, self.session = collector, port, session

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def post(self, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body and headers of an answer; names of `headers` have `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(
            self.url + path, data=io.BytesIO(body) if len(body) > _LARGE else body, headers=named, allow_redirects=False
        ) as response:
            return response.status, await response.json(), {k.title(): v for k, v in response.headers.items()}

    async def until_ready(self, *, is_ready: bool = True) -> None:
        """Return once `/readyz` says so, or says that it is not."""
        async with asyncio.timeout(180):
            while True:
                async with self.session.get(self.url + "/readyz") as response:
                    if (response.status == 200) is is_ready:
                        return
                await asyncio.sleep(0.02)


@asynccontextmanager
async def served(settings: Settings, *, ready: bool = True) -> AsyncIterator[Served]:
    """A collector in this process, on a free port whatever the settings say; with `ready` once it takes something."""
    collector = Collector(replace(settings, collector_port=0))
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    with held(collector._routes):
        running = asyncio.create_task(collector.serve_until(stop, port.set_result))
        try:
            await asyncio.wait([running, port], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            async with aiohttp.ClientSession() as session:
                found = Served(collector, port.result(), session)
                if ready:
                    await found.until_ready()
                yield found
        finally:
            stop.set()
            await asyncio.wait([running])
    running.result()


@asynccontextmanager
async def collector_process(log: Path, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`lifecycle collector` with these settings; ended at the end of the block."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    named = {f"LIFECYCLE_{name}": value for name, value in settings.items()}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", "collector"), env=around | named, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                await process.wait()
