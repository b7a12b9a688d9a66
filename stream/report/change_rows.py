"""Stage changes as rows of a frame: from the product's own simulation, or from what it wrote."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.report.columns import Rows, Schema


def change_schema(lifecycle: Lifecycle, facts: Sequence[str]) -> Schema:
    """The columns of a frame of stage changes; facts are text, whatever they are."""
    stages = pl.Enum(list(lifecycle.stages))
    return {
        "who": pl.String,
        "born": pl.String,
        "sequence": pl.UInt32,
        "from": stages,
        "to": stages,
        "at": pl.Int64,
        "entered": pl.Int64,
        **{f"facts.{name}": pl.String for name in facts},
    }


class ChangeRows:
    """Takes stage changes one by one."""

    def __init__(self, lifecycle: Lifecycle, facts: Sequence[str]) -> None:
        self._facts = tuple(facts)
        self.rows = Rows(change_schema(lifecycle, facts))

    def add(self, change: StageChange) -> None:
        """One more."""
        self.rows.add(
            subject(change.kind == "customer", change.subject),
            change.born,
            change.sequence,
            change.from_stage,
            change.to_stage,
            change.at,
            change.entered,
            *(in_words(change.facts.get(name)) for name in self._facts),
        )


def subject(is_customer: bool, identifier: str) -> str:
    """One name of a customer or visitor, of two name spaces: visitors have a `?` before their id."""
    return f"={identifier}" if is_customer else f"?{identifier}"


def shown(who: str) -> str:
    """As people read it."""
    return who[1:] if who.startswith(_CUSTOMER) else f"{who[1:]} (anonymous)"


def in_words(value: object) -> str | None:
    """A fact's value as a segment's name."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


_CUSTOMER: Final = "="
