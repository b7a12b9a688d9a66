"""The tables of a report as files, one for each: CSV for spreadsheets, Parquet for programs."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import polars as pl

from stream.errors import LifecycleError
from stream.report.tables import Cell, Change, Report, Table, Value

_MILLION: Final = Decimal(1_000_000)


def write_csv(report: Report, folder: Path) -> list[Path]:
    """One file for each table, UTF-8 with a line of headings; returns them. Raises LifecycleError."""
    return [_written(folder, table, "csv") for table in report.tables if table.rows]


def write_parquet(report: Report, folder: Path) -> list[Path]:
    """The same as Parquet; a column is text where it has any, else numbers. Raises LifecycleError."""
    return [_written(folder, table, "parquet") for table in report.tables if table.rows]


def write_text(path: Path, text: str) -> None:
    """Write a page. Raises LifecycleError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LifecycleError(f"{path}: cannot be written: {error.strerror or error}") from error


def _written(folder: Path, table: Table, end: str) -> Path:
    path = folder / f"{table.id}.{end}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if end == "csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                lines = csv.writer(file, lineterminator="\n")
                lines.writerow(table.columns)
                lines.writerows([_in_csv(cell) for cell in row] for row in table.rows)
        else:
            _frame(table).write_parquet(path)
    except OSError as error:
        raise LifecycleError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


def _plain(cell: Cell) -> str | int | float | Decimal | None:
    """A cell as a number or text: amounts in units of their currency, exactly; shares from 0 to 1; spans in ms."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, Change):
        return cell.share
    if cell.kind == "money" and isinstance(cell.number, int):
        return Decimal(cell.number) / _MILLION
    if cell.kind == "money":
        return cell.number / 1_000_000
    return int(cell.number) if cell.kind == "count" else cell.number


def _in_csv(cell: Cell) -> str:
    found = _plain(cell)
    return "" if found is None else f"{found:f}" if isinstance(found, Decimal) else str(found)


def _frame(table: Table) -> pl.DataFrame:
    columns: list[pl.Series] = []
    for place, name in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        columns.append(_column(name, cells))
    return pl.DataFrame(columns)


def _column(name: str, cells: Sequence[Cell]) -> pl.Series:
    plain = [_plain(each) for each in cells]
    kinds = {each.kind for each in cells if isinstance(each, Value)}
    if any(isinstance(each, str) for each in plain):
        return pl.Series(name, [None if each is None else str(each) for each in plain], pl.String)
    if kinds == {"count"}:
        return pl.Series(name, plain, pl.Int64)
    if kinds == {"money"} and all(isinstance(each, Decimal | None) for each in plain):
        return pl.Series(name, plain, pl.Decimal(38, 6))
    return pl.Series(name, [None if each is None else float(each) for each in plain], pl.Float64)
