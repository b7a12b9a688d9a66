"""From which interaction to which a customer's record was made, read without knowing the lifecycles."""

from typing import Final, NamedTuple

from stream.codec.state.customers import FORMAT, LENGTH_AT, NEWEST, PREFIX
from stream.codec.state.unpacking import Unpacker
from stream.errors import StateError

_NONE_APPLIED: Final = b"\xff"
"""-1 as MessagePack."""
_SIZES: Final = {0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}
"""Bytes of a whole number of MessagePack by its first one; of all others one."""


class Span(NamedTuple):
    """Source offsets of a customer's interactions."""

    first: int | None
    """With which the oldest life began; None where there is no life."""
    last: int


def span_of(value: bytes) -> Span:
    """The span of a customer record. Raises StateError where it cannot be read."""
    if not value or not FORMAT <= value[0] <= NEWEST:
        raise StateError("a customer record has a format that this version does not read")
    try:
        return _span(value)
    except (ValueError, IndexError, OverflowError) as error:
        raise StateError(f"a customer record is damaged ({error})") from None


def _span(value: bytes) -> Span:
    source = Unpacker(value, PREFIX)
    born: list[int] = []
    for _ in range(source.length()):
        source.expect(7)
        source.raw()
        source.integer()
        if not source.is_nil():
            source.integer()
        if source.is_text():
            source.text()
        else:
            source.integer()
        source.integer()
        born.append(int(source.text().rpartition("-")[2]))
        source.integer()
    body = Unpacker(value, _body_at(value))
    body.expect(5 if value[0] == FORMAT else 6)
    body.integer()
    return Span(min(born, default=None), body.integer())


def with_none_applied(value: bytes) -> bytes:
    """The record of the same customer on a topic of which no interaction was applied yet. Raises StateError."""
    span_of(value)
    latest_at = _body_at(value) + 1
    offset_at = latest_at + _SIZES.get(value[latest_at], 1)
    return value[:offset_at] + _NONE_APPLIED + value[offset_at + _SIZES.get(value[offset_at], 1) :]


def _body_at(value: bytes) -> int:
    return PREFIX + int.from_bytes(value[LENGTH_AT : LENGTH_AT + 2], "little")
