"""`lifecycle dead-letters`: see what could not be processed, and process it once its cause is mended."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.letter_choice import (
    AddressOption,
    Choice,
    ContainsOption,
    KeyOption,
    PartitionOption,
    ReasonOption,
    SinceOption,
    UntilOption,
    address_of,
)
from stream.cli.options import with_settings
from stream.codec.interactions import Reason
from stream.errors import LifecycleError, TopicError
from stream.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from stream.engine.dead_letters import DeadLetter, Origin, Receipt
    from stream.engine.letter_reading import Ledger, Progress
    from stream.engine.replaying import Target

_LOOK = 0.2
_NEWEST = 50

app = typer.Typer(
    help="Show interactions that could not be read or processed, and replay them once the cause is mended.",
    no_args_is_help=True,
)


@app.command("list")
@with_settings("bootstrap", "topic_prefix")
def list_(
    *,
    reason: ReasonOption = None,
    address: AddressOption = None,
    partition: PartitionOption = None,
    key: KeyOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    contains: ContainsOption = None,
    replayed: Annotated[
        bool, typer.Option("--replayed", help="Those that were replayed, which are left out otherwise.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="Only the N newest; 0: all of them.")] = _NEWEST,
    count: Annotated[bool, typer.Option("--count", help="Only how many there are of each reason.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line; times in epoch ms.")] = False,
    settings: Settings,
) -> None:
    """List dead letters, the newest first: when, address, reason, source, key, size and what was wrong.

    The source is the topic, partition and offset of the interaction; the address, partition and offset of the
    dead letter itself, is what `show` and `--address` take. How many there are of each reason is told at the end.
    """
    from rich.console import Console  # noqa: PLC0415 - slow to load

    from stream.cli.connection import run  # noqa: PLC0415

    choice = Choice.of(reason, address, partition, key, since, until, contains)
    finding = _find(settings, choice, replayed, None if count else limit, Console(stderr=True))
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
    from rich.console import Console  # noqa: PLC0415 - slow to load

    from stream.cli.connection import run  # noqa: PLC0415
    from stream.cli.letter_lines import report_of  # noqa: PLC0415

    letter, replayed = run(_look_at(settings, address, Console(stderr=True), receipts=not raw), settings.bootstrap)
    if raw:
        sys.stdout.buffer.write(letter.value or b"")
        if letter.truncated:
            typer.echo(f"truncated: these are {letter.kept:,} bytes of {letter.whole:,}", err=True)
    else:
        Console(highlight=False).print(report_of(letter, replayed), soft_wrap=True)


@app.command()
@with_settings("bootstrap", "app", "topic_prefix", "interactions", "delivery", "blocked")
def replay(
    *,
    reason: ReasonOption = None,
    address: AddressOption = None,
    partition: PartitionOption = None,
    key: KeyOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    contains: ContainsOption = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them; without it, one of the filters is needed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    settings: Settings,
) -> None:
    """Put dead letters on the interactions topic again, each of them once, however often this is run.

    Each goes to the partition where it was, with its key, value and headers; workers may run meanwhile. Left out is
    what was replayed before, what is truncated, and what workers would only reject again: that is judged by this
    command's version and its setting `blocked`, which must be those of the workers. What was unprocessable is
    replayed: a worker that still fails on it makes it a dead letter again.

    An interaction without a time of its own takes the time of the replay; where the topic keeps producers' times
    (CreateTime), that of its first arrival. On Kafka interaction and receipt are one transaction; on a broker
    without transactions, a replay that is killed may repeat some when it is run again.
    """
    from rich.console import Console  # noqa: PLC0415 - slow to load

    from stream.cli.connection import run  # noqa: PLC0415

    choice = Choice.of(reason, address, partition, key, since, until, contains)
    if choice.everything != all_:
        raise typer.BadParameter(
            "give either --all or at least one of --reason, --address, --partition, --key, --since, --until, --contains"
        )
    console = Console(stderr=True)
    plan = run(_plan(settings, choice, console), settings.bootstrap)
    _tell(plan, console)
    if not plan.ready:
        if plan.refused:
            raise typer.Exit(1)
        return
    if dry_run:
        return
    if not yes:
        typer.confirm("Shall it be done?", abort=True, err=True)
    run(_replay(plan, choice, console), settings.bootstrap)


@dataclass(slots=True)
class _Found:
    """What a list shows."""

    counts: Counter[str] = field(default_factory=Counter)
    """Those wanted, by reason."""
    others: int = 0
    """Wanted, but replayed where those that were not are listed, or the other way round."""
    newest: "list[tuple[int, tuple[int, int], DeadLetter]]" = field(default_factory=list)
    replayed: "Mapping[Origin, int]" = field(default_factory=dict)

    def summary(self, topic: str, replayed: bool) -> str:
        """How many there are, in words."""
        total = self.counts.total()
        kind = "replayed dead letters" if replayed else "dead letters"
        text = f"{topic}: {total or 'no'} {kind}"
        if total:
            text += ": " + ", ".join(f"{count:,} {reason}" for reason, count in self.counts.most_common())
        if 0 < len(self.newest) < total:
            text += f"; the {len(self.newest):,} newest are shown, --limit 0 shows all"
        if self.others:
            text += f"; {self.others:,} more were {'not ' if replayed else ''}replayed"
        return text


async def _find(settings: Settings, choice: Choice, replayed: bool, limit: int | None, console: "Console") -> _Found:
    """Read what is wanted, and keep the newest `limit`; 0: all of them, None: none, they are only counted."""
    from stream.engine.letter_reading import letters  # noqa: PLC0415

    ledger = await _ledger(settings, console)
    found = _Found(replayed=ledger.replayed)
    async with _bar(console, "reading dead letters") as progress:
        async for letter in letters(settings, ledger, progress, partitions=choice.partitions):
            if not choice.takes(letter):
                continue
            if (letter.origin in ledger.replayed) is not replayed:
                found.others += 1
                continue
            found.counts[letter.reason] += 1
            if limit is None:
                continue
            entry = letter.time, letter.address, letter.without_value()
            if limit and len(found.newest) == limit:
                heappushpop(found.newest, entry)
            else:
                heappush(found.newest, entry)
    return found


def _print_lines(found: _Found, json: bool) -> None:
    from rich.console import Console  # noqa: PLC0415

    from stream.cli.letter_lines import json_of, line_of  # noqa: PLC0415

    console = Console(highlight=False)
    for _, _, letter in sorted(found.newest, reverse=True, key=lambda entry: entry[:2]):
        replayed = found.replayed.get(letter.origin)
        if json:
            typer.echo(json_of(letter, replayed))
        elif console.is_terminal:
            console.print(line_of(letter, replayed), soft_wrap=True)
        else:
            typer.echo(line_of(letter, replayed).plain)


def _print_counts(found: _Found, json: bool) -> None:
    import orjson  # noqa: PLC0415

    width = max(map(len, found.counts), default=0)
    for reason, count in found.counts.most_common():
        typer.echo(
            orjson.dumps({"reason": reason, "count": count}).decode() if json else f"{reason:<{width}}  {count:>9,}"
        )


async def _look_at(
    settings: Settings, text: str, console: "Console", *, receipts: bool
) -> "tuple[DeadLetter, int | None]":
    from stream.engine.dead_letters import DeadLetter  # noqa: PLC0415
    from stream.engine.letter_reading import find_letter  # noqa: PLC0415

    address = address_of(text, "PARTITION-OFFSET")
    letter = await find_letter(settings, address)
    if not isinstance(letter, DeadLetter):
        raise LifecycleError(_not_there(settings, text, letter))
    replayed = (await _ledger(settings, console)).replayed.get(letter.origin) if receipts else None
    return letter, replayed


def _not_there(settings: Settings, address: str, found: "Receipt | None") -> str:
    topic = settings.topics.dead_letters
    if found is not None:
        return f"at {address} on {topic} is the receipt for the replay of {found.origin}, not a dead letter"
    return (
        f"there is no dead letter at {address} on {topic}: retention removed it, or it never was there. "
        "`lifecycle dead-letters list` shows those that are"
    )


@dataclass(slots=True)
class _Plan:
    """What a replay would do."""

    target: "Target"
    ledger: "Ledger"
    ready: Counter[str] = field(default_factory=Counter)
    """To be replayed, by reason."""
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Left out: why, how many, and the address and detail of the first."""
    before: int = 0
    """Replayed before."""


