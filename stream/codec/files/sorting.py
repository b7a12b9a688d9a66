"""Interactions in the order of their times, however many there are."""

import heapq
import os
import struct
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import IO, Final, Literal, Self

import msgspec

from stream.core.interaction import ImportedRow, Interaction
from stream.errors import InputFileError

Phase = Literal["reading", "sorted"]
ReportPhase = Callable[[Phase, int], None]
"""Called with the phase and how many interactions it has behind it: those read, then those handed on."""

DEFAULT_MEMORY: Final = 256 * 1024 * 1024

_STEP: Final = 10_000
"""ReportPhase is told each time that so many interactions more are done, and at the end of a phase."""
_OVERHEAD: Final = 152
"""What an encoded interaction takes besides its bytes: a tuple, an integer, a bytes object, a list's slot."""
_HEAD: Final = struct.Struct("<qI")
"""Before each interaction in a run: its time and the length of its encoding."""
_MIN_BLOCK: Final = 4096
_MAX_BLOCK: Final = 1024 * 1024

_Entry = tuple[int, bytes]
_Fields = tuple[
    str | None,
    str | None,
    str | None,
    str,
    int,
    Mapping[str, object],
    Mapping[str, object],
    ImportedRow | None,
]
_time_of = itemgetter(0)


def _silent(_phase: Phase, _count: int) -> None:
    """Tell nobody."""


def sort_by_time(
    interactions: Iterable[Interaction],
    *,
    memory: int = DEFAULT_MEMORY,
    progress: ReportPhase = _silent,
) -> Generator[Interaction]:
    """Yield the interactions by ascending time, those of one time in the order in which they came.

    `memory` is the number of bytes that may be held at once, about. What does not fit goes to one temporary
    file as sorted runs, which are merged. The file has no name where the system allows that, so that nothing
    is left of it however the process ends; it is closed when the iterator ends, fails or is closed.

    `InputFileError`: the temporary file cannot be written, for want of space most likely. Whatever
    `interactions` raises passes through.
    """
    encode = msgspec.msgpack.Encoder().encode
    decode = msgspec.msgpack.Decoder(_Fields).decode
    with _Runs() as runs:
        entries: list[_Entry] = []
        held = count = 0
        for count, interaction in enumerate(interactions, start=1):
            # Encoded, an interaction takes about a quarter of the memory, and how much is known exactly.
            entry = interaction.time, encode(_fields(interaction))
            entries.append(entry)
            held += len(entry[1]) + _OVERHEAD
            if held > memory:
                entries.sort(key=_time_of)
                runs.add(entries)
                entries = []
                held = 0
            if count % _STEP == 0:
                progress("reading", count)
        progress("reading", count)
        entries.sort(key=_time_of)
        # merge prefers the earlier of its sources among equals, so the latest interactions are the last one.
        sources = [*runs.read(memory), iter(entries)]
        merged = heapq.merge(*sources, key=_time_of) if len(sources) > 1 else sources[0]
        for done, (_, encoded) in enumerate(merged, start=1):
            yield Interaction(*decode(encoded))
            if done % _STEP == 0:
                progress("sorted", done)
        progress("sorted", count)


def _fields(interaction: Interaction) -> _Fields:
    return (
        interaction.customer_id,
        interaction.anonymous_id,
        interaction.id,
        interaction.name,
        interaction.time,
        interaction.properties,
        interaction.context,
        interaction.row,
    )


class _Runs:
    """Sorted runs, one after the other in one temporary file that is made when the first one is added."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._ends = [0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, entries: list[_Entry]) -> None:
        """Write entries that are in order as the next run."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115 - closed by __exit__
                    prefix="lifecycle-sort-", buffering=_MAX_BLOCK
                )
            for time, encoded in entries:
                self._file.write(_HEAD.pack(time, len(encoded)))
                self._file.write(encoded)
            self._file.flush()
            self._ends.append(self._file.tell())
        except OSError as error:
            raise InputFileError(
                f"sorting by time needs a temporary file in {tempfile.gettempdir()}, which cannot be "
                f"written: {error.strerror}; set TMPDIR to a folder with as much space as the input takes"
            ) from error

    def read(self, memory: int) -> list[Iterator[_Entry]]:
        """One iterator for each run; together they hold about `memory` bytes."""
        if self._file is None:
            return []
        number = len(self._ends) - 1
        block = min(max(memory // number, _MIN_BLOCK), _MAX_BLOCK)
        descriptor = self._file.fileno()
        return [_entries(descriptor, start, end, block) for start, end in zip(self._ends, self._ends[1:], strict=False)]


def _entries(descriptor: int, position: int, end: int, block: int) -> Iterator[_Entry]:
    """The entries of the run between two positions, `block` bytes at a time."""
    rest = b""
    while position < end:
        # At a position, not by seeking: the runs take turns with one file.
        read = os.pread(descriptor, min(block, end - position), position)
        position += len(read)
        data = rest + read
        at = 0
        while at + _HEAD.size <= len(data):
            time, length = _HEAD.unpack_from(data, at)
            body = at + _HEAD.size
            if body + length > len(data):
                break
            yield time, data[body : body + length]
            at = body + length
        rest = data[at:]
