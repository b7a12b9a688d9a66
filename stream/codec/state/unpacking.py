"""MessagePack, read value by value: the other side of `packing`."""

from typing import Final

from librt.strings import read_f64_be, read_i16_be, read_i32_be, read_i64_be
from mypy_extensions import i64

from stream.codec.state.packing import NIL

_MALFORMED: Final = "a record is malformed"


class Unpacker:
    """Reads the values of a record one after the other; the caller knows what comes.

    Raises ValueError or IndexError where something else comes: a record that we did not write.
    """

    def __init__(self, data: bytes, at: i64) -> None:
        """Begin at a place."""
        self._data = data
        self._at: i64 = at

    def integer(self) -> i64:
        """A whole number of 64 bits."""
        data, at = self._data, self._at
        kind: i64 = data[at]
        if kind < 0x80:
            self._at = at + 1
            return kind
        if kind >= 0xE0:
            self._at = at + 1
            return kind - 0x100
        if kind == 0xCE:
            self._at = at + 5
            return i64(read_i32_be(data, at + 1)) & 0xFFFFFFFF
        if kind == 0xCF or kind == 0xD3:  # noqa: PLR1714 - compiled, faster than `in`
            self._at = at + 9
            number = read_i64_be(data, at + 1)
            if number < 0 and kind == 0xCF:
                raise ValueError(_MALFORMED)
            return number
        if kind == 0xCD:
            self._at = at + 3
            return i64(read_i16_be(data, at + 1)) & 0xFFFF
        if kind == 0xCC:
            self._at = at + 2
            byte: i64 = data[at + 1]
            return byte
        if kind == 0xD0:
            self._at = at + 2
            byte = data[at + 1]
            return byte - 0x100
        if kind == 0xD1:
            self._at = at + 3
            return i64(read_i16_be(data, at + 1))
        if kind == 0xD2:
            self._at = at + 5
            return i64(read_i32_be(data, at + 1))
        raise ValueError(_MALFORMED)

    def large(self) -> int:
        """A whole number of any size."""
        return int(self.text()) if self.is_text() else self.integer()

    def number(self) -> float:
        """A double."""
        at = self._at
        if self._data[at] != 0xCB:
            raise ValueError(_MALFORMED)
        self._at = at + 9
        return read_f64_be(self._data, at + 1)

    def is_double(self) -> bool:
        """Whether a double comes next."""
        return self._data[self._at] == 0xCB

    def is_nil(self) -> bool:
        """Whether nothing comes next; if so, that is read."""
        if self._data[self._at] != NIL:
            return False
        self._at += 1
        return True

    def text(self) -> str:
        """A text."""
        start, end = self._span(0xA0, 0x20, 0xD9)
        return self._data[start:end].decode()

    def raw(self) -> bytes:
        """Bytes."""
        start, end = self._span(0, 0, 0xC4)
        return self._data[start:end]

    def fixed(self, size: i64) -> bytes:
        """Bytes whose number the caller knows."""
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise IndexError(_MALFORMED)
        return self._data[start : self._at]

    def length(self) -> i64:
        """The length of a list, whose values come next; never more than there are bytes left."""
        data, at = self._data, self._at
        kind: i64 = data[at]
        if 0x90 <= kind < 0xA0:
            self._at, length = at + 1, kind - 0x90
        elif kind == 0xDC:
            self._at, length = at + 3, i64(read_i16_be(data, at + 1)) & 0xFFFF
        elif kind == 0xDD:
            self._at, length = at + 5, i64(read_i32_be(data, at + 1)) & 0xFFFFFFFF
        else:
            raise ValueError(_MALFORMED)
        if length > len(data) - self._at:
            raise ValueError(_MALFORMED)
        return length

    def expect(self, length: i64) -> None:
        """A list of so many values comes next. Raises ValueError where it is another."""
        if self.length() != length:
            raise ValueError(_MALFORMED)

    def scalar(self) -> str | float | bool:
        """A text, number or boolean."""
        kind: i64 = self._data[self._at]
        if kind == 0xCB:
            return self.number()
        if kind == 0xC2 or kind == 0xC3:  # noqa: PLR1714
            self._at += 1
            return kind == 0xC3
        if self.is_text():
            return self.text()
        number: int = self.integer()
        return number

    def is_text(self) -> bool:
        """Whether a text comes next."""
        kind: i64 = self._data[self._at]
        return 0xA0 <= kind < 0xC0 or 0xD9 <= kind <= 0xDB

    def _span(self, small: i64, sizes: i64, first: i64) -> tuple[i64, i64]:
        """Where text or bytes lie: a length within the kind, or one of 1, 2 or 4 bytes after it."""
        data, at = self._data, self._at
        kind: i64 = data[at]
        if small <= kind < small + sizes:
            start, length = at + 1, kind - small
        elif kind == first:
            size: i64 = data[at + 1]
            start, length = at + 2, size
        elif kind == first + 1:
            start, length = at + 3, i64(read_i16_be(data, at + 1)) & 0xFFFF
        elif kind == first + 2:
            start, length = at + 5, i64(read_i32_be(data, at + 1)) & 0xFFFFFFFF
        else:
            raise ValueError(_MALFORMED)
        self._at = start + length
        if self._at > len(data):
            raise IndexError(_MALFORMED)
        return start, start + length
