"""Cursors that read one record of a fetched batch after the other.

A record that is read becomes no object of its own: a cursor moves over the bytes and says what stands where it is. Of
most interactions that is offset, time and value; key and headers are decoded for those that ask.
"""

from collections.abc import Iterator
from typing import Any, Final, cast, final

from mypy_extensions import i64, mypyc_attr

from stream.codec.record_batch import MalformedError, RecordBatch
from stream.codec.records import Headers, SourceRecord, SourceRecords

NO_TIME: Final = -1
"""The time, or the kind of time, of a record of a format that had none."""
_NO_HEADERS: Final[Headers] = ()
_LARGEST: Final = 0x7FFFFFFFFFFFFFFF
_HALF: Final = 0x4000000000000000
_LARGEST_DELTA: Final = 0x7FFFFFFF
_BROKEN: Final = "a record is malformed"


@final
@mypyc_attr(acyclic=True)
class Span:
    """Records that stand side by side, uncompressed, and what their batch says of all of them."""

    def __init__(self, batch: RecordBatch, data: bytes, at: i64, end: i64, count: i64) -> None:
        """`count` records of the batch stand between two places of data: of its own, or of what it unpacks to."""
        self.data = data
        self.at: i64 = at
        self.end: i64 = end
        self.left: i64 = count
        self.first_offset: i64 = batch.first_offset
        self.time: i64 = batch.time
        self.timestamp_type: i64 = batch.timestamp_type
        self.batch = batch

    def part(self, at: i64, end: i64, count: i64) -> "Span":
        """Some of these records."""
        return Span(self.batch, self.data, at, end, count)


class Cursor:
    """Moves over records. What it says is of the record where it stands, until it moves on; it is a `SourceRecord`."""

    def __init__(self) -> None:
        self.offset: i64 = -1
        self.timestamp: i64 = NO_TIME
        """Epoch milliseconds."""
        self.timestamp_type: i64 = NO_TIME
        """0: CreateTime, 1: LogAppendTime."""
        self.value: bytes | None = None
        self.has_headers: bool = False

    def advance(self) -> bool:
        """Go to the next record, at first to the first; False where there is none."""
        raise NotImplementedError

    @property
    def key(self) -> bytes | None:
        """Of the record."""
        raise NotImplementedError

    @property
    def headers(self) -> Headers:
        """Of the record. A byte of a name that is no UTF-8 is a replacement character: no broker looks at names."""
        raise NotImplementedError


@final
class RecordsCursor(Cursor):
    """Over records that are objects."""

    def __init__(self, records: SourceRecords) -> None:
        super().__init__()
        self._records: Iterator[SourceRecord] = iter(records)
        self._key: bytes | None = None
        self._headers: Headers = _NO_HEADERS

    def advance(self) -> bool:
        """See `Cursor`."""
        record = next(self._records, None)
        if record is None:
            return False
        timestamp: int | None = cast("Any", record).timestamp  # those of the oldest format have none
        timestamp_type = record.timestamp_type
        self.offset = record.offset
        self.timestamp = NO_TIME if timestamp is None else timestamp
        self.timestamp_type = NO_TIME if timestamp_type is None else timestamp_type
        self.value, self._key, self._headers = record.value, record.key, record.headers
        self.has_headers = bool(self._headers)
        return True

    @property
    def key(self) -> bytes | None:
        """See `Cursor`."""
        return self._key

    @property
    def headers(self) -> Headers:
        """See `Cursor`."""
        return self._headers


