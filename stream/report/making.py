"""A whole report, from what was read: each family of figures that there is material for, and what is left out."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from stream.core.lifecycle import Lifecycle
from stream.errors import LifecycleError
from stream.report.change_rows import ChangeRows
from stream.report.interaction_rows import InteractionRows
from stream.report.local_calendar import Unit, as_date, chosen, day_label, day_of_text
from stream.report.material import Material, calendar_of, interactions_of, segments_of
from stream.report.meanings import Meanings
from stream.report.moving import moving, paths, staying
from stream.report.selling import selling, sold_in
from stream.report.tables import Report


class Asked(NamedTuple):
    """What a report is asked for."""

    first: str | None = None
    """The first day, a date; None: the last whole `per`."""
    last: str | None = None
    per: Unit = "month"
    funnel: tuple[str, ...] = ()
    """Words or stages; empty: those that are usual."""
    order: Literal["strict", "ordered", "any"] = "ordered"
    within: int | None = None
    """Milliseconds for the whole funnel; None: as long as it takes."""
    cohorts: Literal["first", "order"] = "order"
    by: tuple[str, ...] = ()
    """Facts that split customers into segments."""
    top: int = 10
    active: int = 90
    """Days for which an order makes an active customer."""


def report_of(
    lifecycle: Lifecycle,
    meanings: Meanings,
    asked: Asked,
    interactions: InteractionRows | None,
    changes: ChangeRows | None,
) -> Report:
    """Reckon everything that there is material for. Raises LifecycleError where there is nothing at all."""
    material = _material(lifecycle, meanings, asked, interactions, changes)
    report = _empty(material, interactions)
    found = material.interactions
    if found is not None:
        if found.orders.height:
            now, before = (sold_in(material, found, each) for each in (material.period, material.before))
            report.sections.append(selling(material, now, before))
        else:
            report.missing.append(f"no order was found: {meanings.orders_from}; see --words")
    if material.changes is not None:
        report.sections += [moving(material), staying(material), paths(material, asked.top)]
    return report


def _material(
    lifecycle: Lifecycle,
    meanings: Meanings,
    asked: Asked,
    interactions: InteractionRows | None,
    changes: ChangeRows | None,
) -> Material:
    moves = None if changes is None else changes.rows.frame()
    spans: list[tuple[int, int]] = []
    if interactions is not None and interactions.count:
        times = interactions.interactions.frame()["time"]
        spans.append((times.min(), times.max()))  # type: ignore[arg-type]
    elif moves is not None and moves.height:
        spans.append((moves["at"].min(), moves["at"].max()))  # type: ignore[arg-type]
    if not spans:
        raise LifecycleError("there is nothing to report: no interaction and no stage change could be read")
    first, last = spans[0]
    calendar = calendar_of(lifecycle, first, last)
    data = calendar.day(first), calendar.day(last)
    period, before = chosen(
        None if asked.first is None else day_of_text(asked.first, "--from"),
        None if asked.last is None else day_of_text(asked.last, "--to"),
        asked.per,
        data,
    )
    return Material(
        lifecycle,
        meanings,
        calendar,
        data,
        interactions_of(interactions, calendar) if interactions is not None else None,
        moves,
        segments_of(moves, asked.by),
        period,
        before,
        asked.per,
        asked.active,
    )


def _empty(material: Material, interactions: InteractionRows | None) -> Report:
    days = [day_label(as_date(each)) for each in material.data]
    what: Sequence[str] = [
        *([f"{interactions.count:,} interactions"] if interactions is not None else []),
        *([f"{material.changes.height:,} stage changes"] if material.changes is not None else []),
    ]
    zone = material.lifecycle.time_zone or "UTC"
    title = material.lifecycle.title or material.lifecycle.id
    about = f"{' and '.join(what)} from {days[0]} to {days[1]}; days are those of {zone}."
    return Report(title, material.period.label, material.before.label, about)
