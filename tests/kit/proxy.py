"""A TCP proxy between a client and its broker: a network that can stall, drop or reset."""

import asyncio
import contextlib
import socket
import struct
from typing import Self

from stream.kafka.embedded.process import HOST

_CHUNK = 1 << 16


class Proxy:
    """Passes bytes both ways between a port of its own and another; between `async with` and its end.

    `stall` holds everything back, as a network that lost its route does; `reset` ends every connection with a TCP
    reset; `refuse` does so too and lets none in; `heal` lets all pass again, what was held back first.
    """

    def __init__(self, port: int, to: int) -> None:
        """Listen on `port` of 127.0.0.1, for a server on its port `to`."""
        self.port = port
        self._to = to
        self._refusing = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.heal()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self) -> int:
        """Open connections, those to the server and those of clients."""
        return len(self._writers)

    def stall(self) -> None:
        """Hold back every byte."""
        self._flows.clear()

    def reset(self) -> None:
        """End every connection at once; new ones are let in."""
        for writer in self._writers:
            held: socket.socket = writer.get_extra_info("socket")
            # Without lingering a close throws away what is unsent and answers with a reset.
            with contextlib.suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def refuse(self) -> None:
        """End every connection and let none in."""
        self._refusing = True
        self.reset()

    def heal(self) -> None:
        """Let everything pass."""
        self._refusing = False
        self._flows.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        try:
            if self._refusing:
                return
            onward, back = await asyncio.open_connection(HOST, self._to)
            self._writers.add(back)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass(reader, back))
                    group.create_task(self._pass(onward, writer))
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except (OSError, BaseExceptionGroup):
            pass  # one side went away: so does the other
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            await self._flows.wait()
            target.write(data)
            await target.drain()
        raise ConnectionResetError
