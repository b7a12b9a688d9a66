"""Fetched records as the bytes that a broker handed out.

A block is only made of records that were looked through (`BlockBuilder`), so that whoever reads it meets none that is
malformed, wherever the reading begins.
"""

from collections.abc import Iterator
from typing import Final, final

from mypy_extensions import i64

from stream.codec.record_batch import MalformedError
from stream.codec.record_cursor import BlockCursor, BlockRecords, Cursor, RecordsCursor, Span
from stream.codec.records import SourceRecord, SourceRecords


@final
class RecordBlock:
    """Records in the order of their offsets; never changes."""

    def __init__(self, spans: list[Span], first_offset: i64, count: i64) -> None:
        """So many records of the spans count, those from `first_offset` on; use BlockBuilder."""
        self.first_offset: i64 = first_offset
        self.spans: Final = spans
        self._count: i64 = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[SourceRecord]:
        return BlockRecords(self.cursor())

    def cursor(self) -> Cursor:
        """Before the first record."""
        return BlockCursor(self.spans, self.first_offset)

    def starting_at(self, offset: i64) -> "RecordBlock":
        """The records from this offset on."""
        cursor = BlockCursor(self.spans, self.first_offset)
        passed: i64 = 0
        while cursor.find():
            if cursor.offset >= offset:
                spans = [cursor.rest(), *self.spans[cursor.number :]]
                return RecordBlock(spans, cursor.offset, self._count - passed)
            passed += 1
        return RecordBlock([], offset, 0)

    def followed_by(self, other: "RecordBlock") -> "RecordBlock":
        """These records, and behind them the other's, which come later in the same partition."""
        return RecordBlock([*self.spans, *other.spans], self.first_offset, self._count + len(other))


@final
class BlockBuilder:
    """Looks records through, and makes a block of those that are whole."""

    def __init__(self, next_offset: i64, most: i64) -> None:
        """Records from `next_offset` on, and at most so many."""
        self.next_offset: i64 = next_offset
        """Behind the last record that was taken; whoever knows better may move it on."""
        self.count: i64 = 0
        self._most: i64 = most
        self._first: i64 = -1
        self._spans: list[Span] = []
        self._cursor = BlockCursor([], next_offset)

    @property
    def is_full(self) -> bool:
        """No more are taken."""
        return self.count >= self._most

    def take(self, span: Span) -> Span | None:
        """Take what comes next; returns what is left of it where the block is full.

        Raises MalformedError where a record is none; those before it are taken.
        """
        if self.count >= self._most:
            return span
        cursor = self._cursor
        cursor.next_offset = self.next_offset
        cursor.enter(span)
        began: i64 = -1
        before: i64 = 0
        end: i64 = span.at
        left: i64 = span.left
        try:
            while self.count < self._most and cursor.find():
                cursor.check_headers()
                if began < 0:
                    began, before = cursor.began, cursor.left + 1
                    if self._first < 0:
                        self._first = cursor.offset
                self.count += 1
                self.next_offset = cursor.next_offset
                end, left = cursor.at, cursor.left
        finally:
            if left == 0 and began == span.at and end == span.end:
                self._spans.append(span)
            elif began >= 0:
                self._spans.append(span.part(began, end, before - left))
        if cursor.left > 0:
            return span.part(cursor.at, span.end, cursor.left)
        if cursor.at != span.end:
            raise MalformedError("there is more behind the last record of a batch")
        return None

    def block(self) -> RecordBlock:
        """What was taken."""
        return RecordBlock(self._spans, self._first, self.count)


def cursor_of(records: SourceRecords) -> Cursor:
    """Before the first of these records."""
    return records.cursor() if isinstance(records, RecordBlock) else RecordsCursor(records)


def first_of(records: SourceRecords) -> SourceRecord:
    """The first of these records, of which there must be one."""
    return next(iter(records))


def from_offset(records: SourceRecords, offset: int) -> SourceRecords:
    """The records from this offset on."""
    if isinstance(records, RecordBlock):
        return records.starting_at(offset)
    return [record for record in records if record.offset >= offset]


def joined(before: SourceRecords, after: SourceRecords) -> SourceRecords:
    """The records of both, which come one after the other in one partition."""
    if not before or not after:
        return after or before
    if isinstance(before, RecordBlock) and isinstance(after, RecordBlock):
        return before.followed_by(after)
    return [*before, *after]


def compact(records: SourceRecords, latest: dict[bytes, bytes]) -> None:
    """Put the value of each key into `latest`; a record without a value takes its key away."""
    cursor = cursor_of(records)
    while cursor.advance():
        key, value = cursor.key, cursor.value
        if key is None:
            continue
        if value is None:
            latest.pop(key, None)
        else:
            latest[key] = value
