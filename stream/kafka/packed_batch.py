"""Records that are packed already, sent by aiokafka's producer.

This module takes the part of aiokafka 0.14's BatchBuilder; `tests/kafka/test_aiokafka_contract.py` names what it needs.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer

from stream.codec.packed_records import PackedRecords, Part
from stream.kafka.batch_header import HEADER_BYTES, NOBODY, Writer, batch_of
from stream.kafka.batch_sender import observe


class Packed(NamedTuple):
    """Records for one partition."""

    topic: str
    partition: int
    records: PackedRecords


class PackedBatch:
    """One batch, as aiokafka's accumulator takes it."""

    def __init__(self, part: Part, *, transactional: bool) -> None:
        self._part = part
        self._transactional = transactional
        self._writer, self._sequence = NOBODY, -1
        self._built: bytearray | None = None

    def close(self) -> None:
        """It was never open."""

    def closed(self) -> bool:
        """Nothing more can be added."""
        return True

    def size(self) -> int:
        """Bytes."""
        return HEADER_BYTES + len(self._part.records)

    def record_count(self) -> int:
        """Records."""
        return int(self._part.count)

    def _set_producer_state(self, producer: int, epoch: int, sequence: int) -> None:
        self._writer, self._sequence = Writer(producer, epoch), sequence

    def _build(self) -> bytearray:
        if self._built is None:
            part, now = self._part, time.time_ns() // 1_000_000
            self._built = batch_of(
                part.records, part.count, self._writer, self._sequence, now, transactional=self._transactional
            )
        return self._built


async def send_packed(producer: AIOKafkaProducer, packed: Iterable[Packed]) -> None:
    """Send, and wait until all of it is acknowledged. Raises KafkaError where a batch of it fails."""
    private: Any = producer
    manager = private._txn_manager
    transactional = manager is not None and manager.transactional_id is not None
    sent: list[asyncio.Future[Any]] = []
    for topic, partition, records in packed:
        for part in records.parts:
            batch = PackedBatch(part, transactional=transactional)
            future: asyncio.Future[Any] = await producer.send_batch(batch, topic, partition=partition)
            future.add_done_callback(observe)
            sent.append(future)
    await asyncio.gather(*sent)  # aiokafka commits a transaction even when a batch failed: look first
