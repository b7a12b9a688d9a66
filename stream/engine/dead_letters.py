"""Dead letters: what could not be read or processed, kept with its bytes, reason and place.

Every dead letter fits its topic: a producer that compresses can send far more than the broker's limit for a message,
and one record must not stop a partition.
"""

from typing import Final

from stream.codec.interactions import MAX_BYTES as LARGEST_READ
from stream.codec.interactions import Rejected
from stream.engine.batch import Headers, Outgoing, SourceRecord

MAX_VALUE: Final = LARGEST_READ + (64 << 10)
"""Longer values are cut off and flagged."""
MAX_ABOUT: Final = 128 << 10
"""Of the record's key and headers together; what is beyond is left out and flagged."""
MAX_BYTES: Final = MAX_VALUE + MAX_ABOUT + (32 << 10)
"""Of a whole dead letter, with reason and place."""
_OVERHEAD: Final = 16
"""Bytes that a header takes beside its name and value."""


def dead_letter(record: SourceRecord, rejected: Rejected, topic: str, partition: int) -> Outgoing:
    """The dead letter of a record: its key, value and headers, and why and where in `lifecycle_…` headers."""
    value, key = record.value, record.key
    about = [
        ("lifecycle_reason", rejected.reason.value.encode()),
        ("lifecycle_detail", rejected.detail.encode("utf-8", "replace")),
        ("lifecycle_topic", topic.encode()),
        ("lifecycle_partition", str(partition).encode()),
        ("lifecycle_offset", str(record.offset).encode()),
        ("lifecycle_timestamp", str(record.timestamp).encode()),
    ]
    if value is not None and len(value) > MAX_VALUE:
        about.append(("lifecycle_truncated", str(len(value)).encode()))
        value = value[:MAX_VALUE]
    if key is not None and len(key) > MAX_ABOUT:
        about.append(("lifecycle_key_left_out", str(len(key)).encode()))
        key = None
    kept = _fitting(record.headers, MAX_ABOUT - len(key or b""))
    if len(kept) < len(record.headers):
        about.append(("lifecycle_headers_left_out", str(len(record.headers) - len(kept)).encode()))
    return Outgoing(key, value, [*kept, *about])


def _fitting(headers: Headers, room: int) -> Headers:
    """The first headers that take at most `room` bytes."""
    for number, (name, value) in enumerate(headers):
        room -= len(name.encode()) + len(value or b"") + _OVERHEAD
        if room < 0:
            return headers[:number]
    return headers
