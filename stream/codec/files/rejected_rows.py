"""A file of the records that were rejected: where each stands, why, and its cells as they were."""

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import orjson

from stream.codec.dead_letter_reasons import Rejected
from stream.errors import LifecycleError

_HEAD: Final = ("file", "line", "reason", "detail")
_MEMORY: Final = 1 << 20
RECORD: Final = ("record",)
"""The only column of a record that has none of its own: its text as it was."""


class RejectedRows:
    """Writes one CSV file with the columns file, line, reason, detail, and then all that the files have.

    The rows wait in a temporary file until it is closed, for only then all columns are known. A column of a file that
    is named as one of the first four has `its ` before its name.
    """

    def __init__(self, path: str) -> None:
        """`LifecycleError`: the file cannot be written, which is tried at once."""
        self._path = path
        self._columns: dict[str, None] = {}
        try:
            Path(path).write_bytes(b"")
        except OSError as error:
            raise self._error(error) from error
        self._waiting: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._waiting:
            self._write()

    def add(
        self, file: str, line: int | None, rejected: Rejected, columns: Sequence[str], cells: Sequence[object]
    ) -> None:
        """Add a record; cells beyond the columns are kept in columns without a name of their own."""
        more = range(len(columns) + 1, len(cells) + 1)
        names = [f"its {each}" if each in _HEAD else each for each in columns] + [f"column {place}" for place in more]
        self._columns.update(dict.fromkeys(names))
        texts = ["" if each is None else _text(each) for each in cells]
        row = [[file, line, rejected.reason, rejected.detail], dict(zip(names, texts, strict=False))]
        try:
            self._waiting.write(orjson.dumps(row) + b"\n")
        except OSError as error:
            raise self._error(error) from error

    def _write(self) -> None:
        try:
            # With a byte order mark, for Excel takes everything else for the encoding of its own country.
            with Path(self._path).open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file)
                writer.writerow((*_HEAD, *self._columns))
                self._waiting.seek(0)
                for line in self._waiting:
                    head, cells = orjson.loads(line)
                    writer.writerow((*head, *(cells.get(each, "") for each in self._columns)))
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> LifecycleError:
        return LifecycleError(f"{self._path}: cannot be written: {error.strerror}")


def _text(cell: object) -> str:
    # Bytes that are no text are shown as such: the file is one that can be read.
    return str(cell).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
