"""The header of an interaction that was gathered from one of several topics: which topic, partition and offset it had.

`lifecycle_gathered_from: <topic>-<partition>-<offset>`. It says with which mapping the record is read, and where
gathering goes on where Kafka no longer knows.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from stream.codec.records import Outgoing, SourceRecord

HEADER: Final = "lifecycle_gathered_from"


class Origin(NamedTuple):
    """Where an interaction was sent to."""

    topic: str
    partition: int
    offset: int


def gathered(record: SourceRecord, topic: str, partition: int) -> Outgoing:
    """The copy of a record of that partition: the same key, value and headers, and where it comes from."""
    kept = [header for header in record.headers if header[0] != HEADER]
    return Outgoing(record.key, record.value, [*kept, (HEADER, f"{topic}-{partition}-{record.offset}".encode())])


def topic_of(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    """The topic that a record was gathered from; None where it was sent here."""
    origin = origin_of(headers)
    return None if origin is None else origin.topic


def origin_of(headers: Sequence[tuple[str, bytes | None]]) -> Origin | None:
    """Where a record was gathered from; None where it was sent here, or the header is none of ours."""
    for name, value in headers:
        if name == HEADER:
            topic, *numbers = (value or b"").decode("utf-8", "replace").rsplit("-", 2)
            if len(numbers) == 2 and all(each.isascii() and each.isdigit() for each in numbers):
                return Origin(topic, int(numbers[0]), int(numbers[1]))
    return None
