"""The commands of `lifecycle`, one module each, of which only the chosen one is loaded.

So a module imports what it needs at its head, however slow that is to load (Faust, aiokafka, rich, YAML).
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from stream.build import build_labels

if TYPE_CHECKING:
    from typer._click import Command, Context


class _Lazy(NamedTuple):
    """A command that is not loaded yet."""

    module: str
    name: str
    """Of its function, or of the typer app of a group, in the module."""
    summary: str
    """Its line in `--help`: the first sentence of its own help."""


# In the order of `--help`.
COMMANDS = {
    "demo": _Lazy("demo", "demo", "Watch customers move through their lifecycle; needs nothing but this command."),
    "worker": _Lazy(
        "worker",
        "worker",
        "Read interactions, keep scores and stages, write stage changes; start as many as there are cores.",
    ),
    "collector": _Lazy(
        "collector",
        "collector",
        "Take interactions over HTTP, as Segment's SDKs send them, and write them to Kafka; start as many as you like.",
    ),
    "validate": _Lazy("validate", "validate", "Check lifecycle files, and draw the good ones."),
    "preset": _Lazy(
        "preset", "preset", "Print the file of a preset, to begin one of your own with; without NAME list them."
    ),
    "schema": _Lazy(
        "schema",
        "schema",
        "Print a JSON Schema: of lifecycle files, interactions, stage changes, figures, customers, diffs or webhooks.",
    ),
    "simulate": _Lazy("simulate", "simulate", "Run lifecycles on interactions from files, offline and fast."),
    "diff": _Lazy(
        "diff",
        "diff",
        "Compare two versions of a lifecycle on the same interactions: who would move, who ends elsewhere, and why.",
    ),
    "report": _Lazy(
        "report",
        "report",
        "Reckon what marketing reads, for a period and against the one before: sales, funnel, cohorts, churn and more.",
    ),
    "import": _Lazy(
        "import_",
        "import_",
        "Send interactions from files to Kafka, in time order, and wait until every one is safe there.",
    ),
    "tail": _Lazy(
        "tail",
        "tail",
        "Show stage changes as they come: when, who, from where to where, why, and the largest scores.",
    ),
    "explain": _Lazy(
        "explain",
        "explain",
        "Say why a customer is in its stage, what is missing for each way out, and what time alone will do.",
    ),
    "topics": _Lazy(
        "topics",
        "topics",
        "Show the topics that a worker needs, create those that are missing, and say what does not fit.",
    ),
    "doctor": _Lazy(
        "doctor",
        "doctor",
        "Look at the latest interactions, and say what their producers do that lifecycles or workers cannot use.",
    ),
    "dead-letters": _Lazy(
        "dead_letters",
        "app",
        "Show interactions that could not be read or processed, and replay them once the cause is mended.",
    ),
    "webhooks": _Lazy(
        "webhooks",
        "app",
        "Send stage changes to endpoints over HTTP, at least once and in order; and see, try and steer what is sent.",
    ),
    "verify": _Lazy(
        "verify",
        "verify",
        "Recompute customers and stage changes from the interactions, and compare: is what the topics hold right?",
    ),
    "export": _Lazy(
        "export",
        "export",
        "Print everything that is held of one person, as JSON: what to give somebody who asks for their data.",
    ),
    "reset": _Lazy("reset", "reset", "Forget all customers, and let the workers read the interactions again."),
    "repartition": _Lazy(
        "repartition",
        "repartition",
        "Carry every customer over to new topics with another number of partitions, each exactly once.",
    ),
    "skip": _Lazy(
        "skip",
        "skip",
        "Let a partition go on behind a batch of interactions that cannot be read: damaged, or of an unknown codec.",
    ),
    "settings": _Lazy("settings", "settings", "List every setting with its environment variable, default and meaning."),
}


class _Commands(TyperGroup):
    """Knows the names and summaries of all commands, and loads the one that is called or completed."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own, passed on
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=each.summary) for name, each in COMMANDS.items()}

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        name, known, rest = super().resolve_command(ctx, args)
        return name, None if name is None or known is None else _load(name), rest


def _load(name: str) -> "Command":
    module, attribute, _ = COMMANDS[name]
    with _interrupts_end_us():
        command = getattr(import_module(f"stream.cli.{module}"), attribute)
    alone = typer.Typer(rich_markup_mode=_MARKUP)
    if isinstance(command, typer.Typer):
        alone.add_typer(command, name=name)
    else:
        alone.command(name)(command)
    return get_group(alone).commands[name]


@contextmanager
def _interrupts_end_us() -> Iterator[None]:
    """Let Ctrl-C end the process at once, unless it is handled otherwise already.

    Nothing is held yet. As an exception it may be swallowed wherever an import is interrupted, and there are
    extension modules that crash.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(130))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_MARKUP: Final = "markdown"
app = typer.Typer(
    cls=_Commands,
    help="Score customers and move them through lifecycles, as they act and as time passes.",
    rich_markup_mode=_MARKUP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
