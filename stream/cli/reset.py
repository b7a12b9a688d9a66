"""`lifecycle reset`: throw the state away and read the interactions again."""

from time import time_ns
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress, track
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.connection import run
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.reset_question import of_keeping, of_reset
from stream.cli.terminal.time_argument import moment
from stream.core.times import format_time
from stream.errors import BrokerError
from stream.kafka.permissions import of_worker, require
from stream.kafka.topics import count_partitions, ensure_topics, require_topic
from stream.kafka.transactions import resolve_delivery
from stream.operations.reset import Beginning, find_beginnings, reset_partition, skip_lost
from stream.operations.reset_outlook import look_ahead
from stream.operations.workers_away import require_no_workers
from stream.settings import Settings


@with_settings("bootstrap", "app", "topic_prefix", "interactions", "delivery")
def reset(
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="earliest|TIME",
            help="The first interaction to read: the earliest that the topic has, or the first that arrived "
            "at a time or later (RFC 3339 or epoch ms).",
            show_default=False,
        ),
    ],
    keep_states: Annotated[
        bool,
        typer.Option(
            "--keep-states",
            help="Forget nobody: where retention deleted interactions before they were processed, go on at the "
            "earliest one that is left. Only with --to earliest.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    settings: Settings,
) -> None:
    """Forget all customers, and let the workers read the interactions again.

    State, current stages and position of every partition go together. Stage changes that were published stay;
    what the interactions cause when they are read again is published again, except for changes before
    live_from, which stays as it was. All workers have to be stopped before. Where a reset breaks off, workers
    refuse what is half done: run it again.
    """
    time = None if to == "earliest" else moment(to, "--to", "earliest, ")
    if keep_states and time is not None:
        raise typer.BadParameter("goes with --to earliest only", param_hint="--keep-states")
    console = Console(stderr=True)
    beginnings = run(_look(settings, time), settings.bootstrap)
    if keep_states:
        if not yes:
            _ask(settings, beginnings, console, keep_states=True)
        lost = run(_each(settings, beginnings, console, keep_states=True), settings.bootstrap)
        console.print(
            Text(f"{amount(lost, 'interaction')} skipped, which retention deleted; states stay"), soft_wrap=True
        )
        return
    count = sum(each.end - each.first for each in beginnings)
    start = "the earliest interaction" if time is None else f"what arrived from {format_time(time)} on"
    console.print(
        Text(
            f"{settings.topics.interactions} on {settings.bootstrap}, group {settings.group}: the state of "
            f"{amount(len(beginnings), 'partition')} will be thrown away, and workers will begin at {start}, with "
            f"about {amount(count, 'record')} to read."
        ),
        soft_wrap=True,
    )
    if not yes:
        _ask(settings, beginnings, console, keep_states=False)
    customers = run(_each(settings, beginnings, console, keep_states=False), settings.bootstrap)
    console.print(
        Text(f"{amount(customers, 'customer')} forgotten in {amount(len(beginnings), 'partition')}"), soft_wrap=True
    )


async def _look(settings: Settings, time: int | None) -> list[Beginning]:
    """Where each partition would begin. Raises LifecycleError: nothing there to reset, or workers run."""
    names = settings.topics
    figures = names.figures in await count_partitions(settings, names.figures)
    await require(settings, of_worker(settings, figures=figures))
    found = await require_topic(settings, settings.topics.interactions, "there is nothing to reset")
    await require_no_workers(settings)
    await ensure_topics(settings, figures=figures)
    return await find_beginnings(settings, found.partitions, time)


def _ask(settings: Settings, beginnings: list[Beginning], console: Console, *, keep_states: bool) -> None:
    """Say what it will cost, and go on with a yes only."""
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("looking at customers", total=1.0)
        outlook = run(
            look_ahead(settings, beginnings, lambda share: progress.update(task, completed=share)), settings.bootstrap
        )
    for line in of_keeping(outlook) if keep_states else of_reset(outlook):
        console.print(Text(line), soft_wrap=True)
    question = "Are all workers stopped? Continue?"
    if keep_states:
        question = "Are all workers stopped? Continue without these interactions?"
    typer.confirm(question, abort=True, err=True)


async def _each(settings: Settings, beginnings: list[Beginning], console: Console, *, keep_states: bool) -> int:
    """Reset every partition; returns how many customers were forgotten, or interactions skipped."""
    await require_no_workers(settings)
    exactly_once = await resolve_delivery(settings, as_worker=True) == "exactly_once"
    now = time_ns() // 1_000_000
    count = 0
    shown = console.is_terminal
    for beginning in track(beginnings, "resetting", console=console, transient=True, disable=not shown):
        try:
            if keep_states:
                count += await skip_lost(settings, beginning, exactly_once=exactly_once)
            else:
                count += await reset_partition(settings, beginning, exactly_once=exactly_once, now=now)
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(
                f"partition {beginning.partition} could not be reset, those before it are: {error!r}. "
                "See that no worker runs, and run the same command again"
            ) from error
    return count
