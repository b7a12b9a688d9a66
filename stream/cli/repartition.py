"""`lifecycle repartition`: carry every customer over to new topics with another number of partitions."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.connection import run
from stream.cli.terminal.options import OF_STATE, with_settings
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.model import model_of
from stream.errors import BrokerError, LifecycleError
from stream.kafka.permissions import of_repartition, require
from stream.kafka.topics import require_topic
from stream.kafka.transactions import resolve_delivery
from stream.kafka.waiting import describe_absence
from stream.operations.repartition.carrier import Carrier, Outlook
from stream.operations.repartition.marks import take_back
from stream.operations.workers_away import require_no_workers
from stream.setting_types import read_text
from stream.settings import Settings

_FOLLOW_EVERY = 1.0


@with_settings(*OF_STATE)
def repartition(
    *,
    to: Annotated[int | None, typer.Option(metavar="N", min=1, help="How many partitions the new topics have.")] = None,
    into: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="The topic_prefix of the new topics, such as `v2.`; it must be a new one."),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Then go on copying what still arrives on the old topic, until Ctrl-C."),
    ] = False,
    back: Annotated[
        bool,
        typer.Option("--back", help="Instead: let workers go on with the old topics; the new ones stay as they are."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    settings: Settings,
) -> None:
    """Carry every customer over to new topics with another number of partitions, each exactly once.

    Kafka can add partitions to a topic, but then a customer's interactions go to another one than its state is in. So
    this makes new topics, named by another prefix: states, figures and current stages move to where the interactions of
    each customer will be, and what was not processed yet is copied in the order in which it arrived. Stage changes and
    dead letters of before stay on the old topics.

    Stop all workers before; whoever sends may go on. Give it the settings of the workers. Afterwards start workers with
    the new prefix, let senders, subscribers and webhooks follow, and run this command once more, or with --follow, for
    what was sent to the old topic meanwhile. Where it breaks off, run it again. The old topics are left as they are,
    but workers refuse them; --back gives them free.
    """
    console = Console(stderr=True)
    if back:
        if to is not None or into is not None or follow:
            raise typer.BadParameter("stands alone: it knows where the customers were carried", param_hint="--back")
        _take_back(settings, console, yes=yes)
        return
    if to is None or into is None:
        raise typer.BadParameter(
            "say how many partitions and under which prefix: --to 12 --into v2.", param_hint="--to, --into"
        )
    new = _renamed(settings, to, into)
    loaded = [file.lifecycle for file in load_all(settings.lifecycles)]
    model = model_of(loaded, settings.forget_after, settings.forget_identified_after)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("looking at customers", total=1.0)

        def show(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        carrier = Carrier(settings, new, model, show)
        has_figures = any(each.figures for each in model.lifecycles)
        outlook = run(_look(settings, new, carrier, figures=has_figures), settings.bootstrap)
    for line in _plan(settings, new, outlook):
        console.print(Text(line), soft_wrap=True)
    if not yes and not outlook.is_done:
        typer.confirm("Are all workers stopped? Continue?", abort=True, err=True)
    with bar:
        copied = run(_carry(settings, new, carrier, outlook), settings.bootstrap)
    _tell_lost(settings, console, carrier.lost)
    if outlook.is_done:
        console.print(Text(f"{amount(copied, 'interaction')} copied that had come since"), soft_wrap=True)
    else:
        console.print(
            Text(
                f"{amount(outlook.customers - outlook.several, 'customer')} carried over to "
                f"{amount(to, 'partition')} of {new.topics.customers}, read again and found equal. Start the workers "
                f"with topic_prefix {into} and check with `lifecycle verify --topic-prefix {into}`"
            ),
            soft_wrap=True,
        )
    if follow:
        _follow(settings, carrier, console)


def _renamed(settings: Settings, to: int, into: str) -> Settings:
    prefix = read_text(into)
    if prefix == settings.topic_prefix:
        raise typer.BadParameter(f"must be another prefix than that of now, {prefix!r}", param_hint="--into")
    return replace(settings, topic_prefix=prefix, partitions=to)


async def _look(old: Settings, new: Settings, carrier: Carrier, *, figures: bool) -> Outlook:
    await require(old, of_repartition(old, new, figures=figures))
    if await resolve_delivery(old, as_worker=True) != "exactly_once":
        raise BrokerError(
            f"the broker at {old.bootstrap} has no transactions, or the setting delivery forbids them: without them "
            "nobody can be carried over exactly once"
        )
    outlook = await carrier.look()
    if not outlook.is_done:
        await require_no_workers(old)
        await require_no_workers(new)
    return outlook


def _plan(old: Settings, new: Settings, outlook: Outlook) -> list[str]:
    source, target = old.topics.interactions, new.topics.interactions
    if outlook.is_done:
        return [f"All customers of {source} were carried over to {target} already; what has come since is copied."]
    plan = (
        f"{source} on {old.bootstrap}, group {old.group}: {amount(outlook.customers, 'customer')} will be carried over "
        f"to {target} and the other topics of that prefix, with {amount(new.partitions, 'partition')}, and about "
        f"{amount(outlook.waiting, 'interaction')} that wait are copied."
    )
    lines = [plan]
    if old.topics.sources:
        lines.append(
            f"It is gathered from {', '.join(old.topics.sources)}; from now on, {', '.join(new.topics.sources)}."
        )
    if outlook.was_recreated:
        lines.append(
            f"{source} was deleted and created again: what it held before and was not processed is lost, and all that "
            "it holds now is copied."
        )
    if outlook.is_begun:
        lines.append("It was begun before, and is completed now.")
    if outlook.misplaced:
        lines.append(f"Elsewhere than their ids belong: {amount(outlook.misplaced, 'customer')}; they go there.")
    if outlook.several:
        lines.append(
            f"With records in several partitions: {amount(outlook.several, 'customer')}. The one with the latest sign "
            "of life goes on, the others stay in the old topics. `lifecycle verify` names them."
        )
    return lines


async def _carry(old: Settings, new: Settings, carrier: Carrier, outlook: Outlook) -> int:
    """How many interactions were copied, where all else was done before."""
    if not outlook.is_done:
        await require_no_workers(old)
        try:
            await carrier.carry()
        except (KafkaError, TimeoutError) as error:
            raise BrokerError(
                f"it broke off: {describe_absence(error)}. No worker goes on with {old.topics.customers} or "
                f"{new.topics.customers} now. Run the same command again to complete it, or take it back with --back"
            ) from error
        return 0
    async with carrier.copying() as copier:
        await copier.copy(lambda _: None)
        carrier.lost = copier.lost
        return copier.copied


def _tell_lost(settings: Settings, console: Console, lost: int) -> None:
    if lost:
        console.print(
            Text(
                f"{amount(lost, 'interaction')} of {settings.topics.interactions}, at most, were deleted by retention "
                "before they were copied; the rest is copied"
            ),
            soft_wrap=True,
        )


def _follow(settings: Settings, carrier: Carrier, console: Console) -> None:
    """Copy what comes, until Ctrl-C."""
    topics = ", ".join(settings.topics.sent_to)
    console.print(Text(f"copying what arrives on {topics}; Ctrl-C ends it"), soft_wrap=True)
    copied = 0

    def heard(count: int) -> None:
        nonlocal copied
        copied = count

    try:
        run(_copy_on(carrier, heard), settings.bootstrap)
    except KeyboardInterrupt:
        console.print(Text(f"{amount(copied, 'interaction')} copied that had come since"), soft_wrap=True)
        _tell_lost(settings, console, carrier.lost)
        raise typer.Exit(130) from None


async def _copy_on(carrier: Carrier, heard: Callable[[int], None]) -> None:
    async with carrier.copying() as copier:
        while True:
            await copier.copy(lambda _: None)
            heard(copier.copied)
            carrier.lost = copier.lost
            await asyncio.sleep(_FOLLOW_EVERY)


def _take_back(settings: Settings, console: Console, *, yes: bool) -> None:
    partitions = run(_before_back(settings), settings.bootstrap)
    if not yes:
        console.print(
            Text(
                "What workers made of interactions on the new topics stays there, and what was sent there alone is not "
                "on the old ones."
            ),
            soft_wrap=True,
        )
        typer.confirm("Are all workers of the new topics stopped? Continue?", abort=True, err=True)
    taken = run(take_back(settings, partitions), settings.bootstrap)
    if not taken:
        raise LifecycleError(f"the customers of {settings.topics.interactions} were not carried over")
    console.print(
        Text(
            f"workers may go on with {amount(len(taken), 'partition')} of {settings.topics.interactions}; delete the "
            f"topics beside {taken[0]} before you try again with that prefix"
        ),
        soft_wrap=True,
    )


async def _before_back(settings: Settings) -> int:
    found = await require_topic(settings, settings.topics.customers, "there is nothing to take back")
    await require_no_workers(settings)
    return found.partitions
