"""What a collector that ends leaves behind: nothing, whatever it was doing."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection

from stream.settings import Settings
from tests.kit.collectors import served


async def test_one_that_ends_while_it_still_looks_for_the_brokers_leaves_no_connection_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AIOKafkaConnection] = []
    connect, send = AIOKafkaConnection.connect, AIOKafkaConnection.send

    async def noted(connection: AIOKafkaConnection) -> Any:
        made.append(connection)
        return await connect(connection)

    def late(connection: AIOKafkaConnection, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        answer = send(connection, request, expect_response)
        return _later(answer) if type(request).__name__.startswith("MetadataRequest") else answer

    monkeypatch.setattr(AIOKafkaConnection, "connect", noted)
    monkeypatch.setattr(AIOKafkaConnection, "send", late)
    async with served(settings, ready=False) as found:
        while found.collector.connection._link is None:
            await asyncio.sleep(0.01)
    assert [connection for connection in made if connection.connected()] == []


async def _later(answer: Awaitable[Any]) -> Any:
    """The answer of a broker that takes long, as one with very many topics does."""
    found = await answer
    await asyncio.sleep(0.5)
    return found
