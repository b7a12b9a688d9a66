"""Records of a CSV file, whatever its delimiter, as native objects."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Final, NamedTuple

import orjson

from stream.codec.files.column_mapping import NESTED_TARGETS, ColumnMapping, Pair, unknown_column
from stream.codec.files.text_lines import MAX_LINE, Lines, LineTooLongError
from stream.errors import InputFileError

_DELIMITERS: Final = (",", ";", "\t", "|")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_WHOLE: Final = re.compile(r"-?[0-9]+").fullmatch
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})").fullmatch
_MOST_DIGITS: Final = 18
"""No time has more digits, and reading a number takes the longer the more it has."""
_WORDS: Final = {"true": True, "false": False}
_TWICE: Final = -1
"""Instead of the place of a column whose name stands twice."""


class Unreadable(NamedTuple):
    """A record that is no row of its file, and why."""

    detail: str


def csv_records(
    lines: Lines, mapping: ColumnMapping | None, where: str
) -> Iterator[tuple[int, dict[str, object] | Unreadable]]:
    """Yield each record's first line number and its native object (see `cell_value` for the cells).

    Without a mapping, the columns that are named as the native format names its parts are read. Empty lines
    are no records. `where` is the file's name for messages. Raises `InputFileError` for a file without a
    header and for a header that does not fit the mapping.
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
    if mapping is None:
        mapping = ColumnMapping.native(header, where)
    columns: dict[str, int] = {}
    for index, column in enumerate(header):
        columns[column] = _TWICE if column in columns else index
    places = [(pair.target[0], _index(pair, columns, where), pair.constant) for pair in mapping.pairs]
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
        if len(row) < len(header) or any(row[len(header) :]):
            detail = f"{len(row)} cells for {len(header)} columns"
            yield first, Unreadable(f"{_span(first, lines.number)}: {detail}")
            continue
        yield (
            first,
            mapping.record(
                [constant if index is None else cell_value(part, row[index]) for part, index, constant in places]
            ),
        )


def cell_value(target: str, cell: str) -> object:
    """What a cell stands for under a target's first name; None where it is empty.

    Ids and the type stay as written. A property that is exactly a JSON number, `true` or `false` becomes one.
    A time in digits is epoch milliseconds, one of eight digits a day (YYYYMMDD) or, where there is no such
    day, text that will not be read as a time.
    """
    if not cell:
        return None
    if target in NESTED_TARGETS:
        if _NUMBER(cell):
            return _number(cell)
        return _WORDS.get(cell, cell)
    if target == "time":
        return time_value(cell)
    return cell


def time_value(text: str) -> int | str:
    """Text that stands for a time, with digits read as `cell_value` says, and else as it is."""
    day = _DAY(text)
    if day is not None:
        try:
            return date(int(day[1]), int(day[2]), int(day[3])).isoformat()
        except ValueError:
            return text
    return int(text) if _WHOLE(text) and len(text) <= _MOST_DIGITS else text


def _number(cell: str) -> object:
    try:
        # The reader of JSON, so that a number is the same number whichever kind of file it stands in.
        number: object = orjson.loads(cell)
    except orjson.JSONDecodeError:  # beyond what a double can hold
        return cell
    return number


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


def _index(pair: Pair, columns: dict[str, int], where: str) -> int | None:
    if pair.constant is not None:
        return None
    index = columns.get(pair.column)
    if index is None:
        raise unknown_column(pair.column, list(columns), where)
    if index == _TWICE:
        raise InputFileError(f"{where}: more than one column is named {pair.column!r}; rename all but one")
    return index


def _span(first: int, last: int) -> str:
    return f"line {first}" if last <= first else f"lines {first} to {last}"
