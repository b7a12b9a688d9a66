"""After an edit of lifecycles, each customer that was written before it is considered once."""

from stream.core.customer import Customer
from stream.core.inputs import Edit
from stream.core.model import Model
from stream.core.step import step
from stream.machine.clock import PartitionClock
from stream.machine.customer_store import CustomerStore
from stream.machine.run import Run


class EditProcessor:
    """Decides when the customers of one partition are considered, and moves those that satisfy a transition then."""

    def __init__(self, model: Model, store: CustomerStore, clock: PartitionClock) -> None:
        self._model = model
        self._store = store
        self._clock = clock
        self._edited_at: int | None = None
        """Wall time at which these lifecycles began to run here; None before the first batch."""

    def begin(self, wall: int) -> None:
        """A run begins at wall time `wall`."""
        if self._edited_at is None:
            self._edited_at = wall

    @property
    def may_go_on(self) -> bool:
        """Customers wait to be considered, and may be now."""
        return len(self._store.edits) > 0 and self.is_reached

    @property
    def is_reached(self) -> bool:
        """The partition's clock has reached the edit.

        Where it follows wall time, what arrived before the edit is processed first: a clock that stood still while no
        worker ran would give changes a time before the edit.
        """
        now = self._clock.now
        if now is None:
            return False
        return not self._clock.follows_wall or (self._edited_at is not None and now >= self._edited_at)

    def consider(self, key: bytes, customer: Customer, broker_time: int, run: Run) -> None:
        """The customer moves if it satisfies a transition now.

        Now is the partition's clock, which follows the broker's time where it does not follow the interactions'.
        """
        now = self._clock.now or 0
        clock = max(now, broker_time) if self._clock.follows_wall else now
        batch = run.batch
        after, changes = step(self._model, customer, Edit(clock), batch.counts.steps)
        batch.inputs += 1
        batch.counts.reconsidered += 1
        batch.counts.moved_by_edit += bool(changes)
        if not customer.quarantined:
            self._store.edited -= 1
        self._store.keep(key, after)
        run.publish(changes, batch.next_offset)