@final
class BlockCursor(Cursor):
    """Over spans of records. A record whose offset is not beyond all offsets before it is passed over."""

    def __init__(self, spans: "list[Span]", first: i64) -> None:
        """Records before the offset `first` are passed over, too."""
        super().__init__()
        self.next_offset: i64 = first
        self.began: i64 = 0
        """Where the record begins in its span's data."""
        self.at: i64 = 0
        """Where it ends."""
        self.left: i64 = 0
        """Records of the span behind it."""
        self.number: i64 = 0
        """How many of the spans were begun."""
        self._spans = spans
        self._data = b""
        self._end: i64 = 0
        self._first: i64 = 0
        self._time: i64 = 0
        self._key_at: i64 = 0
        self._key_length: i64 = -1
        self._value_at: i64 = 0
        self._value_length: i64 = -1
        self._headers_at: i64 = 0
        self._headers_count: i64 = 0

    def advance(self) -> bool:
        """See `Cursor`."""
        if not self.find():
            self.value = None
            return False
        at, length = self._value_at, self._value_length
        self.value = None if length < 0 else self._data[at : at + length]
        return True

    def find(self) -> bool:
        """As `advance`, but what the record holds is left alone. Raises MalformedError where it is none."""
        while True:
            if self.left == 0:
                if self.number >= len(self._spans):
                    return False
                self.enter(self._spans[self.number])
                continue
            self._read()
            self.left -= 1
            if self.offset >= self.next_offset:
                self.next_offset = self.offset + 1
                return True

    @property
    def key(self) -> bytes | None:
        """See `Cursor`."""
        at, length = self._key_at, self._key_length
        return None if length < 0 else self._data[at : at + length]

    @property
    def headers(self) -> Headers:
        """See `Cursor`."""
        if self._headers_count == 0:
            return _NO_HEADERS
        data, at, end = self._data, self._headers_at, self.at
        headers: list[tuple[str, bytes | None]] = []
        for _ in range(self._headers_count):
            length, at = _size(data, at, end)
            name = data[at : at + length].decode("utf-8", "replace")
            value_length, value_at = _size(data, at + length, end)
            at = value_at + (max(0, value_length))
            headers.append((name, None if value_length < 0 else data[value_at:at]))
        return cast("Headers", headers)  # whose type leaves out, as elsewhere, that a value may be missing

    def check_headers(self) -> None:
        """Raises MalformedError where they do not end where the record does."""
        if self._headers_count == 0:
            return  # then that was looked at already
        data, at, end = self._data, self._headers_at, self.at
        for _ in range(self._headers_count):
            length, at = _size(data, at, end)
            if length < 0:
                raise MalformedError(_BROKEN)
            length, at = _size(data, at + length, end)
            if length > 0:
                at += length
        if at != end:
            raise MalformedError(_BROKEN)

    def rest(self) -> Span:
        """The span from the record on."""
        return self._spans[self.number - 1].part(self.began, self._end, self.left + 1)

    def enter(self, span: Span) -> None:
        """Go on before the first record of a span."""
        self.number += 1
        self.left = span.left
        self.at = span.at
        self.timestamp_type = span.timestamp_type
        self._data = span.data
        self._end = span.end
        self._first = span.first_offset
        self._time = span.time

    def _read(self) -> None:
        """Find out where the parts of the next record are."""
        data = self._data
        self.began = self.at
        length, at = _size(data, self.at, self._end)
        if length <= 0:
            raise MalformedError(_BROKEN)
        end = at + length
        delta, at = _number(data, at + 1, end)  # behind its attributes, which mean nothing
        self.timestamp = self._time if self.timestamp_type else _sum(self._time, delta)
        delta, at = _number(data, at, end)
        if delta < 0 or delta > _LARGEST_DELTA:
            raise MalformedError(_BROKEN)
        self.offset = self._first + delta
        self._key_length, at = _size(data, at, end)
        self._key_at = at
        if self._key_length > 0:
            at += self._key_length
        self._value_length, at = _size(data, at, end)
        self._value_at = at
        if self._value_length > 0:
            at += self._value_length
        self._headers_count, self._headers_at = _number(data, at, end)
        self.has_headers = self._headers_count != 0
        if self._headers_count < 0 or (self._headers_count == 0 and self._headers_at != end):
            raise MalformedError(_BROKEN)
        self.at = end


@final
@mypyc_attr(acyclic=True)
class BlockRecord:
    """A record of a block that is kept for longer."""

    def __init__(self, cursor: Cursor) -> None:
        """Where the cursor stands."""
        self.offset: int = cursor.offset
        self.timestamp: int = cursor.timestamp
        self.timestamp_type: int = cursor.timestamp_type
        self.key = cursor.key
        self.value = cursor.value
        self.headers = cursor.headers


@final
class BlockRecords:
    """The records of a block, one after the other."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def __iter__(self) -> "BlockRecords":
        return self

    def __next__(self) -> SourceRecord:
        if not self._cursor.advance():
            raise StopIteration
        return BlockRecord(self._cursor)


def _size(data: bytes, at: i64, end: i64) -> tuple[i64, i64]:
    """A length, negative where there is nothing, and where what it counts begins, which ends before `end`."""
    length, at = _number(data, at, end)
    if length > end - at:
        raise MalformedError(_BROKEN)
    return length, at


def _number(data: bytes, at: i64, end: i64) -> tuple[i64, i64]:
    """A number of 64 bits, written as a zigzag of seven bits in a byte, and where it ends, which is before `end`."""
    if at >= end:
        raise MalformedError(_BROKEN)
    byte: i64 = data[at]
    at += 1
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at
    number: i64 = byte & 0x7F
    shift: i64 = 7
    while True:
        if at >= end:
            raise MalformedError(_BROKEN)
        byte = data[at]
        at += 1
        if shift == 63 and byte > 1:
            raise MalformedError(_BROKEN)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return ((number >> 1) & _LARGEST) ^ -(number & 1), at
        shift += 7


def _sum(time: i64, delta: i64) -> i64:
    """As two numbers of 64 bits are added, which producers with absurd times rely on."""
    if delta > 0 and time > _LARGEST - delta:
        return (time - _HALF) + (delta - _HALF) - _HALF - _HALF
    if delta < 0 and time < -_LARGEST - 1 - delta:
        return (time + _HALF) + (delta + _HALF) + _HALF + _HALF
    return time + delta
