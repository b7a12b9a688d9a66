"""A connection to one broker: requests go out as bytes, answers come back as bytes, in the order of the requests.

aiokafka makes it, with TLS and SASL, and its own reading ends there: a request costs it three to four times as much.
"""

import asyncio
import struct
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    CorrelationIdError,
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
)

from stream.kafka.exactly_once.requests import Request
from stream.kafka.exactly_once.sign_in import sign_in

_LENGTH: Final = struct.Struct(">i")
_HEAD: Final = struct.Struct(">ihhih")
_AFTER_LENGTH: Final = _HEAD.size - _LENGTH.size
_LARGEST_ANSWER: Final = 1 << 24
"""Bytes. What says more of itself is no answer to what we ask."""
_LARGEST_NUMBER: Final = 2**31 - 1


class Connection(asyncio.Protocol):
    """Open from `taken_over` until `close`, or until the broker ends it."""

    def __init__(
        self, versions: dict[int, tuple[int, int]], client_id: str, keep: object = None, good_until: float | None = None
    ) -> None:
        """`versions` by request, the least and the greatest that the broker knows; `keep` lives as long as we do.

        `good_until`, by time.monotonic(), something may be begun on it; None: for ever.
        """
        self._versions = versions
        self._client_id = client_id.encode()
        self._keep = keep
        self._good_until = good_until
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._waiting: deque[tuple[int, asyncio.Future[bytes]]] = deque()
        self._number = 0

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent, as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_good(self) -> bool:
        """Whether a transaction should be begun on it."""
        return self.is_open and (self._good_until is None or time.monotonic() < self._good_until)

    def version(self, key: int, known: range) -> int:
        """The greatest of a request that both sides know; raises IncompatibleBrokerVersion where there is none."""
        least, greatest = self._versions.get(key, (0, -1))
        version = min(greatest, known[-1])
        if version < max(least, known[0]):
            raise IncompatibleBrokerVersion(f"the broker knows versions {least} to {greatest} of request {key}")
        return version

    def send(self, *requests: Request) -> Sequence[asyncio.Future[bytes]]:
        """Send at once, in one piece: a call of the system costs as much as all else; answers are bodies, in order.

        Whoever does not wait for one need not: an error is told to nobody then. Raises KafkaConnectionError where the
        connection is closed, and the answers do where it closes before.
        """
        if self._transport is None or self._transport.is_closing():
            raise KafkaConnectionError("the connection to a broker is closed")
        loop, name = asyncio.get_running_loop(), self._client_id
        sent: list[asyncio.Future[bytes]] = []
        pieces: list[bytes | bytearray] = []
        for request in requests:
            self._number = number = (self._number + 1) & _LARGEST_NUMBER
            size = _AFTER_LENGTH + len(name) + sum(map(len, request.body))
            pieces += (_HEAD.pack(size, request.key, request.version, number, len(name)), name, *request.body)
            answer: asyncio.Future[bytes] = loop.create_future()
            self._waiting.append((number, answer))
            sent.append(answer)
        self._transport.write(b"".join(pieces))
        return sent

    def close(self, error: KafkaError | None = None) -> None:
        """End it at once; whoever waits for an answer gets `error`."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()  # not `close()`, which waits for a broker that reads nothing
        self._fail(error or KafkaConnectionError("the connection to a broker was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(KafkaConnectionError(f"the connection to a broker was lost: {exc or 'the broker ended it'}"))

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return  # of no answer, but TLS hands over what it had already
        received = self._received
        received += data
        start = 0
        while len(received) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(received, start)
            if not _LENGTH.size <= size <= _LARGEST_ANSWER:
                self.close(KafkaError(f"a broker sent {size} as the size of an answer"))
                return
            end = start + _LENGTH.size + size
            if len(received) < end:
                break
            (number,) = _LENGTH.unpack_from(received, start + _LENGTH.size)
            if not self._answer(number, bytes(received[start + 2 * _LENGTH.size : end])):
                return
            start = end
        del received[:start]

    def _answer(self, number: int, body: bytes) -> bool:
        expected, answer = self._waiting.popleft() if self._waiting else (None, None)
        if answer is None or number != expected:
            error = CorrelationIdError(f"a broker answered request {number} where {expected} was next")
            if answer is not None:
                _refuse(answer, error)
            self.close(error)
            return False
        if not answer.done():
            answer.set_result(body)
        return True

    def _fail(self, error: KafkaError) -> None:
        while self._waiting:
            _refuse(self._waiting.popleft()[1], error)


def _refuse(answer: "asyncio.Future[bytes]", error: KafkaError) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # so that asyncio does not complain where nobody waits for it any more


async def taken_over(client: AIOKafkaClient, node: int) -> Connection:
    """Let aiokafka connect to a broker and sign in, and go on with that connection alone.

    Raises NodeNotReadyError where that fails.
    """
    theirs: Any = await sign_in(client, node)
    writer, reading = theirs._writer, theirs._read_task
    if writer is None or writer.transport.is_closing():
        raise NodeNotReadyError(f"broker {node} ended a new connection")
    theirs._reader = theirs._writer = None  # to aiokafka it is closed
    reading.cancel()
    # The writer closes the connection when it is collected.
    connection = Connection(theirs._versions, theirs._client_id, writer, theirs.good_until)
    writer.transport.set_protocol(connection)
    connection.connection_made(writer.transport)
    return connection
