"""A batch of records as a broker keeps it, in version 2 of Kafka's format: what its 61 bytes before the records say.

What must not be believed is checked: lengths against the bytes that are there, offsets against what an offset can be.
"""

from typing import Final, final

from librt.strings import read_i16_be, read_i32_be, read_i64_be
from mypy_extensions import i64, mypyc_attr

MAGIC: Final = 2
"""The format's version, where older batches have theirs, too."""
_MAGIC_AT: Final = 16
_BEFORE_LENGTH_COUNTS: Final = 12
_SHORTEST: Final = 26
"""Bytes of the smallest batch of any format."""
_HEADER: Final = 61
_LARGEST_OFFSET: Final = 1 << 62
_CODEC, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20


class MalformedError(ValueError):
    """Bytes that should be a batch of records are none."""


@final
@mypyc_attr(acyclic=True)
class RecordBatch:
    """What a batch says of itself."""

    def __init__(self, data: bytes, at: i64, end: i64) -> None:
        """The batch lies between these two places of data. Raises MalformedError."""
        if end - at < _HEADER or end > len(data) or at < 0:
            raise MalformedError("a batch is shorter than its header")
        self.first_offset: i64 = read_i64_be(data, at)
        self.checksum: i64 = i64(read_i32_be(data, at + 17)) & 0xFFFFFFFF
        attributes = i64(read_i16_be(data, at + 21))
        self.codec: i64 = attributes & _CODEC
        """How its records are compressed; 0: they are not."""
        self.timestamp_type: i64 = 1 if attributes & _LOG_APPEND_TIME else 0
        self.is_transactional: bool = attributes & _TRANSACTIONAL != 0
        self.is_control: bool = attributes & _CONTROL != 0
        self.next_offset: i64 = self.first_offset + i64(read_i32_be(data, at + 23)) + 1
        """The offset behind its last record, also where compaction took that away."""
        self.time: i64 = read_i64_be(data, at + 35 if self.timestamp_type else at + 27)
        """What the times of its records count from; with the broker's time, the time of all of them."""
        self.producer: i64 = read_i64_be(data, at + 43)
        self.count: i64 = i64(read_i32_be(data, at + 57))
        """How many records it has."""
        self.end: i64 = end
        self.checked_from: i64 = at + 21
        """Where the bytes begin that the checksum is of."""
        self.records_from: i64 = at + _HEADER
        if self.count < 0 or not 0 <= self.first_offset < _LARGEST_OFFSET:
            raise MalformedError("a batch has an impossible offset or number of records")


def end_of_batch(data: bytes, at: i64) -> i64:
    """Where the batch of whichever format ends that begins at a place; -1 where it is not there as a whole.

    Raises MalformedError where it is too short to be one.
    """
    if len(data) - at < _BEFORE_LENGTH_COUNTS:
        return -1
    length = i64(read_i32_be(data, at + 8))
    if length > len(data) - at - _BEFORE_LENGTH_COUNTS:
        return -1
    if length < _SHORTEST - _BEFORE_LENGTH_COUNTS:
        raise MalformedError("a batch is too short")
    return at + _BEFORE_LENGTH_COUNTS + length


def is_old(data: bytes, at: i64) -> bool:
    """Whether a whole batch is of a version before this format."""
    magic: i64 = data[at + _MAGIC_AT]
    return magic < MAGIC
