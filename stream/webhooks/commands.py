"""Commands to deliveries: written to every partition, or to that of a customer, and read beside the stage changes."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.deliveries import DeliveryCommand, encode_command
from stream.codec.records import Outgoing
from stream.engine.companion import Inbox
from stream.errors import PositionError, UnreadableError
from stream.events import Event, report
from stream.kafka.batch_sender import Part, send_batches
from stream.kafka.log_reader import log_consumer
from stream.kafka.partition_reader import PartitionReader, let_stop
from stream.kafka.producer_start import started_producer
from stream.kafka.refusals import describe_error
from stream.kafka.topics import count_partitions
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Commanded

log = logging.getLogger(__name__)

_WAIT: Final = 5.0
_AT_ONCE: Final = 200
_AGAIN: Final = 1.0


class _Reading(NamedTuple):
    machine: DeliveryMachine
    inbox: Inbox
    task: "asyncio.Task[None]"


class CommandReader:
    """Reads the commands of each partition that is ours, from where its state has read them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        topic = settings.webhook_topics.commands
        assert topic is not None
        self._topic = topic
        self._reading: dict[int, _Reading] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._starting = asyncio.Lock()

    def follow(self, machines: Mapping[int, tuple[DeliveryMachine, Inbox]]) -> None:
        """The partitions that are ours now, with the states that are committed."""
        for number in [each for each in self._reading if each not in machines]:
            self._reading.pop(number).task.cancel()
        for number, (machine, inbox) in machines.items():
            known = self._reading.get(number)
            if known is None or known.machine is not machine:
                if known is not None:
                    known.task.cancel()
                task = asyncio.create_task(self._read(number, machine, inbox))
                self._reading[number] = _Reading(machine, inbox, task)

    async def close(self) -> None:
        """End."""
        self.follow({})
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await let_stop(consumer.stop(), consumer)

    async def _read(self, number: int, machine: DeliveryMachine, inbox: Inbox) -> None:
        position, anew = machine.next_command, False
        while True:
            try:
                consumer = await self._started()
                reader = PartitionReader(consumer, TopicPartition(self._topic, number))
                while True:
                    fetched = await reader.fetch(position, max_records=_AT_ONCE, wait=_WAIT)
                    if fetched is None:
                        await asyncio.sleep(_AGAIN)
                    elif fetched.records or fetched.next_offset != position:
                        position = fetched.next_offset
                        inbox.put(Commanded(tuple(fetched.records), position, anew))
                        anew = False
            except PositionError:  # old ones were deleted: they were meant for then; or all, with the topic
                first = await self._first(number)
                if first is not None:
                    position, anew = first, first < position
            except (KafkaError, OSError, TimeoutError, UnreadableError) as error:
                report(
                    log.debug,
                    Event.COMMANDS_UNREAD,
                    "commands of partition {partition} cannot be read now: {reason}",
                    partition=number,
                    reason=describe_error(error),
                )
            await asyncio.sleep(_AGAIN)

    async def _first(self, number: int) -> int | None:
        tp = TopicPartition(self._topic, number)
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            return int((await (await self._started()).beginning_offsets([tp]))[tp])
        return None

    async def _started(self) -> AIOKafkaConsumer:
        """One consumer for all partitions, which has all of them: there is little to read."""
        async with self._starting:
            if self._consumer is None:
                consumer = log_consumer(self._settings)
                try:
                    await consumer.start()
                    counts = await count_partitions(self._settings, self._topic)
                    consumer.assign([TopicPartition(self._topic, each) for each in range(counts[self._topic])])
                except BaseException:
                    await let_stop(consumer.stop(), consumer)
                    raise
                self._consumer = consumer
            return self._consumer


class CommandWriter:
    """Writes commands; between `async with` and its end."""

    def __init__(self, settings: Settings) -> None:
        topic = settings.webhook_topics.commands
        assert topic is not None
        self._settings, self._topic = settings, topic

    async def __aenter__(self) -> Self:
        self._producer = await started_producer(self._settings, BATCH_BYTES)
        self.partitions = len(await self._producer.partitions_for(self._topic))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def to_all(self, command: DeliveryCommand) -> None:
        """To every partition; returns once Kafka has it."""
        record = [Outgoing(None, encode_command(command))]
        await send_batches(self._producer, [Part(self._topic, number, record) for number in range(self.partitions)])

    async def to_one(self, partition: int, commands: Iterable[DeliveryCommand]) -> None:
        """To one partition, in this order; returns once Kafka has them."""
        records = [Outgoing(None, encode_command(each)) for each in commands]
        await send_batches(self._producer, [Part(self._topic, partition, records)])
