"""A batch of records that cannot be read: which offsets it has, its bytes, and why.

Kafka's clients write batches, and brokers keep and hand them out as they are: compressed by whatever the client chose,
and with a checksum of the client's. A batch whose codec is not known here, or of which a bit has changed since, fails
as a whole, and would do so at each new attempt.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError

from stream.core.interaction import MAX_TIME
from stream.errors import UnreadableError

CODECS: Final = ("gzip", "snappy", "lz4", "zstd")
"""In the order of their numbers, from 1 on."""
INSTALL: Final = "pip install 'cramjam>=2.8,<3'"
"""What brings every codec that Python itself does not have."""

_PREFIX = struct.Struct(">qi")
"""Base offset, and the length of what follows."""
_HEADER = struct.Struct(">qiibIhiqq")
"""Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, first and largest timestamp."""
_CODEC_MASK = 0x07
_MAGIC = 2
"""Of the format since Kafka 0.11; older ones have another header."""


class BatchSpan(NamedTuple):
    """A batch within a block of batches."""

    first: int
    """Its first offset."""
    after: int
    """The offset behind its last one."""
    data: bytes


def unreadable(tp: TopicPartition, offset: int, block: bytes, cause: Exception) -> UnreadableError:
    """The error for what begins at `offset`, in a block that a broker handed out; `cause` is what reading it raised."""
    span = _span_at(block, offset)
    return UnreadableError(
        tp.topic,
        tp.partition,
        offset,
        after=max(span.after, offset + 1),
        data=span.data,
        why=_why(span.data, cause),
    )


def time_of(data: bytes) -> int | None:
    """The largest timestamp that a batch names, epoch ms; None where that can be none."""
    if len(data) < _HEADER.size or data[16] < _MAGIC:
        return None
    time: int = _HEADER.unpack_from(data)[8]
    return time if 0 <= time <= MAX_TIME else None


def _span_at(block: bytes, offset: int) -> BatchSpan:
    """The batch of a block in which an offset lies; the first one where it lies before all of them.

    A batch ends where the next one begins: what its own header says may be what is damaged.
    """
    found = BatchSpan(offset, offset + 1, b"")
    for base, start, end, after in _batches(block):
        found = BatchSpan(base, after, bytes(block[start:end]))
        if after > offset:
            break
    return found


def _batches(block: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Of each batch that is there in full: its first offset, where it begins and ends, and the offset behind it."""
    start = 0
    while start + _PREFIX.size <= len(block):
        base, length = _PREFIX.unpack_from(block, start)
        end = start + _PREFIX.size + length
        if length <= 0 or end > len(block):
            return
        if end + _PREFIX.size <= len(block):
            after = _PREFIX.unpack_from(block, end)[0]
        elif end - start >= _HEADER.size and block[start + 16] >= _MAGIC:
            after = base + _HEADER.unpack_from(block, start)[6] + 1
        else:
            after = base + 1
        yield base, start, end, after
        start = end


def _why(data: bytes, cause: Exception) -> str:
    if isinstance(cause, UnsupportedCodecError):
        number = data[22] & _CODEC_MASK if len(data) >= _HEADER.size and data[16] >= _MAGIC else 0
        if 1 <= number <= len(CODECS):
            return f"it is compressed with {CODECS[number - 1]}, for which a library is missing here: {INSTALL}"
        return f"it is compressed in a way that this version does not know (codec {number or '?'})"
    if isinstance(cause, CorruptRecordException) and "CRC" in str(cause):
        return "its checksum is wrong: it was damaged after it was written"
    return f"its bytes are no records ({type(cause).__name__})"  # the error's words may quote them
