"""`lifecycle tail`: stage changes as they come."""

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from typing import Annotated, NamedTuple

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from rich.console import Console
from rich.text import Text

from stream.cli.terminal.change_lines import line_of
from stream.cli.terminal.connection import run, when_there
from stream.cli.terminal.options import with_settings
from stream.codec.stage_change_reader import StageChangeValue, read_change
from stream.kafka.clients import client_options
from stream.kafka.permissions import of_tail, require
from stream.kafka.topics import count_partitions
from stream.settings import Settings

_LOOK_AGAIN = 1.0
_POLL_MS = 1_000


class _Choice(NamedTuple):
    """Which changes are wanted; None: any."""

    lifecycle: str | None
    stage: str | None
    customer: str | None
    final: bool

    def includes(self, change: StageChangeValue) -> bool:
        return (
            self.lifecycle in (None, change.lifecycle)
            and self.stage in (None, change.to_stage)
            and self.customer in (None, change.customer_id, change.anonymous_id)
            and (change.final or not self.final)
        )


@with_settings("bootstrap", "topic_prefix")
def tail(
    *,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest change that the topic still has.")
    ] = False,
    lifecycle: Annotated[str | None, typer.Option(metavar="ID", help="Only changes of this lifecycle.")] = None,
    stage: Annotated[str | None, typer.Option(metavar="ID", help="Only changes to this stage.")] = None,
    customer: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this customer, by its customer or anonymous id.")
    ] = None,
    final: Annotated[bool, typer.Option("--final", help="Only the last change of each step.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the values as they are, one a line.")] = False,
    count: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="End after N changes; without it, by Ctrl-C.")
    ] = None,
    settings: Settings,
) -> None:
    """Show stage changes as they come: when, who, from where to where, why, and the largest scores.

    Only what is committed is shown, each partition in its order. A line that ends with … is followed by
    another change of the same step. A topic or broker that is not there yet is waited for.
    """
    choice = _Choice(lifecycle, stage, customer, final)
    run(_show(settings, choice, from_beginning, json, count, Console()), settings.bootstrap)


async def _show(
    settings: Settings,
    choice: _Choice,
    from_beginning: bool,
    json: bool,
    count: int | None,
    console: Console,
) -> None:
    shown = 0
    async for record in records(settings, from_beginning):
        change = read_change(record.value)
        if change is None:
            place = f"partition {record.partition}, offset {record.offset}"
            typer.echo(f"{record.topic}, {place}: not a stage change", err=True)
        elif choice.includes(change):
            if json:
                typer.echo(record.value)
            elif console.is_terminal:
                console.print(line_of(change), soft_wrap=True)
            else:
                typer.echo(line_of(change).plain)
            shown += 1
            if shown == count:
                return


async def records(
    settings: Settings, from_beginning: bool
) -> AsyncIterator[ConsumerRecord[bytes | None, bytes | None]]:
    """What is on the topic of stage changes, and what comes, without end."""
    topic = settings.topics.stage_changes
    messages = Console(stderr=True)
    partitions = await when_there(lambda: _partitions(settings, messages), settings.bootstrap, messages)
    async with AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # where retention overtakes us, nothing more is left out
    ) as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        if from_beginning:
            await consumer.seek_to_beginning()
        else:
            await consumer.seek_to_end()  # which on the embedded broker lies before the end of the last batch
        while True:
            fetched = await consumer.getmany(timeout_ms=_POLL_MS)
            for record in sorted(chain.from_iterable(fetched.values()), key=lambda each: each.timestamp):
                yield record


async def _partitions(settings: Settings, messages: Console) -> int:
    """The number of the topic's partitions, once it is there."""
    await require(settings, of_tail(settings))
    topic = settings.topics.stage_changes
    reported = False
    while (found := (await count_partitions(settings, topic)).get(topic)) is None:
        if not reported:
            messages.print(Text(f"waiting for topic {topic}, which the first worker creates"), soft_wrap=True)
        reported = True
        await asyncio.sleep(_LOOK_AGAIN)
    return found
