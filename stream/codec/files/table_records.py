"""Records of a table with a header, CSV or spreadsheet, as native objects."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

import orjson

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.files.column_mapping import (
    NESTED_TARGETS,
    ColumnMapping,
    MissingColumnsError,
    Pair,
    guessed,
    unknown_column,
)
from stream.codec.files.foreign_bytes import is_foreign, meant
from stream.codec.files.notation import PLAIN, NotATime, Notation
from stream.codec.files.source_file import Record, SourceFile
from stream.codec.files.survey import ColumnsSeen, OfferedError
from stream.codec.files.written_numbers import NumberColumn
from stream.codec.files.written_times import TimeColumn
from stream.core.interaction import Interaction
from stream.core.times import parse_time
from stream.errors import InputFileError

Cell = str | bool | int | float | datetime | None
"""What stands in a cell: text alone in CSV, more kinds in a spreadsheet."""


class Unreadable(NamedTuple):
    """A record that is no row of its file, and why."""

    detail: str
    cells: tuple[str, ...] = ()


Row = tuple[int, list[Cell] | Unreadable]
"""The number of the line or row on which a record begins, and its cells."""

_IDS: Final = ("customer_id", "anonymous_id", "id")
_TWICE: Final = -1
"""Instead of the place of a column whose name stands twice."""
_SURVEYED: Final = 100_000
"""Rows that are looked at for an offer where the file cannot be read as it is."""


class _CellSource(NamedTuple):
    target: str
    column: int | None
    """Its place in a row; None: there is a constant instead."""
    constant: str | None
    numbers: NumberColumn | None
    """Where a value is noted that may be a number."""


def table_records(header: Sequence[str], rows: Iterator[Row], source: SourceFile) -> Iterator[Record]:
    """Yield the interaction of each row, or why it is none (see `cell_value` for the cells).

    Without a mapping, the columns that are named as the native format names its parts are read. `InputFileError`: the
    header does not fit the mapping. `OfferedError`: it would with what is offered.
    """
    source.survey.header([meant(each) for each in header])
    mapping = source.mapping
    if mapping is None:
        try:
            mapping = ColumnMapping.native([meant(each) for each in header], source.where)
        except MissingColumnsError as error:
            raise _offered(error, header, rows, source) from error
    try:
        table = _Table(header, mapping, source)
    except InputFileError as error:
        offer = source.survey.offer() if _note_foreign(header, source) else None
        raise (error if offer is None else OfferedError(str(error), offer)) from error
    for line, row in rows:
        record = table.record(line, row)
        if not isinstance(record, Rejected):
            source.survey.read += 1
        yield line, record


def cell_value(target: str, cell: Cell, notation: Notation = PLAIN) -> object:
    """What a cell stands for under a target's first name; None where it is empty.

    The type stays as written, and so do ids, but for whole numbers that a spreadsheet or pandas made 3146.0 of: 3146. A
    property that is exactly a JSON number, or a number of the notation, `true` or
    `false` becomes one. A time in digits is epoch milliseconds, one of eight digits a day (YYYYMMDD) or, where there is
    no such day, text that will not be read as a time; a date of a spreadsheet is a local time. `NotATime`: it is none.
    """
    if isinstance(cell, str):
        if not cell:
            return None
        if target in NESTED_TARGETS:
            return notation.value(cell)
        if target == "time":
            return notation.time(cell)
        return cell[:-2] if cell.endswith(".0") and target in _IDS and cell[:-2].lstrip("-").isdigit() else cell
    if cell is None:
        return None
    if target in NESTED_TARGETS:
        return notation.local_text(cell) if isinstance(cell, datetime) else cell
    if target == "time":
        return notation.moment(cell) if isinstance(cell, datetime) else notation.time(_text(cell))
    return _text(cell)


class _Table:
    def __init__(self, header: Sequence[str], mapping: ColumnMapping, source: SourceFile) -> None:
        self._header, self._mapping, self._source = header, mapping, source
        columns: dict[str, int] = {}
        for index, column in enumerate(header):
            columns[column] = _TWICE if column in columns else index
        places = [_index(pair, columns, source.where) for pair in mapping.pairs]
        self._seen = ColumnsSeen(source.survey)
        for place, pair in enumerate(mapping.pairs):
            if pair.constant is None:
                self._seen.add(place, pair.target, meant(pair.column))
        self._cells = [
            _CellSource(pair.target[0], places[place], pair.constant, self._seen.numbers.get(place))
            for place, pair in enumerate(mapping.pairs)
        ]

    def record(self, line: int, row: list[Cell] | Unreadable) -> Interaction | Rejected:
        source = self._source
        if isinstance(row, Unreadable):
            return source.refuse(line, Rejected(Reason.BAD_SHAPE, row.detail), self._header, row.cells)
        missing = len(self._header) - len(row)
        if missing > 0:
            row.extend([None] * missing)
        values: list[object] = []
        failed: NotATime | None = None
        notation = source.notation
        for target, column, constant, numbers in self._cells:
            if column is None:
                values.append(constant)
                continue
            cell = row[column]
            try:
                value = cell_value(target, cell, notation)
            except NotATime as error:
                value, failed = None, error
            values.append(value)
            if numbers is not None and value is not None:
                if value.__class__ is str:
                    numbers.text(str(cell), source.where, line)
                else:
                    numbers.number(cell if isinstance(cell, str) else "")
        record: Interaction | Rejected
        record = self._decoded(line, row, values) if failed is None else Rejected(Reason.BAD_TIME, str(failed))
        if isinstance(record, Rejected):
            for place, times in self._seen.times.items():
                self._note_time(place, times, row, None if failed is not None else values[place], line)
            return source.refuse(line, record, self._header, row)
        return record

    def _note_time(self, place: int, times: TimeColumn, row: Sequence[Cell], value: object, line: int) -> None:
        """Note a time of a record that was rejected, for whatever reason."""
        column = self._cells[place].column
        assert column is not None  # only columns are looked at
        cell = row[column]
        if cell is None or cell == "":
            return
        if parse_time(value) is None:
            times.text(meant(_text(cell)), self._source.where, line)
        else:
            self._source.survey.read += 1

    def _decoded(self, line: int, row: Sequence[Cell], values: Sequence[object]) -> Interaction | Rejected:
        try:
            native = orjson.dumps(self._mapping.record(values))
        except (orjson.JSONEncodeError, TypeError):
            used = [row[index] for _, index, _, _ in self._cells if index is not None]
            found = _note_foreign(used, self._source, line)
            encoding = self._source.survey.options.encoding or "UTF-8"
            shown = found[:40].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            return Rejected(Reason.NOT_UTF8, f"a cell that is read holds bytes that are not {encoding}: '{shown}'")
        return self._source.decode(native)


def _offered(
    error: MissingColumnsError, header: Sequence[str], rows: Iterator[Row], source: SourceFile
) -> InputFileError:
    """The error for a header without native names; with an offer where the columns can be guessed from their names."""
    names = [meant(each) for each in header]
    text = guessed(names)
    if text is None:
        return error
    _note_foreign(header, source)
    table = _Table(names, ColumnMapping.parse([text]), source.only_looking())
    for line, row in islice(rows, _SURVEYED):
        table.record(line, row)
    return OfferedError(error.problem, source.survey.offer_with("--map", text))


def _note_foreign(cells: Sequence[Cell], source: SourceFile, line: int = 1) -> str:
    """Note the cells with bytes that are not UTF-8; the first of them, empty where there is none."""
    found = [each for each in cells if isinstance(each, str) and is_foreign(each)]
    for each in found:
        source.survey.foreign(each, f"{source.where}:{line}")
    return found[0] if found else ""


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a spreadsheet has no whole numbers
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell.isoformat() if isinstance(cell, datetime) else str(cell)


def _index(pair: Pair, columns: dict[str, int], where: str) -> int | None:
    if pair.constant is not None:
        return None
    index = columns.get(pair.column)
    if index is None:
        raise unknown_column(pair.column, list(columns), where)
    if index == _TWICE:
        raise InputFileError(f"{where}: more than one column is named {pair.column!r}; rename all but one")
    return index
