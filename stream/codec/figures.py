"""Rows of the topic `figures`: flat JSON, one for each lifecycle, day, figure, segment and partition.

Values are absolute, so that reading a row twice does no harm; the sum over partitions is the figure.
"""

from datetime import date, timedelta
from typing import Final, NamedTuple

import orjson

from stream.codec.records import Outgoing
from stream.codec.state.figures import NO_VALUE, OTHER, Cell

KEY_FIELDS: Final = ("lifecycle", "day", "figure", "from", "to", "by", "segment", "kind", "partition")
"""Of a row, in the order of its key."""
_EPOCH: Final = date(1970, 1, 1)
_MILLION: Final = 1_000_000
_LAST_DAY: Final = (date.max - _EPOCH).days
_FIRST_DAY: Final = (date.min - _EPOCH).days
_STAGES_OF: Final = {
    "entered": ("to",),
    "left": ("from",),
    "stayed": ("from",),
    "customers": ("to",),
    "moved": ("from", "to"),
}
"""By what comes by itself: which stages its name has behind it."""


class Named(NamedTuple):
    """A figure by its name and, of what comes by itself, its stages."""

    figure: str
    from_stage: str | None
    to_stage: str | None


def day_text(day: int) -> str:
    """A day, counted from 1970-01-01, as YYYY-MM-DD."""
    return (_EPOCH + timedelta(days=min(max(day, _FIRST_DAY), _LAST_DAY))).isoformat()


def day_number(text: str) -> int:
    """The number of a day. Raises ValueError where it is none."""
    return (date.fromisoformat(text) - _EPOCH).days


def named(cell: Cell) -> Named:
    """What a cell's figure is."""
    figure, *stages = cell.figure.split("/")
    places = dict(zip(_STAGES_OF.get(figure, ()), stages, strict=False))
    return Named(figure, places.get("from") or None, places.get("to") or None)


def exact(number: int) -> str:
    """Millionths as a decimal number, without zeros at its end."""
    whole, rest = divmod(abs(number), _MILLION)
    text = f"{whole}.{rest:06}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{text}" if number < 0 else text


def row(
    lifecycle: str, version: int, partition: int, day: int, cell: Cell, number: int, *, millionths: bool
) -> Outgoing:
    """The record of one cell, whose key tells it from all others."""
    key = _key(lifecycle, partition, day, cell)
    value = {
        **key,
        "version": version,
        "value": number / _MILLION if millionths else number,
        "exact": exact(number) if millionths else str(number),
    }
    return Outgoing(orjson.dumps(key), orjson.dumps(value))


def row_key(partition: int, lifecycle: str, day: int, cell: Cell) -> bytes:
    """The key of a cell's record."""
    return orjson.dumps(_key(lifecycle, partition, day, cell))


def _key(lifecycle: str, partition: int, day: int, cell: Cell) -> dict[str, str | int | None]:
    figure, from_stage, to_stage = named(cell)
    return {
        "lifecycle": lifecycle,
        "day": day_text(day),
        "figure": figure,
        "from": from_stage,
        "to": to_stage,
        "by": cell.by or None,
        "segment": cell.segment[1:] if cell.segment[:1] == "=" else None,
        "kind": _kind(cell),
        "partition": partition,
    }


def _kind(cell: Cell) -> str:
    if not cell.by:
        return "all"
    return {NO_VALUE: "none", OTHER: "other"}.get(cell.segment, "value")