async def _plan(settings: Settings, choice: Choice, console: "Console") -> _Plan:
    from stream.engine.letter_reading import letters  # noqa: PLC0415
    from stream.engine.replaying import Target  # noqa: PLC0415
    from stream.engine.topics import find_topics  # noqa: PLC0415

    name = settings.topics.interactions
    topic = (await find_topics(settings)).get(name)
    if topic is None:
        raise TopicError(
            f"topic {name} does not exist on {settings.bootstrap}. "
            "Are bootstrap, topic_prefix and interactions as the workers have them?"
        )
    plan = _Plan(Target(settings, topic), await _ledger(settings, console))
    seen = set()
    async with _bar(console, "reading dead letters") as progress:
        async for letter in letters(settings, plan.ledger, progress, partitions=choice.partitions):
            if not choice.takes(letter) or letter.origin in seen:
                continue
            seen.add(letter.origin)
            if letter.origin in plan.ledger.replayed:
                plan.before += 1
            elif (refusal := plan.target.refusal(letter)) is None:
                plan.ready[letter.reason] += 1
            else:
                count, first = plan.refused.get(refusal.why, (0, f"{letter.address} {refusal.detail}".strip()))
                plan.refused[refusal.why] = count + 1, first
    return plan


def _tell(plan: _Plan, console: "Console") -> None:
    """Say what will be done and what not."""
    from rich.text import Text  # noqa: PLC0415

    from stream.cli.plain import plain  # noqa: PLC0415

    settings = plan.target.settings
    total = plan.ready.total()
    lines = [f"{settings.topics.interactions} on {settings.bootstrap}: {total or 'no'} dead letters to replay"]
    for reason, count in plan.ready.most_common():
        lines.append(f"  {count:,} {plain(reason)}")
        if reason == Reason.UNPROCESSABLE:
            lines[-1] += ", which only workers with the error mended can process"
    for why, (count, first) in plan.refused.items():
        lines.append(f"  {count:,} left out: {why} ({plain(first)})")
    if plan.before:
        lines.append(f"  {plan.before:,} left out: replayed before")
    console.print(Text("\n".join(lines)), soft_wrap=True)


