"""What a broker has on its disk, per topic: all bytes, and those that only mark where transactions ended."""

from pathlib import Path
from struct import Struct
from typing import NamedTuple

_HEAD = Struct(">qiibIh")
"""Of a record batch: base offset, length of what follows it, leader epoch, magic, checksum, attributes."""
_BEFORE_LENGTH = 12
"""Bytes of base offset and length, which the length leaves out."""
_CONTROL = 0x20
"""The attribute of a batch that holds a transaction marker."""


class Bytes(NamedTuple):
    """Written to one topic, all partitions together."""

    total: int
    markers: int
    """Transaction markers, part of the total."""


class BrokerLogs:
    """The log segments in a broker's data directory; `grown` tells what was added since the last call."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._known: dict[Path, int] = {}

    def grown(self) -> dict[str, Bytes]:
        """By topic name, those without growth left out. A segment that the cleaner rewrote counts as new."""
        found: dict[str, Bytes] = {}
        for path in self._data.glob("*/*.log"):
            topic = path.parent.name.rpartition("-")[0]
            known, size = self._known.get(path, 0), path.stat().st_size
            start = known if known <= size else 0
            self._known[path] = size
            if topic and size > start:
                before = found.get(topic, Bytes(0, 0))
                found[topic] = Bytes(before.total + size - start, before.markers + _markers(path, start, size))
        return found


def _markers(path: Path, start: int, end: int) -> int:
    """Bytes of transaction markers from `start`, where a batch begins, to `end`."""
    found = 0
    with path.open("rb") as file:
        file.seek(start)
        while start + _HEAD.size <= end:
            _base, length, _epoch, _magic, _checksum, attributes = _HEAD.unpack(file.read(_HEAD.size))
            if attributes & _CONTROL:
                found += _BEFORE_LENGTH + length
            start += _BEFORE_LENGTH + length
            file.seek(start)
    return found
