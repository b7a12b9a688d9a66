"""Stage changes from files as `lifecycle simulate --changes` writes them: Parquet, CSV or lines of JSON."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from stream.codec.files.file_bytes import opened
from stream.errors import InputFileError
from stream.report.change_rows import ChangeRows

_AT_ONCE: Final = 16 << 20
"""Bytes of lines that are read at a time."""
_ROWS: Final = 1_000_000
"""Rows of a table that are read at a time."""
_NEEDED: Final = ("customer_id", "anonymous_id", "lifecycle", "born", "from", "to", "at", "entered")

Progress = Callable[[int], object]
"""Hears how many more rows were read."""


def read_changes(path: str, rows: ChangeRows, progress: Progress) -> None:
    """Add a file's stage changes. Raises InputFileError where it cannot be read, or has not their columns."""
    end = Path(path).suffix.lower()
    if end in (".parquet", ".csv"):
        _read_table(path, rows, progress, is_csv=end == ".csv")
    else:
        for lines in _lines(path):
            progress(rows.add_lines(lines))


def _lines(path: str) -> Iterator[bytes]:
    """Whole lines, as many as are read at a time."""
    rest = b""
    with opened(path) as file:
        while read := file.read(_AT_ONCE):
            end = read.rfind(b"\n") + 1
            if end:
                yield rest + read[:end]
                rest = read[end:]
            else:
                rest += read
    if rest:
        yield rest


def _read_table(path: str, rows: ChangeRows, progress: Progress, *, is_csv: bool) -> None:
    facts = [f"facts.{name}" for name in rows.facts]
    try:
        table = pl.scan_csv(path, infer_schema=False) if is_csv else pl.scan_parquet(path)
        columns = table.collect_schema().names()
        missing = [name for name in (*_NEEDED, *facts) if name not in columns]
        if missing:
            right = "right is a file that lifecycle simulate --changes has written"
            raise InputFileError(f"{path}: there is no column {missing[0]!r}; {right}")
        wanted = table.select(
            pl.coalesce(pl.lit("=") + pl.col("customer_id"), pl.lit("?") + pl.col("anonymous_id")).alias("who"),
            pl.col("born", "from", "to", "lifecycle"),
            *(_milliseconds(name, is_csv=is_csv) for name in ("at", "entered")),
            pl.col(facts).cast(pl.String),
        )
        for frame in wanted.collect_batches(chunk_size=_ROWS):
            rows.add_frame(frame)
            progress(frame.height)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputFileError(f"{path}: cannot be read: {error}") from error


def _milliseconds(name: str, *, is_csv: bool) -> pl.Expr:
    column = pl.col(name)
    if is_csv:
        column = column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="ms")
    return column.dt.epoch("ms").cast(pl.Int64).alias(name)
