"""Lines of a file, counted and bounded in length."""

from collections.abc import Iterator
from typing import Final, Protocol

MAX_LINE: Final = 16 * 1024 * 1024
"""The longest line that is read, in bytes; it bounds the memory that a file without line ends takes."""

_BOM: Final = b"\xef\xbb\xbf"
_SKIP: Final = 64 * 1024


class ReadsLines(Protocol):
    """A binary file, as far as it matters here."""

    def readline(self, size: int = -1, /) -> bytes:
        """The next line with its end, at most `size` bytes of it; empty at the end of the file."""


class LineTooLongError(Exception):
    """A line is longer than `MAX_LINE` bytes; it has been skipped, and the next one can be read."""

    def __str__(self) -> str:
        return f"longer than {MAX_LINE // 1024 // 1024} MiB"


class Lines(Iterator[bytes]):
    """The lines of a file with their ends, without a byte order mark.

    Iterating raises `LineTooLongError` in place of a line that is too long, and may go on after it.
    """

    def __init__(self, file: ReadsLines) -> None:
        self._file = file
        self.number = 0
        """How many lines have been read: the number, counted from 1, of the latest."""

    def __next__(self) -> bytes:
        line = self._file.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = self._file.readline(_SKIP)
            raise LineTooLongError
        return line.removeprefix(_BOM) if self.number == 1 else line
