"""`lifecycle skip`: go on without interactions that cannot be read."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from stream.cli.terminal.connection import run
from stream.cli.terminal.options import with_settings
from stream.core.times import format_time
from stream.errors import SettingsError
from stream.kafka.permissions import of_worker, require
from stream.kafka.topics import require_partitions
from stream.kafka.transactions import resolve_delivery
from stream.operations.skip import Block, find_block
from stream.operations.skip import skip as skip_block
from stream.settings import Settings


@with_settings("bootstrap", "app", "topic_prefix", "interactions", "delivery", "clock", "live_from")
def skip(
    *,
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0, help="Of the interactions topic.")],
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0, help="Where the workers say that it is blocked.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    settings: Settings,
) -> None:
    """Let a partition go on behind a batch of interactions that cannot be read: damaged, or of an unknown codec.

    It skips the whole batch, the least that can be, and only where the partition stands right before it. The batch is
    kept as a dead letter with the reason `unreadable`, its bytes as Kafka has them; what was in it the sender has to
    send again. Workers may run: the one that has the partition goes on by itself some seconds later.
    """
    console = Console(stderr=True)
    block = run(_look(settings, partition, offset), settings.bootstrap)
    time = "" if block.time is None else f", of {format_time(block.time)}"
    console.print(
        Text(
            f"{block.error}.\nIt will be skipped ({len(block.error.data):,} bytes{time}) and kept as a dead letter; "
            f"partition {partition} goes on at offset {block.after}."
        ),
        soft_wrap=True,
    )
    if not yes:
        typer.confirm("Continue?", abort=True, err=True)
    run(_skip(settings, block), settings.bootstrap)
    console.print(Text(f"partition {partition} goes on at offset {block.after}"), soft_wrap=True)


async def _look(settings: Settings, partition: int, offset: int) -> Block:
    await require(settings, of_worker(settings))
    topics = settings.topics
    needed = (topics.interactions, topics.customers, topics.dead_letters)
    counts = await require_partitions(settings, needed, "no worker ever ran there")
    partitions = counts[topics.interactions]
    if partition >= partitions:
        raise SettingsError(f"topic {settings.topics.interactions} has no partition {partition}")
    return await find_block(settings, partition, partitions, offset)


async def _skip(settings: Settings, block: Block) -> None:
    exactly_once = await resolve_delivery(settings, as_worker=True) == "exactly_once"
    await skip_block(settings, block, exactly_once=exactly_once)
