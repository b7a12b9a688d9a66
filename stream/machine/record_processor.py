"""Applies the records of one partition: interactions, control records, and those that become dead letters."""

from typing import Final

from stream.codec.controls import control_of, tick_time
from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.fields import AHEAD
from stream.codec.gathered import origin_of
from stream.codec.import_rows import row_of
from stream.codec.partitioners import home_of, likely_cause_of
from stream.codec.record_cursor import Cursor
from stream.codec.state.keys import customer_key
from stream.core.inputs import Arrival
from stream.core.interaction import Interaction
from stream.core.model import Model
from stream.core.step import step
from stream.machine.batch import DeadlineFailed, RecordFailed
from stream.machine.clock import PartitionClock
from stream.machine.customer_store import CustomerStore
from stream.machine.deadline_processor import DeadlineProcessor
from stream.machine.edit_processor import EditProcessor
from stream.machine.run import Run
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings

LOG_APPEND_TIME: Final = 1
_EXAMPLES: Final = 20
"""Misplaced records of one batch from which the likely cause is found."""


class RecordProcessor:
    """Applies one record after the other."""

    def __init__(
        self,
        model: Model,
        settings: Settings,
        source: SourcePartition,
        store: CustomerStore,
        clock: PartitionClock,
        edits: EditProcessor,
        deadlines: DeadlineProcessor,
    ) -> None:
        self._model = model
        self._decoder = settings.decoder()
        self._partitioner: str = settings.partitioner
        self._partition = source.partition
        self._partitions = source.partitions
        self._store = store
        self._clock = clock
        self._edits = edits
        self._deadlines = deadlines
        self._gathers = bool(settings.topics.sources)
        self.gathered: dict[str, int] = {}
        """By topic that interactions are gathered from: the offset behind the last one that was processed."""
        self.generation = 1
        """The state's generation, as its position has it."""
        self.isolated_offsets: set[int] = set()
        """Records that become dead letters unread."""
        self._misplaced: list[tuple[bytes | None, bytes]] = []
        """Key and customer's id of the first records of this run that belong on another partition."""

    def process(self, record: Cursor, offset: int, run: Run) -> None:
        """Apply one record. Raises RecordFailed or DeadlineFailed where our own code fails on it."""
        broker_time: int = record.timestamp
        if record.timestamp_type != LOG_APPEND_TIME:
            broker_time = min(broker_time, run.wall) if broker_time >= 0 else run.wall
        if self._gathers:
            self._note_origin(record)
        if offset in self.isolated_offsets:
            run.reject(record, Rejected(Reason.UNPROCESSABLE, "processing it failed twice"))
            return
        try:
            headers = record.headers if record.has_headers else ()
            control = control_of(headers) if headers else None
            if control is not None:
                self._control(record, control, broker_time, run)
                return
            interaction = self._decoder.decode(record.value, broker_time, headers)
            if isinstance(interaction, Rejected):
                run.reject(record, interaction)
                return
            row = row_of(headers) if headers else None
            if isinstance(row, Rejected):
                run.reject(record, row)
                return
            interaction.row = row
            self._apply(record, offset, interaction, broker_time, run)
        except DeadlineFailed:
            raise
        except Exception as error:
            raise RecordFailed(offset, error) from error

    def _note_origin(self, record: Cursor) -> None:
        origin = origin_of(record.headers) if record.has_headers else None
        if origin is not None and origin.partition == self._partition:
            self.gathered[origin.topic] = max(self.gathered.get(origin.topic, 0), origin.offset + 1)

    def take_flaws(self) -> dict[str, int]:
        """What could not be used of interactions that were taken, since this was last called."""
        return self._decoder.take_flaws()

    def take_misplaced_cause(self) -> str | None:
        """Why records lie on other partitions than their customers', most likely; None where none of this run does."""
        misplaced, self._misplaced = self._misplaced, []
        if not misplaced:
            return None
        return likely_cause_of(misplaced, self._partition, self._partitions, self._partitioner)

    def _control(self, record: Cursor, control: bytes, broker_time: int, run: Run) -> None:
        time = tick_time(control, record.value)
        if isinstance(time, Rejected):
            run.reject(record, time)
            return
        run.batch.counts.ticks += 1
        self._clock.tick(time, broker_time)

    def _apply(self, record: Cursor, offset: int, interaction: Interaction, broker_time: int, run: Run) -> None:
        counts, store = run.batch.counts, self._store
        if interaction.time > broker_time + AHEAD:
            interaction.time = broker_time
            counts.ahead += 1
        key = customer_key(interaction.kind, interaction.subject)
        slot = store.find(key)
        customer = None if slot is None else store.customer_in(slot)
        if customer is not None and customer.edited is not None:
            self._edits.consider(key, customer, broker_time, run)
        if run.behind and slot is not None:
            self._deadlines.catch_up(slot, run)
            customer = store.customer_in(slot)
        if customer is not None and offset <= customer.offset:
            counts.repeated += 1
            return
        if home_of(self._partitioner, key, self._partitions, 1) != self._partition:  # behind the byte of its kind
            counts.misplaced += 1
            if len(self._misplaced) < _EXAMPLES:
                self._misplaced.append((record.key, key[1:]))
        steps = counts.steps
        duplicates, untouched = steps.duplicates, steps.untouched
        arrival = Arrival(interaction, self._partition, offset, self.generation)
        after, changes = step(self._model, customer, arrival, steps)
        assert after is not None
        self._clock.record(interaction.time, broker_time)
        if steps.untouched > untouched:
            return
        if steps.duplicates == duplicates:
            counts.applied += 1
        after.offset = offset
        store.keep(key, after, slot)
        if changes:
            counts.caused.append(broker_time)
            run.publish(changes, offset)
