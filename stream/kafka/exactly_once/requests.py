"""The five requests of a transaction, as bytes, in the versions that every broker with transactions has.

With these, partitions and the group are added to a transaction before anything is written.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from stream.kafka.batch_header import Writer

PRODUCE: Final = 0
ADD_PARTITIONS: Final = 24
ADD_OFFSETS: Final = 25
END: Final = 26
COMMIT_OFFSET: Final = 28

PRODUCE_VERSIONS: Final = range(3, 9)
"""Of one form, the answers to which differ in their ends."""
FIRST_VERSION: Final = range(1)

_ALL_REPLICAS: Final = -1
_SHORT: Final = struct.Struct(">h")
_INT: Final = struct.Struct(">i")
_LONG: Final = struct.Struct(">q")
_WRITER: Final = struct.Struct(">qh")
_ACKS: Final = struct.Struct(">hi")
_TWO: Final = struct.Struct(">ii")

Place = tuple[str, int]
"""A topic's name, and the number of a partition."""
Batch = bytes | bytearray
"""With its header."""


class Request(NamedTuple):
    """What stands behind the head of a request, in pieces."""

    key: int
    version: int
    body: Sequence[Batch]


class GroupOffset(NamedTuple):
    """Where a group reads a partition on."""

    group: str
    place: Place
    offset: int


def add_partitions(transactional_id: str, writer: Writer, places: Sequence[Place]) -> Request:
    """These partitions will be written to."""
    topics: dict[str, list[int]] = {}
    for topic, partition in places:
        topics.setdefault(topic, []).append(partition)
    body = [_text(transactional_id), _WRITER.pack(*writer), _INT.pack(len(topics))]
    for topic, partitions in topics.items():
        body += _text(topic), _INT.pack(len(partitions)), *map(_INT.pack, partitions)
    return Request(ADD_PARTITIONS, 0, body)


def add_offsets(transactional_id: str, writer: Writer, group: str) -> Request:
    """An offset of this group will be written."""
    return Request(ADD_OFFSETS, 0, [_text(transactional_id), _WRITER.pack(*writer), _text(group)])


def produce(transactional_id: str, batches: Mapping[Place, Batch], timeout_ms: int, version: int) -> Request:
    """Batches for partitions that one broker leads; acknowledged by all replicas."""
    topics: dict[str, list[Batch]] = {}
    for (topic, partition), batch in batches.items():
        topics.setdefault(topic, []).extend((_TWO.pack(partition, len(batch)), batch))
    body: list[Batch] = [_text(transactional_id), _ACKS.pack(_ALL_REPLICAS, timeout_ms), _INT.pack(len(topics))]
    for topic, pieces in topics.items():
        body += _text(topic), _INT.pack(len(pieces) // 2)
        body += pieces
    return Request(PRODUCE, version, body)


def commit_offset(transactional_id: str, writer: Writer, offset: GroupOffset) -> Request:
    """The group's offset, once the transaction is committed."""
    topic, partition = offset.place
    return Request(
        COMMIT_OFFSET,
        0,
        [
            _text(transactional_id),
            _text(offset.group),
            _WRITER.pack(*writer),
            _INT.pack(1),
            _text(topic),
            _TWO.pack(1, partition),
            _LONG.pack(offset.offset),
            _text(""),
        ],
    )


def commit(transactional_id: str, writer: Writer) -> Request:
    """End the transaction: all of it counts."""
    return Request(END, 0, [_text(transactional_id), _WRITER.pack(*writer), b"\1"])


def _text(text: str) -> bytes:
    data = text.encode()
    return _SHORT.pack(len(data)) + data
