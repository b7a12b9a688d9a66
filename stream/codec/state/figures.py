"""One figure of one day and segment of one partition, as the changelog keeps it.

The key is `f`, then lifecycle, day, figure, fact and segment with a NUL between them: a fact's value, which may hold
any character, stands last. The value is `1`, the number, the source offset before which it is as it says, and of a
figure of the file a mark of what the file said of it.
"""

from typing import Final, NamedTuple

from stream.codec.state.keys import FIGURE
from stream.errors import StateError

FORMAT: Final = b"1"


class Cell(NamedTuple):
    """Which number it is, apart from lifecycle and day."""

    figure: str
    """A figure of the lifecycle, or one of what comes by itself: `entered/STAGE`, `left/STAGE`, `moved/FROM/TO`,
    `stayed/STAGE` (milliseconds, of those who left) and `customers/STAGE` (at the day's end)."""
    by: str
    """The fact that makes the segment; empty: of everybody."""
    segment: str
    """NO_VALUE, OTHER, or `=` and the fact's value; empty where `by` is."""


NO_VALUE: Final = "-"
"""The segment of those who have no value of the fact yet."""
OTHER: Final = "*"
"""The segment of values that were too many to be kept apart."""


def figure_key(lifecycle: str, day: int, cell: Cell) -> bytes:
    """The record's key; the day is counted from 1970-01-01."""
    named = f"{lifecycle}\0{day}\0{cell.figure}\0{cell.by}\0{cell.segment}"
    return FIGURE + named.encode()


def read_figure_key(key: bytes) -> tuple[str, int, Cell]:
    """Lifecycle, day and cell of a key. Raises StateError."""
    try:
        lifecycle, day, figure, by, segment = key[1:].decode().split("\0", 4)
        return lifecycle, int(day), Cell(figure, by, segment)
    except ValueError as error:
        raise StateError(
            f"the key of a figure cannot be read ({error}): it is not what this application wrote"
        ) from None


def figure_value(number: int, next_offset: int, mark: str = "") -> bytes:
    """The record's value: millionths, or a count, with all before the source offset in it; `mark`: `Figure.mark`."""
    value = b"%b %d %d" % (FORMAT, number, next_offset)
    return value + b" " + mark.encode() if mark else value


def read_figure_value(value: bytes) -> tuple[int, int, str]:
    """Number, offset and the mark of the figure as it was written. Raises StateError."""
    parts = value.split(b" ")
    if parts[0] != FORMAT or len(parts) not in {3, 4}:
        raise StateError(f"a figure has format {parts[0]!r}: it was written by a newer version; upgrade this worker")
    return int(parts[1]), int(parts[2]), parts[3].decode() if len(parts) == 4 else ""
