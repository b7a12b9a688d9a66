"""A bare loop of the HTTP client that webhooks are sent with, in a process of its own:

    python -m tests.bench.webhook_bare '{"url": "http://127.0.0.1:8080/", "bodies": "bodies.bin", "concurrency": 16}'

It sends each body of a file of `http_load.write_requests` once, and prints one JSON object.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp

from tests.bench import children
from tests.bench.builds import ROOT
from tests.bench.http_load import read_requests

_WARM_UP = 500
_HEADERS = {"Content-Type": "application/cloudevents+json"}


class Sent(NamedTuple):
    """What came of a loop."""

    requests: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Requests a second of its processor time."""
        return self.requests / self.cpu_seconds


async def bare(url: str, bodies: Path, concurrency: int) -> Sent:
    """Run the loop. Raises RuntimeError where it fails."""
    asked = json.dumps({"url": url, "bodies": str(bodies), "concurrency": concurrency})
    ended = await children.run((sys.executable, "-m", "tests.bench.webhook_bare", asked), ROOT)
    if ended.code:
        raise RuntimeError(f"the bare loop failed: {ended.why}")
    return Sent(**json.loads(ended.output))


async def _send(url: str, bodies: str, concurrency: int) -> Sent:
    read = read_requests(bodies)
    async with aiohttp.ClientSession() as session:
        await _all(session, url, iter(read[:_WARM_UP]), concurrency)
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        await _all(session, url, iter(read), concurrency)
        return Sent(len(read), time.perf_counter() - began, time.process_time() - cpu)


async def _all(session: aiohttp.ClientSession, url: str, bodies: Iterator[bytes], concurrency: int) -> None:
    async def some() -> None:
        for body in bodies:
            async with session.post(url, data=body, headers=_HEADERS) as response:
                await response.read()

    await asyncio.gather(*(some() for _ in range(concurrency)))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_send(**json.loads(sys.argv[1])))._asdict()))
