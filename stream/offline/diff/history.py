"""The interactions that two lifecycles are compared on: files, read as often as is needed, each time alike."""

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import AHEAD, Reading
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.file_bytes import BUFFER, COMPRESSED, content_hash, opened
from stream.codec.files.input_files import read_interactions
from stream.codec.files.reading_options import ReadingOptions
from stream.codec.files.rejected_rows import RejectedRows
from stream.codec.files.rejections import Rejections
from stream.codec.files.source_file import Record
from stream.codec.files.survey import Survey
from stream.core.interaction import Interaction
from stream.errors import InputFileError

_PACKED: Final = 8
"""A compressed file of interactions holds about so many times its size."""


@dataclass(frozen=True)
class HistoryFile:
    """One file, and whether it has the content of an earlier one, and so counts no more."""

    name: str
    """Where it is read from."""
    given: str
    """As it was named."""
    known: bool = False


@dataclass(frozen=True)
class History:
    """Files, and how they are read."""

    files: tuple[HistoryFile, ...]
    mapping: ColumnMapping | None
    reading: Reading
    options: ReadingOptions
    now: int
    """Epoch milliseconds: what happens more than 5 minutes later happens now, as on a worker."""

    @property
    def size(self) -> int:
        """About how many bytes there are to read, decompressed; what cannot be read is none."""
        return sum(_size(each.name) for each in self.files)


class Noted:
    """What is seen of the records while they are read."""

    def __init__(self, survey: Survey | None = None, rejected_rows: RejectedRows | None = None) -> None:
        self.survey = survey
        self.rejected_rows = rejected_rows
        self.flaws: dict[str, int] = {}
        self.rejected = Rejections()
        self.records = 0
        """Read, rejected and known ones too."""
        self.known = 0
        """Interactions of files that were read before."""
        self.ahead = 0
        """Interactions of the future, which count as of now."""
        self.first: int | None = None
        """The earliest time of an interaction, epoch milliseconds."""
        self.last: int | None = None


@contextmanager
def readable_again(files: Iterable[str]) -> Iterator[tuple[HistoryFile, ...]]:
    """The files; what can be read only once, the standard input (`-`) and pipes, is kept in a temporary one meanwhile.

    Raises InputFileError where one cannot be read.
    """
    names, found = list(files), list[HistoryFile]()
    contents: set[bytes | None] = {None}
    with ExitStack() as stack:
        for name in names:
            again = name
            if _is_read_once(name):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lifecycle-diff-"))
                again = _kept(name, Path(folder))
            content = content_hash(again) if len(names) > 1 else None
            found.append(HistoryFile(again, name, content is not None and content in contents))
            contents.add(content)
        yield tuple(found)


def _size(name: str) -> int:
    try:
        size = Path(name).stat().st_size
    except (OSError, ValueError):
        return 0  # whoever reads it says what is wrong with it
    return size * _PACKED if name.lower().endswith(COMPRESSED) else size


def _is_read_once(name: str) -> bool:
    try:
        return name == "-" or not stat.S_ISREG(Path(name).stat().st_mode)
    except (OSError, ValueError):
        return False


def _kept(name: str, folder: Path) -> str:
    """Where the content of what can be read only once is now; its name tells its format, and stands in messages."""
    path = folder / ("standard-input" if name == "-" else Path(name).name)
    with opened(name) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, BUFFER)
    return str(path)


def interactions(
    history: History, noted: Noted, progress: Callable[[Iterable[Record], str], Iterable[Record]]
) -> Iterator[tuple[int, Interaction]]:
    """Every interaction that counts, with the number of its record, counted from 0 over all files.

    Raises InputFileError where a file cannot be read.
    """
    latest = history.now + AHEAD
    first, last = noted.first, noted.last
    for file in history.files:
        records = read_interactions(
            file.name,
            mapping=history.mapping,
            reading=history.reading,
            options=history.options,
            survey=noted.survey,
            rejected=noted.rejected_rows,
            flaws=noted.flaws,
        )
        for line, record in progress(records, file.given):
            offset = noted.records
            noted.records += 1
            if isinstance(record, Rejected):
                noted.rejected.add(record, f"{file.given}:{line}")
                continue
            if file.known:
                noted.known += 1
                continue
            time = record.time
            if first is None or time < first:
                first = noted.first = time
            if last is None or time > last:
                last = noted.last = time
            if time > latest:
                record.time = history.now
                noted.ahead += 1
            yield offset, record


def check_readable(noted: Noted) -> None:
    """Raise InputFileError where none of the records could be read."""
    if noted.rejected and noted.records == noted.rejected.count:
        first = noted.rejected.describe_first()
        raise InputFileError(f"none of the {noted.records:,} records could be read; the first: {first}")


def without_progress(records: Iterable[Record], _name: str) -> Iterable[Record]:
    """Records that nobody watches."""
    return records
