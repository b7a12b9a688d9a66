"""The commands of `lifecycle`, one file each.

A command's module is loaded for every call, also for `--help`: what is slow to load (Faust, rich, YAML) it
imports inside the command.
"""

from typing import Annotated

import typer

from stream.build import build_labels
from stream.cli import (
    dead_letters,
    demo,
    import_,
    preset,
    reset,
    schema,
    settings,
    simulate,
    skip,
    tail,
    topics,
    validate,
    verify,
    worker,
)

app = typer.Typer(
    help="Score customers and move them through lifecycles, as they act and as time passes.",
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order of `--help`. A command: app.command()(module.function); a group: app.add_typer(module.app).
app.command()(demo.demo)
app.command()(worker.worker)
app.command()(validate.validate)
app.command()(preset.preset)
app.command()(schema.schema)
app.command()(simulate.simulate)
app.command("import")(import_.import_)
app.command()(tail.tail)
app.command()(topics.topics)
app.add_typer(dead_letters.app, name="dead-letters")
app.command()(verify.verify)
app.command()(reset.reset)
app.command()(skip.skip)
app.command()(settings.settings)


def _show_version(asked: bool) -> None:
    if not asked:
        return
    about = build_labels()
    typer.echo(f"lifecycle {about['version']} ({about['build']}, Python {about['python']})")
    raise typer.Exit


@app.callback()
def _common(
    _: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Only what all commands share: the version."""
