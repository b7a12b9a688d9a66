"""`lifecycle import`: interactions from files onto their topic."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import chain
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.moments import moment
from stream.cli.options import with_settings
from stream.codec.interactions import Rejected
from stream.codec.times import format_time
from stream.core.interaction import Interaction
from stream.errors import InputFileError
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from stream.codec.column_mapping import Mapping
    from stream.engine.producing import InteractionProducer

_PLACES = 3
"""How many records of one reason are named."""
_LOOK = 0.2
_STALL = 3.0
"""Seconds without an answer after which the broker is away."""


@dataclass(slots=True)
class _Rejections:
    """The records that were not sent for one reason."""

    detail: str
    count: int = 0
    places: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Import:
    """One run, and what it counts."""

    files: list[str]
    mapping: "Mapping | None"
    settings: Settings
    records: int = 0
    sent: int = 0
    acknowledged: int = 0
    earliest: int | None = None
    latest: int | None = None
    """Of the interactions sent, epoch milliseconds."""
    ticked: tuple[int, int] | None = None
    """The time of the tick, and to how many partitions it went."""
    seconds: float = 0.0
    rejected: dict[str, _Rejections] = field(default_factory=dict)

    def read(self) -> Iterator[tuple[str, Interaction]]:
        """The good interactions of all files, each with its place; the others are counted."""
        from stream.codec.input_files import read_interactions  # noqa: PLC0415 - slow to load, like the others

        for file in self.files:
            for line, record in read_interactions(file, mapping=self.mapping, blocked=self.settings.blocked):
                self.records += 1
                if isinstance(record, Rejected):
                    self.reject(record, f"{file}:{line}")
                else:
                    yield f"{file}:{line}", record

    def reject(self, rejected: Rejected, place: str) -> None:
        known = self.rejected.setdefault(rejected.reason, _Rejections(rejected.detail))
        known.count += 1
        if len(known.places) < _PLACES and place:
            known.places.append(place)

    def note(self, interaction: Interaction) -> None:
        """Remember the time of an interaction that was sent."""
        time = interaction.time
        self.earliest = time if self.earliest is None else min(time, self.earliest)
        self.latest = time if self.latest is None else max(time, self.latest)

    def tick_time(self, until: int | None) -> int | None:
        """The latest time sent, or `until` where that is later.

        What was sent from the future does not count: workers do not believe it either.
        """
        latest = None if self.latest is None else min(self.latest, time_ns() // 1_000_000)
        return max((each for each in (latest, until) if each is not None), default=None)


@with_settings(
    "bootstrap", "topic_prefix", "interactions", "partitions", "replication", "retention", "partitioner", "blocked"
)
def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Interactions as JSON lines or CSV, also .gz; - is stdin.",
            show_default=False,
        ),
    ],
    map: Annotated[  # noqa: A002 - the option's name
        list[str] | None,
        typer.Option(
            metavar="TARGET=SOURCE,…",
            help="Which columns or paths the parts of an interaction are in, as in "
            "\"customer_id=household,time=day,type='Order Completed',properties.total=sales\"; repeatable.",
        ),
    ] = None,
    rate: Annotated[int | None, typer.Option(metavar="N", min=1, help="Send at most N interactions a second.")] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Send in the order of the files instead of sorting by time.")
    ] = False,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Let time pass up to this moment after the last interaction: RFC 3339 or epoch ms.",
        ),
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Send interactions from files to Kafka, in time order, and wait until every one is safe there.

    What is sent is the product's own format, times and ids as in the file. At the end each partition gets a
    tick, which tells its worker that time has passed up to the latest interaction, or to --until. Where
    the topic of interactions is missing, all topics are created; a broker that is away is waited for.

    Records that cannot be read are not sent, but counted and listed by their reason; only where there is no
    other, the exit code is 1.
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from stream.cli.connection import run  # noqa: PLC0415
    from stream.codec.column_mapping import Mapping  # noqa: PLC0415

    end = None if until is None else _until(until, settings)
    console = Console(stderr=True)
    work = _Import(files, Mapping.parse(map) if map else None, settings)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}  {task.completed:,}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            interactions = work.read() if as_is else _sorted(work, progress)
            started = perf_counter()
            try:
                run(_send(work, interactions, rate, end, progress, console), settings.bootstrap)
            finally:
                work.seconds = perf_counter() - started
    finally:
        if work.records:
            _show(work, console)
    if work.records and not work.acknowledged:
        reason, first = next(iter(work.rejected.items()))
        where = f", {first.places[0]}" if first.places else ""
        raise InputFileError(
            f"none of the {work.records:,} records could be sent; the first{where}: {reason}: {first.detail}"
        )


def _sorted(work: _Import, progress: "Progress") -> Iterator[tuple[str, Interaction]]:
    """The interactions by time; all of them are read before this returns. Their places are not kept."""
    from stream.codec.sorting import Phase, sort_by_time  # noqa: PLC0415

    task = progress.add_task("reading", total=None)

    def told(phase: Phase, count: int) -> None:
        if phase == "reading":
            progress.update(task, completed=count)

    ordered = sort_by_time((interaction for _, interaction in work.read()), progress=told)
    first = next(ordered, None)
    progress.remove_task(task)
    return (("", each) for each in chain([] if first is None else [first], ordered))


async def _send(
    work: _Import,
    interactions: Iterator[tuple[str, Interaction]],
    rate: int | None,
    until: int | None,
    progress: "Progress",
    console: "Console",
) -> None:
    from stream.cli.connection import when_there  # noqa: PLC0415
    from stream.engine.producing import InteractionProducer  # noqa: PLC0415

    producer: InteractionProducer | None = None
    try:
        async with AsyncExitStack() as stack:
            producer = await when_there(
                lambda: stack.enter_async_context(InteractionProducer(work.settings, rate=rate)),
                work.settings.bootstrap,
                console,
            )
            watching = asyncio.create_task(_watch(producer, work, progress, console))
            stack.callback(watching.cancel)
            for place, interaction in interactions:
                refused = await producer.send(interaction)
                if refused is None:
                    work.note(interaction)
                else:
                    work.reject(refused, place)
            await producer.flush()
            time = work.tick_time(until)
            if time is not None:
                await producer.tick(time)
                work.ticked = time, producer.partitions
    finally:
        if producer is not None:
            work.sent, work.acknowledged = producer.sent, producer.acknowledged


async def _watch(producer: "InteractionProducer", work: _Import, progress: "Progress", console: "Console") -> None:
    """Show how far the sending is, and say when the broker is away."""
    from rich.text import Text  # noqa: PLC0415

    total = work.records - sum(each.count for each in work.rejected.values())
    task = progress.add_task("sending", total=total or None)
    away = False
    while True:
        await asyncio.sleep(_LOOK)
        progress.update(task, completed=producer.acknowledged)
        if producer.stalled > _STALL and not away:
            console.print(Text(f"waiting for Kafka at {work.settings.bootstrap}"), soft_wrap=True)
        away = producer.stalled > _STALL


def _show(work: _Import, console: "Console") -> None:
    """The summary, also of an import that was interrupted."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if work.rejected:
        table = Table(title="Records that were not sent", title_justify="left", box=None, pad_edge=False)
        for heading in ("Reason", "Records", "At", "What was wrong with the first"):
            table.add_column(heading, overflow="fold", header_style="dim")
        table.columns[1].justify = "right"
        for reason, each in work.rejected.items():
            places = ", ".join(each.places) + (", …" if each.count > len(each.places) else "")
            table.add_row(reason, f"{each.count:,}", Text(places), Text(each.detail))
        console.print(table)
    text = f"{work.acknowledged:,} interactions sent"
    if work.earliest is not None and work.latest is not None:
        rate = work.acknowledged / work.seconds
        text += f" in {work.seconds:,.1f} s ({rate:,.0f}/s)"
        text += f", from {format_time(work.earliest)} to {format_time(work.latest)}"
    if work.sent > work.acknowledged:
        text += f"; of {work.sent - work.acknowledged:,} more it is not known whether they arrived"
    if work.ticked is not None:
        time, partitions = work.ticked
        text += f"; time has passed to {format_time(time)} in {partitions:,} partitions"
    elif work.sent:
        text += "; broken off, so no partition was told that time has passed"
    console.print(Text(text), soft_wrap=True)


def _until(text: str, settings: Settings) -> int:
    time = moment(text, "--until")
    if settings.clock == "wall" and time > time_ns() // 1_000_000:
        raise typer.BadParameter(
            f"{text} lies in the future, and clocks only move forward: deadlines would be fired before "
            "their time. For workers with clock `stream`, set LIFECYCLE_CLOCK=stream for this command too",
            param_hint="'--until'",
        )
    return time
