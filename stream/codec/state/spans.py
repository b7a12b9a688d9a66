"""From which interaction to which a customer's record was made, read without knowing the lifecycles."""

from typing import NamedTuple

from stream.codec.state.customers import FORMAT, LENGTH_AT, NEWEST, PREFIX
from stream.codec.state.unpacking import Unpacker
from stream.errors import StateError


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
    body = Unpacker(value, PREFIX + int.from_bytes(value[LENGTH_AT : LENGTH_AT + 2], "little"))
    body.expect(5 if value[0] == FORMAT else 6)
    body.integer()
    return Span(min(born, default=None), body.integer())
