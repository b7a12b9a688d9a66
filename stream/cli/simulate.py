"""`lifecycle simulate`: lifecycles on interactions from files, offline."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from time import perf_counter, time_ns
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.answers import Answers
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.outputs import keep_outputs_apart
from stream.cli.terminal.reading_options import FileReading, keep_apart, show_offer, with_reading
from stream.cli.terminal.simulation_summary import Summary, show_warnings
from stream.cli.terminal.time_argument import moment
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.input_files import read_interactions
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.stage_changes import ChangeSource
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from stream.errors import InputFileError
from stream.offline.garbage import rarely_collected
from stream.offline.result_files import change_file, customer_file, write_figures
from stream.offline.simulation import Simulation
from stream.settings import Settings


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
        typer.Option(
            metavar="FILE",
            help="Write each stage change: as CSV or Parquet where the name ends in .csv or .parquet, else as a "
            "line of JSON; - is stdout.",
        ),
    ] = None,
    customers: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write each customer in each lifecycle, as they are at the end: in which stage since when, with "
            "scores and facts; formats as for --changes.",
        ),
    ] = None,
    figures: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write the figures of each day, as they would be on their topic (docs/figures.md); formats as for "
            "--changes.",
        ),
    ] = None,
    explain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID[,ID]",
            help="Say of these customers or visitors, as they are at the end, why they are in their stage, what is "
            "missing for each way out, and what time alone will do; repeatable.",
        ),
    ] = None,
    explanations: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write what --explain shows as lines of JSON, one for each of them; - is stdout."
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

    Interactions are applied in the order of the files, each customer by its own clock; those of the future, as on a
    worker, as if they happened now. Without --until, no
    time passes after a customer's last interaction. In the lines of --customers and with --explain, scores and facts
    are those at the customer's clock, or at --until where that is later; the field `at` says which. Times are ISO 8601
    in CSV, epoch milliseconds in JSON; docs/simulate.md has every field, and how to read the summary.

    At the end it says how long customers stay in each stage and where they go, who is where, and what did not
    match: event names that no word covers, and words, signals, facts, transitions and properties that nothing
    matched.

    A file with columns of its own needs --map, such as
    "customer_id=household,time=day,type='Order Completed',properties.total=sales". Where that, or another option, is
    missing, the command that has it is shown: times, numbers and text are never read by a guess.

    A file that is given twice counts once, as an import does that is repeated.

    Records that cannot be read are counted and listed on stderr by their reason; only where there is no
    other, the exit code is 1.
    """
    end = None if until is None else moment(until, "--until")
    if explanations and not explain:
        raise typer.BadParameter("it says whom to explain", param_hint="'--explain'")
    outputs = {"--changes": changes, "--customers": customers, "--figures": figures, "--explanations": explanations}
    keep_outputs_apart([*lifecycle, *(each for each in input if each != "-")], outputs)
    keep_apart(reading.rejected, [*lifecycle, *input, *(each for each in outputs.values() if each)])
    console = Console(stderr=True)
    files = load_all(lifecycle)
    if figures and not any(each.lifecycle.figures for each in files):
        raise typer.BadParameter("no lifecycle here has figures: add `figures: {}`", param_hint="'--figures'")
    show_warnings(files, console)
    loaded = [file.lifecycle for file in files]
    simulation = Simulation(
        model_of(loaded, settings.forget_after, settings.forget_identified_after), time_ns() // 1_000_000
    )
    lifecycles = simulation.model.lifecycles
    summary = Summary(lifecycles)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}  {task.completed:,} records"),
        TimeElapsedColumn(),
    )
    started = perf_counter()
    with ExitStack() as stack:
        write_change = stack.enter_context(change_file(changes, lifecycles)) if changes else None
        write_customer = stack.enter_context(customer_file(customers, lifecycles)) if customers else None
        rejected = stack.enter_context(reading.rejected_rows())
        progress = stack.enter_context(
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        )
        stack.enter_context(rarely_collected())
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
                flaws=simulation.flaws,
            )
            return simulation.run(progress.track(records, description=name), name, known=known)

        runs = (run(name) for name in input)
        endings = [] if end is None else [simulation.finish(end)]
        for change, source in chain(chain.from_iterable(runs), *endings):
            summary.add(change)
            if write_change is not None:
                write_change(change, source)
        seconds = perf_counter() - started
        for standing in simulation.standings(end):
            summary.count(standing)
            if write_customer is not None:
                write_customer(standing)
    if figures:
        write_figures(figures, simulation.figures())
    summary.show(console, simulation, seconds)
    answers = Answers(simulation, explain or [], end)
    answers.show(console)
    if explanations:
        answers.write(explanations)
    show_offer(reading.survey.offer(), console)
    if simulation.rejected and simulation.records == simulation.rejected.count:
        first = simulation.rejected.describe_first()
        raise InputFileError(f"none of the {amount(simulation.records, 'record')} could be read; the first: {first}")
    answers.check()
