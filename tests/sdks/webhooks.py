"""Receivers of webhooks in docs/examples, which verify with the official libraries: ours sends, they judge."""

import asyncio
import base64
import contextlib
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import orjson

from stream.kafka.embedded.process import HOST
from stream.webhooks.endpoint import Endpoint, ValueSpec
from stream.webhooks.exchange import Answer, HttpRequest, Outcome, Verdict
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.sender import Sender
from stream.webhooks.sending.signature import signature_headers
from tests.sdks.examples import Example

_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "docs" / "examples"
_RECEIVERS: Final = {
    "receiver in Python": _EXAMPLES / "python" / "receive.sh",
    "receiver in Node": _EXAMPLES / "node" / "receive.sh",
}
_SECONDS: Final = 120
_NEW: Final = b"the new secret, of 32 bytes....."
_OLD: Final = b"the old secret, of 32 bytes....."
_OTHER: Final = b"a secret that the receiver lacks"


class _Statuses:
    """A template for which success is 2xx."""

    name = "statuses"
    values: tuple[ValueSpec, ...] = ()

    def host(self, _values: Mapping[str, str]) -> str:
        return HOST

    def problems(self, _values: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    def requests(self, *_: object) -> tuple[HttpRequest, ...]:
        return ()

    def outcome(self, answer: Answer) -> Outcome:
        return Outcome(Verdict.DELIVERED if 200 <= answer.status < 300 else Verdict.AGAIN, str(answer.status))


class _Change:
    """A stage change as a CloudEvent."""

    def __init__(self, customer: str, sequence: int) -> None:
        self.id = f"shop:customer:{customer}:0-7:{sequence}"
        self.line = f"{self.id} visitor -> lead"
        """What a receiver prints of it."""
        data = {"customer_id": customer, "from": "visitor", "to": "lead", "sequence": sequence}
        self.body = orjson.dumps({"specversion": "1.0", "id": self.id, "type": "lifecycle.stage.changed", "data": data})


CHANGES: Final = tuple(_Change(customer, 2) for customer in ("42", "ada@example.com", "Zoë 🙂", "a/b?c=%20"))


async def run_receivers(say: Callable[[str], None]) -> list[Example]:
    """Send to each of them: signed with its secret, with two, with another; once more; and with another body."""
    examples: list[Example] = []
    for name, script in _RECEIVERS.items():
        say(f"{name}: webhooks, signed")
        wrong: list[str] = []
        for known, secrets in ((_NEW, (_NEW,)), (_NEW, (_NEW, _OLD)), (_OLD, (_NEW, _OLD))):
            try:
                wrong += await _differences(script, known, secrets)
            except (TimeoutError, OSError, _NotStarted) as error:
                wrong.append(str(error) or f"it did not end within {_SECONDS} s")
        examples.append(Example(name, f"{len(CHANGES)} webhooks, by one secret and two", wrong))
    return examples


class _NotStarted(Exception):
    """A receiver ended before it listened."""


async def _differences(script: Path, known: bytes, secrets: tuple[bytes, ...]) -> list[str]:
    """Whatever a receiver that knows one secret does wrong with webhooks that these have signed."""
    wrong: list[str] = []
    async with (
        asyncio.timeout(_SECONDS),
        _running(script, known) as (process, url),
        Sender(AllowedHosts([HOST]), version="test") as sender,
    ):

        async def status_of(change: _Change, *signed_with: bytes) -> int | None:
            request = HttpRequest("POST", url, (("Content-Type", "application/json"),), change.body)
            endpoint = Endpoint(name="receiver", template=_Statuses(), secrets=signed_with)
            return (await sender.attempt(endpoint, [request], change.id, lambda: time.time_ns() // 1_000_000)).status

        first, *others = CHANGES
        for what, signed_with in (("another secret", (_OTHER,)), ("no secret", ())):
            if (status := await status_of(first, *signed_with)) != 401:
                wrong.append(f"it answered {status} to a webhook signed with {what}")
        if (status := await status_of(first, *secrets)) != 204:
            wrong.append(f"it answered {status} to {first.id}")
        if (status := await status_of(first, *secrets)) != 204:
            wrong.append(f"it answered {status} to {first.id} when that came again")
        if (status := await _tampered(url, first, secrets)) != 401:
            wrong.append(f"it answered {status} to a body that was changed on its way")
        found = await asyncio.gather(*(status_of(change, *secrets) for change in others))
        wrong += [
            f"it answered {each} to {change.id}" for change, each in zip(others, found, strict=True) if each != 204
        ]
        assert process.stdout is not None
        printed = (await process.stdout.read()).decode().splitlines()
        if await process.wait():
            wrong.append(f"it ended with {process.returncode}")
    if sorted(printed) != sorted(change.line for change in CHANGES):
        wrong.append(f"it printed {printed}")
    return wrong


async def _tampered(url: str, change: _Change, secrets: tuple[bytes, ...]) -> int | None:
    """The answer to a body whose customer is another than the one that was signed."""
    headers = signature_headers(secrets, change.id, change.body, time.time_ns() // 1_000_000)
    body = change.body.replace(b"lead", b"buyer")
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status


@asynccontextmanager
async def _running(script: Path, secret: bytes) -> AsyncIterator[tuple[Process, str]]:
    """A receiver that ends once it took all changes, and its URL."""
    process = await asyncio.create_subprocess_exec(
        *(str(script), "0", str(len(CHANGES))),
        env={**os.environ, "WEBHOOK_SECRET": f"whsec_{base64.b64encode(secret).decode()}"},
        stdin=DEVNULL,
        stdout=PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode().strip()
        if not line.startswith("listening on "):
            raise _NotStarted(f"{script.parent.name}: it ended with {await process.wait()} and {line!r}")
        yield process, f"http://{line.removeprefix('listening on ')}/hook"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
