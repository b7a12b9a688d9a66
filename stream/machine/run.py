"""One run of a machine: the batch that it fills, and the budget that bounds it."""

from collections.abc import Mapping

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.dead_letters import dead_letter
from stream.codec.records import SourceRecord
from stream.core.figures import FigureSet
from stream.core.stage_change import StageChange
from stream.core.tally import tally_moves
from stream.machine.batch import Batch, EncodingFailed
from stream.machine.budget import Budget
from stream.machine.clock import PartitionClock
from stream.machine.customer_store import YIELD_EVERY, CustomerStore
from stream.machine.outbox import Outbox
from stream.machine.source_partition import SourcePartition

_AROUND_DEAD_LETTER = 500
"""Bytes of a dead letter beside its value, about."""


class Run:
    """What a run has made so far."""

    def __init__(
        self,
        batch: Batch,
        store: CustomerStore,
        outbox: Outbox,
        clock: PartitionClock,
        source: SourcePartition,
        figures: Mapping[str, FigureSet],
        *,
        wall: int,
        closely: bool,
    ) -> None:
        self.batch = batch
        self.budget = Budget()
        self.wall = wall
        """Wall time of the whole run, epoch milliseconds."""
        self.closely = closely
        """Customers are encoded after each input, so that the one to blame for a failure is known."""
        self.yield_every = 1 if closely else YIELD_EVERY
        """Inputs between two yields."""
        self.behind = False
        """More deadlines are due than were fired, and interactions need not wait for them."""
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._source = source
        self._figure_sets = figures

    def publish(self, changes: list[StageChange], offset: int) -> None:
        """Put changes that the record at `offset` caused, or deadlines before it, into the batch."""
        for change in changes:
            self._store.count(change)
        if self._figure_sets:
            tally_moves(changes, self._figure_sets, self.batch.counts.steps.figures)
        self.budget.bytes += self._outbox.publish(changes, offset, self._clock.live_from, self.batch)

    def reject(self, record: SourceRecord, rejected: Rejected) -> None:
        """Put a record that cannot be processed into the batch as a dead letter."""
        made = dead_letter(record, rejected, self._source.topic, self._source.partition)
        self.batch.dead_letters.append(made)
        self.batch.counts.rejected[rejected.reason.value] += 1
        self.budget.bytes += len(made.value or b"") + _AROUND_DEAD_LETTER

    def encode(self, last: Exception) -> None:
        """Encode the customers touched since the last time.

        Where that fails, it raises `last`, the failure of the last input, if each input is encoded at once, and
        otherwise EncodingFailed.
        """
        try:
            self.budget.bytes += self._store.encode()
        except Exception as error:
            failed = last if self.closely else EncodingFailed(self.batch.next_offset)
            failed.__cause__ = error
            raise failed from error
