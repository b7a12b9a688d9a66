"""The 61 bytes before the records of a batch in Kafka's record format 2, as a producer sends them.

`batch_headers.py` reads them back.
"""

import struct
from typing import Any, Final, NamedTuple

from aiokafka.record.util import calc_crc32c

HEADER_BYTES: Final = 61
_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_CHECKSUM: Final = struct.Struct(">I")
_CHECKSUM_AT: Final = 17
_CHECKED_FROM: Final = 21
"""The checksum covers the attributes and all that is behind them."""
_COUNTED_FROM: Final = 12
"""The length counts what is behind it."""
_NO_LEADER_EPOCH: Final = -1
_MAGIC: Final = 2
_TRANSACTIONAL: Final = 0x10


class Writer(NamedTuple):
    """Who writes a batch: the id of a producer, and which of those that had it."""

    producer_id: int
    epoch: int


NOBODY: Final = Writer(-1, -1)
"""A producer that is not idempotent."""


def batch_of(
    records: bytes, count: int, writer: Writer, sequence: int, timestamp: int, *, transactional: bool = True
) -> bytearray:
    """A batch of `count` records, which are those bytes: each with its offset delta, and a timestamp delta of 0.

    `timestamp` is that of all of them, epoch ms, and `sequence` the number of the first among all that `writer` wrote
    to the partition; -1 where it is not idempotent. Not compressed.
    """
    batch = bytearray(HEADER_BYTES)
    batch += records
    _HEADER.pack_into(
        batch,
        0,
        0,
        len(batch) - _COUNTED_FROM,
        _NO_LEADER_EPOCH,
        _MAGIC,
        0,
        _TRANSACTIONAL if transactional else 0,
        count - 1,
        timestamp,
        timestamp,
        writer.producer_id,
        writer.epoch,
        sequence,
        count,
    )
    checked: Any = memoryview(batch)[_CHECKED_FROM:]  # of which no copy is made
    _CHECKSUM.pack_into(batch, _CHECKSUM_AT, calc_crc32c(checked))
    return batch
