"""Reads what a report is made of, and hands it out; apart from its command, since it needs polars, an extra."""

from collections.abc import Sequence
from pathlib import Path
from time import time_ns

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from stream.cli.terminal.reading_options import FileReading, show_offer
from stream.cli.terminal.rejections_table import rejections_table
from stream.cli.terminal.report_view import show_report
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.input_files import read_interactions
from stream.core.model import model_of
from stream.errors import InputFileError
from stream.report.files import write_csv, write_parquet, write_text
from stream.report.from_interactions import FromInteractions
from stream.report.making import Asked, report_of
from stream.report.meanings import Meanings
from stream.report.page import page
from stream.report.tables import Report
from stream.settings import Settings


def from_files(
    names: Sequence[str], meanings: Meanings, asked: Asked, reading: FileReading, settings: Settings
) -> Report:
    """The report on interactions from files. Raises LifecycleError."""
    messages = Console(stderr=True)
    model = model_of([meanings.lifecycle], settings.forget_after, settings.forget_identified_after)
    source = FromInteractions(model, meanings, asked.by, time_ns() // 1_000_000)
    columns = (SpinnerColumn(), TextColumn("{task.description}  {task.completed:,} records"), TimeElapsedColumn())
    contents: set[bytes] = set()
    with (
        reading.rejected_rows() as rejected,
        Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as progress,
    ):
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
            source.read(progress.track(records, description=name), name, known=known)
        source.finish()
    simulation = source.simulation
    if simulation.rejected:
        messages.print(rejections_table("Records that could not be read", simulation.rejected), "", sep="\n")
    show_offer(reading.survey.offer(), messages)
    if simulation.rejected and simulation.records == simulation.rejected.count:
        raise InputFileError(f"none of the records could be read; the first: {simulation.rejected.describe_first()}")
    tally = simulation.step_counts.figures.get(meanings.lifecycle.id)
    return report_of(meanings, asked, source.interactions, source.changes, tally)


def deliver(report: Report, *, html: Path | None, csv: Path | None, parquet: Path | None) -> None:
    """Print it, and write the files that are wanted. Raises LifecycleError."""
    if html is not None:
        write_text(html, page(report))
    if csv is not None:
        write_csv(report, csv)
    if parquet is not None:
        write_parquet(report, parquet)
    show_report(report, Console())
