"""`lifecycle simulate`: lifecycles on interactions from files, offline."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.reading_options import FileReading, keep_apart, show_offer, with_reading
from stream.cli.terminal.simulation_summary import Summary
from stream.cli.terminal.time_argument import moment
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.input_files import read_interactions
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.stage_changes import ChangeSource, encode
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from stream.errors import InputFileError, LifecycleError
from stream.offline.simulation import Simulation
from stream.offline.standing import encode_standing
from stream.settings import Settings

_BUFFER = 1 << 20
"""Bytes of output that are written at a time."""


@with_settings("forget_after", "forget_identified_after", "blocked", "ids", "earliest_time")
@with_reading
def simulate(
    *,
    lifecycle: Annotated[
        list[str],
        typer.Option(metavar="FILE", help="Lifecycle file, or name of a preset; may stand repeatedly."),
    ],
    input: Annotated[  # noqa: A002 - the option's name
        list[str],
        typer.Option(
            metavar="FILE",
            help="Interactions as CSV, JSON lines, a JSON list or an Excel workbook, also .gz or .zst; - is stdin; "
            "repeatable.",
        ),
    ],
    changes: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write each stage change as a line of JSON; - is stdout."),
    ] = None,
    customers: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a line of JSON for each customer and lifecycle, as they are at the end; - is stdout.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Then let time pass up to and including this moment: RFC 3339 or epoch milliseconds.",
        ),
    ] = None,
    reading: FileReading,
    settings: Settings,
) -> None:
    """Run lifecycles on interactions from files, offline and fast.

    Interactions are applied in the order of the files, each customer by its own clock. Without --until, no
    time passes after a customer's last interaction. In the lines of --customers, scores and facts are those
    at the customer's clock, or at --until where that is later; the field `at` says which.

    A file with columns of its own needs --map, such as
    "customer_id=household,time=day,type='Order Completed',properties.total=sales". Where that, or another option, is
    missing, the command that has it is shown: times, numbers and text are never read by a guess.

    A file that is given twice counts once, as an import does that is repeated.

    Records that cannot be read are counted and listed on stderr by their reason; only where there is no
    other, the exit code is 1.
    """
    end = None if until is None else moment(until, "--until")
    _keep_apart([*lifecycle, *(each for each in input if each != "-")], changes, customers)
    keep_apart(reading.rejected, [*lifecycle, *input, *(each for each in (changes, customers) if each)])
    loaded = [file.lifecycle for file in load_all(lifecycle)]
    simulation = Simulation(model_of(loaded, settings.forget_after, settings.forget_identified_after))
    summary = Summary(simulation.model.lifecycles)
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}  {task.completed:,} records"),
        TimeElapsedColumn(),
    )
    started = perf_counter()
    with ExitStack() as stack:
        write_change = stack.enter_context(_lines(changes)) if changes else None
        write_customer = stack.enter_context(_lines(customers)) if customers else None
        rejected = stack.enter_context(reading.rejected_rows())
        progress = stack.enter_context(
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        )
        contents: set[bytes] = set()

        def run(name: str) -> Iterator[tuple[StageChange, ChangeSource]]:
            content = content_hash(name) if len(input) > 1 else None
            known = content in contents
            if content is not None:
                contents.add(content)
            records = read_interactions(
                name,
                mapping=reading.mapping,
                reading=settings.reading,
                options=reading.options,
                survey=reading.survey,
                rejected=rejected,
            )
            return simulation.run(progress.track(records, description=name), name, known=known)

        runs = (run(name) for name in input)
        endings = [] if end is None else [simulation.finish(end)]
        for change, source in chain(chain.from_iterable(runs), *endings):
            summary.add(change)
            if write_change is not None:
                write_change(encode(change, source))
        seconds = perf_counter() - started
        for standing in simulation.standings(end):
            summary.count(standing)
            if write_customer is not None:
                write_customer(encode_standing(standing))
    summary.show(console, simulation, seconds)
    show_offer(reading.survey.offer(), console)
    if simulation.rejected and simulation.records == simulation.rejected.count:
        first = simulation.rejected.describe_first()
        raise InputFileError(f"none of the {amount(simulation.records, 'record')} could be read; the first: {first}")


@contextmanager
def _lines(path: str) -> Iterator[Callable[[bytes], None]]:
    """Open a file for lines, and hand out what writes one; `-` is the standard output."""
    try:
        with open(1 if path == "-" else path, "wb", buffering=_BUFFER, closefd=path != "-") as file:

            def write(line: bytes) -> None:
                file.write(line + b"\n")

            yield write
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LifecycleError(f"{path}: cannot be written: {error.strerror}") from error


def _keep_apart(read: Sequence[str], changes: str | None, customers: str | None) -> None:
    """Raise BadParameter where an output would overwrite what is read, or the other output."""
    if changes is not None and customers is not None and _is_one(changes, customers):
        raise typer.BadParameter("each needs a file of its own", param_hint="'--changes' / '--customers'")
    for option, path in (("'--changes'", changes), ("'--customers'", customers)):
        for other in read:
            if path is not None and path != "-" and _is_one(path, other):
                raise typer.BadParameter(f"{path} would be overwritten, but it is read", param_hint=option)


def _is_one(path: str, other: str) -> bool:
    one, two = Path(path), Path(other)
    if one.exists() and two.exists():
        return one.is_file() and one.samefile(two)  # two devices, such as /dev/null, do no harm
    return one.resolve() == two.resolve()
