"""Batches that nobody can read, as a disk or a client may leave them: in the log of a broker, running or not.

A broker does not look into batches when it hands them out, and what it has in memory is the file itself.
"""

import struct
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from aiokafka.record.util import calc_crc32c

from tests.kit.kafka import KafkaBroker, SharedKafka

_PREFIX = struct.Struct(">qi")
_CONTROL = 0x20
_LENGTH = 8
_MAGIC, _CRC, _ATTRIBUTES, _LAST_OFFSET_DELTA = 16, 17, 21, 23


class Damage(StrEnum):
    """What is wrong with a batch."""

    BIT = "a flipped bit"
    CODEC = "an unknown codec"
    LENGTH = "a length that cannot be"
    """For which the broker itself does not find what follows, up to the next place that its index knows."""


def damage(kafka: KafkaBroker | SharedKafka, topic: str, partition: int, offset: int, how: Damage) -> tuple[int, int]:
    """Spoil the batch that holds `offset`; returns its first offset and the one behind its last.

    Raises LookupError where there is no such batch.
    """
    for batch in _batches(kafka, topic, partition):
        if batch.first <= offset < batch.after:
            data = bytearray(batch.data)
            _spoil(data, how)
            with batch.segment.open("r+b") as file:
                file.seek(batch.start)
                file.write(data)
            return batch.first, batch.after
    raise LookupError(f"{topic}-{partition} has no batch with offset {offset}")


def codecs(kafka: KafkaBroker | SharedKafka, topic: str, partition: int) -> set[int]:
    """The numbers of the codecs with which batches of a partition are stored; transaction markers are left out."""
    return {
        batch.data[_ATTRIBUTES + 1] & 7
        for batch in _batches(kafka, topic, partition)
        if not batch.data[_ATTRIBUTES + 1] & _CONTROL
    }


class _Batch(NamedTuple):
    segment: Path
    start: int
    first: int
    after: int
    data: bytes


def _batches(kafka: KafkaBroker | SharedKafka, topic: str, partition: int) -> Iterator[_Batch]:
    for segment in sorted((Path(kafka.settings["log.dirs"]) / f"{topic}-{partition}").glob("*.log")):
        data = segment.read_bytes()
        start = 0
        while start + _PREFIX.size <= len(data):
            first, length = _PREFIX.unpack_from(data, start)
            end = start + _PREFIX.size + length
            if data[start + _MAGIC] != 2:  # the file goes on with zeros
                break
            after = first + struct.unpack_from(">i", data, start + _LAST_OFFSET_DELTA)[0] + 1
            yield _Batch(segment, start, first, after, data[start:end])
            start = end


def _spoil(batch: bytearray, how: Damage) -> None:
    if how is Damage.BIT:
        batch[-1] ^= 1
        return
    if how is Damage.LENGTH:
        struct.pack_into(">i", batch, _LENGTH, 5)
        return
    batch[_ATTRIBUTES + 1] = batch[_ATTRIBUTES + 1] & ~7 | 5
    struct.pack_into(">I", batch, _CRC, calc_crc32c(bytes(batch[_ATTRIBUTES:])))
