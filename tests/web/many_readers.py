"""How many readers of live stage changes one process bears: `python -m tests.web.many_readers [READERS]`.

Starts Apache Kafka and a process with the routes alone, opens so many connections, and says what memory, delay and a
burst cost; then all come back at once with the ids of their last events, to a new process.
"""

import asyncio
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from stream.settings import Settings
from stream.web.live_changes import PATH, add_live_routes
from stream.web.server import serve
from tests.kit.kafka import KafkaBroker
from tests.kit.stage_changes import change, outgoing
from tests.kit.topics import create_topics, produce
from tests.web.live import Counts

BURST = 1_000
SINGLE = 20


async def serve_for_ever(bootstrap: str) -> None:
    """The process that is measured; says its port."""
    app = web.Application()
    add_live_routes(app, Settings(bootstrap=bootstrap), Counts())
    async with serve(app, "127.0.0.1", 0) as port:
        say(port)
        await asyncio.Event().wait()


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


class Connection(asyncio.Protocol):
    """Counts events, and keeps the last id."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id, self.events, self.at = last_id, 0, 0.0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        resume = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
        transport.write(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                self.last_id = line[4:].decode()
            elif line.startswith(b"event: stage-change"):
                self.events += 1
                self.at = time.perf_counter()


@asynccontextmanager
async def server(bootstrap: str) -> AsyncIterator[tuple[Process, int]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.web.many_readers", "--serve", bootstrap), stdout=PIPE
    )
    assert process.stdout is not None
    try:
        yield process, int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


async def connect(port: int, ids: list[str]) -> list[Connection]:
    loop = asyncio.get_running_loop()
    made = [loop.create_connection(lambda each=each: Connection(each), "127.0.0.1", port) for each in ids]
    return [(await each)[1] for each in made]


async def until(connections: list[Connection], events: int) -> None:
    while any(each.events < events for each in connections):
        await asyncio.sleep(0.005)


def memory(process: Process) -> str:
    [line] = [each for each in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "VmRSS" in each]
    return f"{int(line.split()[1]) / 1024:.1f} MB"


def cpu(process: Process) -> float:
    user, system = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


async def measure(bootstrap: str, readers: int) -> None:
    topic = Settings(bootstrap=bootstrap).topics.stage_changes
    await create_topics(bootstrap, topic, partitions=16)

    async def write(first: int, count: int) -> None:
        made = [change(f"c{each}", born=f"0-{each}") for each in range(first, first + count)]
        await produce(bootstrap, topic, map(outgoing, made))

    async with server(bootstrap) as (process, port):
        say("process without readers:", memory(process))
        connections = await connect(port, [""] * readers)
        while any(not each.last_id for each in connections):
            await asyncio.sleep(0.01)
        say(readers, "readers:", memory(process))
        spans, delays, before = [], [], cpu(process)
        for number in range(SINGLE):
            await write(number, 1)
            await until(connections, number + 1)
            arrived = sorted(each.at for each in connections)
            spans.append(arrived[-1] - arrived[0])
            delays += [each - arrived[0] for each in arrived]
        alone = (cpu(process) - before) / SINGLE
        say(
            f"one change, from the first reader to the others: median {statistics.median(delays) * 1000:.0f} ms,"
            f" to the last {statistics.median(spans) * 1000:.0f} ms, {alone * 1000:.0f} CPU ms; {memory(process)}"
        )
        before, begun = cpu(process), time.perf_counter()
        await write(SINGLE, BURST)
        await until(connections, SINGLE + BURST)
        took = max(each.at for each in connections) - begun
        say(f"{BURST} changes at once to all: {took:.1f} s, {cpu(process) - before:.1f} CPU s; {memory(process)}")
        for each in connections:
            each.transport.abort()
    await write(SINGLE + BURST, 100)
    async with server(bootstrap) as (process, port):
        begun = time.perf_counter()
        connections = await connect(port, [each.last_id for each in connections])
        await until(connections, 100)
        took = max(each.at for each in connections) - begun
        say(
            f"all back at once, with 100 changes missed each: {took:.1f} s, {cpu(process):.1f} CPU s; {memory(process)}"
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve", kafka]:
            asyncio.run(serve_for_ever(kafka))
        case rest:
            with KafkaBroker() as broker:
                asyncio.run(measure(broker.bootstrap, int(rest[0]) if rest else 1_000))
