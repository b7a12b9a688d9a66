"""`lifecycle import`: interactions from files onto their topic."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from itertools import chain
from pathlib import Path
from time import perf_counter, time_ns
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.connection import run
from stream.cli.terminal.import_run import ImportRun, observation_for, show_summary
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.reading_options import FileReading, keep_apart, refuse_unsaid, show_offer, with_reading
from stream.cli.terminal.time_argument import moment
from stream.codec.files.import_sources import Sources
from stream.codec.files.sorting import Phase, sort_by_time
from stream.codec.import_rows import encode_row
from stream.core.interaction import Interaction
from stream.errors import BrokerError, InputFileError, PositionError, TopicError
from stream.kafka.interaction_producer import InteractionProducer
from stream.kafka.waiting import when_there
from stream.operations.diagnosis import examine
from stream.operations.earlier_rows import Rows, find_rows
from stream.settings import Settings

_LOOK = 0.2
_LOOKED_AT = 2_000
"""Latest records of the topic that are compared with where this import would send them."""
_LOOK_SECONDS = 10.0
_STALL = 3.0
"""Seconds without an answer after which the broker is away."""


@with_settings(
    "bootstrap",
    "topic_prefix",
    "interactions",
    "partitions",
    "replication",
    "retention",
    "partitioner",
    "blocked",
    "ids",
    "earliest_time",
    "lifecycles",
)
@with_reading
def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Interactions as CSV, JSON lines, a JSON list or an Excel workbook, also .gz or .zst; - is stdin.",
            show_default=False,
        ),
    ],
    rate: Annotated[int | None, typer.Option(metavar="N", min=1, help="Send at most N interactions a second.")] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Send in the order of the files instead of sorting by time.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of this import, by which its rows are known when it is repeated; else made of the files' "
            "content and of all options that decide what is read of it. With --as-is a file may have grown at its "
            "end since.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume",
            help="Do not send again what the topic has of the same import. After a `lifecycle reset` that forgot "
            "customers and does not read it again, --no-resume brings it back.",
        ),
    ] = True,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Let time pass up to this moment after the last interaction: RFC 3339 or epoch ms.",
        ),
    ] = None,
    *,
    reading: FileReading,
    settings: Settings,
) -> None:
    """Send interactions from files to Kafka, in time order, and wait until every one is safe there.

    What is sent is the product's own format, times and ids as in the file. At the end each partition gets a
    tick, by which its worker knows that time has passed up to the latest interaction, or to --until. Where
    the topic of interactions is missing, all topics are created; a broker that is away is waited for.

    The same import run again, or broken off and begun again, counts each row once, with or without ids: each
    interaction is sent with the import's name and its row, of which customers remember the last one for their
    16 latest imports. Each file is an import of its own (of more than 16 files all are one). The standard input
    with --as-is has no name but by --name.

    At the end it shows which event names came and, for the lifecycles of the setting `lifecycles`, what of them
    would not match: names that no word covers, words, signals, facts and properties that no interaction has.

    Records that cannot be read are not sent, but counted and listed by their reason; only where there is no
    other, the exit code is 1. Where times, numbers or text look as if other options would read them, nothing is
    sent, and the command that has these options is shown.
    """
    end = None if until is None else _until(until, settings)
    console = Console(stderr=True)
    keep_apart(reading.rejected, files)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}  {task.completed:,}"),
        BarColumn(),
        TimeElapsedColumn(),
    )
    stack = ExitStack()
    rejected = stack.enter_context(reading.rejected_rows())
    sources = Sources(
        files,
        reading.mapping,
        settings.reading,
        as_is=as_is,
        name=name,
        options=reading.options,
        survey=reading.survey,
        rejected=rejected,
    )
    work = ImportRun(sources, settings, None if name else _since(files), resume, rejected_rows=rejected)
    work.observation = observation_for(settings.lifecycles, console)
    try:
        with stack, Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            interactions = work.read() if as_is else _sorted(work, progress)
            if not as_is:
                refuse_unsaid(reading.survey.offer())
            started = perf_counter()
            try:
                run(_send(work, interactions, rate, end, progress, console), settings.bootstrap)
            finally:
                work.seconds = perf_counter() - started
    finally:
        if work.records:
            show_summary(work, console)
            if as_is or work.acknowledged:
                show_offer(reading.survey.offer(), console)
    if work.records and not work.acknowledged and not work.known:
        first = work.rejected.describe_first()
        raise InputFileError(f"none of the {amount(work.records, 'record')} could be sent; the first: {first}")


def _sorted(work: ImportRun, progress: Progress) -> Iterator[tuple[str, Interaction]]:
    """The interactions by time; all of them are read before this returns. Their places are not kept."""
    task = progress.add_task("reading", total=None)

    def show(phase: Phase, count: int) -> None:
        if phase == "reading":
            progress.update(task, completed=count)

    ordered = sort_by_time((interaction for _, interaction in work.read()), progress=show)
    first = next(ordered, None)
    progress.remove_task(task)
    return (("", each) for each in chain([] if first is None else [first], ordered))


async def _send(
    work: ImportRun,
    interactions: Iterator[tuple[str, Interaction]],
    rate: int | None,
    until: int | None,
    progress: Progress,
    console: Console,
) -> None:
    producer: InteractionProducer | None = None
    try:
        async with AsyncExitStack() as stack:
            producer = await when_there(
                lambda: stack.enter_async_context(InteractionProducer(work.settings, rate=rate)),
                work.settings.bootstrap,
                lambda words: console.print(Text(words), soft_wrap=True),
            )
            await _compare_homes(work.settings, console)
            names = work.sources.names
            written = await _earlier(work, producer.partitions, progress, console)
            watching = asyncio.create_task(_watch(producer, work, progress, console))
            stack.callback(watching.cancel)
            for place, interaction in interactions:
                row = interaction.row
                name = names[int.from_bytes(row.source)] if row is not None else None
                header: bytes | None = None
                if name is not None and row is not None:
                    if not written[name].add(row.number):
                        work.known += 1
                        work.note(interaction)
                        continue
                    header = encode_row(name, row.time, row.number)
                refused = await producer.send(interaction, header)
                if refused is None:
                    work.note(interaction)
                else:
                    work.refuse(refused, place, interaction)
            await producer.flush()
            time = work.tick_time(until)
            if time is not None:
                await producer.tick(time)
                work.ticked = time, producer.partitions
    finally:
        if producer is not None:
            work.sent, work.acknowledged = producer.sent, producer.acknowledged


async def _compare_homes(settings: Settings, console: Console) -> None:
    """Say it where the latest interactions lie on other partitions than those that we would send them to."""
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            all_found = [
                await examine(settings, (), topic, _LOOKED_AT, lambda _done, _whole: None)
                for topic in settings.topics.sent_to
            ]
    except (BrokerError, TopicError, PositionError, KafkaError, TimeoutError):
        return  # what cannot be seen is no reason not to send
    for found in all_found:
        if not found.misplaced:
            continue
        console.print(
            Text(
                f"{found.misplaced:,} of the latest {amount(found.interactions, 'interaction')} on {found.topic} "
                "lie on other partitions than this import gives their customers, who then have two lives: "
                f"{found.cause}. `lifecycle doctor` tells more",
                "yellow",
            ),
            soft_wrap=True,
        )


async def _earlier(work: ImportRun, partitions: int, progress: Progress, console: Console) -> dict[str, Rows]:
    """The rows of the same imports that were written before."""
    names = {each for each in work.sources.names if each is not None}
    rows = {name: Rows() for name in names}
    if not names or not work.resume:
        return rows
    task = progress.add_task("looking how far it came before", total=None)

    def show(done: int, whole: int) -> None:
        progress.update(task, completed=done, total=whole)

    try:
        return await find_rows(work.settings, partitions, names, work.since, show)
    except (BrokerError, PositionError, KafkaError, TimeoutError) as error:
        why = str(error) or type(error).__name__
        console.print(
            Text(f"whether this import was made before cannot be seen, so that all of it is sent: {why}"),
            soft_wrap=True,
        )
        return rows
    finally:
        progress.remove_task(task)


def _since(files: list[str]) -> int | None:
    """When the oldest file was written, before which none of them was imported; None: nobody knows."""
    paths = [Path(file) for file in files]
    if not all(path.is_file() for path in paths):
        return None
    return min(path.stat().st_mtime_ns for path in paths) // 1_000_000


async def _watch(producer: InteractionProducer, work: ImportRun, progress: Progress, console: Console) -> None:
    """Show how far the sending is, and say when the broker is away."""
    total = work.records - work.rejected.count
    task = progress.add_task("sending", total=total or None)
    away = False
    while True:
        await asyncio.sleep(_LOOK)
        progress.update(task, completed=producer.acknowledged)
        if producer.stalled > _STALL and not away:
            console.print(Text(f"waiting for Kafka at {work.settings.bootstrap}"), soft_wrap=True)
        away = producer.stalled > _STALL


def _until(text: str, settings: Settings) -> int:
    time = moment(text, "--until")
    if settings.clock == "wall" and time > time_ns() // 1_000_000:
        raise typer.BadParameter(
            f"{text} lies in the future, and clocks only move forward: deadlines would be fired before "
            "their time. For workers with clock `stream`, set LIFECYCLE_CLOCK=stream for this command too",
            param_hint="'--until'",
        )
    return time
