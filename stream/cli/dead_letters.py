"""`lifecycle dead-letters`: see what could not be processed, and process it once its cause is mended."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import Annotated

import orjson
import typer
from rich.console import Console

from stream.cli.dead_letters_replay import replay
from stream.cli.terminal.connection import run
from stream.cli.terminal.dead_letter_bar import bar, ledger_of
from stream.cli.terminal.dead_letter_filter import DeadLetterFilter, address_of, with_filter
from stream.cli.terminal.dead_letter_lines import how_many, json_of, line_of, report_of
from stream.cli.terminal.options import with_settings
from stream.codec.dead_letters import Address, DeadLetter, Receipt, SourceAddress
from stream.errors import LifecycleError
from stream.kafka.permissions import of_dead_letters, require
from stream.operations.dead_letter_log import find_dead_letter, read_dead_letters
from stream.settings import Settings

_NEWEST = 50

app = typer.Typer(
    help="Show interactions that could not be read or processed, and replay them once the cause is mended.",
    no_args_is_help=True,
)


@app.command("list")
@with_settings("bootstrap", "topic_prefix")
@with_filter
def list_(
    *,
    replayed: Annotated[
        bool, typer.Option("--replayed", help="Those that were replayed, which are left out otherwise.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Only the N newest; 0: all of them.")] = _NEWEST,
    count: Annotated[bool, typer.Option("--count", help="Only how many there are of each reason.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line; times in epoch ms.")] = False,
    wanted: DeadLetterFilter,
    settings: Settings,
) -> None:
    """List dead letters, the newest first: when, address, reason, source, key, size and what was wrong.

    The source is the topic, partition and offset of the interaction; the address, partition and offset of the
    dead letter itself, is what `show` and `--address` take. The number of each reason comes at the end.
    """
    finding = _find(settings, wanted, replayed, None if count else limit, Console(stderr=True))
    found = run(finding, settings.bootstrap)
    if count:
        _print_counts(found, json)
    else:
        _print_lines(found, json)
        typer.echo(found.summary(settings.topics.dead_letters, replayed), err=True)


@app.command()
@with_settings("bootstrap", "topic_prefix")
def show(
    address: Annotated[
        str, typer.Argument(metavar="PARTITION-OFFSET", help="Its address, as `list` names it.", show_default=False)
    ],
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the bytes of its value to stdout as they are, and nothing else.")
    ] = False,
    settings: Settings,
) -> None:
    """Show all there is of one dead letter: reason, source, key, headers and value."""
    place = address_of(address, "PARTITION-OFFSET")
    dead_letter, replayed = run(_look_at(settings, place, Console(stderr=True), receipts=not raw), settings.bootstrap)
    if raw:
        sys.stdout.buffer.write(dead_letter.value or b"")
        if dead_letter.truncated:
            typer.echo(f"truncated: these are {dead_letter.kept:,} bytes of {dead_letter.whole:,}", err=True)
    else:
        Console(highlight=False).print(report_of(dead_letter, replayed), soft_wrap=True)


@dataclass(slots=True)
class _Found:
    """What a list shows."""

    counts: Counter[str] = field(default_factory=Counter)
    """Those wanted, by reason."""
    others: int = 0
    """Wanted, but replayed where those that were not are listed, or the other way round."""
    newest: list[tuple[int, tuple[int, int], DeadLetter]] = field(default_factory=list)
    replayed: Mapping[SourceAddress, int] = field(default_factory=dict)

    def summary(self, topic: str, replayed: bool) -> str:
        """How many there are, in words."""
        total = self.counts.total()
        text = f"{topic}: {how_many(total, 'replayed dead letter' if replayed else 'dead letter')}"
        if total:
            text += ": " + ", ".join(f"{count:,} {reason}" for reason, count in self.counts.most_common())
        if 0 < len(self.newest) < total:
            text += f"; the {len(self.newest):,} newest are shown, --limit 0 shows all"
        if self.others:
            text += f"; not listed: {self.others:,} that were {'not ' if replayed else ''}replayed"
        return text


async def _find(
    settings: Settings, wanted: DeadLetterFilter, replayed: bool, limit: int | None, console: Console
) -> _Found:
    """Read what is wanted, and keep the newest `limit`; 0: all of them, None: none, they are only counted."""
    await require(settings, of_dead_letters(settings))
    ledger = await ledger_of(settings, console)
    found = _Found(replayed=ledger.replayed)
    async with bar(console, "reading dead letters") as progress:
        async for dead_letter in read_dead_letters(settings, ledger, progress, partitions=wanted.partitions):
            if not wanted.matches(dead_letter):
                continue
            if (dead_letter.source in ledger.replayed) is not replayed:
                found.others += 1
                continue
            found.counts[dead_letter.reason] += 1
            if limit is None:
                continue
            entry = dead_letter.time, dead_letter.address, dead_letter.without_value()
            if limit and len(found.newest) == limit:
                heappushpop(found.newest, entry)
            else:
                heappush(found.newest, entry)
    return found


def _print_lines(found: _Found, json: bool) -> None:
    console = Console(highlight=False)
    for _, _, dead_letter in sorted(found.newest, reverse=True, key=lambda entry: entry[:2]):
        replayed = found.replayed.get(dead_letter.source)
        if json:
            typer.echo(json_of(dead_letter, replayed))
        elif console.is_terminal:
            console.print(line_of(dead_letter, replayed), soft_wrap=True)
        else:
            typer.echo(line_of(dead_letter, replayed).plain)


def _print_counts(found: _Found, json: bool) -> None:
    width = max(map(len, found.counts), default=0)
    for reason, count in found.counts.most_common():
        typer.echo(
            orjson.dumps({"reason": reason, "count": count}).decode() if json else f"{reason:<{width}}  {count:>9,}"
        )


async def _look_at(
    settings: Settings, address: Address, console: Console, *, receipts: bool
) -> tuple[DeadLetter, int | None]:
    await require(settings, of_dead_letters(settings))
    dead_letter = await find_dead_letter(settings, address)
    if not isinstance(dead_letter, DeadLetter):
        raise LifecycleError(_not_there(settings, address, dead_letter))
    replayed = (await ledger_of(settings, console)).replayed.get(dead_letter.source) if receipts else None
    return dead_letter, replayed


def _not_there(settings: Settings, address: Address, found: Receipt | None) -> str:
    topic = settings.topics.dead_letters
    if found is not None:
        return f"at {address} on {topic} is the receipt for the replay of {found.source}, not a dead letter"
    return (
        f"there is no dead letter at {address} on {topic}: retention removed it, or it never was there. "
        "`lifecycle dead-letters list` shows those that are"
    )


app.command()(replay)
