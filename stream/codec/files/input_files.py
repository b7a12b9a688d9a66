"""Interactions from files: JSON lines or CSV, compressed or not, in the product's own form or any other."""

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import orjson
from xxhash import xxh3_64

from stream.codec.fields import Reading
from stream.codec.files.column_mapping import ColumnMapping, Pair
from stream.codec.files.csv_records import Unreadable, csv_records, time_value
from stream.codec.files.text_lines import Lines, LineTooLongError
from stream.codec.interactions import DEFAULT_READING, InteractionDecoder
from stream.codec.rejected import Reason, Rejected
from stream.core.interaction import Interaction
from stream.errors import InputFileError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

Record = tuple[int, Interaction | Rejected]
"""The line on which a record begins, counted from 1, and what it says or why it cannot be read."""

_File: TypeAlias = "io.BufferedReader[io.RawIOBase] | gzip.GzipFile"
_Decode = Callable[[bytes], Interaction | Rejected]
_Format = Literal["jsonl", "csv"]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_BUFFER: Final = 64 * 1024
_HASHED_AT_ONCE: Final = 1 << 20
_FORMATS: Final[dict[str, _Format]] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
}


def read_interactions(
    path: str | PathLike[str],
    *,
    mapping: ColumnMapping | None = None,
    reading: Reading = DEFAULT_READING,
    digest: xxh3_64 | None = None,
) -> Iterator[Record]:
    """Yield every record of a file in the file's order, the unreadable ones with their reason.

    `-` is the standard input. The format follows the extension (.jsonl .ndjson .json .csv .tsv .tab, each
    also with .gz), else the first character; gzip is recognised by its first bytes. CSV has a header, and a
    comma, semicolon, tab or bar as its delimiter. Lines with nothing in them are no records. `reading` says how
    records are read. `digest`, if given, has hashed the whole content, decompressed, once the last record was had.

    Without a mapping, a line of JSON goes to `decode` as it is, and of a CSV file the columns are read that
    are named as the native format names its parts (`properties.total`). With one, it says where each part is.
    What a cell stands for says `csv_records.cell_value`; in JSON lines a value keeps its type, only a time in
    text is read as in CSV.

    A record that cannot be read, or whose line is too long, is a `Rejected`; where it is no row of its CSV
    file the reason is `bad_shape`. `InputFileError`, when the first record is asked for: a file that cannot
    be opened, is no text, or has a header that does not fit the mapping; later: one that cannot be read on.
    """
    name = fspath(path)
    where = "the standard input" if name == "-" else name

    decoder = InteractionDecoder(reading)

    def read(value: bytes) -> Interaction | Rejected:
        return decoder.decode(value, None)

    try:
        with _opened(name) as opened:
            file = opened if digest is None else _hashed(opened, digest)
            if _format(name, file, where) == "csv":
                yield from _csv(file, mapping, read, where)
            else:
                yield from _json_lines(file, mapping, read)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputFileError(f"{where}: the compressed data are damaged or incomplete: {error}") from error
    except OSError as error:
        raise InputFileError(f"{where}: {error.strerror or error}") from error


def content_hash(path: str) -> bytes | None:
    """The hash of a file's content, decompressed; None where that can be read only once, as a pipe can.

    `InputFileError`: it cannot be read.
    """
    if path == "-" or not Path(path).is_file():
        return None
    digest = xxh3_64()
    try:
        with _opened(path) as file:
            while data := file.read1(_HASHED_AT_ONCE):
                digest.update(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputFileError(f"{path}: the compressed data are damaged or incomplete: {error}") from error
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}") from error
    return digest.digest()


class _Hashed(io.RawIOBase):
    """A file all of whose bytes are hashed as they are read."""

    def __init__(self, file: _File, digest: xxh3_64) -> None:
        self._file, self._digest = file, digest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "Buffer") -> int:
        """What the file has next."""
        view = memoryview(buffer)
        data = self._file.read1(len(view))
        self._digest.update(data)
        view[: len(data)] = data
        return len(data)


def _hashed(file: _File, digest: xxh3_64) -> _File:
    raw: io.RawIOBase = _Hashed(file, digest)
    return io.BufferedReader(raw, _BUFFER)


@contextmanager
def _opened(name: str) -> Iterator[_File]:
    with ExitStack() as stack:
        if name == "-":
            # Below its buffer, which would wait for more than a pipe has to give. What stands in for the
            # standard input may have nothing below, and can itself be read like a raw file.
            raw = cast("io.RawIOBase", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))
        else:
            raw = stack.enter_context(Path(name).open("rb", buffering=0))
        plain = io.BufferedReader(raw, _BUFFER)
        stack.callback(plain.detach)  # or it would close the standard input, which is not ours
        if plain.peek(2).startswith(_GZIP_MAGIC):
            yield stack.enter_context(gzip.GzipFile(fileobj=plain))
        else:
            yield plain


def _format(name: str, file: _File, where: str) -> _Format:
    beginning = file.peek(_BUFFER).removeprefix(_BOM).lstrip()
    if b"\0" in beginning.partition(b"\n")[0]:
        raise InputFileError(
            f"{where}: not text in UTF-8; export spreadsheets, Parquet and archives to CSV or JSON lines"
        )
    known = _FORMATS.get(Path(name.lower().removesuffix(".gz")).suffix)
    if known != "csv" and beginning.startswith(b"["):
        raise InputFileError(
            f"{where}: one JSON list, but each interaction has to be an object on a line of its own; "
            "jq -c '.[]' writes a list so"
        )
    if known is not None:
        return known
    return "jsonl" if not beginning or beginning.startswith(b"{") else "csv"


def _json_lines(file: _File, mapping: ColumnMapping | None, read: _Decode) -> Iterator[Record]:
    lines = Lines(file)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except LineTooLongError as error:
            yield lines.number, Rejected(Reason.TOO_LARGE, f"the line is {error}")
            continue
        if not line.isspace():
            yield lines.number, read(line) if mapping is None else _mapped(line, mapping, read)


def _mapped(line: bytes, mapping: ColumnMapping, read: _Decode) -> Interaction | Rejected:
    try:
        item: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return read(line)  # which says why
    if not isinstance(item, dict):
        return read(line)
    try:
        native = orjson.dumps(mapping.record(_found(pair, item) for pair in mapping.pairs))
    except orjson.JSONEncodeError as error:
        # What came from JSON can be written as JSON, but not as deep as it can be read.
        return Rejected(Reason.TOO_DEEP, str(error))
    return read(native)


def _found(pair: Pair, item: dict[str, object]) -> object:
    if pair.constant is not None:
        return pair.constant
    found: object = item
    for key in pair.source:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return time_value(found) if pair.target == ("time",) and isinstance(found, str) else found


def _csv(file: _File, mapping: ColumnMapping | None, read: _Decode, where: str) -> Iterator[Record]:
    for number, record in csv_records(Lines(file), mapping, where):
        if isinstance(record, Unreadable):
            yield number, Rejected(Reason.BAD_SHAPE, record.detail)
            continue
        try:
            native = orjson.dumps(record)
        except orjson.JSONEncodeError:
            yield number, Rejected(Reason.NOT_UTF8, "a cell that is read holds bytes that are not UTF-8")
            continue
        yield number, read(native)
