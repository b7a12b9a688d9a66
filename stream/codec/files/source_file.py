"""What one file is read with, and where that goes which cannot be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.notation import Notation
from stream.codec.files.rejected_rows import RejectedRows
from stream.codec.files.survey import Survey
from stream.core.interaction import Interaction

Record = tuple[int, Interaction | Rejected]
"""The line or row on which a record begins, counted from 1, and what it says or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """How the records of one file become interactions."""

    where: str
    """The file's name, for messages."""
    mapping: ColumnMapping | None
    notation: Notation
    decode: Callable[[bytes], Interaction | Rejected]
    """Of a native object or a Segment call."""
    survey: Survey
    rejected: RejectedRows | None
    flaws: dict[str, int] = field(default_factory=dict)
    """What could not be used of records that were taken, by its name in `FLAWS`."""

    def refuse(
        self, line: int, rejected: Rejected, columns: Sequence[str], cells: Sequence[object]
    ) -> Interaction | Rejected:
        """Keep the cells of a rejected record where that was asked for; the same record."""
        if self.rejected is not None:
            self.rejected.add(self.where, line, rejected, columns, cells)
        return rejected

    def count(self, flaws: Mapping[str, int]) -> None:
        """Add to the flaws."""
        for flaw, count in flaws.items():
            self.flaws[flaw] = self.flaws.get(flaw, 0) + count

    def only_looking(self) -> "SourceFile":
        """The same, but nothing is kept."""
        return replace(self, rejected=None, flaws={})
