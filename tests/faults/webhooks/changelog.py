"""What the changelog of deliveries said when: what waited, and which endpoints were closed on which partition."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.deliveries import DELIVERY, ENDPOINT, decode_endpoint, split_delivery_key
from stream.codec.state import positions
from stream.settings import Settings

Place = tuple[str, str]
"""Endpoint, and id of a change."""


@dataclass
class Closed:
    """A partition knew that nothing is to be sent to an endpoint, by the times of records."""

    endpoint: str
    partition: int
    is_gone: bool
    """Disabled; else paused."""
    since: float
    until: float = inf


@dataclass
class Changelog:
    """Read so far; times are epoch milliseconds."""

    waited: dict[Place, float] = field(default_factory=dict)
    """By delivery, when it was first written as waiting."""
    waits: dict[Place, int] = field(default_factory=dict)
    """Those that wait now, with their partitions."""
    closed: list[Closed] = field(default_factory=list)
    read_up_to: dict[int, int] = field(default_factory=dict)
    """By partition, the position in the stage changes."""
    _open: dict[tuple[int, str], Closed] = field(default_factory=dict)

    def read(self, partition: int, record: ConsumerRecord[bytes | None, bytes | None], source: str) -> None:
        """The next record of a partition."""
        key, value = record.key or b"", record.value
        if key == positions.KEY and value is not None:
            self.read_up_to[partition] = positions.decode_position(value).offsets[source]
        elif key[:1] == DELIVERY:
            place = split_delivery_key(key)
            if value is None:
                self.waits.pop(place, None)
            else:
                self.waited.setdefault(place, record.timestamp)
                self.waits[place] = partition
        elif key[:1] == ENDPOINT and value is not None:
            self._see(partition, key[1:].decode(), value, record.timestamp)

    def _see(self, partition: int, endpoint: str, value: bytes, at: float) -> None:
        state, before = decode_endpoint(value), self._open.get((partition, endpoint))
        if not state.is_open and before is None:
            gone = state.disabled_at is not None
            self._open[partition, endpoint] = made = Closed(endpoint, partition, gone, at)
            self.closed.append(made)
        elif not state.is_open and before is not None:
            before.is_gone = before.is_gone or state.disabled_at is not None
        elif before is not None:
            self._open.pop((partition, endpoint)).until = at

    @property
    def closed_now(self) -> set[str]:
        """Endpoints that some partition holds closed."""
        return {endpoint for _, endpoint in self._open}


class ChangelogReader:
    """Reads on from the beginning, as often as asked."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer) -> None:
        self.found = Changelog()
        self._source = settings.webhook_topics.source
        self._consumer = consumer

    async def read(self) -> Changelog:
        """All that is committed by now, about."""
        with contextlib.suppress(KafkaError):
            while fetched := await self._consumer.getmany(timeout_ms=500):
                for partition, records in fetched.items():
                    for record in records:
                        self.found.read(partition.partition, record, self._source)
        return self.found


@asynccontextmanager
async def changelog_of(settings: Settings) -> AsyncIterator[ChangelogReader]:
    """A reader of the changelog of deliveries."""
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        consumer.assign([TopicPartition(settings.webhook_topics.state, each) for each in range(settings.partitions)])
        yield ChangelogReader(settings, consumer)
