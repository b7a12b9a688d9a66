"""The headers of record batches, as Kafka keeps them: what they tell of the producers that wrote them."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEADER = struct.Struct(">qiibIhiqqqhii")
_BEFORE_LENGTH_COUNTS = 12
_MAGIC = 2
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
_CODEC, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20


class BatchHeader(NamedTuple):
    """One batch of records."""

    offset: int
    """Of its first record."""
    records: int
    codec: str
    """One of CODECS, or a number that Kafka does not define."""
    broker_time: bool
    """The broker's time stands in its records, not the producers'."""
    idempotent: bool
    transactional: bool


def batch_headers(data: bytes) -> Iterator[BatchHeader]:
    """Those of the whole batches of data in format 2; control batches are left out."""
    at = 0
    while at + _HEADER.size <= len(data):
        offset, length, _, magic, _, attributes, _, _, _, producer, _, _, records = _HEADER.unpack_from(data, at)
        if magic != _MAGIC or length <= 0:
            return
        at += _BEFORE_LENGTH_COUNTS + length
        if at > len(data):
            return
        if not attributes & _CONTROL:
            number = attributes & _CODEC
            yield BatchHeader(
                offset,
                records,
                CODECS[number] if number < len(CODECS) else str(number),
                bool(attributes & _LOG_APPEND_TIME),
                producer >= 0,
                bool(attributes & _TRANSACTIONAL),
            )
