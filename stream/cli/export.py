"""`lifecycle export`: what is held of one person."""

import sys
import time
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from stream.cli.terminal.connection import run
from stream.cli.terminal.options import OF_STATE, with_settings
from stream.codec.fields import spelled
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.interaction import Kind
from stream.core.model import model_of
from stream.operations.personal_data.export import Export, is_empty
from stream.operations.personal_data.person import Person
from stream.settings import Settings


@with_settings(*OF_STATE)
def export(
    customer: Annotated[str, typer.Argument(help="The customer's id, as interactions have it.")],
    *,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="It is the anonymous id of a visitor.")] = False,
    no_interactions: Annotated[
        bool,
        typer.Option(
            "--no-interactions", help="Leave interactions out: who sent them has them, and to read all takes long."
        ),
    ] = False,
    settings: Settings,
) -> None:
    """Print everything that is held of one person, as JSON: what to give somebody who asks for their data.

    Every topic is read from its beginning: the record that workers keep, with all it remembers; current stages and
    stage changes; interactions; dead letters of theirs, or that name them; what waits for webhooks, what was sent,
    answered and given up. `topics` says for how long each keeps what it has. Of an anonymous id those interactions are
    shown, too, that name a customer beside it.

    Nothing is written, and no worker is disturbed or needed. It takes as long as reading the topics does. Times are
    epoch milliseconds. The exit code is 1 where nothing is held.
    """
    kind: Kind = "anonymous" if anonymous else "customer"
    person = Person(kind, spelled(customer, settings.ids), exact=settings.ids == "exact")
    loaded = [file.lifecycle for file in load_all(settings.lifecycles)]
    model = model_of(loaded, settings.forget_after, settings.forget_identified_after)
    messages = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        task = progress.add_task("reading", total=1.0)

        def show(topic: str, share: float) -> None:
            progress.update(task, description=f"reading {topic}", completed=share)

        reading = Export(settings, model, person, show, interactions=not no_interactions)
        document = run(reading.run(time.time_ns() // 1_000_000), settings.bootstrap)
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if is_empty(document):
        messages.print(
            Text(f"nothing is held of {kind} {customer!r} on {settings.bootstrap}", style="red"), soft_wrap=True
        )
        raise typer.Exit(1)
