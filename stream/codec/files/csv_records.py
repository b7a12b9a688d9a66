"""Rows of a CSV file, whatever its delimiter."""

import csv
from collections.abc import Iterator
from itertools import chain
from typing import Final

from stream.codec.files.table_records import Row, Unreadable
from stream.codec.files.text_lines import MAX_LINE, Lines, LineTooLongError
from stream.errors import InputFileError

_DELIMITERS: Final = (",", ";", "\t", "|")


def csv_rows(lines: Lines, where: str) -> tuple[list[str], Iterator[Row]]:
    """The names of the columns, and each record's first line number with its cells.

    Empty lines are no records. `where` is the file's name for messages. Raises `InputFileError` for a file without a
    header.
    """
    # The limit is the process's, and its default (128 kB) is less than a text property may be.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    texts = _Texts(lines)
    try:
        rows = _rows(texts)
        header = [name.strip() for name in next(rows)]
    except (csv.Error, LineTooLongError) as error:
        raise InputFileError(f"{where}: the header cannot be read: {error}") from error
    if not header:
        raise InputFileError(f"{where}: no header; a CSV file begins with a line that names its columns")
    return header, _records(lines, texts, rows, len(header))


def _records(lines: Lines, texts: "_Texts", rows: Iterator[list[str]], width: int) -> Iterator[Row]:
    while True:
        first = lines.number + 1
        texts.begin_record()
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, LineTooLongError) as error:
            yield first, Unreadable(f"{_span(first, lines.number)}: {error}")
            continue
        if not row:
            continue
        if len(row) < width or any(row[width:]):
            detail = f"{_span(first, lines.number)}: {len(row)} cells for {width} columns"
            yield first, Unreadable(detail, tuple(row))
            continue
        yield first, [*row]


class _Texts(Iterator[str]):
    """Lines as text. A record that goes on over many of them is bounded as one line is: LineTooLongError."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._size = 0

    def begin_record(self) -> None:
        """The next line is the first of another record."""
        self._size = 0

    def __next__(self) -> str:
        line = next(self._lines)
        self._size += len(line)
        if self._size > MAX_LINE:
            raise LineTooLongError
        # What is no UTF-8 stays in its cell as lone surrogates, so that only a record that uses the cell is lost.
        return line.decode("utf-8", "surrogateescape")


def _rows(texts: _Texts) -> Iterator[list[str]]:
    """A reader of the rows, the header being the first; it may be asked for more after an error."""
    first = next((text for text in texts if text.strip()), "")
    # Of the known delimiters the one that gives the header the most columns; where it goes on in the next
    # line, its beginning has to do.
    delimiter = max(_DELIMITERS, key=lambda known: len(next(csv.reader([first], delimiter=known), ())))
    # strict: a quote that is never closed is an error at the next quote, not a cell that swallows the file.
    return csv.reader(chain([first], texts), delimiter=delimiter, strict=True)


def _span(first: int, last: int) -> str:
    return f"line {first}" if last <= first else f"lines {first} to {last}"
