"""Stage changes and customers as rows of a table: which columns there are, and what stands in them.

A column is named like the field of the JSON lines, with dots into objects: `scores.engagement`, `trigger.kind`.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, cast

import orjson

from stream.codec.stage_changes import ChangeSource
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.core.times import format_time
from stream.offline.standing import Standing

ColumnKind = Literal["text", "texts", "whole", "number", "boolean", "time"]
Cell = str | int | float | bool | tuple[str, ...] | None
"""Times are epoch milliseconds."""
Row = list[Cell]
"""In the order of the columns."""

_FACT_KINDS: dict[str, ColumnKind] = {
    "count": "whole",
    "rolling": "whole",
    "rolling_sum": "number",
    "ledger_count": "whole",
    "ledger_sum": "number",
    "latest_time": "time",
    "sum": "number",
    "first": "time",
    "last": "time",
    "latest": "text",
}


class Column(NamedTuple):
    """One column."""

    name: str
    kind: ColumnKind


def _columns(kinds: dict[str, ColumnKind]) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


_WHO = _columns({"customer_id": "text", "anonymous_id": "text", "identified": "boolean"})
_LIFECYCLE = _columns({"lifecycle": "text", "version": "whole"})
_CHANGE = _columns(
    {
        "born": "text",
        "sequence": "whole",
        "final": "boolean",
        "from": "text",
        "to": "text",
        "at": "time",
        "entered": "time",
        "trigger.kind": "text",
        "trigger.id": "text",
        "trigger.type": "text",
        "trigger.late": "boolean",
        "transition": "text",
    }
)
_CONSEQUENCES = _columns(
    {
        "channels": "texts",
        "actions": "texts",
        "contributions": "text",
        "source.topic": "text",
        "source.partition": "whole",
        "source.offset": "whole",
    }
)
_STANDING = _columns(
    {"stage": "text", "entered": "time", "born": "text", "sequence": "whole", "at": "time", "deadline": "time"}
)


class _Measures:
    """The columns of scores and facts: those of all lifecycles, each name once."""

    def __init__(self, lifecycles: Iterable[Lifecycle]) -> None:
        scores: dict[str, ColumnKind] = {}
        facts: dict[str, ColumnKind] = {}
        for lifecycle in lifecycles:
            scores |= {each.name: "number" for each in lifecycle.scores}
            for fact in lifecycle.facts:
                kind = _FACT_KINDS[fact.kind]
                facts[fact.name] = kind if facts.get(fact.name, kind) == kind else "text"
            facts |= {each.name: "text" for each in lifecycle.bands}
        self._scores, self._facts = list(scores), facts
        self._times = {
            (lifecycle.id, fact.name)
            for lifecycle in lifecycles
            for fact in lifecycle.facts
            if _FACT_KINDS[fact.kind] == "time"
        }
        self.columns = _columns(
            {f"scores.{name}": kind for name, kind in scores.items()}
            | {f"facts.{name}": kind for name, kind in facts.items()}
        )

    def cells(self, measured: StageChange | Standing, lifecycle: str) -> Row:
        row: Row = [measured.scores.get(name) for name in self._scores]
        for name, kind in self._facts.items():
            value = measured.facts.get(name)
            if kind == "text" and value is not None and not isinstance(value, str):
                is_time = (lifecycle, name) in self._times
                value = format_time(int(value)) if is_time else orjson.dumps(value).decode()
            row.append(value)
        return row


class ChangeColumns:
    """The table of stage changes."""

    def __init__(self, lifecycles: Sequence[Lifecycle]) -> None:
        self._measures = _Measures(lifecycles)
        self.columns = (*_WHO, *_LIFECYCLE, *_CHANGE, *self._measures.columns, *_CONSEQUENCES)

    def row(self, change: StageChange, source: ChangeSource) -> Row:
        """One stage change; `contributions` is JSON."""
        trigger = change.trigger
        contributions = {
            score: [{"signal": each.signal, "points": each.points, "count": each.count} for each in parts]
            for score, parts in change.contributions.items()
        }
        return [
            *_who(change.kind, change.subject),
            change.identified,
            change.lifecycle,
            change.version,
            change.born,
            change.sequence,
            change.final,
            change.from_stage,
            change.to_stage,
            change.at,
            change.entered,
            trigger.kind,
            trigger.id,
            trigger.type,
            trigger.late,
            change.transition,
            *self._measures.cells(change, change.lifecycle),
            change.channels,
            change.actions,
            orjson.dumps(contributions).decode(),
            source.topic,
            source.partition,
            source.offset,
        ]


class StandingColumns:
    """The table of customers, as they are at the end: a row for each customer and lifecycle."""

    def __init__(self, lifecycles: Sequence[Lifecycle]) -> None:
        self._measures = _Measures(lifecycles)
        self.columns = (*_WHO, *_LIFECYCLE, *_STANDING, *self._measures.columns)

    def row(self, standing: Standing) -> Row:
        """One customer in one lifecycle."""
        customer, lifecycle, life = standing.customer, standing.lifecycle, standing.life
        return [
            *_who(customer.kind, customer.id),
            customer.identified,
            lifecycle.id,
            lifecycle.version,
            life.stage,
            life.entered,
            life.born,
            life.sequence,
            standing.at,
            life.due,
            *self._measures.cells(standing, lifecycle.id),
        ]


FIGURE_COLUMNS: Final = _columns(
    {
        **dict.fromkeys(("lifecycle", "day", "figure", "from", "to", "by", "segment", "kind"), "text"),
        "partition": "whole",
        "version": "whole",
        "value": "number",
        "exact": "text",
    }
)
"""The table of figures."""


def figure_row(value: bytes) -> Row:
    """One row of the figures."""
    told = orjson.loads(value)
    return [told[column.name] for column in FIGURE_COLUMNS]


def _who(kind: str, subject: str) -> tuple[str | None, str | None]:
    return (subject, None) if kind == "customer" else (None, subject)


def in_csv(column: Column, cell: Cell) -> str:
    """A cell as text: times in ISO 8601 (UTC, milliseconds), lists with commas, nothing where there is nothing."""
    if cell is None:
        return ""
    if column.kind == "time":
        return format_time(cast("int", cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, tuple):
        return ", ".join(cell)
    return str(float(cell)) if column.kind == "number" and not isinstance(cell, str) else str(cell)
