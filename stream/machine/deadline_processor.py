"""Fires the deadlines of one partition's customers when they are due, and considers customers after an edit."""

from collections.abc import Generator

from stream.core.inputs import Passing
from stream.core.model import Model, due
from stream.core.step import step
from stream.machine.batch import DeadlineFailed
from stream.machine.clock import PartitionClock
from stream.machine.customer_store import CustomerStore
from stream.machine.edit_processor import EditProcessor
from stream.machine.run import Run
from stream.machine.slot import Slot


class DeadlineProcessor:
    """Fires deadlines in the order of their times, as much as a run's budget lets it."""

    def __init__(
        self, model: Model, grace: int, store: CustomerStore, clock: PartitionClock, edits: EditProcessor
    ) -> None:
        """`grace`: milliseconds past their time for which deadlines wait for late interactions."""
        self._model = model
        self._grace = grace
        self._store = store
        self._schedule = store.schedule
        self._clock = clock
        self._edits = edits
        self.isolated_keys: set[bytes] = set()
        """Customers whose deadlines are not fired any more."""

    def next_due(self) -> int | None:
        """See `Machine`."""
        if self._edits.may_go_on:
            return 0
        time = self._schedule.next()
        return time + self._grace if time is not None and self._clock.follows_wall else None

    @property
    def is_due(self) -> bool:
        """A deadline may be due, or customers are to be considered after an edit."""
        now = self._clock.now
        return now is not None and (self._schedule.earliest <= now - self._grace or self._edits.may_go_on)

    def fire(self, run: Run) -> Generator[None, None, None]:
        """Consider customers after an edit and fire what is due, until this turn of the budget is over."""
        if not self.is_due:
            return
        store, schedule, batch, budget = self._store, self._schedule, run.batch, run.budget
        until = (self._clock.now or 0) - self._grace
        edits = self._edits.may_go_on
        shared = self._clock.follows_wall
        budget.begin_turn(shared=shared)
        while True:
            if edits and store.edits:
                scheduled, key = until, store.edits.popleft()
                slot = store.find(key)
            else:
                first = schedule.pop(until)
                if first is None:
                    return
                scheduled, slot = first
                key = slot.key
            inputs = batch.inputs
            try:
                if slot is not None:
                    self._fire_one(slot, scheduled, until, run)
            except Exception as error:
                raise DeadlineFailed(key, error) from error
            budget.fired += batch.inputs - inputs
            budget.looked += 1
            if budget.looked % run.yield_every == 0:
                run.encode(DeadlineFailed(key))
                yield
            if budget.turn_is_over:
                left = schedule.earliest <= until or (edits and len(store.edits) > 0)
                run.behind, batch.more = left and shared, left and not shared
                return

    def catch_up(self, slot: Slot, run: Run) -> None:
        """Fire what is due of one customer's own deadlines, before anything else happens to it."""
        customer = self._store.customer_in(slot)
        time = due(self._model, customer) if customer is not None else None
        until = (self._clock.now or 0) - self._grace
        if time is None or time > until:
            return
        try:
            self._fire_one(slot, time, until, run)
        except Exception as error:
            raise DeadlineFailed(slot.key, error) from error

    def _fire_one(self, slot: Slot, scheduled: int, until: int, run: Run) -> None:
        """Fire one customer's deadlines up to `until`; one whose deadline has moved past `scheduled` is put back."""
        store, key = self._store, slot.key
        if key in self.isolated_keys:
            self._quarantine(key, run)
            return
        customer = store.customer_in(slot)
        if customer is None:
            return
        if customer.edited is not None:
            if self._edits.is_reached:
                self._edits.consider(key, customer, self._clock.now or 0, run)
            else:  # a deadline is due, perhaps only by the edit
                store.edits.append(key)
            return
        time = due(self._model, customer)
        if time is None or time > scheduled:
            if time is not None:
                self._schedule.put(slot, time)
            return
        batch = run.batch
        after, changes = step(self._model, customer, Passing(until), batch.counts.steps)
        batch.inputs += 1
        store.keep(key, after, slot)
        run.publish(changes, batch.next_offset)

    def _quarantine(self, key: bytes, run: Run) -> None:
        """Never fire this customer's deadlines again; one whose record cannot be read stays as it is."""
        counts, store = run.batch.counts, self._store
        try:
            customer = store.customer(key)
        except Exception:  # noqa: BLE001 - that is why it is isolated
            counts.quarantined += 1
            return
        if customer is not None and not customer.quarantined:
            store.edited -= customer.edited is not None
            customer.quarantined = True
            counts.quarantined += 1
            run.batch.inputs += 1
            store.keep(key, customer)
