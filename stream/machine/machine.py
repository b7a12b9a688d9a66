"""One partition of interactions as a sequential machine: records in, everything that they cause out.

Deterministic and without I/O. Records are taken in order; after each one the partition's clock moves and the
deadlines that have come are fired, so that where a batch is cut changes nothing.

With wall time, where more deadlines come at once than a share of one transaction, interactions go on in between: the
share is fired, then records are taken, each after its own customer's deadlines, and the rest comes in the next
batches. Nothing differs for any customer; only that a change of a deadline may name a later offset as its source.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Final

from stream.codec.controls import control_of, tick_time
from stream.codec.dead_letters import dead_letter
from stream.codec.import_rows import row_of
from stream.codec.interactions import Reason, Rejected, decode
from stream.codec.partitioners import home_of, likely_cause_of
from stream.codec.records import Outgoing, SourceRecord
from stream.codec.state import positions
from stream.codec.state.keys import customer_key
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Edit, Passing
from stream.core.interaction import Interaction
from stream.core.model import Model, due
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.errors import StateError, UnknownLayout
from stream.machine.batch import Batch, DeadlineFailed, EncodingFailed, RecordFailed
from stream.machine.budget import MAX_BYTES, MAX_FIRED, MAX_LOOKED, SHARE
from stream.machine.clock import PartitionClock
from stream.machine.customer_store import BREATH, CustomerStore
from stream.machine.outbox import Outbox
from stream.machine.provenance import Provenance
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings

AHEAD: Final = 300_000
"""Milliseconds that an interaction may be ahead of its broker time."""
LOG_APPEND_TIME: Final = 1
_EXAMPLES: Final = 20
"""Misplaced records of one batch that the likely cause is found by."""


class PartitionMachine:
    """The state of one partition and what its inputs do to it; see `Machine` for the contract."""

    def __init__(self, model: Model, settings: Settings, source_partition: SourcePartition) -> None:
        self.model = model
        self.settings = settings
        self.source_partition = source_partition
        self.next_offset: int | None = None
        self._topic = source_partition.topic
        self._partition = source_partition.partition
        self._partitions = source_partition.partitions
        self._partitioner: str = settings.partitioner
        self._misplaced: list[tuple[bytes | None, bytes]] = []
        """Of the running batch: key and customer's id of the first records that belong on another partition."""
        self._blocked = settings.blocked
        self._grace = settings.grace
        self._clock = PartitionClock(settings.clock, settings.live_from, None)
        self._store = CustomerStore(model)
        self._outbox = Outbox(source_partition.topic, source_partition.partition)
        self._started = False
        self._behind = False
        """More deadlines have come than were fired, and interactions need not wait for them."""
        self._fired = 0
        self._isolated_offsets: set[int] = set()
        self._isolated_keys: set[bytes] = set()
        self._provenance = Provenance({each.id: each.digest.hex() for each in model.lifecycles}, settings.deciding)
        self._closely_until: int | None = None
        self._generation = 1
        self._edited_at: int | None = None
        """Wall time at which these lifecycles began to run here; None before the first batch."""

    @property
    def edited(self) -> Mapping[str, str | None]:
        """See `Machine`."""
        return self._provenance.edited

    @property
    def to_reconsider(self) -> int:
        """See `Machine`."""
        return self._store.edited

    @property
    def customers(self) -> int:
        """How many customers have a record."""
        return len(self._store)

    @property
    def stages(self) -> dict[tuple[str, str], int]:
        """Customers by lifecycle and stage."""
        return self._store.stages

    @property
    def clock(self) -> int | None:
        """The partition's clock, epoch milliseconds."""
        return self._clock.now

    def customer(self, key: bytes) -> Customer | None:
        """The customer of a changelog key as it is now; the caller must not change it."""
        return self._store.customer(key)

    def restore(self, changelog: dict[bytes, bytes]) -> Generator[None, None, None]:
        """Take over the compacted changelog; see `Machine`."""
        try:
            position = changelog.get(positions.KEY)
            if position is not None:
                self._resume(decode_position(position))
            yield from self._store.restore(changelog, at_once=self.settings.apply_edits == "at_once")
        except StateError as error:
            where = f"topic {self.settings.topics.customers}, partition {self._partition}: "
            if isinstance(error, UnknownLayout):
                raise UnknownLayout(error.digest, where, self._provenance.remedy(error.digest.hex())) from error
            raise StateError(f"{where}{error}") from error

    def _resume(self, position: Position) -> None:
        self.source_partition.require(position)
        self.next_offset = position.offsets.get(self.source_partition.topic)
        live_from = self.settings.live_from if self.settings.live_from is not None else position.live_from
        self._clock = PartitionClock(self.settings.clock, live_from, position.clock)
        self._provenance.resume(position, self.next_offset)
        self._generation = position.generation
        self._started = True

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        """See `Machine`."""
        self._isolated_offsets.update(offsets)
        self._isolated_keys.update(keys)

    def look_closely(self, until: int) -> None:
        """See `Machine`."""
        self._closely_until = until

    def next_due(self) -> int | None:
        """See `Machine`."""
        if self._may_consider_edits():
            return 0
        time = self._store.schedule.next()
        return time + self._grace if time is not None and self._clock.follows_wall else None

    def run(
        self, source: Sequence[SourceRecord], next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        """See `Machine`."""
        batch = Batch(next_offset=self.next_offset if self.next_offset is not None else next_offset)
        self._provenance.begin(source[0].offset if self.next_offset is None and source else batch.next_offset)
        self._open(batch, wall)
        if self._edited_at is None:
            self._edited_at = wall
        self._behind, self._fired = False, 0
        self._misplaced = []
        if self._closely_until is not None and batch.next_offset > self._closely_until:
            self._closely_until = None
        breath = BREATH if self._closely_until is None else 1
        size = yield from self._fire(batch, 0)
        for record in source:
            if batch.more:
                break
            offset = record.offset
            size += self._take(record, offset, batch, wall)
            batch.next_offset = offset + 1
            batch.inputs += 1
            if batch.inputs % breath == 0:
                size += self._encode(batch, RecordFailed(offset))
                yield
            if not self._behind and self._is_due():
                size = yield from self._fire(batch, size)
            if size >= MAX_BYTES:
                batch.more = True
        else:
            if not batch.more:
                batch.next_offset = next_offset
                if caught_up:
                    self._clock.caught_up(wall)
                    yield from self._fire(batch, size)
        self._close(batch)
        return batch

    def _open(self, batch: Batch, wall: int) -> None:
        """See that what must be kept is written at once, inputs or not.

        That is what records need to be read, by which lifecycles and settings they are made, and a first position,
        which keeps when the application first started.
        """
        if not self._started:
            self._started = True
            batch.inputs += 1
            if self.settings.clock == "wall" and self._clock.live_from is None:
                self._clock.live_from = wall
        elif self._provenance.differs or not self._store.is_laid_out:
            batch.inputs += 1
        self._provenance.differs = False

    def _take(self, record: SourceRecord, offset: int, batch: Batch, wall: int) -> int:
        """Apply one record; returns the bytes that it made to be written, customers left out."""
        broker_time = record.timestamp
        if record.timestamp_type != LOG_APPEND_TIME:
            broker_time = min(broker_time, wall) if broker_time >= 0 else wall
        if offset in self._isolated_offsets:
            return self._reject(record, Rejected(Reason.UNPROCESSABLE, "processing it failed twice"), batch)
        try:
            headers = record.headers
            control = control_of(headers) if headers else None
            if control is not None:
                return self._control(record, control, broker_time, batch)
            interaction = decode(record.value, broker_time, self._blocked)
            if isinstance(interaction, Rejected):
                return self._reject(record, interaction, batch)
            row = row_of(headers) if headers else None
            if isinstance(row, Rejected):
                return self._reject(record, row, batch)
            interaction.row = row
            return self._apply(record, offset, interaction, broker_time, batch)
        except DeadlineFailed:
            raise
        except Exception as error:
            raise RecordFailed(offset, error) from error

    def _control(self, record: SourceRecord, control: bytes, broker_time: int, batch: Batch) -> int:
        time = tick_time(control, record.value)
        if isinstance(time, Rejected):
            return self._reject(record, time, batch)
        batch.counts.ticks += 1
        self._clock.tick(time, broker_time)
        return 0

    def _reject(self, record: SourceRecord, rejected: Rejected, batch: Batch) -> int:
        letter = dead_letter(record, rejected, self._topic, self._partition)
        batch.dead_letters.append(letter)
        batch.counts.rejected[rejected.reason.value] += 1
        return len(letter.value or b"") + 500

    def _apply(
        self, record: SourceRecord, offset: int, interaction: Interaction, broker_time: int, batch: Batch
    ) -> int:
        counts, store = batch.counts, self._store
        if interaction.time > broker_time + AHEAD:
            interaction.time = broker_time
            counts.ahead += 1
        key, size = customer_key(interaction.kind, interaction.subject), 0
        customer = store.customer(key)
        if customer is not None and customer.edited is not None:
            size += self._reconsider(key, customer, batch, broker_time)
        if self._behind:
            size += self._catch_up(key, batch)
            customer = store.customer(key)
        if customer is not None and offset <= customer.offset:
            counts.repeated += 1
            return size
        if home_of(self._partitioner, key, self._partitions, 1) != self._partition:  # behind the byte of its kind
            counts.misplaced += 1
            if len(self._misplaced) < _EXAMPLES:
                self._misplaced.append((record.key, key[1:]))
        steps = counts.steps
        duplicates, untouched = steps.duplicates, steps.untouched
        after, changes = step(
            self.model, customer, Arrival(interaction, self._partition, offset, self._generation), steps
        )
        assert after is not None
        self._clock.record(interaction.time, broker_time)
        if steps.untouched > untouched:
            return size
        if steps.duplicates == duplicates:
            counts.applied += 1
        after.offset = offset
        store.keep(key, after)
        if not changes:
            return size
        counts.caused.append(broker_time)
        return size + self._tell(changes, offset, batch)

    def _catch_up(self, key: bytes, batch: Batch) -> int:
        """Fire what has come of one customer's own deadlines, before anything else happens to it."""
        customer = self._store.customer(key)
        time = due(self.model, customer) if customer is not None else None
        until = (self._clock.now or 0) - self._grace
        if time is None or time > until:
            return 0
        try:
            return self._pass(key, time, until, batch)
        except Exception as error:
            raise DeadlineFailed(key, error) from error

    def _is_due(self) -> bool:
        """Whether a deadline may have come, or customers are to be considered after an edit."""
        now = self._clock.now
        return now is not None and (self._store.schedule.earliest <= now - self._grace or self._may_consider_edits())

    def _may_consider_edits(self) -> bool:
        """Whether somebody is to be considered after an edit, and may be now."""
        return len(self._store.edits) > 0 and self._has_come_to_edit()

    def _has_come_to_edit(self) -> bool:
        """Whether the partition's clock has come to the edit.

        Where it follows wall time, what arrived before the edit is processed first: a clock that stood still while no
        worker ran would give changes a time before the edit.
        """
        now = self._clock.now
        if now is None:
            return False
        return not self._clock.follows_wall or (self._edited_at is not None and now >= self._edited_at)

    def _fire(self, batch: Batch, size: int) -> Generator[None, None, int]:
        """Consider whom an edit may move and fire the deadlines that have come.

        Up to what one transaction takes, or their share of it.
        """
        if not self._is_due():
            return size
        store = self._store
        schedule = store.schedule
        until = (self._clock.now or 0) - self._grace
        edits = self._may_consider_edits()
        shared = self._clock.follows_wall
        limit = size + SHARE if shared else MAX_BYTES
        looked = 0
        breath = BREATH if self._closely_until is None else 1
        while True:
            if edits and store.edits:
                scheduled, key = until, store.edits.popleft()
            else:
                first = schedule.take(until)
                if first is None:
                    break
                scheduled, key = first
            inputs = batch.inputs
            try:
                size += self._pass(key, scheduled, until, batch)
            except Exception as error:
                raise DeadlineFailed(key, error) from error
            self._fired += batch.inputs - inputs
            looked += 1
            if looked % breath == 0:
                size += self._encode(batch, DeadlineFailed(key))
                yield
            if self._fired >= MAX_FIRED or size >= limit or (shared and looked >= MAX_LOOKED):
                left = schedule.earliest <= until or (edits and len(store.edits) > 0)
                self._behind, batch.more = left and shared, left and not shared
                break
        return size

    def _pass(self, key: bytes, scheduled: int, until: int, batch: Batch) -> int:
        store = self._store
        if key in self._isolated_keys:
            self._quarantine(key, batch)
            return 0
        customer = store.customer(key)
        if customer is None:
            return 0
        if customer.edited is not None:
            if not self._has_come_to_edit():  # a deadline has come, perhaps only by the edit
                store.edits.append(key)
                return 0
            return self._reconsider(key, customer, batch, self._clock.now or 0)
        time = due(self.model, customer)
        if time is None or time > scheduled:
            if time is not None:
                store.schedule.put(key, time)
            return 0
        after, changes = step(self.model, customer, Passing(until), batch.counts.steps)
        batch.inputs += 1
        store.keep(key, after)
        return self._tell(changes, batch.next_offset, batch)

    def _reconsider(self, key: bytes, customer: Customer, batch: Batch, broker_time: int) -> int:
        """Lifecycles were edited since the customer was written: it moves if it satisfies a transition now.

        Now is the partition's clock, which follows the broker's time where it does not follow the interactions'.
        """
        now = self._clock.now or 0
        clock = max(now, broker_time) if self._clock.follows_wall else now
        after, changes = step(self.model, customer, Edit(clock), batch.counts.steps)
        batch.inputs += 1
        batch.counts.reconsidered += 1
        batch.counts.moved_by_edit += bool(changes)
        if not customer.quarantined:
            self._store.edited -= 1
        self._store.keep(key, after)
        return self._tell(changes, batch.next_offset, batch)

    def _quarantine(self, key: bytes, batch: Batch) -> None:
        """Never fire this customer's deadlines again; one whose record cannot be read stays as it is."""
        try:
            customer = self._store.customer(key)
        except Exception:  # noqa: BLE001 - that is why it is isolated
            batch.counts.quarantined += 1
            return
        if customer is not None and not customer.quarantined:
            self._store.edited -= customer.edited is not None
            customer.quarantined = True
            batch.counts.quarantined += 1
            batch.inputs += 1
            self._store.keep(key, customer)

    def _encode(self, batch: Batch, last: Exception) -> int:
        """Encode the customers touched; returns the bytes of their records.

        Where that fails, what was taken `last` is to blame if we look closely.
        """
        try:
            return self._store.encode()
        except Exception as error:
            failed = last if self._closely_until is not None else EncodingFailed(batch.next_offset)
            failed.__cause__ = error
            raise failed from error

    def _tell(self, changes: list[StageChange], offset: int, batch: Batch) -> int:
        for change in changes:
            self._store.count(change)
        return self._outbox.publish(changes, offset, self._clock.live_from, batch)

    def _close(self, batch: Batch) -> None:
        """Encode what was touched; the position comes last."""
        if self._misplaced:
            batch.counts.misplaced_cause = likely_cause_of(
                self._misplaced, self._partition, self._partitions, self._partitioner
            )
        batch.current_stages = self._outbox.take_current()
        self._encode(batch, EncodingFailed(batch.next_offset))
        batch.customers += self._store.take_records()
        self.next_offset = batch.next_offset
        position = Position(
            offsets={self._topic: batch.next_offset},
            clock=self._clock.now,
            partitions=self.source_partition.partitions,
            live_from=self._clock.live_from,
            topic_ids=self.source_partition.topic_ids,
            generation=self._generation,
            lifecycles=self._provenance.lifecycles,
            settings=self._provenance.settings,
            begun=self._provenance.begun,
            since=self._provenance.since,
            changes_from=self._provenance.changes_from,
        )
        batch.customers.append(Outgoing(positions.KEY, encode_position(position)))
