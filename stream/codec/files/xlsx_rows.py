"""Rows of a sheet of an Excel workbook (.xlsx), with dates as dates and numbers as numbers.

A workbook is a zip of XML, of which a small file may hold very much: sizes are looked at before anything is read.
"""

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Final

from stream.codec.files.table_records import Cell, Row
from stream.errors import InputFileError

MAX_SHEET: Final = 4 << 30
"""Bytes of a sheet's XML: a full one of a million rows and forty columns."""
MAX_OTHER: Final = 256 << 20
"""Bytes of any other part, such as all texts that stand in cells: these are held in memory."""
MAX_ROW: Final = 16 << 20
"""Bytes of XML of one row."""
MAX_ROWS: Final = 1_048_576
"""Rows that a sheet can have."""
_AT_ONCE: Final = 1 << 20


def xlsx_rows(file: IO[bytes], sheet: str | None, where: str) -> Iterator[Row]:
    """Yield the number of each row that is not empty, counted from 1, and its cells.

    Formulas count as the value that Excel saved with them. `InputFileError`: no workbook, one that is too large or
    damaged, no sheet of this name, or several of which none was named.
    """
    try:
        _check(file, where)
        from openpyxl import load_workbook  # noqa: PLC0415 - takes as long as all the rest, and few files need it

        with warnings.catch_warnings():
            # Of styles and extensions that it leaves away: no cell's value is among them.
            warnings.simplefilter("ignore")
            workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            chosen = _chosen([each.title for each in workbook.worksheets], sheet, where)
            found = workbook[chosen]
            found.reset_dimensions()  # what a file says of its own size need not be so
            for number, cells in enumerate(found.iter_rows(values_only=True), start=1):
                if number > MAX_ROWS:
                    break  # no sheet has more
                row: list[Cell] = [_cell(each) for each in cells]
                if any(each is not None and each != "" for each in row):
                    yield number, row
            workbook.close()
    except InputFileError:
        raise
    except Exception as error:
        raise InputFileError(f"{where}: damaged, or no Excel workbook: {str(error) or type(error).__name__}") from error


def _check(file: IO[bytes], where: str) -> None:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "xl/workbook.xml" not in names:
            raise InputFileError(f"{where}: a zip, but no Excel workbook; export it as .xlsx or CSV, or unpack it")
        for part in archive.infolist():
            is_sheet = part.filename.startswith("xl/worksheets/")
            if part.file_size > (MAX_SHEET if is_sheet else MAX_OTHER):
                raise InputFileError(f"{where}: {part.filename} would be {part.file_size:,} bytes; export it as CSV")
            if is_sheet and part.filename.endswith(".xml"):
                with archive.open(part) as content:
                    if not _rows_are_bounded(content):
                        raise InputFileError(f"{where}: a row of {part.filename} is larger than any sheet's")


def _rows_are_bounded(content: IO[bytes]) -> bool:
    """Whether no row, all of which is held at once, is larger than MAX_ROW."""
    since, end = 0, b""
    while data := content.read(_AT_ONCE):
        text = end + data
        last = text.rfind(b"row>")
        since = since + len(data) if last < 0 else len(text) - last
        if since > MAX_ROW:
            return False
        end = text[-3:]
    return True


def _chosen(titles: Sequence[str], sheet: str | None, where: str) -> str:
    listed = ", ".join(map(repr, titles))
    if sheet is not None:
        if sheet not in titles:
            raise InputFileError(f"{where}: no sheet is called {sheet!r}; there are {listed}")
        return sheet
    if len(titles) != 1:
        raise InputFileError(f"{where}: {len(titles)} sheets; say with --sheet which is meant: {listed}")
    return titles[0]


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | bool | int | float | datetime):
        return value
    return str(value)  # a time of day, a duration
