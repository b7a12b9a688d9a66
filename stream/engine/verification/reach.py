"""How far back a partition can be recomputed."""

from stream.codec.positions import Position
from stream.settings import Clock

FURTHER_BACK = "further back than the interactions that are kept"
OLD_VERSION = "made by another version of the lifecycles or settings"
UNHEARD = "further back than the stage changes that are kept"


class Reach:
    """Where the topics begin, and what that leaves to recompute."""

    def __init__(self, partition: int, position: Position, first: int, gone: int | None, clock: Clock) -> None:
        """`first` is the earliest interaction kept; `gone` the source offset up to which changes may be gone."""
        begun, since = position.begun, position.since
        self.partition = partition
        self.start = first if begun is None else max(first, begun)
        """The first interaction that is read."""
        self.complete = begun is not None and first <= begun
        """Nothing is missing of what led to the state."""
        self.exact = self.complete and clock == "stream"
        """The partition's clock is known at every interaction."""
        self._gone = gone
        self._since = self.start if since is None else since
        floor = max(self.start, self._since)
        if not self.exact and gone is not None:
            floor = max(floor, gone + 1)
        self.floor = floor
        """Customers whose life began at this offset or later are recomputed."""
        self.everyone = self.complete and floor == begun
        """Nobody began before the floor."""

    def why(self, born: int) -> str:
        """Why a customer who began at offset `born` is not recomputed."""
        if born < self.start:
            return FURTHER_BACK
        return OLD_VERSION if born < self._since else UNHEARD

    def may_be_gone(self, source: int) -> bool:
        """Whether a change with this source offset may have been deleted by retention."""
        return self._gone is not None and source <= self._gone
