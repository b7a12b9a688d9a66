"""Reads what a report is made of, and hands it out; apart from its command, since it needs polars, an extra."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.connection import run
from stream.cli.terminal.reading_options import FileReading, show_offer
from stream.cli.terminal.rejections_table import rejections_table
from stream.cli.terminal.report_view import show_report
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.input_files import read_interactions
from stream.core.model import model_of
from stream.core.tally import Tally
from stream.errors import InputFileError
from stream.report.change_files import read_changes
from stream.report.change_rows import ChangeRows
from stream.report.files import write_csv, write_parquet, write_text
from stream.report.from_interactions import FromInteractions
from stream.report.from_topics import read_topics
from stream.report.interaction_rows import InteractionRows
from stream.report.making import Asked, report_of
from stream.report.meanings import Meanings
from stream.report.page import page
from stream.report.tables import Report
from stream.settings import Settings


class Material(NamedTuple):
    """What was read."""

    interactions: InteractionRows | None
    changes: ChangeRows
    tally: Tally | None = None
    """What the figures of the lifecycle file came to."""


def make(
    files: Sequence[str],
    changes: str | None,
    meanings: Meanings,
    asked: Asked,
    reading: FileReading,
    settings: Settings,
) -> Report:
    """The report on interactions and stage changes from files, or where there are none from the topics.

    Raises LifecycleError.
    """
    messages = Console(stderr=True)
    if files:
        read = _from_files(files, changes, meanings, asked, reading, settings, messages)
    elif changes is not None:
        read = Material(None, _changes_of(changes, ChangeRows(meanings.lifecycle, asked.by), messages))
    else:
        read = _from_topics(meanings, asked, settings, messages)
    if read.changes.foreign or read.changes.unreadable:
        strange = amount(read.changes.foreign, "stage change")
        unreadable = amount(read.changes.unreadable, "line")
        said = f"left out: {strange} with stages that {meanings.lifecycle.id} does not have, {unreadable} unreadable"
        messages.print(said, highlight=False)
    with _progress(messages) as progress:
        progress.add_task("reckoning", total=None)
        return report_of(meanings, asked, read.interactions, read.changes, read.tally)


@contextmanager
def _progress(messages: Console, *, whole: bool = False) -> Iterator[Progress]:
    how_far = (BarColumn(), MofNCompleteColumn()) if whole else (TextColumn("{task.completed:,}"),)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), *how_far, TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress:
        yield progress


def _changes_of(path: str, rows: ChangeRows, messages: Console) -> ChangeRows:
    with _progress(messages) as progress:
        task = progress.add_task(f"{path}: stage changes", total=None)
        read_changes(path, rows, lambda more: progress.advance(task, more))
    return rows


def _from_files(
    names: Sequence[str],
    changes: str | None,
    meanings: Meanings,
    asked: Asked,
    reading: FileReading,
    settings: Settings,
    messages: Console,
) -> Material:
    model = model_of([meanings.lifecycle], settings.forget_after, settings.forget_identified_after)
    source = FromInteractions(model, meanings, asked.by, time_ns() // 1_000_000, moves=changes is None)
    contents: set[bytes] = set()
    with reading.rejected_rows() as rejected, _progress(messages) as progress:
        for name in names:
            content = content_hash(name) if len(names) > 1 else None
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
                flaws=source.simulation.flaws,
            )
            source.read(progress.track(records, description=f"{name}: records"), name, known=known)
        source.finish()
    simulation = source.simulation
    if simulation.rejected:
        messages.print(rejections_table("Records that could not be read", simulation.rejected), "", sep="\n")
    show_offer(reading.survey.offer(), messages)
    if simulation.rejected and simulation.records == simulation.rejected.count:
        raise InputFileError(f"none of the records could be read; the first: {simulation.rejected.describe_first()}")
    rows = source.changes if changes is None else _changes_of(changes, source.changes, messages)
    tally = simulation.step_counts.figures.get(meanings.lifecycle.id) if changes is None else None
    return Material(source.interactions, rows, tally)


def _from_topics(meanings: Meanings, asked: Asked, settings: Settings, messages: Console) -> Material:
    interactions, changes = InteractionRows(meanings), ChangeRows(meanings.lifecycle, asked.by)
    with _progress(messages, whole=True) as progress:
        task = progress.add_task("reading", total=None)

        def tell(topic: str, done: int, whole: int) -> None:
            progress.update(task, description=topic, completed=done, total=whole)

        rejected = run(read_topics(settings, interactions, changes, tell), settings.bootstrap)
    if rejected:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(rejected.items()))
        messages.print(f"interactions that could not be read: {reasons}", highlight=False)
    return Material(interactions, changes)


def deliver(report: Report, *, html: Path | None, csv: Path | None, parquet: Path | None) -> None:
    """Print it, and write the files that are wanted. Raises LifecycleError."""
    if html is not None:
        write_text(html, page(report))
    if csv is not None:
        write_csv(report, csv)
    if parquet is not None:
        write_parquet(report, parquet)
    show_report(report, Console())
