"""How fast one process sends, beside a bare loop of its HTTP client: `python -m tests.webhooks.sender_speed [ROUNDS]`.

Both send the same bodies to a receiver in a process of its own, by turns, so that whatever else the machine does hits
both. The receiver is as cheap as one can be: what is measured is the sender.
"""

import asyncio
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable

import aiohttp

from stream.kafka.embedded.process import HOST
from stream.webhooks.exchange import Verdict
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.sender import Sender
from tests.webhooks.receiving import EVENT, endpoint, now, post

REQUESTS = 1_000
CONCURRENCY = 16
BODY = b'{"specversion":"1.0","id":"shop:customer:42:0-7:2","data":{"facts":"' + b"x" * 1_000 + b'"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Receiver(asyncio.Protocol):
    """Answers each request that is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        head = self.waiting.find(b"\r\n\r\n")
        if head >= 0 and len(self.waiting) >= head + 4 + len(BODY):
            self.waiting = self.waiting[head + 4 + len(BODY) :]
            self.transport.write(ANSWER)


async def receive() -> None:
    """The receiver's process; says its port."""
    server = await asyncio.get_running_loop().create_server(Receiver, HOST, 0)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def send(rounds: int) -> None:
    """Measure by turns, and say the medians."""
    command = (sys.executable, "-m", "tests.webhooks.sender_speed", "--receive")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    url = f"http://{HOST}:{int(await process.stdout.readline())}/hook"
    crm, requests = endpoint(concurrency=CONCURRENCY), [post(url, BODY)]
    try:
        async with Sender(AllowedHosts([HOST]), version="1") as sender, aiohttp.ClientSession() as session:

            async def bare() -> None:
                headers = {"Content-Type": "application/json"}
                async with session.post(url, data=BODY, headers=headers) as response:
                    await response.read()

            async def ours() -> None:
                result = await sender.attempt(crm, requests, EVENT, now)
                assert result.outcome.verdict is Verdict.DELIVERED, result

            found = [(await batch(bare), await batch(ours)) for _ in range(rounds)]
    finally:
        process.kill()
        await process.wait()
    for name, measured in zip(("bare aiohttp", "sender"), zip(*found, strict=True), strict=True):
        rate, cpu = (statistics.median(column) for column in zip(*measured, strict=True))
        say(f"{name:12}  {rate:6,.0f}/s  {cpu * 1e6:4.0f} us of CPU each")
    say(f"ratio of rates, median of rounds: {statistics.median(two[0] / one[0] for one, two in found):.2f}")


async def batch(one: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Requests a second, and seconds of CPU for each."""
    left = REQUESTS

    async def some() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await one()

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(some() for _ in range(CONCURRENCY)))
    return REQUESTS / (time.perf_counter() - began), (time.process_time() - cpu) / REQUESTS


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(receive() if "--receive" in sys.argv else send(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
