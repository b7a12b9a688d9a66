"""Read what was tried, and what was given up, from their topics, up to where these end when the reading begins."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from aiokafka import TopicPartition

from stream.codec.deliveries import GivenUpDelivery, decode_command, read_given_up
from stream.codec.partitioners import home_of
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import require_partitions
from stream.settings import Settings
from stream.webhooks.attempt_log import AttemptRecord, read_attempt

_ROLE = "no process of `lifecycle webhooks` ever ran there"


class Lost(NamedTuple):
    """A delivery that was given up, and where its customer's deliveries are."""

    partition: int
    delivery: GivenUpDelivery


class GivenUpFilter(NamedTuple):
    """Which of those that were given up are wanted; None: any."""

    endpoint: str | None = None
    subject: str | None = None
    """A customer id or an anonymous id."""
    since: int | None = None
    """Epoch milliseconds, of when it was given up; so is `until`, which is not included."""
    until: int | None = None

    def matches(self, given_up: GivenUpDelivery, key: bytes | None) -> bool:
        """Whether it is wanted; `key` is that of its record."""
        return (
            self.endpoint in (None, given_up.endpoint)
            and (self.subject is None or key == self.subject.encode())
            and (self.since is None or given_up.at >= self.since)
            and (self.until is None or given_up.at < self.until)
        )


async def attempts_of(settings: Settings, subject: str, since: int | None) -> AsyncIterator[AttemptRecord]:
    """The attempts for one customer id or anonymous id, the oldest first, from `since` on, epoch milliseconds.

    Raises TopicError where there is no topic, UnreadableError, and KafkaError.
    """
    topic = settings.webhook_topics.events
    counts = await require_partitions(settings, [topic], _ROLE)
    tp = TopicPartition(topic, home_of(settings.partitioner, subject.encode(), counts[topic]))
    key = subject.encode()
    async with LogReader(settings, tp) as log:
        begin, end = (await log.spans([tp], since))[tp]
        async for records in log.read(tp, begin, end):
            for record in records:
                if record.key == key and (attempt := read_attempt(record.value)) is not None:
                    yield attempt


async def given_up(settings: Settings, wanted: GivenUpFilter) -> AsyncIterator[Lost]:
    """Deliveries that were given up, partition by partition, the oldest first; raises as `attempts_of`."""
    topic = settings.webhook_topics.dead_letters
    counts = await require_partitions(settings, [topic], _ROLE)
    tps = [TopicPartition(topic, number) for number in range(counts[topic])]
    async with LogReader(settings, tps[0]) as log:
        for tp, (begin, end) in (await log.spans(tps, wanted.since)).items():
            async for records in log.read(tp, begin, end):
                for record in records:
                    found = read_given_up(record.value, record.headers)
                    if found is not None and wanted.matches(found, record.key):
                        yield Lost(tp.partition, found)


async def redelivered(settings: Settings) -> dict[tuple[str, str], int]:
    """When a delivery was last commanded again, epoch milliseconds, by endpoint and id of its change."""
    topic = settings.webhook_topics.commands
    assert topic is not None
    counts = await require_partitions(settings, [topic], _ROLE)
    found: dict[tuple[str, str], int] = {}
    tps = [TopicPartition(topic, number) for number in range(counts[topic])]
    async with LogReader(settings, tps[0]) as log:
        for tp, (begin, end) in (await log.spans(tps)).items():
            async for records in log.read(tp, begin, end):
                for record in records:
                    command = decode_command(record.value)
                    if command is not None and command.command == "redeliver":
                        found[command.endpoint, command.id] = command.at
    return found
