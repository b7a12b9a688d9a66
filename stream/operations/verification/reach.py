"""How far back a partition can be recomputed."""

from stream.codec.state.positions import Position
from stream.operations.verification.published import born_at
from stream.settings import Clock

FURTHER_BACK = "began before the oldest interaction that is kept"
CARRIED = "began before they were carried over by a repartition"
BEFORE_EDIT = "began before the latest edit of a lifecycle or setting"
UNHEARD = "began before the oldest stage change that is kept"
OTHERS = "written with other lifecycles or settings"
UNREADABLE = "has a record that cannot be read"


class Reach:
    """Where the topics begin, and what that leaves to recompute."""

    def __init__(self, partition: int, position: Position, first: int, gone: int | None, clock: Clock) -> None:
        """`first` is the earliest interaction kept; `gone` the source offset up to which changes may be gone."""
        begun, since = position.begun, position.since
        self.partition = partition
        self.generation = position.generation
        """Of the lives that the interactions of this partition begin."""
        self.start = first if begun is None else max(first, begun)
        """The first interaction that is read."""
        self.complete = begun is not None and first <= begun
        """Nothing is missing of what led to the state."""
        self.exact = self.complete and clock == "stream"
        """The partition's clock is known at every interaction."""
        self.keeps_all_changes = gone is None
        """Retention deleted no stage change of this state."""
        self._gone = gone
        self.since = self.start if since is None else since
        """The first interaction after the latest edit."""
        floor = max(self.start, self.since)
        if not self.exact and gone is not None:
            floor = max(floor, gone + 1)
        self.floor = floor
        """Customers whose life began at this offset or later are recomputed."""
        self.everyone = self.complete and floor == begun
        """Nobody began before the floor."""

    def born(self, name: str) -> int | None:
        """At which offset a life of this name began; None where that was not here, but on the topic of before."""
        return born_at(name, self.partition, self.generation)

    def why(self, born: int | None) -> str:
        """Why a customer who began at offset `born` is not recomputed; None: in lifecycles that are no more."""
        if born is None:
            return BEFORE_EDIT
        if born < self.start:
            return FURTHER_BACK
        return BEFORE_EDIT if born < self.since else UNHEARD

    def may_be_gone(self, source: int) -> bool:
        """Whether a change with this source offset may have been deleted by retention."""
        return self._gone is not None and source <= self._gone


class NoReach(Reach):
    """Of a state that was written with other lifecycles or settings: nothing can be recomputed, up to `cut`."""

    def __init__(self, partition: int, position: Position, cut: int, gone: int | None, clock: Clock) -> None:
        super().__init__(partition, position, cut, gone, clock)
        self.start = self.floor = cut
        self.complete = self.exact = self.everyone = False

    def why(self, born: int | None) -> str:  # noqa: ARG002 - it is the same for all
        """Why a customer is not recomputed."""
        return OTHERS
