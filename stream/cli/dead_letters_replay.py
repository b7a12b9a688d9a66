"""`lifecycle dead-letters replay`: process dead letters once their cause is mended."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from stream.cli.terminal.connection import run
from stream.cli.terminal.dead_letter_bar import bar, ledger_of
from stream.cli.terminal.dead_letter_filter import FILTER_OPTIONS, DeadLetterFilter, with_filter
from stream.cli.terminal.dead_letter_lines import how_many
from stream.cli.terminal.options import with_settings
from stream.codec.dead_letter_reasons import Reason
from stream.codec.plain import plain
from stream.kafka.permissions import of_replay, require
from stream.kafka.topics import require_topic
from stream.kafka.transactions import resolve_delivery
from stream.operations.dead_letter_log import Ledger, read_dead_letters
from stream.operations.replay import Done, Target
from stream.operations.replay import replay as replay_dead_letters
from stream.settings import Settings


@with_settings("bootstrap", "app", "topic_prefix", "interactions", "delivery", "blocked", "ids", "earliest_time", "map")
@with_filter
def replay(
    *,
    all_: Annotated[bool, typer.Option("--all", help="All of them; without it, one of the filters is needed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wanted: DeadLetterFilter,
    settings: Settings,
) -> None:
    """Put dead letters on the interactions topic again, each of them once, however often this is run.

    Each goes to the partition where it was, with its key, value and headers; workers may run meanwhile. Left out is
    what was replayed before, what is truncated, and what workers would only reject again: that is judged by this
    command's version and its settings, such as `blocked` and `map`, which must be those of the workers. What was
    unprocessable is replayed: a worker that still fails on it makes it a dead letter again.

    An interaction without a time of its own takes the time of the replay; where the topic keeps producers' times
    (CreateTime), that of its first arrival, unless retention would soon remove it for that. On Kafka interaction and
    receipt are one transaction; on a broker without transactions, a replay that is killed may repeat some when it is
    run again.
    """
    if wanted.everything != all_:
        raise typer.BadParameter(f"give either --all or at least one of {FILTER_OPTIONS}")
    console = Console(stderr=True)
    plan = run(_plan(settings, wanted, console), settings.bootstrap)
    _show_plan(plan, console)
    if not plan.ready:
        if plan.refused and not plan.before:
            raise typer.Exit(1)
        return
    if dry_run:
        return
    if not yes:
        typer.confirm("Continue?", abort=True, err=True)
    run(_replay(plan, wanted, console), settings.bootstrap)


@dataclass(slots=True)
class _Plan:
    """What a replay would do."""

    target: Target
    ledger: Ledger
    ready: Counter[str] = field(default_factory=Counter)
    """To be replayed, by reason."""
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Left out: why, how many, and the address and detail of the first."""
    before: int = 0
    """Replayed before."""


async def _plan(settings: Settings, wanted: DeadLetterFilter, console: Console) -> _Plan:
    await require(settings, of_replay(settings))
    topic = await require_topic(settings, settings.topics.interactions, "there is nowhere to replay to")
    plan = _Plan(Target(settings, topic, settings.decoder()), await ledger_of(settings, console))
    seen = set()
    async with bar(console, "reading dead letters") as progress:
        async for dead_letter in read_dead_letters(settings, plan.ledger, progress, partitions=wanted.partitions):
            if not wanted.matches(dead_letter) or dead_letter.source in seen:
                continue
            seen.add(dead_letter.source)
            if dead_letter.source in plan.ledger.replayed:
                plan.before += 1
            elif (refusal := plan.target.refusal(dead_letter)) is None:
                plan.ready[dead_letter.reason] += 1
            else:
                count, first = plan.refused.get(refusal.why, (0, f"{dead_letter.address} {refusal.detail}".strip()))
                plan.refused[refusal.why] = count + 1, first
    return plan


def _show_plan(plan: _Plan, console: Console) -> None:
    """Say what will be done and what not."""
    settings = plan.target.settings
    lines = [f"{settings.topics.interactions} on {settings.bootstrap}: {how_many(plan.ready.total())} to replay"]
    for reason, count in plan.ready.most_common():
        lines.append(f"  {count:,} {plain(reason)}")
        if reason == Reason.UNPROCESSABLE:
            lines[-1] += ", which only workers with the error mended can process"
    for why, (count, first) in plan.refused.items():
        lines.append(f"  {count:,} left out: {why} ({plain(first)})")
    if plan.before:
        lines.append(f"  {plan.before:,} left out: replayed before")
    console.print(Text("\n".join(lines)), soft_wrap=True)


async def _replay(plan: _Plan, wanted: DeadLetterFilter, console: Console) -> None:
    settings = plan.target.settings
    exactly_once = await resolve_delivery(settings) == "exactly_once"
    done = Done()
    try:
        async with bar(console, "replaying") as progress:
            await replay_dead_letters(
                plan.target, plan.ledger, wanted.matches, exactly_once=exactly_once, progress=progress, done=done
            )
    finally:
        console.print(f"{how_many(done.count)} replayed", highlight=False)
