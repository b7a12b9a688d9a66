"""Rows that come one by one, as a frame: columns are filled, and made into frames piece by piece."""

from collections.abc import Mapping
from typing import Final

import polars as pl

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

_PIECE: Final = 100_000
"""Rows that are kept as Python's own objects, which take five times the room."""


class Rows:
    """Takes rows one by one."""

    def __init__(self, schema: Schema) -> None:
        self._schema = pl.Schema(schema)
        self._columns: list[list[object]] = [[] for _ in self._schema]
        self._pieces: list[pl.DataFrame] = []
        self._first = self._columns[0]

    def add(self, *row: object) -> None:
        """One more row, in the order of the schema."""
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        if len(self._first) == _PIECE:
            self._flush()

    def _flush(self) -> None:
        columns = zip(self._schema.items(), self._columns, strict=True)
        self._pieces.append(pl.DataFrame([pl.Series(name, values, dtype) for (name, dtype), values in columns]))
        for column in self._columns:
            column.clear()

    def frame(self) -> pl.DataFrame:
        """All rows so far."""
        self._flush()
        self._pieces = [pl.concat(self._pieces)]
        return self._pieces[0]


def total(numbers: pl.Series) -> int:
    """The sum of a column of whole numbers."""
    return int(numbers.sum())
