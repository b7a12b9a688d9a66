"""Throughput of ours: the interactions that everyone reads, and one worker that takes them all, checked."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.bench.builds import THIS, Build
from tests.bench.worker import BenchWorker
from tests.bench.workload import Record, produce, workload
from tests.kit.kafka import KafkaBroker

PARTITIONS = 4
CUSTOMERS = 100_000
SETTINGS = {"CLOCK": "stream", "DELIVERY": "exactly_once", "LOG_LEVEL": "warning"}
"""Times are of the past, so deadlines fire by the stream's own."""

_LIFECYCLES = Path(__file__).parent / "lifecycles"
RUNS = {
    "trivial": ("ours, the peers' job", str(_LIFECYCLES / "trivial.yaml")),
    "metrics": ("ours, preset metrics", "metrics"),
    "dense": ("ours, dense lifecycle", str(_LIFECYCLES / "dense.yaml")),
}
"""Each run: how tables call it, and its lifecycle."""
_SETTLE_SECONDS = 10.0


class WrongResult(RuntimeError):
    """A run did not do what it was measured for."""


class Measured(NamedTuple):
    """One run."""

    interactions: int
    """How many were taken while it was watched: the first batches were before."""
    seconds: float
    cpu_seconds: float
    changes: int
    """Stage changes of all interactions."""


@dataclass(frozen=True)
class Source:
    """A topic full of interactions, and the same in a file."""

    bootstrap: str
    keys: str
    """`uniform` or `zipf`."""
    interactions: int
    folder: Path
    """For whatever a run leaves behind."""
    customers: set[bytes] = field(default_factory=set)
    """The keys of all who are in it."""
    runs: Mapping[str, tuple[str, str]] = field(default_factory=lambda: RUNS)
    """Each run: how tables call it, and its lifecycle."""
    population: int = CUSTOMERS
    """How many customers there may be: some of them may do nothing."""

    @property
    def topic(self) -> str:
        """Its name begins with the topic prefix of every run: each of these is a little longer than the last."""
        return f"{self.prefix(list(self.runs)[-1])}interactions"

    @property
    def file(self) -> Path:
        """JSON lines."""
        return self.folder / f"{self.keys}.jsonl"

    def prefix(self, run: str) -> str:
        """The topic prefix of a run: uniform-, uniform-trivial-, uniform-trivial-metrics-."""
        before = itertools.takewhile(lambda name: name != run, self.runs)
        return "".join(f"{name}-" for name in (self.keys, *before))

    def settings(self, run: str) -> Settings:
        """The topics of a run: the one source, and all others its own."""
        prefix = self.prefix(run)
        return Settings(
            bootstrap=self.bootstrap,
            topic_prefix=prefix,
            interactions=self.topic.removeprefix(prefix),
            partitions=PARTITIONS,
        )

    async def fill(self) -> None:
        """Write the interactions to the topic, which the product creates, and to the file."""
        await ensure_topics(self.settings(next(iter(self.runs))))
        records = workload(self.interactions, self.population, skewed=self.keys == "zipf")
        with self.file.open("wb") as file:
            await produce(self.bootstrap, self.topic, PARTITIONS, self._noted(records, file))

    def _noted(self, records: Iterator[Record], file: BinaryIO) -> Iterator[Record]:
        for record in records:
            file.write(record.value + b"\n")
            self.customers.add(record.key)
            yield record


@asynccontextmanager
async def kafka() -> AsyncIterator[str]:
    """Apache Kafka until the block ends, however it ends; hands out host:port."""
    broker = KafkaBroker(for_speed=True)
    starting = asyncio.ensure_future(asyncio.to_thread(broker.__enter__))
    try:
        await asyncio.shield(starting)
        yield broker.bootstrap
    finally:
        await asyncio.wait([starting])
        if starting.exception() is None:
            broker.__exit__()


async def take_all(
    source: Source, run: str, say: Callable[[str], None], *, changes: int | None = None, build: Build = THIS
) -> Measured:
    """Start a worker of a build and watch it take all there is.

    Raises WrongResult unless every interaction was applied and every customer is there, without a dead letter;
    and, where `changes` is given, so many stage changes are on their topic.
    """
    settings = source.settings(run)
    await ensure_topics(settings, figures=True)
    log = source.folder / f"{settings.topic_prefix}{run}.log"
    async with BenchWorker(source.bootstrap, settings.topic_prefix, log, named(source, run), build) as worker:
        await worker.until_taken(1)
        first, began, cpu = await worker.taken(), time.perf_counter(), worker.cpu_seconds
        told = began
        while (taken := await worker.taken()) < source.interactions:
            if time.perf_counter() - told > 5:
                told = time.perf_counter()
                say(f"    {taken:,} of {source.interactions:,}")
            await asyncio.sleep(0.02)
        seconds, cpu = time.perf_counter() - began, worker.cpu_seconds - cpu
        found = await counts(worker, source.interactions)
    published = found.pop("changes")
    wanted = {"applied": source.interactions, "customers": len(source.customers), "dead_letters": 0}
    if changes is not None:
        wanted["changes"] = changes
        found["changes"] = await committed_records(source.bootstrap, settings.topics.stage_changes)
    if found != wanted or not published:
        raise WrongResult(f"{source.runs[run][0]}, {source.keys} keys: {found} was measured and should be {wanted}")
    return Measured(source.interactions - first, seconds, cpu, published)


def named(source: Source, run: str) -> dict[str, str]:
    """The settings of a run's worker, by name."""
    return {**SETTINGS, "INTERACTIONS": source.settings(run).interactions, "LIFECYCLES": source.runs[run][1]}


async def counts(worker: BenchWorker, interactions: int) -> dict[str, int]:
    """What the worker counted, once it counted so many interactions; after a while, whatever it has."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while True:
        found = {"applied": 0, "customers": 0, "dead_letters": 0, "changes": 0}
        for family in text_string_to_metric_families(await worker.metrics()):
            for name, labels, value, *_ in family.samples:
                if name == "lifecycle_interactions_total" and labels["result"] == "applied":
                    found["applied"] += int(value)
                elif counted := _SUMMED.get(name):
                    found[counted] += int(value)
        if found["applied"] >= interactions or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.1)


_SUMMED = {
    "lifecycle_customers": "customers",
    "lifecycle_dead_letters_total": "dead_letters",
    "lifecycle_stage_changes_published_total": "changes",
}


async def end_offsets(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Where the partitions of a topic end now."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends


async def committed_records(bootstrap: str, topic: str) -> int:
    """How many committed records a topic has, by reading it to the end."""
    ends, count = await end_offsets(bootstrap, topic), 0
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 << 20,
    ) as consumer:
        unread = {partition for partition, end in ends.items() if end}
        consumer.assign(list(ends))
        await consumer.seek_to_beginning()
        while unread:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                count += len(records)
            unread = {partition for partition in unread if await consumer.position(partition) < ends[partition]}
    return count