async def _replay(plan: _Plan, choice: Choice, console: "Console") -> None:
    from stream.engine.delivery import supports_transactions  # noqa: PLC0415
    from stream.engine.replaying import Done, replay  # noqa: PLC0415

    settings = plan.target.settings
    exactly_once = settings.delivery == "exactly_once" or (
        settings.delivery == "auto" and await supports_transactions(settings)
    )
    done = Done()
    try:
        async with _bar(console, "replaying") as progress:
            await replay(
                plan.target, plan.ledger, choice.takes, exactly_once=exactly_once, progress=progress, done=done
            )
    finally:
        console.print(f"{done.count:,} dead letters replayed", highlight=False)


async def _ledger(settings: Settings, console: "Console") -> "Ledger":
    from stream.engine.letter_reading import read_ledger  # noqa: PLC0415

    async with _bar(console, "reading receipts") as progress:
        return await read_ledger(settings, progress)


@asynccontextmanager
async def _bar(console: "Console", text: str) -> "AsyncIterator[Progress]":
    """Show how far a reading is, where somebody looks."""
    from rich.progress import Progress as Bar  # noqa: PLC0415

    from stream.engine.letter_reading import Progress  # noqa: PLC0415

    progress = Progress()
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None)

        async def follow() -> None:
            while True:
                await asyncio.sleep(_LOOK)
                bar.update(task, completed=progress.done, total=progress.total or None)

        following = asyncio.create_task(follow())
        try:
            yield progress
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
