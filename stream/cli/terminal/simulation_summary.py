"""What a simulation did, as tables for people."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, Group
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.flaw_lines import show_flaws
from stream.cli.terminal.rejections_table import rejections_table
from stream.cli.terminal.stage_tables import (
    STAGES_NOTE,
    customers_note,
    customers_table,
    signals_line,
    stages_table,
    ways_table,
)
from stream.cli.terminal.tables import plain_table, titled
from stream.cli.terminal.unmatched_tables import time_span, unmatched
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFile
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.core.step_counts import StepCounts
from stream.offline.simulation import Simulation
from stream.offline.stage_statistics import StageStatistics
from stream.offline.standing import Standing


def show_warnings(files: Iterable[LifecycleFile], console: Console) -> None:
    """What to be warned of in lifecycle files, as `lifecycle validate` says it."""
    for file in files:
        for each in file.warnings:
            text = Text.assemble((f"{each.file}:{each.line}:{each.column}: ", "bold"), ("warning: ", "bold yellow"))
            console.print(text.append(each.message), soft_wrap=True)


class Summary:
    """Counts stage changes and customers by lifecycle."""

    def __init__(self, lifecycles: Sequence[Lifecycle]) -> None:
        self._of = {each.id: StageStatistics(each) for each in lifecycles}

    def add(self, change: StageChange) -> None:
        """Count a stage change."""
        self._of[change.lifecycle].add(change)

    def count(self, standing: Standing) -> None:
        """Count where a customer is at the end."""
        self._of[standing.lifecycle.id].count(standing)

    def show(self, console: Console, simulation: Simulation, seconds: float) -> None:
        """Print the tables; `seconds` is how long the run took."""
        for number, statistics in enumerate(self._of.values()):
            console.print(stages_table(statistics))
            if not number:
                console.print(Text(STAGES_NOTE, style="dim"))
            console.print()
            console.print(ways_table(statistics, console.width), "", sep="\n")
            if line := signals_line(statistics.lifecycle, simulation.step_counts.signals):
                console.print(line, "", sep="\n")
            if customers := customers_table(statistics):
                console.print(customers)
                if note := customers_note(statistics):
                    console.print(Text(note, style="dim"))
                console.print()
        if simulation.observation.first is not None:
            self._show_unmatched(console, simulation)
        if simulation.rejected:
            console.print(rejections_table("Records that could not be read", simulation.rejected), "", sep="\n")
        self._show_counts(console, simulation.step_counts)
        show_flaws(simulation.flaws, console)
        if span := time_span(simulation.observation):
            console.print(f"interactions {span}", highlight=False)
        if simulation.ahead:
            console.print(
                Text(
                    f"{amount(simulation.ahead, 'interaction')} of the future counted as of now: is a clock off?",
                    "yellow",
                )
            )
        known = f"{simulation.known:,} known from the same file before, " if simulation.known else ""
        rate = simulation.records / seconds if seconds else 0
        console.print(
            f"{amount(simulation.records, 'record')}, {simulation.step_counts.duplicates:,} of them duplicates, "
            f"{known}{simulation.late:,} late; {amount(simulation.deadlines, 'deadline')}; {rate:,.0f} records/s",
            highlight=False,
        )

    def _show_counts(self, console: Console, counts: StepCounts) -> None:
        for title, counted in (
            ("Properties that are absent or of a wrong type", counts.wrong_types),
            ("Entries that keep: dropped before their time was over", counts.lost_points),
            ("Elements of lists beyond the first 1,000, which count nowhere", counts.long_lists),
        ):
            if counted:
                console.print(_counted(title, counted), "", sep="\n")

    def _show_unmatched(self, console: Console, simulation: Simulation) -> None:
        for matches in simulation.observation.matches:
            for table in unmatched(matches, simulation.observation, self._of[matches.lifecycle.id].never_taken):
                console.print(table, "", sep="\n")


def _counted(title: str, counts: Mapping[tuple[str, str], int]) -> Group:
    """How often something was counted, by lifecycle and signal, fact or ledger."""
    headings = ("Lifecycle", "Signal, fact or ledger", "Times")
    table = plain_table(*headings, numbers=("Times",))
    for (lifecycle, name), count in sorted(counts.items()):
        table.add_row(lifecycle, name, f"{count:,}")
    return titled(title, table)
