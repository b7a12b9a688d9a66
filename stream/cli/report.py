"""`lifecycle report`: what marketing reads, from files or from the topics."""

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from stream.cli.terminal.options import with_settings
from stream.cli.terminal.reading_options import FileReading, with_reading
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.durations import parse_duration
from stream.core.lifecycle import Lifecycle
from stream.errors import LifecycleError
from stream.report.meanings import meanings_of
from stream.settings import Settings


class Per(StrEnum):
    """What a report is about, where no days are named."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Order(StrEnum):
    """How the steps of a funnel follow each other."""

    STRICT = "strict"
    ORDERED = "ordered"
    ANY = "any"


class Cohorts(StrEnum):
    """What begins a cohort."""

    FIRST = "first"
    ORDER = "order"


_FIGURES = "What is reckoned"
_MISSING = "reports need polars, which is not installed; install it: pip install 'customer-lifecycle[report]'"


@with_settings(
    "bootstrap",
    "topic_prefix",
    "interactions",
    "forget_after",
    "forget_identified_after",
    "blocked",
    "ids",
    "earliest_time",
)
@with_reading
def report(
    *,
    lifecycle: Annotated[str, typer.Option(metavar="FILE", help="Lifecycle file, or name of a preset.")],
    input: Annotated[  # noqa: A002 - the option's name
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Interactions as CSV, JSON lines, a JSON list or an Excel workbook, also .gz or .zst; - is stdin; "
            "repeatable.",
        ),
    ] = None,
    changes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Stage changes as simulate --changes has written them: Parquet, CSV or JSON lines, these also .gz or "
            ".zst. Without it the interactions are simulated.",
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="First day, as 2026-06-01, of the lifecycle's time zone; without it the last whole month of the data "
            "(or week or day, see --per).",
        ),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="DATE", help="Last day; without it the data's last.")] = None,
    per: Annotated[
        Per, typer.Option(help="The period where no days are named, and that of the series of periods.")
    ] = Per.MONTH,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one page for a browser, with pictures; it needs nothing.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each table as a CSV file into this folder.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each table as a Parquet file into this folder.")
    ] = None,
    funnel: Annotated[
        str | None,
        typer.Option(
            metavar="STEP,STEP…",
            help='Steps of the funnel, words or stages: "visit,cart,purchase"; without it those that are usual.',
            rich_help_panel=_FIGURES,
        ),
    ] = None,
    order: Annotated[
        Order,
        typer.Option(
            help="Of the funnel: `ordered`, anything may lie between two steps; `strict`, nothing else of theirs may; "
            "`any`, whichever came first.",
            rich_help_panel=_FIGURES,
        ),
    ] = Order.ORDERED,
    within: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long the whole funnel may take from its first step, as 7d; without it all is within the period.",
            rich_help_panel=_FIGURES,
        ),
    ] = None,
    cohorts: Annotated[
        Cohorts,
        typer.Option(help="What begins a cohort: the first interaction, or the first order.", rich_help_panel=_FIGURES),
    ] = Cohorts.ORDER,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACT",
            help="Set customers side by side by the latest value of this fact; repeatable. Without it those that the "
            "lifecycle names under `by` of its figures.",
            rich_help_panel=_FIGURES,
        ),
    ] = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Rows of lists.", rich_help_panel=_FIGURES)
    ] = 10,
    active: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            min=1,
            help="For how many days an order makes an active customer, for churn and retention rates.",
            rich_help_panel=_FIGURES,
        ),
    ] = 90,
    words: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=WORD,…",
            help="Which words or event names mean what, where they have no usual name: orders=sale,visits=hit; roles "
            "are orders, refunds, visits, views, carts, checkouts, costs, nps, csat and renewals; repeatable.",
            rich_help_panel=_FIGURES,
        ),
    ] = None,
    amount: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="What an order comes to, where the lifecycle has no ledger, and a renewal.",
            rich_help_panel=_FIGURES,
        ),
    ] = "properties.total",
    order_id: Annotated[
        str,
        typer.Option(
            "--order-id",
            metavar="PATH",
            help="What tells orders from each other, where the lifecycle has no ledger.",
            rich_help_panel=_FIGURES,
        ),
    ] = "properties.order_id",
    reading: FileReading,
    settings: Settings,
) -> None:
    """Reckon what marketing reads, for a period and against the one before: sales, funnel, cohorts, churn and more.

    Read from files, or without --input and --changes from the topics of interactions and stage changes. Which
    interactions are orders comes from the lifecycle file. Each table says what it means, and by which of several
    usual definitions; docs/report.md has all of them with their formulas. What the interactions have no material for is
    left out and named at the end.
    """
    if find_spec("polars") is None:
        raise LifecycleError(_MISSING)
    from stream.cli.terminal import report_run  # noqa: PLC0415 - polars is an extra
    from stream.report import making  # noqa: PLC0415

    (file,) = load_all([lifecycle])
    asked = making.Asked(
        first=from_,
        last=to,
        per=per.value,
        funnel=tuple(each.strip() for each in (funnel or "").split(",") if each.strip()),
        order=order.value,
        within=None if within is None else _duration(within),
        cohorts=cohorts.value,
        by=_facts(file.lifecycle, by),
        top=top,
        active=active,
    )
    meanings = meanings_of(file.lifecycle, words or (), amount, order_id)
    made = report_run.make(input or [], changes, meanings, asked, reading, settings)
    report_run.deliver(made, html=html, csv=csv, parquet=parquet)


def _duration(text: str) -> int:
    found = parse_duration(text)
    if not found:
        raise typer.BadParameter(f"{text!r} is no length of time; right is 7d, 12h or 30m", param_hint="'--within'")
    return found


def _facts(lifecycle: Lifecycle, names: list[str] | None) -> tuple[str, ...]:
    """The facts that split customers: those that are named, else those of the lifecycle's figures."""
    if names is None:
        return () if lifecycle.figures is None else tuple(each.name for each in lifecycle.figures.by)
    known = [*(each.name for each in lifecycle.facts), *(each.name for each in lifecycle.bands)]
    for name in names:
        if name not in known:
            raise typer.BadParameter(
                f"{lifecycle.id} has no fact {name!r}; it has {', '.join(known)}", param_hint="'--by'"
            )
    return tuple(names)
