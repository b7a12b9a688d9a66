"""A step of a transaction that asks two brokers."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from stream.kafka.exactly_once import step
from stream.kafka.exactly_once.answers import Hindered
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import Request


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_lost_connection_is_told_at_once_where_the_other_broker_is_silent(lost: int) -> None:
    """Whichever of both it is; the silent one would be waited for ten seconds."""
    served = list[asyncio.Task[None]]()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.append(task)
        await reader.read()
        writer.close()
        await writer.wait_closed()

    brokers = [await asyncio.start_server(silent, "127.0.0.1", 0) for _ in range(2)]
    connections = [Connection({}, "test") for _ in brokers]
    loop = asyncio.get_running_loop()
    for server, connection in zip(brokers, connections, strict=True):
        await loop.create_connection(lambda made=connection: made, *server.sockets[0].getsockname())
    asked = [step.Asked(connection, Request(0, 0, (b"",)), lambda _: Hindered()) for connection in connections]
    sent = step.send(asked)
    waiting = asyncio.create_task(step.until_done(asked, sent, never, loop.time() + 60))
    await asyncio.sleep(0)
    connections[lost].close()
    async with asyncio.timeout(step.REQUEST_TIMEOUT / 2):
        with pytest.raises(KafkaConnectionError):
            await waiting
    connections[1 - lost].close()
    for server in brokers:
        server.close()
    await asyncio.gather(*served, return_exceptions=True)


async def never(hindered: Hindered) -> list[step.Asked]:
    raise AssertionError(hindered)
