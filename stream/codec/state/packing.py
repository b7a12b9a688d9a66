"""MessagePack, written value by value: faster than making lists for a library to write, once compiled.

Read by msgspec; every value takes the fewest bytes that the format has for it.
"""

from typing import Final

from librt.strings import BytesWriter, write_f64_be, write_i64_be
from mypy_extensions import i64, u8

NIL: Final = 0xC0
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


def pack_int(out: BytesWriter, number: i64) -> None:
    """A whole number of 64 bits."""
    if -32 <= number < 128:
        out.append(u8(number & 0xFF))
    elif number >= 0:
        if number < 1 << 8:
            out.append(0xCC)
            out.append(u8(number))
        elif number < 1 << 16:
            out.append(0xCD)
            _two(out, number)
        elif number < 1 << 32:
            out.append(0xCE)
            _two(out, number >> 16)
            _two(out, number)
        else:
            out.append(0xCF)
            write_i64_be(out, number)
    elif number >= -(1 << 7):
        out.append(0xD0)
        out.append(u8(number & 0xFF))
    elif number >= -(1 << 15):
        out.append(0xD1)
        _two(out, number)
    elif number >= -(1 << 31):
        out.append(0xD2)
        _two(out, number >> 16)
        _two(out, number)
    else:
        out.append(0xD3)
        write_i64_be(out, number)


def pack_count(out: BytesWriter, number: i64) -> None:
    """A whole number that is never negative; raises OverflowError where it is, since then it was counted too far."""
    if number < 0:
        raise OverflowError("a number of a record was counted beyond 64 bits")
    pack_int(out, number)


def pack_large(out: BytesWriter, number: int) -> None:
    """A whole number of any size: beyond 64 bits as its decimal text."""
    if _LEAST <= number <= _MOST:
        pack_int(out, number)
    else:
        pack_text(out, str(number))


def pack_float(out: BytesWriter, number: float) -> None:
    """A double."""
    out.append(0xCB)
    write_f64_be(out, number)


def pack_text(out: BytesWriter, text: str) -> None:
    """A text that UTF-8 can hold."""
    encoded = text.encode()
    length: i64 = len(encoded)
    if length < 32:
        out.append(u8(0xA0 | length))
    elif length < 1 << 8:
        out.append(0xD9)
        out.append(u8(length))
    else:
        _length(out, 0xDA, length)
    out.write(encoded)


def pack_bytes(out: BytesWriter, value: bytes) -> None:
    """Bytes as they are."""
    length: i64 = len(value)
    if length < 1 << 8:
        out.append(0xC4)
        out.append(u8(length))
    else:
        _length(out, 0xC5, length)
    out.write(value)


def pack_array(out: BytesWriter, length: i64) -> None:
    """The head of a list of so many values, which follow."""
    if length < 16:
        out.append(u8(0x90 | length))
    else:
        _length(out, 0xDC, length)


def pack_scalar(out: BytesWriter, value: str | float | bool) -> None:
    """A text, number or boolean; a whole number of at most 64 bits."""
    if isinstance(value, str):
        pack_text(out, value)
    elif isinstance(value, bool):
        out.append(0xC3 if value else 0xC2)
    elif isinstance(value, int):
        pack_int(out, value)
    else:
        pack_float(out, value)


def _length(out: BytesWriter, small: i64, length: i64) -> None:
    """A kind's byte for lengths of two bytes, or the one after it for four; and the length."""
    if length < 1 << 16:
        out.append(u8(small))
    else:
        out.append(u8(small + 1))
        _two(out, length >> 16)
    _two(out, length)


def _two(out: BytesWriter, number: i64) -> None:
    out.append(u8((number >> 8) & 0xFF))
    out.append(u8(number & 0xFF))
