"""An engine in the test's own process: a plain consumer in Faust's place, everything else as in a worker."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.engine.batch_tracing import BatchTracing
from stream.engine.companion import Companion
from stream.engine.partition_context import MakeMachine, partition_context
from stream.engine.role import worker_role
from stream.engine.supervisor import Supervisor
from stream.kafka.partition_reader import Fetched, PartitionReader
from stream.kafka.topic_monitor import TopicMonitor
from stream.kafka.topics import ensure_topics
from stream.kafka.transactions import resolve_delivery
from stream.machine.batch import Batch
from stream.settings import Settings


class Recorder:
    """An observer that can be awaited."""

    def __init__(self) -> None:
        self.inputs = 0
        self.batches = 0
        self.fetches = 0
        self.recovered_partitions: list[int] = []
        self.failures: list[str] = []
        self.gathered_from: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        self.inputs += batch.inputs
        self.batches += 1
        self._changed.set()

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        self.recovered_partitions.append(partition)
        self._changed.set()

    def gathered(self, topic: str, interactions: int) -> None:
        self.gathered_from[topic] += interactions
        self._changed.set()

    def failed(self, partition: int, kind: str) -> None:
        self.failures.append(kind)
        self._changed.set()

    def fetched(self) -> None:
        self.fetches += 1
        self._changed.set()

    async def until(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until `holds()`, looked at after each event."""
        async with asyncio.timeout(seconds):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


class PlainSource:
    """The interactions topic through a consumer that has all of its partitions."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, recorder: Recorder, max_records: int) -> None:
        self._consumer, self._topic = consumer, topic
        self._recorder, self._max_records = recorder, max_records
        self._readers: dict[int, PartitionReader] = {}

    async def fetch(self, partition: int, position: int, wait: float) -> Fetched | None:
        fetched = await self._reader(partition).fetch(position, max_records=self._max_records, wait=wait)
        self._recorder.fetched()
        return fetched

    async def first_offset(self, partition: int) -> int:
        return await self._reader(partition).first_offset()

    def _reader(self, partition: int) -> PartitionReader:
        if partition not in self._readers:
            self._readers[partition] = PartitionReader(self._consumer, TopicPartition(self._topic, partition))
        return self._readers[partition]


class Rig:
    """Runs an engine over every partition, between `async with` and its end."""

    def __init__(
        self,
        settings: Settings,
        make_machine: MakeMachine,
        *,
        fenced_wait: float = 60.0,
        companion: Companion | None = None,
        figures: bool = False,
        tracing: BatchTracing | None = None,
    ) -> None:
        """`figures`: rows of figures are written, too."""
        self.settings, self._figures = settings, figures
        self.recorder = Recorder()
        self._make_machine, self._fenced_wait = make_machine, fenced_wait
        self._companion, self._tracing = companion, tracing
        self.supervisor = Supervisor()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        settings, topics = self.settings, self.settings.topics
        await ensure_topics(settings, figures=self._figures)
        exactly_once = await resolve_delivery(settings, as_worker=True) == "exactly_once"
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        )
        consumer.assign([TopicPartition(topics.interactions, number) for number in range(settings.partitions)])
        self._stack.push_async_callback(consumer.stop)
        await consumer.start()
        self._stack.push_async_callback(self.supervisor.stop)
        topic_monitor = TopicMonitor(settings, self.supervisor.contact)
        looking = asyncio.create_task(topic_monitor.run())
        self._stack.callback(looking.cancel)

        async def commit_offset(_: TopicPartition, offset: int) -> None:
            pass

        context = partition_context(
            worker_role(settings, figures=self._figures),
            self._make_machine,
            self.recorder,
            exactly_once=exactly_once,
            source=PlainSource(consumer, topics.interactions, self.recorder, settings.max_records),
            topic_monitor=topic_monitor,
            commit_offset=commit_offset,
            fenced_wait=self._fenced_wait,
            companion=self._companion,
            tracing=self._tracing,
        )
        self.supervisor.connect("exactly_once" if exactly_once else "at_least_once", context)
        self.supervisor.assign(range(settings.partitions))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
