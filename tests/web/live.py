"""Live stage changes for tests: a worker's routes for them on a free port, and readers of server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
import orjson
from aiohttp import web

from stream.settings import Settings
from stream.web.live_changes import PATH, add_live_routes
from stream.web.server import serve
from tests.kit.http_contract import held


class Sent(NamedTuple):
    """One event, as a browser's EventSource hears it."""

    id: str
    name: str
    data: dict[str, object]

    @property
    def sequence(self) -> object:
        return self.data["sequence"]


class Reader:
    """Parses a stream as the HTML standard says."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_id = ""
        self.comments: list[str] = []
        self.retry: int | None = None
        self._name, self._data = "", list[str]()

    async def next(self, seconds: float = 60) -> Sent:
        """The next event. Raises EOFError where the stream ended."""
        async with asyncio.timeout(seconds):
            while True:
                sent = self._take(await self._line())
                if sent is not None:
                    return sent

    async def take(self, count: int) -> list[Sent]:
        return [await self.next() for _ in range(count)]

    async def _line(self) -> str:
        line = await self.response.content.readline()
        if not line:
            raise EOFError
        return line.decode().rstrip("\n")

    def _take(self, line: str) -> Sent | None:
        if not line:
            data, name, self._data, self._name = "\n".join(self._data), self._name, [], ""
            return Sent(self.last_id, name, orjson.loads(data)) if data else None
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "":
                self.comments.append(value)
            case "id":
                self.last_id = value
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "retry":
                self.retry = int(value)
        return None

    async def until_it_listens(self) -> str:
        """The id that it has before any event."""
        async with asyncio.timeout(60):
            while not self.last_id:
                self._take(await self._line())
        return self.last_id


class Counts:
    """What the worker's metrics would say."""

    def __init__(self) -> None:
        self.readers = self.cut_off = 0

    def live_reader(self, change: int) -> None:
        self.readers += change

    def live_reader_cut_off(self) -> None:
        self.cut_off += 1


@asynccontextmanager
async def worker(settings: Settings, heartbeat: float = 15.0, counts: Counts | None = None) -> AsyncIterator[str]:
    """The address of its live stage changes."""
    counts = counts or Counts()
    app = web.Application()
    add_live_routes(app, settings, counts, heartbeat=heartbeat)
    with held(app):
        async with serve(app, "127.0.0.1", 0) as port:
            yield f"http://127.0.0.1:{port}{PATH}"


@asynccontextmanager
async def reading(url: str, query: str = "", headers: Mapping[str, str] | None = None) -> AsyncIterator[Reader]:
    """A reader's connection."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout, read_bufsize=1 << 16) as session,
        session.get(url + query, headers=dict(headers or {})) as response,
    ):
        yield Reader(response)
