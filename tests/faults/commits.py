"""What a read_committed subscriber of a run has read so far: no answer that is asked for later may be older."""

import asyncio
import contextlib
from collections import Counter, deque
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.state import positions
from stream.codec.state.keys import ANONYMOUS, CUSTOMER, customer_key
from stream.core.interaction import Kind
from stream.settings import Settings

_RECENT = 300
"""Customers that were written last."""


class Move(NamedTuple):
    """A stage change, as far as it says how old an answer is."""

    born: str
    sequence: int


class CommitWatch:
    """Reads the changelog and the stage changes from the beginning, all the while."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.transactions: Counter[int] = Counter()
        """Positions that were read, by partition."""
        self.moves: dict[bytes, dict[str, Move]] = {}
        """By changelog key of a customer and lifecycle: the latest stage change that was read."""
        self.recent: deque[bytes] = deque(maxlen=_RECENT)
        """Changelog keys of the customers that were written last."""

    async def run(self) -> None:
        """Read on, until cancelled; a broker that is away is waited for."""
        topics, count = self._settings.topics, self._settings.partitions
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        ) as consumer:
            consumer.assign(
                [TopicPartition(each, n) for each in (topics.customers, topics.stage_changes) for n in range(count)]
            )
            while True:
                with contextlib.suppress(KafkaError):
                    for partition, records in (await consumer.getmany(timeout_ms=100)).items():
                        for record in records:
                            self._read(record, partition.topic == topics.stage_changes)
                await asyncio.sleep(0)

    def _read(self, record: ConsumerRecord[bytes | None, bytes | None], is_change: bool) -> None:
        key = record.key or b""
        if is_change:
            change = orjson.loads(record.value or b"")
            kind: Kind = "customer" if "customer_id" in change else "anonymous"
            subject = customer_key(kind, change[f"{kind}_id"])
            self.moves.setdefault(subject, {})[change["lifecycle"]] = Move(change["born"], change["sequence"])
        elif key == positions.KEY:
            self.transactions[record.partition] += 1
        elif key[:1] in (CUSTOMER, ANONYMOUS):
            self.recent.append(key)
