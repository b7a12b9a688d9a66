"""What latency and takeover share: a paced flow of interactions, and a subscriber that hears what came of them.

Both run in the process of the benchmark, apart from the worker's. Times are those of time.perf_counter(), seconds.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.kafka.partitioner import partition_of
from tests.bench.peer_runs import PLAIN_PYTHON, PROGRAMS
from tests.bench.workload import Record
from tests.kit.kafka import KafkaBroker

PARTITIONS = 4
TRIVIAL = str(Path(__file__).parent / "lifecycles" / "trivial.yaml")
PUBLISH_ALL = {"LIFECYCLES": TRIVIAL, "CLOCK": "wall", "LIVE_FROM": "2000-01-01T00:00:00Z", "PARTITIONS": "4"}
"""Settings of a worker that publishes every change of the trivial lifecycle."""
_TICK = 0.005
"""Seconds between two sends where the rate is high."""
_FETCH_WAIT_MS = 100
_POLL_MS = 200

Heard = Callable[[int, bytes, float], None]
"""Called with partition, customer id and time of arrival of each change."""


def probe(name: str) -> Record:
    """The first interaction of a new customer: 40 points, which take ours and every peer from cold to warm."""
    now = time.time_ns() // 1_000_000
    value = f'{{"id":"e-{name}","type":"purchase","customer_id":"{name}","time":{now},"properties":{{"total":19.90}}}}'
    return Record(name.encode(), value.encode())


@asynccontextmanager
async def running_kafka(settings: Mapping[str, str] | None = None) -> AsyncIterator[KafkaBroker]:
    """A broker that runs while the context lasts, started and ended without holding up the event loop."""
    kafka = KafkaBroker(settings, for_speed=True)
    entering = asyncio.ensure_future(asyncio.to_thread(kafka.__enter__))
    try:
        await asyncio.shield(entering)
        yield kafka
    finally:
        await asyncio.wait([entering])  # a start that was broken off ends first
        if entering.exception() is None:
            await asyncio.to_thread(kafka.__exit__, None, None, None)


@asynccontextmanager
async def program(command: Sequence[str], environment: Mapping[str, str], log: Path) -> AsyncIterator[Process]:
    """A program that runs while the context lasts, with all that it started; killed at its end.

    It runs among the peers' programs; `environment` adds to this process's own.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=PROGRAMS,
            env={**os.environ, **PLAIN_PYTHON, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@asynccontextmanager
async def subscriber(bootstrap: str, topic: str, heard: Heard) -> AsyncIterator[None]:
    """Read a topic from its end, committed records only, while the context lasts."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
    )

    async def listen() -> None:
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                now = time.perf_counter()
                for record in records:
                    heard(partition.partition, record.key or b"", now)

    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_end()
        for partition in partitions:
            await consumer.position(partition)
        listening = asyncio.create_task(listen())
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.wait([listening])
    finally:
        await consumer.stop()
    if not listening.cancelled():
        listening.result()


class Sent(NamedTuple):
    """How a flow went."""

    events: int
    seconds: float

    @property
    def rate(self) -> float:
        """Events a second, as they were really sent."""
        return self.events / self.seconds


class Flow:
    """Sends interactions at a rate, keys spread over all partitions; between `async with` and its end.

    `sent` is called with the customer id of each probe and the time just before it is sent.
    """

    def __init__(self, bootstrap: str, topic: str, name: str, sent: Callable[[bytes, float], None]) -> None:
        self._topic, self._name, self._sent = topic, name, sent
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", linger_ms=0, max_batch_size=512 << 10
        )
        self._chance = random.Random(1)
        self._probes = 0

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._producer.partitions_for(self._topic)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def run(
        self, rate: float, seconds: float, *, background: Iterator[Record] | None = None, probes: float | None = None
    ) -> Sent:
        """Send at `rate` events a second: all of them probes, or `probes` a second and the rest of `background`.

        The distances of low rates vary evenly by a half, so that no period of a system's own hides or doubles them.
        A flow that falls behind makes up for it at once.
        """
        began = due = time.perf_counter()
        share = 1.0 if background is None or probes is None else probes / rate
        events = 0
        while (now := time.perf_counter()) - began < seconds:
            if now < due:
                await asyncio.sleep(due - now)
                continue
            if rate * _TICK < 1:
                due += self._chance.uniform(0.5, 1.5) / rate
                count = 1
            else:
                due += _TICK
                count = int(rate * (due - began)) - events
            await self._send(background, count, share)
            events += count
        return Sent(events, time.perf_counter() - began)

    async def _send(self, background: Iterator[Record] | None, count: int, share: float) -> None:
        names: list[bytes] = []
        batches: dict[int, BatchBuilder] = {}
        for _ in range(count):
            if background is not None and self._chance.random() >= share:
                key, value = next(background)
            else:
                self._probes += 1
                key, value = probe(f"{self._name}-{self._probes:07d}")
                names.append(key)
            partition = partition_of(key, PARTITIONS)
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = self._producer.create_batch()
            if batch.append(timestamp=None, key=key, value=value, headers=[]) is None:
                raise RuntimeError(f"{count} interactions do not fit in one batch for each partition")
        now = time.perf_counter()
        for name in names:
            self._sent(name, now)
        for partition, batch in batches.items():
            await self._producer.send_batch(batch, self._topic, partition=partition)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest of `ordered` that at least `share` of them do not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def resident_bytes(pid: int) -> int:
    """Resident memory of a process now."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
