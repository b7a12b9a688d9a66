"""One partition of interactions as a sequential machine: records in, everything that they cause out.

Deterministic and without I/O. Records are processed in order; after each one the partition's clock moves and the
deadlines that are due are fired, so that where a batch is cut changes nothing.

With wall time, where more deadlines are due at once than a share of one transaction, interactions go on in between:
the share is fired, then records are processed, each after its own customer's deadlines, and the rest is fired in the
next batches. Nothing differs for any customer; only that a change of a deadline may name a later offset as its source.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence

from stream.codec.record_block import cursor_of, first_of
from stream.codec.records import Outgoing, SourceRecords
from stream.codec.state import keys, positions
from stream.codec.state.positions import Position, decode_position, encode_position, given_field
from stream.core.customer import Customer
from stream.core.model import Model
from stream.errors import StateError, UnknownLayout
from stream.machine.batch import Batch, EncodingFailed, RecordFailed
from stream.machine.clock import PartitionClock
from stream.machine.customer_store import CustomerStore
from stream.machine.deadline_processor import DeadlineProcessor
from stream.machine.edit_processor import EditProcessor
from stream.machine.figure_store import FigureStore
from stream.machine.outbox import Outbox
from stream.machine.provenance import Provenance
from stream.machine.record_processor import RecordProcessor
from stream.machine.run import Run
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings


class PartitionMachine:
    """The state of one partition and what its inputs do to it; see `Machine` for the contract."""

    def __init__(self, model: Model, settings: Settings, source: SourcePartition) -> None:
        self.model = model
        self.settings = settings
        self.source_partition = source
        self.next_offset: int | None = None
        self._clock = PartitionClock(settings.clock, settings.live_from, None)
        self._store = CustomerStore(model)
        self.figures = FigureStore(model, source.partition)
        self._outbox = Outbox(source.topic, source.partition)
        self._edits = EditProcessor(model, self._store, self._clock)
        self._deadlines = DeadlineProcessor(model, settings.grace, self._store, self._clock, self._edits)
        self._records = RecordProcessor(model, settings, source, self._store, self._clock, self._edits, self._deadlines)
        self._provenance = Provenance({each.id: each.digest.hex() for each in model.lifecycles}, settings.deciding)
        self._started = False
        self._closely_until: int | None = None

    @property
    def edited(self) -> Mapping[str, str | None]:
        """See `Machine`."""
        return self._provenance.edited

    @property
    def to_reconsider(self) -> int:
        """See `Machine`."""
        return self._store.edited

    @property
    def gathered(self) -> Mapping[str, int]:
        """See `Machine`."""
        return self._records.gathered

    @property
    def customers(self) -> int:
        """How many customers have a record."""
        return len(self._store)

    @property
    def stages(self) -> dict[tuple[str, str], int]:
        """Customers by lifecycle and stage."""
        return self._store.stages

    @property
    def store(self) -> CustomerStore:
        """Every customer; whoever only asks must change nothing."""
        return self._store

    @property
    def clock(self) -> int | None:
        """See `Machine`."""
        return self._clock.now

    def commit(self) -> None:
        """See `Machine`."""
        self._store.commit()
        self.figures.commit()

    def touches(self, key: bytes) -> bool:
        """See `Machine`."""
        return self._store.touches(key)

    def customer(self, key: bytes) -> Customer | None:
        """The customer of a changelog key as it is now; the caller must not change it."""
        return self._store.customer(key)

    def committed_customer(self, key: bytes) -> Customer | None:
        """The customer of a changelog key as it was at the last `commit`; a copy of its own."""
        return self._store.committed_customer(key)

    def restore(self, changelog: dict[bytes, bytes]) -> Generator[None, None, None]:
        """Restore the state from the compacted changelog; see `Machine`."""
        try:
            position = changelog.get(positions.KEY)
            if position is not None:
                self._resume(decode_position(position))
            of_figures = {key: changelog.pop(key) for key in [*changelog] if key[:1] == keys.FIGURE}
            yield from self.figures.restore(of_figures, self.next_offset)
            yield from self._store.restore(changelog, at_once=self.settings.apply_edits == "at_once")
        except StateError as error:
            where = f"topic {self.settings.topics.customers}, partition {self.source_partition.partition}: "
            if isinstance(error, UnknownLayout):
                raise UnknownLayout(error.digest, where, self._provenance.remedy(error.digest.hex())) from error
            raise StateError(f"{where}{error}") from error

    def _resume(self, position: Position) -> None:
        self.source_partition.require(position)
        self.next_offset = position.offsets.get(self.source_partition.topic)
        self._clock.now = position.clock
        if self._clock.live_from is None:
            self._clock.live_from = position.live_from
        self._provenance.resume(position, self.next_offset)
        self._records.generation = position.generation
        self._records.gathered = dict(position.gathered)
        self._started = True

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        """See `Machine`."""
        self._records.isolated_offsets.update(offsets)
        self._deadlines.isolated_keys.update(keys)

    def look_closely(self, until: int) -> None:
        """See `Machine`."""
        self._closely_until = until

    def next_due(self) -> int | None:
        """See `Machine`."""
        return self._deadlines.next_due()

    def hear(self, news: Sequence[object]) -> None:
        """See `Machine`; there are none yet."""
        raise NotImplementedError

    def run(
        self, records: SourceRecords, next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        """See `Machine`."""
        run = self._begin(records, next_offset, wall)
        batch, budget, deadlines = run.batch, run.budget, self._deadlines
        yield from deadlines.fire(run)
        repeated_until = self.figures.repeated_until
        record = cursor_of(records)
        while record.advance():
            offset: int = record.offset
            if repeated_until is not None and offset >= repeated_until:
                batch.next_offset, batch.more = repeated_until, True
                batch.inputs += 1  # it is written, even where the records before it are gone
            if batch.more:
                break
            self._records.process(record, offset, run)
            batch.next_offset = offset + 1
            batch.inputs += 1
            if batch.inputs % run.yield_every == 0:
                run.encode(RecordFailed(offset))
                if self.figures:
                    budget.figures = self.figures.size(batch.counts.steps.figures)
                yield
            if not run.behind and deadlines.is_due:
                yield from deadlines.fire(run)
            if budget.full:
                batch.more = True
        if not batch.more:
            batch.next_offset = next_offset
            if caught_up:
                self._clock.caught_up(wall)
                yield from deadlines.fire(run)
        yield from self._end(run)
        return batch

    def _begin(self, records: SourceRecords, next_offset: int, wall: int) -> Run:
        """Begin a run; its batch has an input already where it must be written even without records.

        It must be where the changelog lacks a layout, the lifecycles or settings that the state is made with, or a
        first position, which keeps when the application first started.
        """
        batch = Batch(next_offset=self.next_offset if self.next_offset is not None else next_offset)
        self._provenance.begin(first_of(records).offset if self.next_offset is None and records else batch.next_offset)
        if not self._started:
            self._started = True
            batch.inputs += 1
            if self.settings.clock == "wall" and self._clock.live_from is None:
                self._clock.live_from = wall
        elif self._provenance.differs or not self._store.is_laid_out:
            batch.inputs += 1
        self._provenance.differs = False
        self.commit()
        batch.counts.steps.figures = self.figures.tallies()
        self._edits.begin(wall)
        if self._closely_until is not None and batch.next_offset > self._closely_until:
            self._closely_until = None
        closely = self._closely_until is not None
        clock, source, figures = self._clock, self.source_partition, self.figures.sets
        return Run(batch, self._store, self._outbox, clock, source, figures, wall=wall, closely=closely)

    def _end(self, run: Run) -> Generator[None, None, None]:
        """Encode the customers touched; the position is the last record."""
        batch = run.batch
        batch.counts.misplaced_cause = self._records.take_misplaced_cause()
        batch.counts.flaws = self._records.take_flaws()
        batch.latest = self._outbox.take_current()
        run.encode(EncodingFailed(batch.next_offset))
        if self.figures:
            yield from self._take_figures(batch)
        self._store.write(batch.state)
        self.next_offset = batch.next_offset
        batch.state.append(Outgoing(positions.KEY, encode_position(self._position(batch.next_offset))))

    def _take_figures(self, batch: Batch) -> Generator[None, None, None]:
        counts = batch.counts
        yield from self.figures.take(counts.steps.figures, self._store.stages, batch)
        counts.figures_closed = sum(tally.closed for tally in counts.steps.figures.values())
        counts.figures_other, self.figures.other = self.figures.other, 0

    def _position(self, next_offset: int) -> Position:
        source, provenance = self.source_partition, self._provenance
        return Position(
            offsets={source.topic: next_offset},
            clock=self._clock.now,
            partitions=source.partitions,
            live_from=self._clock.live_from,
            topic_ids=source.topic_ids,
            generation=self._records.generation,
            gathered=dict(self._records.gathered),
            lifecycles=provenance.lifecycles,
            settings=provenance.settings,
            begun=provenance.begun,
            since=provenance.since,
            changes_from=provenance.changes_from,
            given=given_field(provenance.given),
        )
