"""Records as the bytes that a batch of Kafka's record format v2 holds, written as soon as they are known.

An object for each record, its key, value and headers, costs more than to write it: thousands of them are alive at once,
all over the memory. Here a record leaves nothing behind but its bytes. What only reads a few, such as a test or an
operator's command, iterates and gets records.

The header of a batch, 61 bytes, belongs to whoever sends it: it names the producer and the time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from stream.codec.partitioners import home_of
from stream.codec.records import Headers, Outgoing

MAX_PART: Final[i64] = 900_000
"""Bytes of the records of one batch, below what brokers take with its header; one record alone may be larger."""
NO_HEADERS: Final = b"\x00"
_NULL: Final = 1
"""The length of what is not there, -1 as a varint."""


class PackedRecord:
    """A record that is not in a batch yet: its key chooses the partition when it is sent."""

    def __init__(self, key: bytes, value: bytes | None, packed_headers: bytes = NO_HEADERS) -> None:
        self.key = key
        self.value = value
        self.packed_headers = packed_headers

    @property
    def headers(self) -> Headers:
        """Names and values."""
        return _Reader(self.packed_headers).headers()


class Part:
    """The records of one batch."""

    def __init__(self, records: bytes, count: i64) -> None:
        self.records = records
        self.count = count


class PackedRecords:
    """Records for one partition of one topic, in their order."""

    def __init__(self, records: Iterable[Outgoing] = ()) -> None:
        self._full: list[Part] = []
        self._open = BytesWriter()
        self._count: i64 = 0
        """Records in the part that is open."""
        self.extend(records)

    def append(self, record: Outgoing) -> None:
        """Add a record."""
        headers = record.headers
        self.add(record.key, record.value, pack_headers(headers) if headers else NO_HEADERS)

    def extend(self, records: Iterable[Outgoing]) -> None:
        """Add records."""
        for record in records:
            self.append(record)

    def add(self, key: bytes | None, value: bytes | None, headers: bytes) -> None:
        """Add a record, with headers from `pack_headers`."""
        key_length: i64 = 0 if key is None else len(key)
        value_length: i64 = 0 if value is None else len(value)
        offset = self._count
        size = 2 + len(headers) + key_length + value_length
        size += _size(offset << 1) + _size(key_length << 1) + _size(value_length << 1)
        if offset > 0 and len(self._open) + size > MAX_PART:
            self._close()
            size += 1 - _size(offset << 1)
            offset = 0
        out = self._open
        pack_length(out, size)
        out.append(0)  # attributes: there are none
        out.append(0)  # the time is the batch's
        pack_length(out, offset)
        if key is None:
            out.append(_NULL)
        else:
            pack_length(out, key_length)
            out.write(key)
        if value is None:
            out.append(_NULL)
        else:
            pack_length(out, value_length)
            out.write(value)
        out.write(headers)
        self._count = offset + 1

    def _close(self) -> None:
        self._full.append(Part(self._open.getvalue(), self._count))
        self._open = BytesWriter()
        self._count = 0

    @property
    def parts(self) -> list[Part]:
        """What one batch each holds; none of them is empty."""
        if self._count == 0:
            return self._full.copy()
        return [*self._full, Part(self._open.getvalue(), self._count)]

    def __len__(self) -> int:
        count = self._count
        for part in self._full:
            count += part.count
        return count

    def __iter__(self) -> Iterator[Outgoing]:
        records: list[Outgoing] = []
        for part in self.parts:
            records += unpack(part)
        return iter(records)

    def __getitem__(self, index: int) -> Outgoing:
        records: list[Outgoing] = [*self]
        return records[index]

    def __repr__(self) -> str:
        return f"PackedRecords({[*self]!r})"


def pack_headers(headers: Headers) -> bytes:
    """Headers as they stand in a record, their number before them."""
    out = BytesWriter()
    pack_length(out, len(headers))
    for name, value in cast("Sequence[tuple[str, bytes | None]]", headers):  # a source record's may have none
        pack_header(out, name.encode(), value)
    return out.getvalue()


def pack_header(out: BytesWriter, name: bytes, value: bytes | None) -> None:
    """One header."""
    pack_length(out, len(name))
    out.write(name)
    if value is None:
        out.append(_NULL)
    else:
        pack_length(out, len(value))
        out.write(value)


def pack_length(out: BytesWriter, length: i64) -> None:
    """A number that is not negative: twice, since the last bit is its sign; seven bits a byte, the lowest first."""
    left = length << 1
    while left >= 0x80:
        out.append(u8((left & 0x7F) | 0x80))
        left >>= 7
    out.append(u8(left))


def by_key(records: Iterable[PackedRecord], count: i64) -> dict[int, PackedRecords]:
    """The records by partition, of `count`, as Java's default partitioner chooses it."""
    found: dict[int, PackedRecords] = {}
    for record in records:
        key = record.key
        partition = int(home_of("murmur2", key, count))
        part = found.get(partition)
        if part is None:
            part = found[partition] = PackedRecords()
        part.add(key, record.value, record.packed_headers)
    return found


def unpack(part: Part) -> list[Outgoing]:
    """The records of a part."""
    return _Reader(part.records).read(part.count)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at: i64 = 0

    def read(self, count: i64) -> list[Outgoing]:
        found: list[Outgoing] = []
        for _ in range(count):
            self._varint()
            self._at += 2
            self._varint()
            key, value = self._bytes(), self._bytes()
            found.append(Outgoing(key, value, self.headers()))
        return found

    def headers(self) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for _ in range(self._varint()):
            name, value = self._bytes(), self._bytes()
            assert name is not None
            found.append((name.decode(), value or b""))
        return found

    def _bytes(self) -> bytes | None:
        length = self._varint()
        if length < 0:
            return None
        at = self._at
        self._at = at + length
        return self._data[at : at + length]

    def _varint(self) -> i64:
        data, at = self._data, self._at
        number: i64 = 0
        shift: i64 = 0
        while True:
            byte: i64 = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
        self._at = at
        return (number >> 1) ^ -(number & 1)


def _size(number: i64) -> i64:
    """Bytes of a varint."""
    if number < 0x80:
        return 1
    if number < 0x4000:
        return 2
    if number < 0x20_0000:
        return 3
    if number < 0x1000_0000:
        return 4
    return 5
