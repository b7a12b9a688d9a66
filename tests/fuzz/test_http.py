"""The HTTP endpoints over a real socket: whatever is sent, nothing is raised and the next request is answered."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter

from stream.engine.status import EngineStatus, Phase
from stream.kafka.contact import Contact
from stream.web.routes import health_routes
from stream.web.server import serve
from tests.fuzz import nasty

METHODS = [b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"CONNECT", b"get", b"\xff", b"", b"G" * 100, b"PRI"]
PATHS = [
    b"/livez",
    b"/readyz",
    b"/metrics",
    b"/",
    b"*",
    b"",
    b"//livez",
    b"/%00",
    b"/%ff%fe",
    b"/..%2f..",
    b"http://x/livez",
]
PATHS += [
    b"/" + b"a" * 9_000,
    b"/livez?" + b"a=1&" * 500,
    b"/\xff",
    b"/livez#",
    b"x:y",
    b"http://[::1",
    b"/metrics?name[]=\x01",
]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"http/1.1", b"", b"HTTP/1.1 x"]
ACCEPTS = [
    *(b"*/*", b"text/plain", b"application/openmetrics-text", b"application/openmetrics-text; version=abc", b";;,;=,"),
    *(b"text/plain; version=1.x", b"text/plain;version=1..2", b"application/openmetrics-text;version=9.9;escaping=x"),
    *(b"text/plain; version=1.0.0; escaping=values", b"\xff", b"a" * 9_000, b"text/plain;version=" + b"9" * 5_000),
]
HEADERS = [
    *(
        b"Host: x",
        b"Host: a\r\nHost: b",
        b"Content-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
    ),
    *(
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: x",
        b"Connection: upgrade\r\nUpgrade: websocket",
        b"Expect: 100-continue",
    ),
    *(
        b"Content-Encoding: gzip",
        b"Cookie: a=\x01",
        b"X: " + b"y" * 60_000,
        b": empty",
        b"no colon",
        b"X:\x00",
        b"\xff: \xff",
    ),
    *(b"Connection: close", b"Connection: keep-alive", b"Content-Type: multipart/form-data", b"Range: bytes=0-0,1-"),
]
BODIES = [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n", b"\x1f\x8b", b"x" * 200_000]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, or what is none."""
    if draw(st.integers(0, 5)) == 0:
        return draw(
            st.binary(max_size=40) | nasty.damaged([b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n"])
        )
    line = b" ".join(
        draw(st.sampled_from(part))
        for part in (METHODS[:3] + METHODS, PATHS[:3] * 3 + PATHS, VERSIONS[:1] * 9 + VERSIONS)
    )
    headers = [b"Accept: " + draw(st.sampled_from(ACCEPTS)), *draw(st.lists(st.sampled_from(HEADERS), max_size=3))]
    return b"\r\n".join([line, *headers, b"", draw(st.sampled_from(BODIES))])


class Server:
    """Health and metrics of a worker that waits for Kafka, and whatever they complain of."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def send(self, data: bytes, *, slowly: bool = False, half_close: bool = False, patience: float = 10) -> bytes:
        """Send, and read the beginning of what is answered within `patience` seconds."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answer = b""
        piece = 97 if slowly else len(data) or 1
        with suppress(OSError, TimeoutError):  # the server may have hung up already
            for place in range(0, len(data), piece):
                writer.write(data[place : place + piece])
                await asyncio.sleep(0)
            await writer.drain()
            if half_close:
                writer.write_eof()
            async with asyncio.timeout(patience):
                answer = await reader.read(100)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return answer

    async def get(self, path: bytes, accept: bytes = b"*/*") -> bytes:
        """The status of a good request."""
        head = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: %s\r\n\r\n"
        answer = await self.send(head % (path, accept))
        return answer.partition(b" ")[2][:3]


@asynccontextmanager
async def serving(complaints: list[str]) -> AsyncIterator[Server]:
    """A server on a free port; `complaints` gets what would be logged as an error."""

    class Complaints(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage() + repr(record.exc_info))

    def complain(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        complaints.append(repr(context))

    asyncio.get_running_loop().set_exception_handler(complain)
    handler = Complaints(logging.ERROR)
    logger = logging.getLogger()
    logger.addHandler(handler)
    registry = CollectorRegistry()
    Counter("taken", "How many.", ["kind"], registry=registry).labels('a\\b"c\né').inc()
    try:
        async with serve(
            health_routes(lambda: EngineStatus(Phase.JOINING, None, (), Contact().status()), registry), "127.0.0.1", 0
        ) as port:
            yield Server(port)
    finally:
        logger.removeHandler(handler)


NOT_COMPRESSED = b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"


@example([(NOT_COMPRESSED, False, False)])
@example([(b"GET /livez HTTP/1.1\r\n\r\n", False, True)])
@given(st.lists(st.tuples(requests(), st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_whatever_is_sent_the_next_request_is_answered(sent: list[tuple[bytes, bool, bool]]) -> None:
    """Any method, path, header and body, in pieces or at once, half closed or cut off; nothing is raised."""
    complaints: list[str] = []

    async def talk() -> None:
        async with serving(complaints) as server:
            for data, slowly, half_close in sent:
                await server.send(data, slowly=slowly, half_close=half_close, patience=0.01)
            assert await server.get(b"/livez") == b"200"

    asyncio.run(talk())
    assert complaints == []


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_metrics_are_given_whatever_format_is_asked_for(accept: bytes) -> None:
    """A version that is none asks for nothing that we could not give; only a header of many kilobytes is refused."""
    complaints: list[str] = []
    async with serving(complaints) as server:
        status = await server.get(b"/metrics", accept)
    assert status == (b"400" if len(accept) > 8_190 else b"200")
    assert complaints == []


async def test_connections_that_never_finish_a_request_keep_nobody_waiting() -> None:
    """A hundred of them are open, each in the middle of its headers: others are answered, and the end comes soon."""
    complaints: list[str] = []
    open_ones = []
    async with asyncio.timeout(180), serving(complaints) as server:
        for _ in range(100):
            _reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /livez HTTP/1.1\r\nX: ")
            open_ones.append(writer)
        assert await server.get(b"/livez") == b"200"
    for writer in open_ones:
        writer.close()
    assert complaints == []
