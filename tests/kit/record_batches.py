"""Batches of records as a broker keeps them, made by aiokafka and then changed where only a broker writes."""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from stream.codec.records import Headers

LOG_APPEND_TIME, TRANSACTIONAL, CONTROL = 0x08, 0x10, 0x20
ABORT, COMMIT = 0, 1


class Given(NamedTuple):
    """A record to be written; its offset counts from its batch's first."""

    offset: int
    timestamp: int = 1_000
    key: bytes | None = None
    value: bytes | None = b"x"
    headers: Headers = ()


def batch(
    records: Sequence[Given],
    *,
    first: int = 0,
    codec: int = 0,
    attributes: int = 0,
    producer: int = -1,
    last: int | None = None,
    broker_time: int | None = None,
) -> bytes:
    """One batch. `last` is its last offset, counted from the first, where compaction took that record away."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=codec, is_transactional=0, producer_id=producer, producer_epoch=0, base_sequence=-1,
        batch_size=1 << 30,
    )  # fmt: skip
    for record in records:
        headers: Any = list(record.headers)
        builder.append(record.offset, timestamp=record.timestamp, key=record.key, value=record.value, headers=headers)
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, first)
    data[22] |= attributes
    if last is not None:
        struct.pack_into(">i", data, 23, last)
    if broker_time is not None:
        data[22] |= LOG_APPEND_TIME
        struct.pack_into(">q", data, 35, broker_time)
    return sealed(data)


def marker(first: int, producer: int, kind: int) -> bytes:
    """The batch that ends a producer's transaction."""
    record = Given(0, key=struct.pack(">HH", 0, kind), value=bytes(6))
    return batch([record], first=first, attributes=TRANSACTIONAL | CONTROL, producer=producer)


def sealed(data: bytes | bytearray) -> bytes:
    """The batch with the checksum of what it holds."""
    whole = bytearray(data)
    struct.pack_into(">I", whole, 17, calc_crc32c(bytes(whole[21:])))
    return bytes(whole)
