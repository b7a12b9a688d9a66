"""Receivers on this machine: of aiohttp, and raw ones for what no well-made server does; and what is sent to them."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from stream.kafka.embedded.process import HOST
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.exchange import Answer, HttpRequest, Outcome, Verdict

EVENT = "shop:customer:42:0-7:2"
BODY = '{"specversion":"1.0","id":"shop:customer:42:0-7:2","data":{"to":"lead","name":"Zoë"}}'.encode()
SECRET = b"a secret of thirty-two bytes...."


class PlainTemplate:
    """Success is 2xx; keeps the answers that it judged."""

    name = "plain"
    values = ()

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def host(self, values: Any) -> str:
        return ""

    def requests(self, *_: object) -> tuple[HttpRequest, ...]:
        return ()

    def outcome(self, answer: Answer) -> Outcome:
        self.answers.append(answer)
        if answer.status == 410:
            return Outcome(Verdict.GONE, "410")
        verdict = Verdict.DELIVERED if 200 <= answer.status < 300 else Verdict.AGAIN
        return Outcome(verdict, f"{answer.status} {answer.body[:300].decode(errors='replace')}".strip())


def endpoint(name: str = "crm", **rest: Any) -> Endpoint:
    return Endpoint(name=name, **{"template": PlainTemplate(), "secrets": (SECRET,), "timeout": 5.0, **rest})


def post(url: str, body: bytes = BODY, *headers: tuple[str, str]) -> HttpRequest:
    return HttpRequest("POST", url, (("Content-Type", "application/json"), *headers), body)


def now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    """As the official libraries take them: a plain dict."""
    body: bytes


@dataclass
class Receiver:
    """A server, and what came to it."""

    port: int = 0
    scheme: str = "http"
    requests: list[Received] = field(default_factory=list)
    peers: set[tuple[str, int]] = field(default_factory=set)
    """Addresses of connections."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/hook/s3cr3t-path?token=s3cr3t-query"

    def named(self, host: str) -> str:
        """The URL with another host."""
        return self.url.replace(HOST, host, 1)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def receiver(
    handle: Handler | None = None, *, host: str = HOST, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A server of aiohttp; without a handler it answers 200 `ok`."""
    made = Receiver(scheme="http" if tls is None else "https")

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        made.peers.add(request.transport.get_extra_info("peername")[:2])
        body = await request.read()
        made.requests.append(Received(request.method, request.path_qs, dict(request.headers), body))
        return web.Response(text="ok") if handle is None else await handle(request)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=tls)
    await site.start()
    assert site._server is not None
    made.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield made
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_receiver(*parts: bytes, pause: float = 0.0, close: bool = True) -> AsyncIterator[Receiver]:
    """A server that answers each request with these bytes, one part after the other, and closes the connection."""
    made = Receiver()
    open_ = set[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_.add(writer)
        made.peers.add(writer.get_extra_info("peername")[:2])
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(headers.get("Content-Length", "0")))
            made.requests.append(Received(first.split()[0], first.split()[1], headers, body))
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if not close:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield made
        finally:
            for writer in open_:
                writer.close()


class Names(AbstractResolver):
    """Resolves as it is told: by name the addresses of the first lookup, of the second, …; the last ones stay."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): found for name, found in answers.items()}
        self.lookups: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.lookups.append(host)
        if host not in self._answers:
            raise OSError(None, "no such host")
        found = self._answers[host]
        addresses = found.pop(0) if len(found) > 1 else found[0]
        return [
            ResolveResult(hostname=host, host=each, port=port, family=10 if ":" in each else 2, proto=0, flags=0)
            for each in addresses
        ]

    async def close(self) -> None:
        pass
