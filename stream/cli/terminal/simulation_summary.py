"""What a simulation did, as tables for people."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.core.interaction import Kind
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange
from stream.offline.simulation import Simulation, Standing

_Move = tuple[str | None, str | None, str | None]
"""From, to, and the text of the condition."""


class Summary:
    """Counts stage changes and customers by lifecycle."""

    def __init__(self, lifecycles: Sequence[Lifecycle]) -> None:
        self._of = {each.id: _Counts(each) for each in lifecycles}

    def add(self, change: StageChange) -> None:
        """Count a stage change."""
        self._of[change.lifecycle].add(change)

    def count(self, standing: Standing) -> None:
        """Count where a customer is at the end."""
        self._of[standing.lifecycle.id].now[standing.life.stage] += 1

    def show(self, console: Console, simulation: Simulation, seconds: float) -> None:
        """Print the tables; `seconds` is how long the run took."""
        for counts in self._of.values():
            console.print(counts.stages(), "", counts.moves(), "", sep="\n")
        if simulation.rejected:
            console.print(_rejected(simulation), "", sep="\n")
        if simulation.tally.wrong_types:
            console.print(_wrong_types(simulation), "", sep="\n")
        known = f"{simulation.known:,} known from the same file before, " if simulation.known else ""
        rate = simulation.records / seconds if seconds else 0
        console.print(
            f"{amount(simulation.records, 'record')}, {simulation.tally.duplicates:,} of them duplicates, "
            f"{known}{simulation.late:,} late; {amount(simulation.deadlines, 'deadline')}; {rate:,.0f} records/s",
            highlight=False,
        )


class _Counts:
    """Of one lifecycle."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.now: Counter[str] = Counter()
        self._bits = {name: 1 << place for place, name in enumerate(lifecycle.stages)}
        self._moves: Counter[_Move] = Counter()
        self._seen: dict[tuple[Kind, str], int] = {}
        """By customer: the bits of the stages that it was ever in."""

    def add(self, change: StageChange) -> None:
        self._moves[change.from_stage, change.to_stage, change.transition] += 1
        if change.to_stage is not None:
            key = change.kind, change.subject
            self._seen[key] = self._seen.get(key, 0) | self._bits[change.to_stage]

    def stages(self) -> Table:
        ever = Counter(self._seen.values())
        table = _table(f"{self.lifecycle.title} ({self.lifecycle.id})", "Stage", "Customers now", "Customers ever")
        for name, stage in self.lifecycle.stages.items():
            reached = sum(count for seen, count in ever.items() if seen & self._bits[name])
            table.add_row(Text(stage.title), f"{self.now[name]:,}", f"{reached:,}")
        return table

    def moves(self) -> Table:
        """Every transition in file order, those that nobody took too; between new and forgotten customers."""
        table = _table(None, "From", "To", "Times", "When")
        left = self._moves.copy()
        stages = self.lifecycle.stages
        known: list[_Move] = [(None, self.lifecycle.first_stage, None)]
        known += [
            (source, each.target, each.condition.text)
            for each in self.lifecycle.transitions
            for source in stages
            if source in each.sources
        ]
        for move in dict.fromkeys([*known, *self._moves]):
            source, target, condition = move
            when = condition or ("first seen" if source is None else "forgotten")
            style = "" if left[move] else "dim"
            begin, end = (stages[name].title if name else "" for name in (source, target))
            table.add_row(Text(begin), Text(end), f"{left[move]:,}", Text(" ".join(when.split())), style=style)
        return table


def _rejected(simulation: Simulation) -> Table:
    table = _table("Records that could not be read", "Reason", "Records", "First at", "What was wrong")
    for reason, each in simulation.rejected.items():
        table.add_row(reason, f"{each.count:,}", Text(f"{each.file}:{each.line}"), Text(each.detail))
    return table


def _wrong_types(simulation: Simulation) -> Table:
    table = _table("Properties that are absent or of a wrong type", "Lifecycle", "Signal or fact", "Times")
    for (lifecycle, name), count in sorted(simulation.tally.wrong_types.items()):
        table.add_row(lifecycle, name, f"{count:,}")
    return table


def _table(title: str | None, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in headings:
        number = heading.startswith(("Customers", "Times", "Records"))
        table.add_column(heading, justify="right" if number else "left", overflow="fold", header_style="dim")
    return table
