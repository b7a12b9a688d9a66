"""Stage changes as rows of a frame: from the product's own simulation, from files that it wrote, or from their topic.

The changes of one life come in their order wherever they are read from, and so does everything here.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import polars as pl

from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.core.tally import segment_text
from stream.report.columns import Rows, Schema

_CUSTOMER: Final = "="
_VISITOR: Final = "?"
_FACT: Final = "facts."


def change_schema(lifecycle: Lifecycle, facts: Sequence[str]) -> Schema:
    """The columns of a frame of stage changes; facts are text, whatever they are."""
    stages = pl.Enum(list(lifecycle.stages))
    return {
        "who": pl.Categorical(),
        "born": pl.Categorical(),
        "from": stages,
        "to": stages,
        "at": pl.Int64(),
        "entered": pl.Int64(),
        **{f"{_FACT}{name}": pl.String() for name in facts},
    }


class _Written(msgspec.Struct, rename={"from_stage": "from", "to_stage": "to"}, gc=False):
    """Of the JSON of a stage change what is reckoned with."""

    lifecycle: str
    born: str
    from_stage: str | None
    to_stage: str | None
    at: int
    entered: int | None = None
    customer_id: str | None = None
    anonymous_id: str | None = None


class _WrittenWithFacts(_Written, rename={"from_stage": "from", "to_stage": "to"}, gc=False):
    facts: dict[str, str | int | float | bool] = {}


class ChangeRows:
    """Takes stage changes of one lifecycle; those of others are left out."""

    def __init__(self, lifecycle: Lifecycle, facts: Sequence[str]) -> None:
        self.lifecycle = lifecycle
        self.facts = tuple(facts)
        self._schema = change_schema(lifecycle, facts)
        self._rows = Rows(self._schema)
        self._pieces: list[pl.DataFrame] = []
        self._decoder = msgspec.json.Decoder(_WrittenWithFacts if facts else _Written)
        self.unreadable = 0
        """Lines that are no stage change."""
        self.foreign = 0
        """Stage changes with stages that the lifecycle does not have (any more)."""

    def add(self, change: StageChange) -> None:
        """One more, of the lifecycle."""
        self._rows.add(
            subject(change.subject, is_customer=change.kind == "customer"),
            change.born,
            change.from_stage,
            change.to_stage,
            change.at,
            change.entered,
            *(segment_text(change.facts.get(name)) for name in self.facts),
        )

    def add_lines(self, lines: bytes) -> int:
        """Stage changes as lines of JSON; returns how many lines there were."""
        try:
            written = self._decoder.decode_lines(lines)
        except (msgspec.DecodeError, UnicodeDecodeError):
            written = list(self._one_by_one(lines))
        columns: list[Iterable[object]] = [
            [
                f"{_VISITOR}{each.anonymous_id}" if each.customer_id is None else f"{_CUSTOMER}{each.customer_id}"
                for each in written
            ],
            [each.born for each in written],
            [each.from_stage for each in written],
            [each.to_stage for each in written],
            [each.at for each in written],
            [each.entered for each in written],
        ]
        columns += [
            [segment_text(each.facts.get(name)) for each in written if isinstance(each, _WrittenWithFacts)]
            for name in self.facts
        ]
        named = zip(self._schema.items(), columns, strict=True)
        frame = pl.DataFrame(
            [
                pl.Series(name, values, pl.String if isinstance(kind, pl.Enum) else kind)
                for (name, kind), values in named
            ]
        )
        self.add_frame(frame.with_columns(lifecycle=pl.Series([each.lifecycle for each in written], dtype=pl.String)))
        return len(written)

    def _one_by_one(self, lines: bytes) -> Iterable[_Written]:
        for line in lines.splitlines():
            try:
                yield self._decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += bool(line.strip())

    def add_frame(self, frame: pl.DataFrame) -> None:
        """Rows in the columns of `change_schema`, whose stages are texts, and `lifecycle`."""
        stages = list(self.lifecycle.stages)
        known = pl.lit(value=True)
        for column in ("from", "to"):
            known &= pl.col(column).is_null() | pl.col(column).cast(pl.String).is_in(stages)
        of_ours = frame.filter(pl.col("lifecycle") == self.lifecycle.id)
        own = of_ours.filter(known)
        self.foreign += of_ours.height - own.height
        self._pieces.append(own.select(pl.col(name).cast(kind) for name, kind in self._schema.items()))

    def frame(self) -> pl.DataFrame:
        """All rows so far, of the latest generation: a reset makes everything again, and `born` says so."""
        whole = pl.concat([*self._pieces, self._rows.frame()], rechunk=False)
        self._pieces = [whole]
        self._rows = Rows(self._schema)
        born = whole["born"].unique().cast(pl.String)
        if not born.str.contains(".", literal=True).any():
            return whole
        generation = pl.col("born").cast(pl.String).str.extract(r"^(\d+)\.").cast(pl.Int64).fill_null(1)
        return (
            whole.with_columns(generation=generation)
            .filter(pl.col("generation") == pl.col("generation").max())
            .drop("generation")
        )


def subject(identifier: str, *, is_customer: bool) -> str:
    """One name of a customer or visitor, of two name spaces."""
    return f"{_CUSTOMER if is_customer else _VISITOR}{identifier}"


def shown(who: str) -> str:
    """As people read it."""
    return who[1:] if who.startswith(_CUSTOMER) else f"{who[1:]} (anonymous)"
