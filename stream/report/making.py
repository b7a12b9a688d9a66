"""A whole report, from what was read: each family of figures that there is material for, and what is left out."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import polars as pl

from stream.core.tally import Tally
from stream.errors import LifecycleError
from stream.report.carts import carts
from stream.report.change_rows import ChangeRows
from stream.report.cohorts import cohorts
from stream.report.funnels import funnel, steps_of
from stream.report.interaction_rows import InteractionRows
from stream.report.local_calendar import Unit, as_date, chosen, day_label, day_of_text
from stream.report.loyalty import loyalty
from stream.report.material import Material, calendar_of, interactions_of, segments_of
from stream.report.meanings import Meanings
from stream.report.moving import moving, paths, staying
from stream.report.opinions import opinions
from stream.report.own_figures import own_figures
from stream.report.people import LOST_STAGES, customers, lost_stages, segments, win_back
from stream.report.recurring import recurring
from stream.report.selling import selling, sold_in
from stream.report.sentences import sentences
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
    meanings: Meanings,
    asked: Asked,
    interactions: InteractionRows | None,
    changes: ChangeRows | None,
    tally: Tally | None = None,
) -> Report:
    """Reckon everything that there is material for. Raises LifecycleError where there is nothing at all.

    `tally`: what the figures of the lifecycle file came to.
    """
    material = _material(meanings, asked, interactions, changes)
    report = _empty(material, interactions)
    add, missing = report.sections.append, report.missing.append
    found = material.interactions
    has_orders = found is not None and found.orders.height > 0
    if found is None:
        missing("no interactions were read: orders, revenue, carts, answers and cohorts are not reckoned; see --input")
    elif has_orders:
        now, before = (sold_in(material, found, each) for each in (material.period, material.before))
        add(selling(material, now, before, asked.top))
        if not found.costs.height:
            missing("no interaction says what it cost: acquisition cost (CAC) is not reckoned; see --words costs=…")
    else:
        missing(f"no order was found among {meanings.orders_from}: nothing is reckoned of sales; see --words orders=…")
    _ways(material, asked, report)
    if found is not None:
        _customers(material, asked, report, has_orders=has_orders)
    if asked.by:
        add(segments(material, asked.top))
    figures = meanings.lifecycle.figures
    if figures is not None and tally is not None:
        add(own_figures(material, figures, tally, asked.top))
    elif figures is not None:
        missing("the figures of the lifecycle file are reckoned where interactions from files are simulated")
    if material.changes is not None:
        add(paths(material, asked.top))
    report.sentences += [*_not_whole(material), *sentences(report)]
    return report


def _not_whole(material: Material) -> Iterator[str]:
    """What of the periods there are no data for: nothing that is compared with it says much."""
    first, last = material.data
    begin, end = day_label(as_date(first)), day_label(as_date(last))
    if first > material.before.first:
        yield f"The data begin on {begin}: {material.before.label} is not whole."
    if last < material.period.end - 1:
        yield f"The data end on {end}: {material.period.label} is not whole."


def _ways(material: Material, asked: Asked, report: Report) -> None:
    """How customers move."""
    found, missing = material.interactions, report.missing.append
    seen = frozenset() if found is None else frozenset(found.all["word"].cast(pl.String).unique())
    steps = steps_of(material.meanings, asked.funnel, seen)
    walked = None if steps is None else funnel(material, steps, asked.order, asked.within)
    if walked is not None:
        report.sections.append(walked)
    else:
        missing("no words of visits, products, carts, checkouts and orders: there is no funnel; see --funnel")
    if material.changes is None:
        missing("no stage changes were read: nothing is reckoned of stages")
        return
    report.sections += [moving(material), staying(material)]
    lost = lost_stages(material)
    if lost:
        report.sections.append(win_back(material, lost, asked.active))
    else:
        missing(f"no stage is called {', '.join(LOST_STAGES)}: nothing is reckoned of customers who were won back")


def _customers(material: Material, asked: Asked, report: Report, *, has_orders: bool) -> None:
    """What customers did, one by one."""
    sections, missing = report.sections, report.missing.append
    if has_orders or asked.cohorts == "first":
        sections.append(cohorts(material, asked.cohorts))
    if has_orders:
        sections += [loyalty(material), customers(material, asked.top)]
    for made, without in (
        (carts(material), "nothing was put into a cart: abandoned carts are not reckoned; see --words carts=…"),
        (opinions(material), "nobody answered a survey: NPS and CSAT are not reckoned; see --words nps=…,csat=…"),
        (recurring(material), "there are no subscriptions: MRR is not reckoned; see --words renewals=…"),
    ):
        if made is None:
            missing(without)
        else:
            sections.append(made)


def _material(
    meanings: Meanings,
    asked: Asked,
    interactions: InteractionRows | None,
    changes: ChangeRows | None,
) -> Material:
    lifecycle = meanings.lifecycle
    moves = None if changes is None else changes.frame()
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
    if period.end <= data[0] or period.first > data[1]:
        there = " to ".join(day_label(as_date(each)) for each in data)
        raise LifecycleError(f"there is nothing of {period.label}: the data are from {there}")
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
