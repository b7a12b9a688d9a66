"""The header of an interaction that was gathered from one of several topics: which topic, partition and offset it had.

`lifecycle_gathered_from: <topic>-<partition>-<offset>`. It says with which mapping the record is read, and where
gathering goes on where Kafka no longer knows.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from stream.codec.dead_letters import MAX_BESIDE, MAX_VALUE_BYTES
from stream.codec.records import Outgoing, SourceRecord

HEADER: Final = "lifecycle_gathered_from"
_NO_PARTITION: Final = 2**31 - 1
"""No topic has so many: no gatherer takes it for a place up to which it gathered."""
_KEY_KEPT: Final = 16 << 10
_PER_HEADER: Final = 10


class GatheredFrom(NamedTuple):
    """Where an interaction was sent to."""

    topic: str
    partition: int
    offset: int


def gathered(record: SourceRecord, topic: str, partition: int) -> Outgoing:
    """The copy of a record of that partition: the same key, value and headers, and where it comes from.

    What is too large to be read anyhow is cut off, and still is: what a topic limits is compressed, a copy may not be.
    """
    origin = (HEADER, f"{topic}-{partition}-{record.offset}".encode())
    kept = [header for header in record.headers if header[0] != HEADER]
    key, value = record.key, record.value
    if len(value or b"") > MAX_VALUE_BYTES:
        value = value and value[:MAX_VALUE_BYTES]
    beside = len(key or b"") + sum(len(name.encode()) + len(text or b"") + _PER_HEADER for name, text in kept)
    if beside > MAX_BESIDE:
        key, kept = key and key[:_KEY_KEPT], []
    return Outgoing(key, value, [*kept, origin])


def meant_for(topic: str) -> tuple[str, bytes]:
    """The header of a record that is to be read as one of that topic, and was gathered from no place in it."""
    return HEADER, f"{topic}-{_NO_PARTITION}-0".encode()


def topic_of(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    """The topic that a record was gathered from; None where it was sent here."""
    origin = origin_of(headers)
    return None if origin is None else origin.topic


def origin_of(headers: Sequence[tuple[str, bytes | None]]) -> GatheredFrom | None:
    """Where a record was gathered from; None where it was sent here, or the header is none of ours."""
    for name, value in headers:
        if name == HEADER:
            topic, *numbers = (value or b"").decode("utf-8", "replace").rsplit("-", 2)
            if len(numbers) == 2 and all(each.isascii() and each.isdigit() for each in numbers):
                return GatheredFrom(topic, int(numbers[0]), int(numbers[1]))
    return None
