"""Records as they come from Kafka and go to it, without any of its client's types."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Headers = Sequence[tuple[str, bytes]]


class SourceRecord(Protocol):
    """A record of the interactions topic, as the fetcher hands it over."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int | None:
        """0: CreateTime, 1: LogAppendTime."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class SourceRecords(Protocol):
    """Records of one partition in the order of their offsets: a sequence, or a block of bytes (`record_block`)."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[SourceRecord]: ...


@dataclass(init=False)
class Outgoing:
    """A record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    def __init__(self, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        self.key = key
        self.value = value
        self.headers = headers
