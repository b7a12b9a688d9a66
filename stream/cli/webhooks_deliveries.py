"""`lifecycle webhooks pause`, `resume`, `replay` and `deliveries`: what operators do with deliveries."""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.connection import run
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.time_argument import moment
from stream.codec.deliveries import Action, DeliveryCommand
from stream.codec.plain import plain
from stream.core.language.names import unknown
from stream.core.times import format_time
from stream.errors import LifecycleError
from stream.kafka.permissions import of_webhook_attempts, of_webhook_commands, of_webhook_replay, require
from stream.kafka.topics import require_partitions
from stream.settings import Settings
from stream.webhooks.attempt_log import AttemptRecord, encode_attempt
from stream.webhooks.commands import CommandWriter
from stream.webhooks.delivery_log import GivenUpFilter, attempts_of, given_up, redelivered
from stream.webhooks.endpoints.endpoint_file import read_endpoints
from stream.webhooks.exchange import Verdict
from stream.webhooks.templating.template_file import load_template

_AT_ONCE: Final = 500
_DAYS: Final = 7
_STYLES: Final = {
    Verdict.DELIVERED: "green",
    Verdict.AGAIN: "yellow",
    Verdict.REFUSED: "bold red",
    Verdict.GONE: "bold red",
}
_Name = Annotated[str, typer.Argument(help="The endpoint, as its file names it.", show_default=False)]


@with_settings("bootstrap", "topic_prefix", "webhooks")
def pause(
    name: _Name,
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who look at it later.")] = "",
    settings: Settings,
) -> None:
    """Send nothing more to an endpoint until `resume`. Changes for it wait, up to its `most_waiting` a partition."""
    _tell_all(settings, name, "pause", reason)
    typer.echo(f"{name} is paused: changes for it wait until `lifecycle webhooks resume {name}`")


@with_settings("bootstrap", "topic_prefix", "webhooks")
def resume(name: _Name, *, settings: Settings) -> None:
    """Send to an endpoint again that was paused, or disabled as it answered 410 or failed for five days.

    What waits is sent in its order, at once where its time has come.
    """
    _tell_all(settings, name, "resume", "")
    typer.echo(f"{name} is resumed")


@with_settings("bootstrap", "topic_prefix", "webhooks")
def replay(
    *,
    endpoint: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this endpoint.")] = None,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only those of this customer or visitor.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those given up at this time or later.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only those given up before this time.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them; without it one of the filters is needed.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Those too that were replayed since.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    settings: Settings,
) -> None:
    """Deliver again what was given up, as it was then and with the same ids; each once, however often this is run.

    They begin with a fresh schedule, behind what waits for the customer. A receiver may get a change after later ones.
    """
    wanted = GivenUpFilter(
        endpoint,
        customer,
        None if since is None else moment(since, "--since"),
        None if until is None else moment(until, "--until"),
    )
    if (wanted == GivenUpFilter()) != all_:
        raise typer.BadParameter("give either --all or at least one of --endpoint, --customer, --since, --until")
    if endpoint is not None:
        _require(settings, endpoint)
    console = Console(stderr=True, highlight=False)
    found, before = run(_count(settings, wanted, again=again), settings.bootstrap)
    console.print(f"{amount(found.total(), 'change')} to replay" + _listed(found))
    if before:
        console.print(f"{before:,} left out: replayed since")
    if dry_run or not found:
        return
    if not yes:
        typer.confirm("Continue?", abort=True, err=True)
    done = run(_replay(settings, wanted, again=again), settings.bootstrap)
    console.print(f"{amount(done, 'change')} on the way")


