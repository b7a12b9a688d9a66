"""Files of results: JSON lines, CSV or Parquet, as the end of their name says."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from io import TextIOWrapper
from pathlib import PurePath
from typing import Any, BinaryIO, Final, Literal

from stream.codec.stage_changes import ChangeSource, encode
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.errors import LifecycleError
from stream.offline.columns import FIGURE_COLUMNS, ChangeColumns, Column, Row, StandingColumns, figure_row, in_csv
from stream.offline.standing import Standing, encode_standing

Format = Literal["jsonl", "csv", "parquet"]
WriteRow = Callable[[Row], None]

_BUFFER: Final = 1 << 20
"""Bytes of output that are written at a time."""
_GROUP: Final = 50_000
"""Rows of a Parquet file that are kept until they are written."""
_MISSING: Final = "Parquet needs pyarrow, which is not installed; install it: pip install 'customer-lifecycle[parquet]'"


def format_of(path: str) -> Format:
    """By the end of the file's name, in upper or lower case; JSON lines for every other name and for `-`."""
    end = PurePath(path).suffix.lower()
    return "csv" if end == ".csv" else "parquet" if end == ".parquet" else "jsonl"


@contextmanager
def change_file(path: str, lifecycles: Sequence[Lifecycle]) -> Iterator[Callable[[StageChange, ChangeSource], None]]:
    """Open a file for stage changes of these lifecycles, and hand out what writes one; `-` is the standard output.

    Raises LifecycleError where it cannot be written, or is Parquet and pyarrow is not installed.
    """
    if format_of(path) == "jsonl":
        with _opened(path) as file:
            yield lambda change, source: _line(file, encode(change, source))
        return
    columns = ChangeColumns(lifecycles)
    with _table(path, columns.columns) as write:
        yield lambda change, source: write(columns.row(change, source))


@contextmanager
def customer_file(path: str, lifecycles: Sequence[Lifecycle]) -> Iterator[Callable[[Standing], None]]:
    """The same for customers, as they are at the end."""
    if format_of(path) == "jsonl":
        with _opened(path) as file:
            yield lambda standing: _line(file, encode_standing(standing))
        return
    columns = StandingColumns(lifecycles)
    with _table(path, columns.columns) as write:
        yield lambda standing: write(columns.row(standing))


def write_figures(path: str, rows: Iterable[bytes]) -> None:
    """Write rows of figures to a file; `-` is the standard output."""
    if format_of(path) == "jsonl":
        write_lines(path, rows)
        return
    with _table(path, FIGURE_COLUMNS) as write:
        for each in rows:
            write(figure_row(each))


def write_lines(path: str, lines: Iterable[bytes]) -> None:
    """Write lines to a file, or to the standard output (`-`). Raises LifecycleError where it cannot be written."""
    with _opened(path) as file:
        for line in lines:
            _line(file, line)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    try:
        with open(1 if path == "-" else path, "wb", buffering=_BUFFER, closefd=path != "-") as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LifecycleError(f"{path}: cannot be written: {error.strerror or error}") from error


def _line(file: BinaryIO, line: bytes) -> None:
    file.write(line + b"\n")


def _table(path: str, columns: Sequence[Column]) -> AbstractContextManager[WriteRow]:
    return _csv(path, columns) if format_of(path) == "csv" else _parquet(path, columns)


@contextmanager
def _csv(path: str, columns: Sequence[Column]) -> Iterator[WriteRow]:
    with _opened(path) as file, TextIOWrapper(file, "utf-8", newline="") as text:
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow([each.name for each in columns])
        yield lambda row: lines.writerow(map(in_csv, columns, row))


@contextmanager
def _parquet(path: str, columns: Sequence[Column]) -> Iterator[WriteRow]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra: most never need it
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise LifecycleError(f"{path}: {_MISSING}") from None
    types: dict[str, Any] = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "whole": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(each.name, types[each.kind]) for each in columns])
    kept: list[Row] = []

    def flush() -> None:
        arrays = [pa.array([row[place] for row in kept], type=field.type) for place, field in enumerate(schema)]
        file.write_batch(pa.record_batch(arrays, schema=schema))
        kept.clear()

    def write(row: Row) -> None:
        kept.append(row)
        if len(kept) == _GROUP:
            flush()

    with _opened(path) as opened, parquet.ParquetWriter(opened, schema) as file:
        yield write
        if kept:
            flush()
