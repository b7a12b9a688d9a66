"""A receiver of webhooks that costs as little as one can, in a process of its own:

    python -m tests.bench.webhook_receiver

It prints its port. Each POST is answered with 204 at once, one to /hang never. What came says GET /seen.
"""

import asyncio
import contextlib
import gc
import json
import re
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import aiohttp

from stream.kafka.embedded.process import HOST
from tests.bench.builds import ROOT

_TAKEN: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID: Final = re.compile(rb"\r\nwebhook-id: *([^\r]*)", re.IGNORECASE)


class Request(NamedTuple):
    """One that came."""

    path: str
    id: str
    at: float
    """By time.perf_counter(), which all processes of a machine share."""


class _Log:
    def __init__(self) -> None:
        self.requests: list[tuple[bytes, bytes, float]] = []

    def since(self, first: int) -> bytes:
        """Requests from this number on, as JSON."""
        found = [(path.decode(), id_.decode(), at) for path, id_, at in self.requests[first:]]
        body = json.dumps({"count": len(self.requests), "requests": found}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class _Connection(asyncio.Protocol):
    def __init__(self, log: _Log) -> None:
        self._log = log
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, _ = self._data.partition(_HEAD_END)
        if not end:
            return
        length = _LENGTH.search(head)
        whole = len(head) + len(end) + (int(length[1]) if length else 0)
        if len(self._data) < whole:
            return
        self._data = self._data[whole:]
        method, path, _ = head.split(b" ", 2)
        if method == b"POST":
            id_ = _ID.search(head)
            self._log.requests.append((path, id_[1] if id_ else b"", time.perf_counter()))
            if path != b"/hang":
                self._transport.write(_TAKEN)
        else:
            first = path.partition(b"?")[2]
            self._transport.write(self._log.since(int(first or 1 << 62)))


async def _serve() -> None:
    log = _Log()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(log), HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    gc.disable()
    await server.serve_forever()


@dataclass(frozen=True)
class Receiver:
    """The one that runs."""

    port: int

    def url(self, path: str = "/hook") -> str:
        """Where it takes webhooks; `/hang` is never answered."""
        return f"http://{HOST}:{self.port}{path}"

    async def count(self) -> int:
        """How many requests came so far."""
        return int((await self._ask(""))["count"])

    async def requests(self, first: int = 0) -> list[Request]:
        """Those from this number on."""
        return [Request(*each) for each in (await self._ask(f"?{first}"))["requests"]]

    async def until(self, count: int, *, seconds: float = 300, every: float = 0.02) -> None:
        """Wait until so many requests came. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while await self.count() < count:
                await asyncio.sleep(every)

    async def _ask(self, query: str) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.get(self.url(f"/seen{query}")) as response:
            found: dict[str, Any] = await response.json()
            return found


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """One that runs until the block ends."""
    command = (sys.executable, "-m", "tests.bench.webhook_receiver")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield Receiver(int(await process.stdout.readline()))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
