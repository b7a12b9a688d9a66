"""Whether Kafka lets us in, and why not.

aiokafka reports every refusal as a connection failure: the reason is in its log alone. A broker that is away is waited
for; where one refuses us, a person has to do something.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream.errors import BrokerError
from stream.kafka.clients import client_options
from stream.kafka.refusals import refusal
from stream.settings import Settings

T = TypeVar("T")

_PROBE_TIMEOUT_MS = 5_000
_GROUP_TIMEOUT = 20.0


@asynccontextmanager
async def admin_client(settings: Settings, *, request_timeout_ms: int = 40_000) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client.

    Raises BrokerError where Kafka refuses us, KafkaError, OSError or TimeoutError where it is away.
    """
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=request_timeout_ms)
    try:
        try:
            await admin.start()
        except KafkaConnectionError:
            await _probe(settings)
            raise
        yield admin
    finally:
        await admin.close()


async def when_ready_for_groups(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of `ask` about a group; waits while the broker loads the state of its groups.

    Raises TimeoutError where that takes more than 20 s.
    """
    async with asyncio.timeout(_GROUP_TIMEOUT):
        while True:
            with contextlib.suppress(
                GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError
            ):
                return await ask()
            await asyncio.sleep(0.2)


async def _probe(settings: Settings) -> None:
    """Try every bootstrap server, to know why none lets us in; returns where one does.

    Raises BrokerError where one refuses us, KafkaError where it hangs up without a word.
    """
    failures: list[tuple[str, BaseException]] = []
    for host, port, _family in collect_hosts(settings.bootstrap):
        try:
            await _enter(settings, host, port)
        except (KafkaError, OSError, TimeoutError) as error:
            failures.append((f"{host}:{port}", error))
        else:
            return
    for address, failure in failures:
        why = refusal(failure)
        if why is not None:
            raise BrokerError(f"Kafka at {address} refuses us: {why}")
    for address, failure in failures:
        if isinstance(failure, ConnectionResetError | ssl.SSLError | KafkaConnectionError):
            raise KafkaError(
                f"{address} hangs up at once; if it goes on, is {settings.security_protocol} "
                "(security_protocol) what that port speaks?"
            )


async def _enter(settings: Settings, host: str, port: int) -> None:
    options = {name: value for name, value in client_options(settings).items() if name != "bootstrap_servers"}
    connection = await create_conn(host, port, request_timeout_ms=_PROBE_TIMEOUT_MS, **options)
    try:
        await connection.send(
            MetadataRequest([])
        )  # a client that should sign in first is rejected only at this request
    finally:
        connection.close()
