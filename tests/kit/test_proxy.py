"""The proxy: what passes, what waits, what ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from stream.kafka.embedded.process import HOST, free_port
from tests.kit.proxy import Proxy

Both = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data.upper())
    writer.close()


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[Proxy, Both]]:
    """An echo behind a proxy, and a client before it."""
    port, behind = free_port(), free_port()
    server = await asyncio.start_server(_echo, HOST, behind)
    async with Proxy(port, behind) as proxy:
        client = await asyncio.open_connection(HOST, port)
        try:
            yield proxy, client
        finally:
            client[1].close()
            server.close()


async def test_what_is_sent_comes_back() -> None:
    async with _connected() as (proxy, (reader, writer)):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        assert proxy.connections == 2


async def test_a_stalled_network_holds_back_and_loses_nothing() -> None:
    async with _connected() as (proxy, (reader, writer)):
        proxy.stall()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(5), 0.2)
        proxy.heal()
        assert await reader.readexactly(5) == b"HELLO"


async def test_a_reset_ends_connections_and_lets_new_ones_in() -> None:
    async with _connected() as (proxy, (reader, writer)):
        writer.write(b"hello")
        await reader.readexactly(5)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        again, other = await asyncio.open_connection(HOST, proxy.port)
        other.write(b"x")
        assert await again.readexactly(1) == b"X"
        other.close()


async def test_who_is_refused_gets_nothing_until_it_is_healed() -> None:
    async with _connected() as (proxy, _):
        proxy.refuse()
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"x")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        proxy.heal()
        reader, writer = await asyncio.open_connection(HOST, proxy.port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"X"
        writer.close()
