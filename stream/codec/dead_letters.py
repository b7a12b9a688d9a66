"""Dead letters: what could not be read or processed, kept with its bytes, reason and source.

There are two kinds of records on their topic; their headers distinguish them:

- A *dead letter* has the key, value and headers of its source record, and behind those headers these of ours, in
  this order: `lifecycle_reason`, `lifecycle_detail`, `lifecycle_topic`, `lifecycle_partition`, `lifecycle_offset`,
  `lifecycle_timestamp` (the source record's, epoch ms) and, where something was cut off, `lifecycle_truncated` (the
  whole length of the value). A source record may have had headers of these names itself: the last ones count. One with
  the reason `unreadable` stands for a whole batch: `lifecycle_until` is the offset behind it.
- A *receipt* says that a dead letter was replayed: no key, no value, and the headers `lifecycle_control: replayed`,
  `lifecycle_topic`, `lifecycle_partition`, `lifecycle_offset`, `lifecycle_timestamp` of that source record. It has no
  `lifecycle_reason`: a reader of dead letters passes over what has none. It stands in the partition of its dead
  letter, behind it, so that retention never removes it first.

A dead letter is known by its source record, not by where it stands: after a crash without transactions, or a
`lifecycle reset`, the same record may be dead-lettered again, and one receipt is for all of them.

A replayed interaction has the source record's key, value and headers, without `lifecycle_import` (it comes behind rows
that stood behind it, and would pass for one that is known), and `lifecycle_replay_of`, the address of the
dead letter. Where it fails again that header is kept as all others are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from stream.codec.controls import HEADER as CONTROL
from stream.codec.dead_letter_reasons import MAX_BYTES as LARGEST_READ
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.import_rows import HEADER as IMPORT
from stream.codec.records import Headers, Outgoing, SourceRecord

MAX_VALUE_BYTES: Final = LARGEST_READ + (64 << 10)
"""Longer values are cut off and flagged, so that every dead letter fits the topic; none of them could be read anyhow.

How long a source record is, its topic does not limit: what Kafka measures is compressed.
"""
MAX_BESIDE: Final = 128 << 10
"""Where key and headers are larger together, the headers are left out and the key is cut off, too."""
LARGEST: Final = MAX_VALUE_BYTES + MAX_BESIDE + (64 << 10)
"""What a dead letter needs at most, in bytes; our own headers and the batch around it included."""
_KEY_KEPT: Final = 16 << 10
_PER_HEADER: Final = 10
REPLAYED: Final = b"replayed"
"""The control header's value in a receipt."""
NEVER_ON_A_TOPIC: Final = -1
"""The partition of the source address of what the collector refused: it was on no topic before. The topic is then the
one on which it would be processed, the offset a number drawn for it, and the timestamp when it arrived."""
REPLAY_OF: Final = "lifecycle_replay_of"
_REASON: Final = "lifecycle_reason"
_TRUNCATED: Final = "lifecycle_truncated"


class SourceAddress(NamedTuple):
    """The source record of a dead letter. The time distinguishes a topic from an earlier one of the same name."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """Epoch milliseconds."""

    def __str__(self) -> str:
        if self.partition == NEVER_ON_A_TOPIC:
            return f"{self.topic} by a collector"
        return f"{self.topic}-{self.partition}-{self.offset}"


class Address(NamedTuple):
    """Where a dead letter stands on its own topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}-{self.offset}"


class Receipt(NamedTuple):
    """A dead letter was replayed."""

    source: SourceAddress
    time: int
    """When, epoch milliseconds."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be read or processed."""

    address: Address
    time: int
    """When it was put there, epoch milliseconds."""
    reason: str
    """One of `Reason`, or one that this version does not know."""
    detail: str
    source: SourceAddress
    key: bytes | None
    value: bytes | None
    headers: Headers
    """Of the source record."""
    whole: int
    """Bytes of the source record's value."""

    kept: int
    """Bytes of it that are here."""
    truncated: bool
    """Something is missing: the end of the value, or headers and the end of the key."""

    def without_value(self) -> "DeadLetter":
        """The same, light enough to keep many."""
        return replace(self, value=None)


