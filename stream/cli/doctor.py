"""`lifecycle doctor`: what producers put on the topics of interactions, and what to set."""

from typing import Annotated

import typer
from orjson import OPT_INDENT_2, dumps
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from stream.cli.terminal.connection import run
from stream.cli.terminal.diagnosis_report import advice_of, json_of, show_diagnosis
from stream.cli.terminal.options import with_settings
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.operations.diagnosis import examine
from stream.settings import Settings


@with_settings(
    "bootstrap",
    "topic_prefix",
    "interactions",
    "partitioner",
    "lifecycles",
    "blocked",
    "ids",
    "earliest_time",
    "map",
)
def doctor(
    *,
    records: Annotated[
        int, typer.Option(metavar="N", min=1, help="Look at the latest N records, the same number of each partition.")
    ] = 10_000,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
    settings: Settings,
) -> None:
    """Look at the latest interactions, and say what their producers do that lifecycles or workers cannot use.

    Shown are the formats, the codecs and the partitioners of the records and which clients have these by default, what
    would be a dead letter and why, event names that the lifecycles do not know (where the setting `lifecycles` or the
    option names them), and clocks that are off. What should be changed stands at the end, with its setting.

    Where `interactions` names several topics, each is looked at; with --json they are a list, below `topics`.

    Nothing is written, and no worker is disturbed. The exit code is 1 where something should be changed.
    """
    lifecycles = [each.lifecycle for each in load_all(settings.lifecycles)] if settings.lifecycles else []
    messages = Console(stderr=True)
    columns = (TextColumn("reading"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        task = progress.add_task("reading", total=None)

        def show(done: int, whole: int) -> None:
            progress.update(task, completed=done, total=whole)

        found = [
            run(examine(settings, lifecycles, topic, records, show), settings.bootstrap)
            for topic in settings.topics.sent_to
        ]
    advice = [advice_of(each) for each in found]
    if json:
        objects = [json_of(*each) for each in zip(found, advice, strict=True)]
        typer.echo(dumps({"topics": objects} if len(objects) > 1 else objects[0], option=OPT_INDENT_2).decode())
    else:
        for each in zip(found, advice, strict=True):
            show_diagnosis(*each, Console())
    if any(advice):
        raise typer.Exit(1)
