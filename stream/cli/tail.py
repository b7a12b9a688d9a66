"""`lifecycle tail`: stage changes as they come."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from stream.cli.terminal.change_lines import line_of
from stream.cli.terminal.connection import run
from stream.cli.terminal.options import with_settings
from stream.codec.change_filter import ChangeFilter, names
from stream.kafka.change_consumer import Start
from stream.settings import Settings
from stream.subscription.gap import Gap
from stream.subscription.subscription import Messages, Subscription


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
    wanted = ChangeFilter(names(lifecycle), names(stage), customers=names(customer), final=final)
    run(_show(settings, wanted, from_beginning, json, count, Console()), settings.bootstrap)


async def _show(
    settings: Settings,
    wanted: ChangeFilter,
    from_beginning: bool,
    json: bool,
    count: int | None,
    console: Console,
) -> None:
    shown = 0
    start: Start = "beginning" if from_beginning else "end"
    async for change in Subscription(settings, wanted, start=start, repeats=True, messages=ToPeople()):
        if json:
            typer.echo(change.value)
        elif console.is_terminal:
            console.print(line_of(change), soft_wrap=True)
        else:
            typer.echo(line_of(change).plain)
        shown += 1
        if shown == count:
            return


class ToPeople(Messages):
    """On stderr what is waited for, and what is no change. Who looks on acts on nothing, and hears of no gaps."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    def waiting(self, words: str) -> None:
        self._console.print(Text(words), soft_wrap=True)

    def unreadable(self, topic: str, partition: int, offset: int) -> None:
        typer.echo(f"{topic}, partition {partition}, offset {offset}: not a stage change", err=True)

    def gap(self, gap: Gap) -> None:
        """Nothing."""
