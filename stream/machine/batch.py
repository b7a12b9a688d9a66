"""What the pure machine of a partition and the code that talks to Kafka hand to each other."""

from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Final, Protocol

from stream.codec.packed_records import PackedRecord, PackedRecords, pack_headers
from stream.codec.records import Outgoing, SourceRecords
from stream.core.stage_change import StageChange
from stream.core.step_counts import StepCounts

RESULTS: Final = ("applied", "duplicate", "known", "repeated", "rejected", "tick")
"""What may become of a record of the source."""


class Counts:
    """What a batch did, for metrics."""

    def __init__(self) -> None:
        self.steps = StepCounts()
        self.applied = 0
        """Interactions applied."""
        self.repeated = 0
        """Records applied before, after a crash without transactions."""
        self.ticks = 0
        self.rejected: Counter[str] = Counter()
        """Dead letters by reason."""
        self.changes: dict[tuple[str, str, str], int] = {}
        """Stage changes by lifecycle, from and to; a stage that is not there is an empty text."""
        self.ahead = 0
        """Interactions more than 5 minutes ahead of their broker time, which counts instead."""
        self.flaws: dict[str, int] = {}
        """What could not be used of interactions that were taken, by its name in `FLAWS`."""
        self.quarantined = 0
        """Customers whose deadlines made our code fail."""
        self.reconsidered = 0
        """Customers considered because lifecycles were edited since they were written."""
        self.moved_by_edit = 0
        """How many of these moved."""
        self.misplaced = 0
        """Interactions of customers whose home is another partition: there they have another life, or will have."""
        self.misplaced_cause: str | None = None
        """Why, most likely, as `stream.codec.partitioners.likely_cause_of`; no key and no id stands in it."""
        self.figures_closed = 0
        """Changes of figures of days that are too old to change."""
        self.figures_other = 0
        """Changes of segments that were too many to be kept apart."""
        self.caused: list[int] = []
        """Broker times of the interactions that caused a stage change."""

    @property
    def results(self) -> dict[str, int]:
        """Records of the source by result, in the order of RESULTS; those that there were."""
        steps, rejected = self.steps, sum(self.rejected.values())
        found = (self.applied, steps.duplicates, steps.known_rows, self.repeated, rejected, self.ticks)
        return {result: count for result, count in zip(RESULTS, found, strict=True) if count}

    def change(self, change: StageChange) -> None:
        """A customer moved."""
        moved = change.lifecycle, change.from_stage or "", change.to_stage or ""
        self.changes[moved] = self.changes.get(moved, 0) + 1


class Batch:
    """Everything that one transaction writes, besides the group offset."""

    def __init__(
        self,
        next_offset: int = 0,
        *,
        events: Iterable[Outgoing] = (),
        latest: Iterable[Outgoing] = (),
        state: Iterable[Outgoing] = (),
        dead_letters: Iterable[Outgoing] = (),
        figures: Iterable[Outgoing] = (),
        inputs: int = 0,
    ) -> None:
        self.events = PackedRecords(events)
        """What subscribers read; a worker's are stage changes."""
        self.latest = [PackedRecord(each.key or b"", each.value, pack_headers(each.headers)) for each in latest]
        """What a compacted topic keeps: a worker's are the last change of each life. Keys choose the partition."""
        self.state = PackedRecords(state)
        """Changelog records: a worker's layouts, figures and customers, and last the position.

        Without transactions they may be cut off anywhere: so figures, which know up to where they count, come before
        the customers that made them.
        """
        self.dead_letters = PackedRecords(dead_letters)
        self.figures = PackedRecords(figures)
        """Rows of the figures that changed."""
        self.counts = Counts()
        self.next_offset = next_offset
        """The source offset from which to read on."""
        self.inputs = inputs
        """Records consumed and deadlines fired: a batch without any, that moves no position, is not written."""
        self.more = False
        """Work is left at this position (deadlines due, or records not processed): run again before fetching."""


class RecordFailed(Exception):
    """Our own code raised on one source record."""

    def __init__(self, offset: int, cause: BaseException | None = None) -> None:
        super().__init__(f"our code failed on the interaction at offset {offset}")
        self.offset = offset
        self.__cause__ = cause  # compiled, `raise ... from` does not chain it


class DeadlineFailed(Exception):
    """Our own code raised on one customer's deadline."""

    def __init__(self, key: bytes, cause: BaseException | None = None) -> None:
        super().__init__("our code failed on a customer's deadline")
        self.key = key
        self.__cause__ = cause


class EncodingFailed(Exception):
    """A customer cannot be encoded; which of the inputs that touched it is to blame is found by looking closely."""

    def __init__(self, next_offset: int, cause: BaseException | None = None) -> None:
        super().__init__(f"our code failed on encoding a customer, before offset {next_offset}")
        self.next_offset = next_offset
        """Where the source would have been read on: the input to blame is before it."""
        self.__cause__ = cause


class Machine(Protocol):
    """One partition's state and rules; deterministic, without I/O.

    After an exception the machine is spent: the caller drops it and recovers a new one.
    """

    next_offset: int | None
    """Where to read on; None: nothing was ever recorded, begin at the topic's start."""

    @property
    def clock(self) -> int | None:
        """The partition's clock, epoch milliseconds: deadlines up to it were fired."""

    def commit(self) -> None:
        """What was run is committed; without it, that counts as so from the next run on."""

    def touches(self, key: bytes) -> bool:
        """Whether what was run since the last `commit` changed the customer of this changelog key so far.

        Else what is known of that customer is as it was then.
        """

    @property
    def edited(self) -> Mapping[str, str | None]:
        """Once restored: lifecycles that were edited since the state was last written, with the digests that they had.

        In hex; None: the state knew none of that name.
        """

    @property
    def to_reconsider(self) -> int:
        """Customers that were written before the lifecycles were edited and not considered again yet."""

    def restore(self, changelog: dict[bytes, bytes]) -> Generator[None, None, None]:
        """Restore the state from the compacted changelog; yields so that the caller's event loop gets a turn.

        Raises PositionError or StateError where this worker must not go on.
        """

    def hear(self, news: Sequence[object]) -> None:
        """Take inputs that came by another way than the source topic: the next `run` applies them, before records."""

    def run(
        self, records: SourceRecords, next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        """Apply `records` and the deadlines that are due; yields at least every few milliseconds of work.

        `next_offset` is where to read on once all of `records` are processed. `wall` is epoch milliseconds;
        `caught_up` says that the source held nothing beyond `records` at that time. Stops early, with
        `more` set, when the batch reaches the limits of a transaction; the records not processed must then be
        handed over again (those with an offset of at least `Batch.next_offset`).
        """

    def next_due(self) -> int | None:
        """The wall time, epoch milliseconds, at which the next deadline should be fired; None: not by wall time.

        It may be past: more are due than the last batch fired, and waiting interactions are processed first.
        """

    @property
    def gathered(self) -> Mapping[str, int]:
        """By topic that interactions are gathered from: the offset behind the last one that was processed."""

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        """Dead-letter these source offsets as `unprocessable`; never again fire these customers' deadlines."""

    def look_closely(self, until: int) -> None:
        """Encode each customer at once, until the source is read on beyond offset `until`.

        Slower, but an input after which its customer cannot be encoded is then known, and fails as if its step had
        raised.
        """
