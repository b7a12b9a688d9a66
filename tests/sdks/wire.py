"""What an SDK and the collector said to each other: a TCP forwarder that keeps all bytes, and reads them as HTTP."""

import asyncio
import http.client
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from stream.kafka.embedded.process import HOST

_CHUNK = 1 << 16


class Exchange(NamedTuple):
    """A request and its answer."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    """As it was sent."""
    status: int
    """0: the connection ended before an answer came."""
    answer: bytes

    @property
    def unpacked(self) -> bytes:
        """The body without its Content-Encoding."""
        packed = any(name.lower() == "content-encoding" and value == "gzip" for name, value in self.headers)
        return zlib.decompress(self.body, 16 + zlib.MAX_WBITS) if packed else self.body

    def items(self) -> list[dict[str, Any]]:
        """The calls that it carries, each as it stands there."""
        if self.method != "POST":
            return []
        whole: dict[str, Any] = json.loads(self.unpacked)
        found: list[dict[str, Any]] = whole.get("batch", [whole])
        return found


class Tap:
    """Forwards connections from a port of its own to another; what passed is kept."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._connections: list[tuple[bytearray, bytearray]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where the collector is for the SDK."""
        return f"http://{HOST}:{self.port}"

    def exchanges(self) -> list[Exchange]:
        """All requests that came whole, connection by connection."""
        return [each for sent, answered in self._connections for each in _exchanges(bytes(sent), bytes(answered))]

    def posts(self, status: int | None = None) -> int:
        """How many there were, or were answered so; 0: not yet, or never."""
        return sum(each.method == "POST" and status in (None, each.status) for each in self.exchanges())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        sent, answered = bytearray(), bytearray()
        self._connections.append((sent, answered))
        onward: asyncio.StreamWriter | None = None
        try:
            back, onward = await asyncio.open_connection(HOST, self._to)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, onward, sent))
                group.create_task(_pass(back, writer, answered))
        except (OSError, BaseExceptionGroup):
            pass  # one side went away: so does the other
        finally:
            for each in (writer, onward):
                if each is not None:
                    each.transport.abort()


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter, kept: bytearray) -> None:
    while data := await source.read(_CHUNK):
        kept.extend(data)
        target.write(data)
        await target.drain()
    raise ConnectionResetError


def _exchanges(sent: bytes, answered: bytes) -> Iterator[Exchange]:
    requests, answers = io.BytesIO(sent), io.BytesIO(answered)
    while line := requests.readline():
        method, path, _version = line.decode("latin-1").split()
        headers = http.client.parse_headers(requests)
        body = _body(requests, headers)
        if body is None:
            return
        status, answer = _answer(answers)
        yield Exchange(method, path, list(headers.items()), body, status, answer)


def _answer(answers: io.BytesIO) -> tuple[int, bytes]:
    line = answers.readline()
    if not line.endswith(b"\n"):
        return 0, b""
    headers = http.client.parse_headers(answers)
    body = _body(answers, headers)
    return (0, b"") if body is None else (int(line.split()[1]), body)


def _body(stream: io.BytesIO, headers: http.client.HTTPMessage) -> bytes | None:
    """None: it is not whole."""
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        parts: list[bytes] = []
        while size := int(stream.readline().split(b";")[0] or b"-1", 16):
            if size < 0:
                return None
            parts.append(stream.read(size))
            stream.readline()
        stream.readline()
        return b"".join(parts)
    length = int(headers.get("Content-Length", "0"))
    body = stream.read(length)
    return body if len(body) == length else None
