"""Dead letters: what could not be read or processed, kept with its bytes, reason and place."""

from typing import Final

from stream.codec.interactions import Rejected
from stream.engine.batch import Outgoing, SourceRecord

MAX_BYTES: Final = 1_500_000
"""Longer values are cut off and flagged, so that every dead letter fits the topic."""


def dead_letter(record: SourceRecord, rejected: Rejected, topic: str, partition: int) -> Outgoing:
    """The dead letter of a record: its key, value and headers, and why and where in `lifecycle_…` headers."""
    value = record.value
    about = [
        ("lifecycle_reason", rejected.reason.value.encode()),
        ("lifecycle_detail", rejected.detail.encode("utf-8", "replace")),
        ("lifecycle_topic", topic.encode()),
        ("lifecycle_partition", str(partition).encode()),
        ("lifecycle_offset", str(record.offset).encode()),
        ("lifecycle_timestamp", str(record.timestamp).encode()),
    ]
    if value is not None and len(value) > MAX_BYTES:
        about.append(("lifecycle_truncated", str(len(value)).encode()))
        value = value[:MAX_BYTES]
    return Outgoing(record.key, value, [*record.headers, *about])