def dead_letter(
    record: SourceRecord, rejected: Rejected, topic: str, partition: int, *, until: int | None = None
) -> Outgoing:
    """The dead letter of a record: its key, value and headers, and why and where in `lifecycle_…` headers.

    `until`, where it stands for more than one: the offset behind them.
    """
    key, value, headers = record.key, record.value, record.headers
    about = [
        (_REASON, rejected.reason.value.encode()),
        ("lifecycle_detail", rejected.detail.encode("utf-8", "replace")),
        *_address_headers(SourceAddress(topic, partition, record.offset, record.timestamp)),
    ]
    if until is not None:
        about.append(("lifecycle_until", str(until).encode()))
    beside = len(key or b"") + sum(len(name.encode()) + len(text or b"") + _PER_HEADER for name, text in headers)
    if beside > MAX_BESIDE or len(value or b"") > MAX_VALUE_BYTES:
        about.append((_TRUNCATED, str(len(value or b"")).encode()))
        value = value and value[:MAX_VALUE_BYTES]
    if beside > MAX_BESIDE:
        key, headers = key and key[:_KEY_KEPT], ()
    return Outgoing(key, value, [*headers, *about])


def receipt(source: SourceAddress) -> Outgoing:
    """The receipt for the replay of a dead letter."""
    return Outgoing(None, None, [(CONTROL, REPLAYED), *_address_headers(source)])


def replayed(dead_letter: DeadLetter) -> Outgoing:
    """The interaction again, as it was, with where it comes from; no row of its import any more."""
    headers = [header for header in dead_letter.headers if header[0] not in (REPLAY_OF, IMPORT)]
    return Outgoing(dead_letter.key, dead_letter.value, [*headers, (REPLAY_OF, str(dead_letter.address).encode())])


def read(record: SourceRecord, partition: int) -> DeadLetter | Receipt | None:
    """What a record of this partition of the topic says; None where it is neither of the two."""
    names = [name for name, _ in record.headers]
    if _REASON in names:
        return _dead_letter(record, partition, len(names) - 1 - names[::-1].index(_REASON))
    source = _source_address(record.headers)
    if source is None or (CONTROL, REPLAYED) not in [tuple(header) for header in record.headers]:
        return None
    return Receipt(source, record.timestamp)


def _dead_letter(record: SourceRecord, partition: int, first: int) -> DeadLetter | None:
    """The dead letter whose headers of ours begin at `first`."""
    ours = record.headers[first:]
    about = {name: (value or b"").decode("utf-8", "replace") for name, value in ours}
    source = _source_address(ours)
    if source is None:
        return None
    whole, kept = about.get(_TRUNCATED, ""), len(record.value or b"")
    return DeadLetter(
        address=Address(partition, record.offset),
        time=record.timestamp,
        reason=about[_REASON],
        detail=about.get("lifecycle_detail", ""),
        source=source,
        key=record.key,
        value=record.value,
        headers=list(record.headers[:first]),
        whole=int(whole) if whole.isdecimal() else kept,
        kept=kept,
        truncated=_TRUNCATED in about,
    )


def _address_headers(source: SourceAddress) -> Sequence[tuple[str, bytes]]:
    return [
        ("lifecycle_topic", source.topic.encode()),
        ("lifecycle_partition", str(source.partition).encode()),
        ("lifecycle_offset", str(source.offset).encode()),
        ("lifecycle_timestamp", str(source.timestamp).encode()),
    ]


def _source_address(headers: Headers) -> SourceAddress | None:
    """The source record that headers name; None where they name none."""
    about = {name: (value or b"").decode("utf-8", "replace") for name, value in headers}
    try:
        return SourceAddress(
            about["lifecycle_topic"],
            int(about["lifecycle_partition"]),
            int(about["lifecycle_offset"]),
            int(about["lifecycle_timestamp"]),
        )
    except (KeyError, ValueError):
        return None
