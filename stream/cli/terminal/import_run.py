"""One run of `lifecycle import`: what it counts, and its summary at the end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import time_ns

from rich.console import Console
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.flaw_lines import show_flaws
from stream.cli.terminal.rejections_table import rejections_table
from stream.cli.terminal.unmatched_tables import names_table, unmatched
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.import_sources import Sources
from stream.codec.files.rejected_rows import RECORD, RejectedRows
from stream.codec.files.rejections import Rejections
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.matches import Observation
from stream.core.times import format_time
from stream.errors import LifecycleError
from stream.settings import Settings


@dataclass(slots=True)
class ImportRun:
    """One run, and what it counts."""

    sources: Sources
    settings: Settings
    since: int | None
    """The files were not there before, epoch milliseconds; None: nobody knows."""
    resume: bool
    records: int = 0
    known: int = 0
    """Those that the topic had already."""
    sent: int = 0
    acknowledged: int = 0
    earliest: int | None = None
    latest: int | None = None
    """Of the interactions sent or known, epoch milliseconds."""
    ticked: tuple[int, int] | None = None
    """The time of the tick, and to how many partitions it went."""
    seconds: float = 0.0
    rejected: Rejections = field(default_factory=Rejections)
    rejected_rows: RejectedRows | None = None
    """Keeps their cells where that was asked for."""
    observation: Observation = field(default_factory=lambda: Observation(()))
    """What the interactions that were read are, and what of lifecycles they would match."""

    def read(self) -> Iterator[tuple[str, Interaction]]:
        """The good interactions of all files, each with its place; the others are counted."""
        for file, line, record in self.sources.read():
            self.records += 1
            if isinstance(record, Rejected):
                self.rejected.add(record, f"{file}:{line}")
            else:
                self.observation.add(record)
                yield f"{file}:{line}", record

    def refuse(self, rejected: Rejected, place: str, interaction: Interaction) -> None:
        """Count an interaction that Kafka does not take; `place` is empty where it is not known any more."""
        self.rejected.add(rejected, place)
        if self.rejected_rows is not None:
            file, _, line = place.rpartition(":")
            text = encode_native(interaction).decode()
            self.rejected_rows.add(file, int(line) if line else None, rejected, RECORD, (text,))

    def note(self, interaction: Interaction) -> None:
        """Remember the time of an interaction that was sent, or known."""
        time = interaction.time
        self.earliest = time if self.earliest is None else min(time, self.earliest)
        self.latest = time if self.latest is None else max(time, self.latest)

    def tick_time(self, until: int | None) -> int | None:
        """The latest time sent, or `until` where that is later.

        What was sent from the future does not count: workers do not believe it either.
        """
        latest = None if self.latest is None else min(self.latest, time_ns() // 1_000_000)
        return max((each for each in (latest, until) if each is not None), default=None)


def show_summary(work: ImportRun, console: Console) -> None:
    """The summary, also of an import that was interrupted."""
    if work.rejected:
        console.print(rejections_table("Records that were not sent", work.rejected), "", sep="\n")
    if work.acknowledged or work.known:
        if work.observation.names:
            console.print(names_table(work.observation), "", sep="\n")
        for matches in work.observation.matches:
            for table in unmatched(matches, work.observation):
                console.print(table, "", sep="\n")
    show_flaws(work.sources.flaws, console)
    text = f"{amount(work.acknowledged, 'interaction')} sent"
    if work.earliest is not None and work.latest is not None:
        rate = work.acknowledged / work.seconds
        text += f" in {work.seconds:,.1f} s ({rate:,.0f}/s)"
        text += f", from {format_time(work.earliest)} to {format_time(work.latest)}"
    if work.known:
        text += f"; {amount(work.known, 'row')} found on the topic from an earlier run, and not sent again"
    if work.sent > work.acknowledged:
        text += f"; of {work.sent - work.acknowledged:,} more it is not known whether they arrived"
    if work.ticked is not None:
        time, partitions = work.ticked
        text += f"; time has passed to {format_time(time)} in {amount(partitions, 'partition')}"
    elif work.sent:
        text += "; broken off, so no partition knows yet that time has passed"
        if any(work.sources.names):
            text += "; the same command goes on from here"
    console.print(Text(text), soft_wrap=True)


def observation_for(lifecycles: Sequence[str], console: Console) -> Observation:
    """What is noted of an import for these lifecycle files and presets.

    One that cannot be loaded is said and left out: workers need it, an import does not.
    """
    loaded: list[Lifecycle] = []
    for each in lifecycles:
        try:
            loaded.append(load(each).lifecycle)
        except LifecycleError as error:
            console.print(Text(f"what of {each} would not match is not said: {error}"), soft_wrap=True)
    return Observation(tuple(loaded))
