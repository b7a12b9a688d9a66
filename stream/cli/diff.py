"""`lifecycle diff`: two lifecycles on the same interactions: who would move, who ends elsewhere, and why."""

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from time import time_ns
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stream.cli.pages.diff_page import diff_page
from stream.cli.terminal.diff_view import show_diff
from stream.cli.terminal.flaw_lines import show_flaws
from stream.cli.terminal.options import with_settings
from stream.cli.terminal.outputs import keep_outputs_apart
from stream.cli.terminal.reading_options import FileReading, keep_apart, show_offer, with_reading
from stream.cli.terminal.rejections_table import rejections_table
from stream.cli.terminal.simulation_summary import show_warnings
from stream.cli.terminal.time_argument import moment
from stream.codec.files.source_file import Record
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.offline.diff.document import document
from stream.offline.diff.explained import explained
from stream.offline.diff.history import History, Noted, check_readable, readable_again
from stream.offline.diff.shares import Task, compare, processes_for, text_and_name
from stream.offline.result_files import write_lines
from stream.settings import Settings


@with_settings("forget_after", "forget_identified_after", "blocked", "ids", "earliest_time")
@with_reading
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Lifecycle file, or name of a preset: as it is now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same as it would be, or another lifecycle.")],
    *,
    input: Annotated[  # noqa: A002 - the option's name
        list[str],
        typer.Option(
            metavar="FILE",
            help="Interactions as CSV, JSON lines, a JSON list or an Excel workbook, also .gz or .zst; - is stdin; "
            "repeatable.",
        ),
    ],
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Then let time pass up to and including this moment: RFC 3339 or epoch milliseconds.",
        ),
    ] = None,
    customers: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=10_000,
            help="Explain so many of the customers who differ: some of each kind, the same ones each time.",
        ),
    ] = 20,
    html: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write it as one page for a browser, which asks nobody anything; - is stdout."
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write it as JSON, as `lifecycle schema diff` describes it; - is stdout."),
    ] = None,
    fail_on_difference: Annotated[
        bool, typer.Option("--fail-on-difference", help="Exit with 1 where any customer moves otherwise.")
    ] = False,
    reading: FileReading,
    settings: Settings,
) -> None:
    """Compare two versions of a lifecycle on the same interactions: who would move, who ends elsewhere, and why.

    Both are run as `lifecycle simulate` runs one, on a history from files, without Kafka. It shows what the new file
    changes; how many customers stand in which stage of both; how many go from stage to stage, and how long they stay,
    in both; at which moments customers part, and why; and some of these customers.

    Try an edit before it goes live:

        lifecycle preset metrics > shop.yaml          (edit a copy of it: new.yaml)

        lifecycle diff shop.yaml new.yaml --input history.jsonl.gz --until 2026-07-01 --html diff.html

    Customers *part* at the first moment at which one of the two moves them and the other does not, or moves them
    elsewhere. Who parts may end in another stage, end in the same stage by another way, or only move at other times.
    A stage that only has another name in the new file counts as the same, and it is said.

    It uses all processors; the exit code is 0 whatever differs, unless --fail-on-difference is there, as for a check
    of a lifecycle file in CI. docs/diff.md explains every figure.
    """
    end = None if until is None else moment(until, "--until")
    outputs = {"--html": html, "--json": json}
    keep_outputs_apart([old, new, *(each for each in input if each != "-")], outputs)
    keep_apart(reading.rejected, [old, new, *input, *(each for each in outputs.values() if each)])
    errors = Console(stderr=True)
    files = load(old), load(new)
    show_warnings(files if old != new else files[:1], errors)
    noted = Noted(reading.survey)
    with ExitStack() as stack:
        noted.rejected_rows = stack.enter_context(reading.rejected_rows())
        columns = (SpinnerColumn(), TextColumn("{task.description}  {task.completed:,} records"), TimeElapsedColumn())
        progress = stack.enter_context(
            Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
        )

        def watched(what: str) -> Callable[[Iterable[Record], str], Iterable[Record]]:
            return lambda records, name: progress.track(records, description=f"{what} {name}")

        history = History(
            stack.enter_context(readable_again(input)),
            reading.mapping,
            settings.reading,
            reading.options,
            time_ns() // 1_000_000,
        )
        task = Task(
            (text_and_name(files[0]), text_and_name(files[1])),
            settings.forget_after,
            settings.forget_identified_after,
            history,
            end,
            customers,
        )
        tally, duplicates = compare(task, noted, watched("comparing"), processes_for(history))
        told = explained(task, tally.chosen(), watched("explaining"))
        found = document(task, task.versions(), tally, noted, duplicates, told)
    if json:
        write_lines(json, [orjson.dumps(found, option=orjson.OPT_INDENT_2)])
    if html:
        write_lines(html, [diff_page(found).encode()])
    show_diff(found, Console(stderr="-" in outputs.values()))  # whose reader may have enough before its end
    if noted.rejected:
        errors.print(rejections_table("Records that could not be read", noted.rejected))
    show_flaws(noted.flaws, errors)
    show_offer(reading.survey.offer(), errors)
    check_readable(noted)
    if fail_on_difference and found["same"] != found["customers"]:
        sys.exit(1)
