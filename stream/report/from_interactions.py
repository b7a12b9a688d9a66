"""Rows from interactions: the product's own simulation makes the stage changes, where they are not known already."""

from collections.abc import Iterable, Iterator, Sequence

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.source_file import Record
from stream.core.interaction import Interaction
from stream.core.model import Model
from stream.offline.simulation import Simulation
from stream.report.change_rows import ChangeRows
from stream.report.interaction_rows import InteractionRows
from stream.report.material import calendar_of
from stream.report.meanings import Meanings


class FromInteractions:
    """One run over files; how many were read, and which could not be, is in `simulation`."""

    def __init__(self, model: Model, meanings: Meanings, facts: Sequence[str], now: int, *, moves: bool = True) -> None:
        """`model` has the one lifecycle of `meanings`; `now`: epoch ms, see `Simulation`.

        `moves`: stage changes are wanted of them.
        """
        self.simulation = Simulation(model, now)
        self.interactions = InteractionRows(meanings)
        self.changes = ChangeRows(meanings.lifecycle, facts)
        self._moves = moves

    def read(self, records: Iterable[Record], name: str, *, known: bool) -> None:
        """Take the records of one file; of a file that was read before they are only counted."""
        if not self._moves:
            self._read_only(records, name, known=known)
            return
        for change, _ in self.simulation.run(self._noted(records, known=known), name, known=known):
            self.changes.add(change)

    def _read_only(self, records: Iterable[Record], name: str, *, known: bool) -> None:
        for line, record in records:
            self.simulation.records += 1
            if isinstance(record, Rejected):
                self.simulation.rejected.add(record, f"{name}:{line}")
            elif not known:
                self.interactions.add(record)

    def finish(self) -> None:
        """Let time pass for everybody up to the end of the last day on which something happened."""
        seen = self.simulation.observation
        if seen.first is None or seen.last is None:
            return
        calendar = calendar_of(self.interactions.lifecycle, seen.first, seen.last)
        for change, _ in self.simulation.finish(calendar.start(calendar.day(seen.last) + 1) - 1):
            self.changes.add(change)

    def _noted(self, records: Iterable[Record], *, known: bool) -> Iterator[Record]:
        """Every record, noted once the simulation has had it: it may have moved it from the future to now."""
        for line, record in records:
            yield line, record
            if not known and isinstance(record, Interaction):
                self.interactions.add(record)
