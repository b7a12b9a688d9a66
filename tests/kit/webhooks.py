"""A process of `lifecycle webhooks`, and a receiver that keeps what it gets, for tests."""

import asyncio
import base64
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self

import aiohttp
from aiohttp import web

from stream.kafka.embedded.process import free_port
from stream.settings import Settings

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
VARIABLE = "TEST_WEBHOOK_SECRET"
"""Of the environment, which has it."""

PICKY = """
template: picky
title: Picky
about: One that refuses for good.
values:
  url: {help: where it is, example: "https://shop.example/hook"}
requests:
  - url: "{values.url}"
    json: {id: "{id}"}
answers:
  refused: [422]
"""
"""A template of the user's own, of a tool that refuses by 422 what it will never take."""


class Received(NamedTuple):
    """A request as it came."""

    at: float
    """By time.time()."""
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    """As it was answered."""

    @property
    def id(self) -> str:
        """Of the change, as in `webhook-id`."""
        return self.headers.get("webhook-id", "")


Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def always_taken(_request: web.Request) -> web.StreamResponse:
    """204."""
    return web.Response(status=204)


class Receiver:
    """Keeps what it gets, and answers as `answers` says, which may be replaced at any time."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.answers: Answers = always_taken
        self.port = 0
        self._came = asyncio.Event()

    @property
    def ids(self) -> list[str]:
        """Of all requests, in the order in which they came."""
        return [each.id for each in self.got]

    def url(self, path: str = "/hook") -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `holds()`, looked at after each request. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._came.clear()
                await self._came.wait()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        at, body = time.time(), await request.read()
        answer = await self.answers(request)
        self.got.append(Received(at, request.path, dict(request.headers), body, answer.status))
        self._came.set()
        return answer


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """One that listens on a free port of this machine."""
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made._take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()


class WebhookProcess:
    """`lifecycle webhooks` with a file of endpoints; ended with the block."""

    def __init__(self, settings: Settings, file: Path, log: Path) -> None:
        self.port = free_port()
        self._log = log
        named = {
            "BOOTSTRAP": settings.bootstrap,
            "TOPIC_PREFIX": settings.topic_prefix,
            "APP": settings.app,
            "PARTITIONS": str(settings.partitions),
            "RETENTION": "unlimited",
            "SESSION_TIMEOUT": "2s",
            "WEBHOOKS": str(file),
            "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
            "WEBHOOKS_PORT": str(self.port),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        self.environment = {
            **kept,
            **{f"LIFECYCLE_{name}": value for name, value in named.items()},
            VARIABLE: SECRET,
            "COLUMNS": "200",
        }

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stream.cli", "webhooks"), env=self.environment, stdout=output, stderr=output
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
            try:
                await asyncio.wait_for(self.process.wait(), 20)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode

    @property
    def log(self) -> str:
        """All that it said."""
        return self._log.read_text(encoding="utf-8")

    async def until_ready(self, partitions: int) -> None:
        """Return once it has so many partitions, all of them recovered. Raises TimeoutError, or RuntimeError."""
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                if self.process.returncode is not None:
                    raise RuntimeError(f"it ended:\n{self.log}")
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                        body = await answer.json()
                        if answer.status == 200 and len(body["partitions"]) >= partitions:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def metrics(self) -> str:
        """As Prometheus gets them."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}/metrics") as answer:
            return await answer.text()

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run `lifecycle webhooks ARGUMENTS` with the same settings; exit code, and all that it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", "webhooks", *arguments),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, said.decode()


def endpoint(name: str, url: str, **more: str) -> str:
    """The lines of an endpoint of the generic template, signed with SECRET; `more` are keys with their YAML."""
    lines = [f"  {name}:", "    template: generic", f"    values: {{url: {url!r}}}"]
    lines.append(f"    secrets: [{{env: {VARIABLE}}}]")
    lines += [f"    {key}: {value}" for key, value in more.items()]
    return "\n".join(lines) + "\n"
