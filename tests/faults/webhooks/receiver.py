"""The receiver: HTTP by hand, so that it can cut a connection wherever it likes, and knows when the sender did."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Self

import orjson
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from stream.kafka.embedded.process import HOST, free_port
from tests.faults.webhooks.journal import Arrival, Journal, now
from tests.faults.webhooks.moods import Answer, Moods
from tests.kit.webhooks import SECRET

_BODY = b'{"received": true}'
_STATUS = {200: "OK", 204: "No Content", 302: "Found", 410: "Gone", 429: "Too Many Requests", 500: "Error"}
SENDER = "x-sent-by"
"""The header with the name of the process that sent it."""


class Receiver:
    """One port, on which each path is an endpoint; between `async with` and its end."""

    def __init__(self, moods: Moods, journal: Journal) -> None:
        self.port = free_port()
        self._moods, self._journal = moods, journal
        self._webhook = Webhook(SECRET)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def restart(self, seconds: float) -> None:
        """Cut all connections, and let nobody in for some time."""
        await self._close()
        await asyncio.sleep(seconds)
        await self._open()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._connected, HOST, self.port, backlog=1_000)

    async def _close(self) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            # What is cancelled here is cancelled by a restart, and nobody waits for it.
            with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection stays."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        endpoint, event_id = lines[0].split()[1].strip("/"), headers.get("webhook-id", "")
        arrival = Arrival(now(), endpoint, event_id, headers.get(SENDER, ""), self._wrong(endpoint, headers, body))
        answer = self._moods.answer(endpoint, event_id)
        arrival.how = answer.how
        self._journal.arrivals.append(arrival)
        try:
            return await self._answer(arrival, answer, reader, writer)
        except asyncio.CancelledError:  # a restart
            arrival.cut = True
            raise
        finally:
            arrival.ended = now()

    async def _answer(
        self, arrival: Arrival, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        await asyncio.sleep(answer.delay)
        if answer.status is None:
            arrival.cut = True
            return False
        text = _written(answer)
        arrival.answer = answer.status
        if answer.part:
            arrival.cut = True
            writer.write(text[: -len(_BODY) // 2])
            await writer.drain()
            return False
        there = not (reader.at_eof() or writer.transport.is_closing())
        writer.write(text)
        arrival.whole = there
        await writer.drain()
        return there

    def _wrong(self, endpoint: str, headers: dict[str, str], body: bytes) -> str:
        """What is wrong with a request; empty: nothing."""
        try:
            self._webhook.verify(body, headers)
        except WebhookVerificationError as error:
            return f"its signature is wrong: {error}"
        told, event_id = orjson.loads(body), headers["webhook-id"]
        if told["id"] != event_id:
            return f"its body has the id {told['id']}"
        if endpoint == "picky":
            return ""
        change = told["data"]
        lifecycle, kind, subject, born, number = event_id.split(":")
        of_body = (change["lifecycle"], change[f"{kind}_id"], change["born"], str(change["sequence"]))
        return "" if of_body == (lifecycle, subject, born, number) else f"its body is of {of_body}"


def _written(answer: Answer) -> bytes:
    assert answer.status is not None
    body = b"" if answer.status == 204 else _BODY
    lines = [f"HTTP/1.1 {answer.status} {_STATUS.get(answer.status, 'Other')}"]
    if answer.retry_after is not None:
        at = datetime.now(UTC) + timedelta(seconds=answer.retry_after)
        lines.append(f"Retry-After: {format_datetime(at, usegmt=True) if answer.as_date else answer.retry_after}")
    if 300 <= answer.status < 400:
        lines.append("Location: /elsewhere")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body
