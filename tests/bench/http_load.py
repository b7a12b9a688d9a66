"""A program that sends requests over connections which stay open, and says how long each answer took.

It sends bytes that were made before, reads of an answer what it must, and does nothing else, so that whoever is asked
is what is measured:

    python -m tests.bench.http_load '{"port": 6067, "requests": "requests.bin", "connections": 8, "seconds": 5}'

Without `rate` each connection sends its next request once it has the answer to the last. With it so many a second are
sent over all, each at its time; where every connection still waits for an answer, the wait counts.
It prints one JSON object.
"""

import asyncio
import gc
import itertools
import json
import re
import resource
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TICK = 0.001
_LET_END = 10.0
"""Seconds for the answers that are still open at the end."""


class Load(NamedTuple):
    """What is asked of the program."""

    port: int
    requests: str
    """A file of `write_requests`; they are sent in turn, over and over."""
    connections: int
    seconds: float
    rate: float | None = None
    """Requests a second."""


def write_requests(file: Path, requests: Iterable[bytes]) -> int:
    """Write requests to a file for `Load.requests`; how many there are."""
    count = 0
    with file.open("wb") as output:
        for each in requests:
            output.write(len(each).to_bytes(4, "big") + each)
            count += 1
    return count


def read_requests(file: str) -> list[bytes]:
    """What `write_requests` wrote."""
    data, place, found = Path(file).read_bytes(), 0, list[bytes]()
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return found


class _Sender:
    """Hands out requests while it is time, and keeps what came of them."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = itertools.cycle(read_requests(load.requests))
        self.idle: deque[_Connection] = deque()
        self.waiting: deque[float] = deque()
        """Since when there are requests that no connection was free for."""
        self.is_closed = load.rate is None
        """An answer brings about the next request."""
        self.until = 0.0
        self.took: list[float] = []
        self.failed = Counter[str]()
        self.last = 0.0

    def request(self) -> bytes:
        """The next one."""
        return next(self._requests)

    async def run(self) -> dict[str, object]:
        """Send for as long as is asked for; what is printed."""
        loop, load = asyncio.get_running_loop(), self._load
        connections = [_Connection(self) for _ in range(load.connections)]
        for each in connections:
            await loop.create_connection(partial(_itself, each), "127.0.0.1", load.port)
        gc.disable()
        began = time.perf_counter()
        self.until = began + load.seconds
        if load.rate is None:
            for each in connections:
                each.send(began)
            await asyncio.sleep(load.seconds)
        else:
            await self._paced(load.rate, began)
        deadline = time.perf_counter() + _LET_END
        while any(each.sent for each in connections) and time.perf_counter() < deadline:
            await asyncio.sleep(_TICK)
        for each in connections:
            each.close()
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "answered": len(self.took),
            "seconds": self.last - began,
            "failed": dict(self.failed),
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "took": self.took,
        }

    async def _paced(self, rate: float, began: float) -> None:
        """Send each request at its time; one that is late only because this program woke late counts from then."""
        sent = 0
        while (now := time.perf_counter()) < self.until:
            due = int((now - began) * rate) + 1
            for number in range(sent, due):
                if self.idle:
                    self.idle.popleft().send(now)
                else:
                    self.waiting.append(began + number / rate)
            sent = due
            await asyncio.sleep(max(0.0, began + sent / rate - time.perf_counter()))


class _Connection(asyncio.Protocol):
    def __init__(self, sender: _Sender) -> None:
        self._sender = sender
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._left = 0
        """Bytes of the body that are still to come; 0: the head is."""
        self.sent = 0.0
        """Since when an answer is waited for; 0: none is."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sender.idle.append(self)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.sent:
            self._sender.failed["connection lost"] += 1
            self.sent = 0.0

    def send(self, since: float) -> None:
        """Send the next request, whose time was `since`."""
        assert self._transport is not None
        self.sent = since
        self._transport.write(self._sender.request())

    def close(self) -> None:
        """Send nothing any more."""
        assert self._transport is not None
        if self.sent:
            self._sender.failed["no answer"] += 1
            self.sent = 0.0
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
        else:
            self._head += data
            head, end, body = self._head.partition(_HEAD_END)
            if not end:
                return
            self._head = b""
            status = head[9:12].decode(errors="replace")
            if status != "200":
                self._sender.failed[status] += 1
            length = _LENGTH.search(head)
            self._left = (int(length[1]) if length else 0) - len(body)
        if self._left == 0:
            self._answered()

    def _answered(self) -> None:
        sender, now = self._sender, time.perf_counter()
        sender.took.append(now - self.sent)
        sender.last = now
        self.sent = 0.0
        if now >= sender.until:
            return
        if sender.is_closed:
            self.send(now)
        elif sender.waiting:
            self.send(sender.waiting.popleft())
        else:
            sender.idle.append(self)


def _itself(connection: _Connection) -> _Connection:
    return connection


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps(asyncio.run(_Sender(Load(**asked)).run())))
