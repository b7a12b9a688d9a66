"""Interactions from files: JSON, CSV or Excel, compressed or not, in the product's own form or any other."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from os import PathLike, fspath
from pathlib import Path
from typing import Final, Literal

from xxhash import xxh3_64

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import Reading
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.csv_records import csv_rows
from stream.codec.files.file_bytes import BUFFER, COMPRESSED, ReadableFile, hashed, in_utf8, opened
from stream.codec.files.json_list import json_list
from stream.codec.files.json_records import json_lines, json_records
from stream.codec.files.reading_options import FROM_THE_FILE, ReadingOptions
from stream.codec.files.rejected_rows import RejectedRows
from stream.codec.files.source_file import Record, SourceFile
from stream.codec.files.survey import OfferedError, Survey
from stream.codec.files.table_records import Unreadable, table_records
from stream.codec.files.text_lines import Lines
from stream.codec.files.xlsx_rows import xlsx_rows
from stream.codec.interactions import DEFAULT_READING, InteractionDecoder
from stream.core.interaction import Interaction
from stream.errors import InputFileError

_Format = Literal["lines", "list", "csv"]

_BOM: Final = b"\xef\xbb\xbf"
_ZIP: Final = b"PK\x03\x04"
_OTHERS: Final = (
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel before 2007, or one with a password; save it as .xlsx or CSV"),
    (b"PAR1", "Parquet; export it as CSV or JSON lines"),
    (b"BZh", "bzip2; unpack it, or compress it as .gz or .zst"),
    (b"\xfd7zXZ", "xz; unpack it, or compress it as .gz or .zst"),
    (b"%PDF", "a PDF; export it as CSV"),
)
"""How other files begin, and what to do."""
_WIDE: Final = ((b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
"""Byte order marks of encodings that have to be named."""
_LOOKED_AT: Final = 100_000
"""Records that are read for an offer."""
_FORMATS: Final[dict[str, _Format]] = {
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "lines",
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
    options: ReadingOptions = FROM_THE_FILE,
    survey: Survey | None = None,
    rejected: RejectedRows | None = None,
    flaws: dict[str, int] | None = None,
) -> Iterator[Record]:
    """Yield every record of a file in the file's order, the unreadable ones with their reason.

    `-` is the standard input. A workbook of Excel, a JSON list, gzip and zstd are recognised by how they begin; else
    the format follows the extension (.jsonl .ndjson .json .csv .tsv .tab, each also with .gz or .zst), else the first
    character. CSV has a header, and a comma, semicolon, tab or bar as its delimiter. Lines with nothing in them are no
    records. `reading` says how these are read. `digest`, if given, has hashed the whole content, decompressed, once the
    last record was had. `options` says how text, numbers and times are written; what could be read with other options
    is noted in `survey`, each rejected record is kept with its cells in `rejected`, and what could not be used of those
    that were taken is counted in `flaws`.

    Without a mapping, an object of JSON goes to `decode` as it is, and of a table the columns are read that are named
    as the native format names its parts (`properties.total`). With one, it says where each part is. What a cell stands
    for says `table_records.cell_value`; in JSON a value keeps its type, only a time in text is read as in CSV, and
    text of a property as a number where the options say how these are written.

    A record that cannot be read, or whose line is too long, is a `Rejected`; where it is no row of its table the
    reason is `bad_shape`. `InputFileError`, when the first record is asked for: a file that cannot be opened, is no
    text, or has a header that does not fit the mapping (`OfferedError`: it could be read with what is offered); later:
    one that cannot be read on.
    """
    name = fspath(path)
    where = "the standard input" if name == "-" else name
    decoder = InteractionDecoder(reading)

    def read(value: bytes) -> Interaction | Rejected:
        found = decoder.decode(value, None)
        source.count(decoder.take_flaws())
        return found

    survey = Survey(options) if survey is None else survey
    flaws = {} if flaws is None else flaws
    source = SourceFile(where, mapping, options.notation, read, survey, rejected, flaws)
    with opened(name) as content:
        file = content if digest is None else hashed(content, digest)
        beginning = file.peek(BUFFER)
        if beginning.startswith(_ZIP):
            yield from _workbook(file, options.sheet, source)
            return
        for magic, kind in _OTHERS:
            if beginning.startswith(magic):
                raise InputFileError(f"{where}: {kind}")
        if options.encoding is not None:
            file = in_utf8(file, options.encoding)
        else:
            encoding = next((each for mark, each in _WIDE if beginning.startswith(mark)), None)
            if encoding is not None:
                raise _encoding_offered(name, encoding, source, replace(options, encoding=encoding))
        match _format(name, file, where):
            case "csv":
                yield from table_records(*csv_rows(Lines(file), where), source)
            case "list":
                yield from json_records(json_list(file, where), source)
            case "lines":
                yield from json_records(json_lines(Lines(file)), source)


def _format(name: str, file: ReadableFile, where: str) -> _Format:
    beginning = file.peek(BUFFER).removeprefix(_BOM).lstrip()
    if b"\0" in beginning.partition(b"\n")[0]:
        raise InputFileError(f"{where}: not text in UTF-8; name its encoding with --encoding, or export it as CSV")
    plain = Path(name.lower())
    if plain.suffix in COMPRESSED:
        plain = plain.with_suffix("")
    known = _FORMATS.get(plain.suffix)
    if known != "csv" and beginning.startswith(b"["):
        return "list"
    if known is not None:
        return known
    return "lines" if not beginning or beginning.startswith(b"{") else "csv"


def _workbook(file: ReadableFile, sheet: str | None, source: SourceFile) -> Iterator[Record]:
    # The parts of a zip are not in the order in which they are needed.
    with tempfile.TemporaryFile(prefix="lifecycle-xlsx-") as whole:
        shutil.copyfileobj(file, whole, BUFFER)
        whole.seek(0)
        rows = xlsx_rows(whole, sheet, source.where)
        _, first = next(rows, (0, []))
        if isinstance(first, Unreadable) or not first:
            raise InputFileError(f"{source.where}: no header; the first row of a sheet names its columns")
        header = ["" if each is None else str(each).strip() for each in first]
        while not header[-1]:
            header.pop()
        yield from table_records(header, rows, source)


def _encoding_offered(name: str, encoding: str, source: SourceFile, options: ReadingOptions) -> InputFileError:
    """The error for a file whose encoding has to be named, with all that can be offered where it can be read again."""
    message = f"{source.where}: not text in UTF-8; it looks like {encoding}"
    source.survey.is_in(encoding)
    if name != "-" and Path(name).is_file():
        records = read_interactions(name, mapping=source.mapping, options=options, survey=source.survey)
        try:
            for _ in islice(records, _LOOKED_AT):
                pass
        except OfferedError as error:
            return OfferedError(f"{message}; then {error}", error.offer)
        except InputFileError as error:
            message = f"{message}; then {error}"
    return OfferedError(message, source.survey.offer_with())
