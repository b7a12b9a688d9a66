"""Changes that a subscriber never got."""

from dataclasses import dataclass

from stream.codec.stage_change_reader import SubscribedChange


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes that should have come before others, and never will."""

    partition: int
    """Of the topic of stage changes."""
    offset: int
    """Of the first record after the gap."""
    missing: int | None
    """How many changes of one life are missing; where `change` is None, at most how many of the whole partition.

    None: nobody knows, for the topic was deleted and created again.
    """
    change: SubscribedChange | None = None
    """The first change of that life after the gap; None where the topic no longer has what stood before `offset`."""

    def __str__(self) -> str:
        where = f"partition {self.partition}, offset {self.offset}"
        if self.change is not None:
            return f"{where}: {self.missing} changes of this life are missing before sequence {self.change.sequence}"
        if self.missing is None:
            return f"{where}: the topic was created anew, and what stood in the old one was not read to its end"
        return f"{where}: up to {self.missing} changes were deleted by retention before they were read"