@with_settings("bootstrap", "topic_prefix", "partitioner")
def deliveries(
    *,
    customer: Annotated[
        str, typer.Option(metavar="ID", help="The customer, or the anonymous id of a visitor.", show_default=False)
    ],
    endpoint: Annotated[str | None, typer.Option(metavar="NAME", help="Only attempts at this endpoint.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help=f"From this time on; else the last {_DAYS} days.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line; times in epoch ms.")] = False,
    settings: Settings,
) -> None:
    """Show what was sent for a customer when, and answered with what: one line an attempt, the oldest first."""
    begin = _now() - _DAYS * 86_400_000 if since is None else moment(since, "--since")
    found = run(_attempts(settings, customer, endpoint, begin), settings.bootstrap)
    console = Console(highlight=False)
    for each in found:
        if json:
            typer.echo(encode_attempt(each))
        else:
            console.print(_line(each), soft_wrap=True)
    if not found:
        typer.echo(f"nothing was sent for {customer} since {format_time(begin)}", err=True)


async def _attempts(settings: Settings, customer: str, endpoint: str | None, since: int) -> list[AttemptRecord]:
    await require(settings, of_webhook_attempts(settings))
    return [each async for each in attempts_of(settings, customer, since) if endpoint in (None, each.endpoint)]


def _line(each: AttemptRecord) -> Text:
    parts = [
        (format_time(each.at), "dim"),
        (each.endpoint, "cyan"),
        (plain(each.id), "bold"),
        (f"attempt {each.attempt}", ""),
        (each.verdict.value, _STYLES[each.verdict]),
        (f"{each.seconds * 1000:.0f} ms", "dim"),
        (plain(each.reason), ""),
        ("" if each.next is None else f"again {format_time(each.next)}", "yellow"),
    ]
    line = Text()
    for text, style in parts:
        if text:
            line.append("  " if line else "").append(text, style)
    return line


def _tell_all(settings: Settings, endpoint: str, action: Action, reason: str) -> None:
    _require(settings, endpoint)

    async def tell() -> None:
        topic = settings.webhook_topics.commands
        assert topic is not None
        await require(settings, of_webhook_commands(settings))
        await require_partitions(settings, [topic], "no process of `lifecycle webhooks` ever ran there")
        async with CommandWriter(settings) as writer:
            await writer.to_all(DeliveryCommand(action, endpoint, _now(), reason))

    run(tell(), settings.bootstrap)


def _require(settings: Settings, endpoint: str) -> None:
    """Raises LifecycleError where the file names no such endpoint: a slip would be obeyed by nobody."""
    names = [each.name for each in read_endpoints(Path(settings.webhooks), load_template)]
    if endpoint not in names:
        raise LifecycleError(f"{settings.webhooks}: {unknown(endpoint, names, 'endpoint')}")


async def _count(settings: Settings, wanted: GivenUpFilter, *, again: bool) -> tuple[Counter[tuple[str, str]], int]:
    """By endpoint and reason; and how many were replayed since."""
    await require(settings, of_webhook_replay(settings))
    known = {} if again else await redelivered(settings)
    found, before = Counter[tuple[str, str]](), 0
    async for _, lost in given_up(settings, wanted):
        if known.get((lost.endpoint, lost.event_id), -1) >= lost.at:
            before += 1
        else:
            found[lost.endpoint, lost.reason] += 1
    return found, before


def _listed(found: Counter[tuple[str, str]]) -> str:
    parts = [
        f"{count:,} {plain(reason)} by {plain(endpoint) or 'no endpoint'}"
        for (endpoint, reason), count in found.most_common()
    ]
    return f": {', '.join(parts)}" if parts else ""


async def _replay(settings: Settings, wanted: GivenUpFilter, *, again: bool) -> int:
    known = {} if again else await redelivered(settings)
    waiting: dict[int, list[DeliveryCommand]] = {}
    done = 0
    async with CommandWriter(settings) as writer:
        async for partition, lost in given_up(settings, wanted):
            if known.get((lost.endpoint, lost.event_id), -1) >= lost.at:
                continue
            command = DeliveryCommand("redeliver", lost.endpoint, _now(), "", lost.event_id, msgspec.Raw(lost.value))
            waiting.setdefault(partition, []).append(command)
            if len(waiting[partition]) == _AT_ONCE:
                done += await _send(writer, partition, waiting.pop(partition))
        for partition, commands in waiting.items():
            done += await _send(writer, partition, commands)
    return done


async def _send(writer: CommandWriter, partition: int, commands: list[DeliveryCommand]) -> int:
    await writer.to_one(partition, commands)
    return len(commands)


def _now() -> int:
    return time.time_ns() // 1_000_000
