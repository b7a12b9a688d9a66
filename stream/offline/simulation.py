"""A lifecycle run offline: interactions in the order given, each customer by its own clock.

The same `step` as on the worker, so for interactions in time order, ended by a tick, the stage changes are
the same. Everything is kept in memory: it grows with the number of customers, not of interactions.
"""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.explanations import customer_data
from stream.codec.fields import AHEAD
from stream.codec.files.rejections import Rejections
from stream.codec.files.source_file import Record
from stream.codec.stage_changes import ChangeSource
from stream.core.customer import Customer
from stream.core.explain import explain
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import MAX_TIME, Kind
from stream.core.matches import Observation
from stream.core.model import Model, due
from stream.core.snapshot import facts_of, scores_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.core.tally import tally_moves
from stream.machine.batch import Batch
from stream.machine.figure_store import FigureStore
from stream.offline.standing import Standing

_EVERY_DAY: Final = 10_000_000
"""More days than there are times: no day is closed, in whatever order the records are."""


class Simulation:
    """One offline run; what it counts can be read at any time."""

    def __init__(self, model: Model, now: int | None = None) -> None:
        """`now`, epoch ms: what happens more than 5 minutes later happens now, as on a worker; None: never."""
        self.model = model
        self._latest = MAX_TIME if now is None else now + AHEAD
        self._now = now
        self.step_counts = StepCounts()
        """What `step` counted; its `fired` is always empty here, see `deadlines`."""
        self.records = 0
        """Records read, rejected, duplicate and known ones too."""
        self.known = 0
        """Interactions of files that were run before."""
        self.ahead = 0
        """Interactions of the future, which counted as of now."""
        self.late = 0
        """Interactions that came before the clock of at least one lifecycle."""
        self.deadlines = 0
        """Deadlines fired, forgetting included."""
        self.rejected = Rejections()
        self.flaws: dict[str, int] = {}
        """What could not be used of records that were taken, as their reader counts it."""
        self.observation = Observation(model.lifecycles)
        """What the interactions were, duplicates too, and what of the lifecycles they matched."""
        self._customers: dict[tuple[Kind, str], Customer] = {}
        self._figures = FigureStore(model, 0, _EVERY_DAY)
        self.step_counts.figures = self._figures.tallies()

    def run(
        self, records: Iterable[Record], file: str = "", *, known: bool = False
    ) -> Iterator[tuple[StageChange, ChangeSource]]:
        """Apply the records of one file in their order; may be called again for the next file.

        `known`: they were applied before, and are only counted, as a worker does with an import that is repeated.
        A change's source is the record that caused it: `file`, partition 0, and the number of the record
        counted from 0 over all files. `born` is `0-<that number>` of a life's first record.
        """
        customers, model, step_counts = self._customers, self.model, self.step_counts
        for line, record in records:
            offset = self.records
            self.records += 1
            if isinstance(record, Rejected):
                self.rejected.add(record, f"{file}:{line}")
                continue
            if known:
                self.known += 1
                continue
            self.observation.add(record)
            if record.time > self._latest and self._now is not None:
                record.time = self._now
                self.ahead += 1
            key = record.kind, record.subject
            late = step_counts.late
            customer, changes = step(model, customers.get(key), Arrival(record, 0, offset), step_counts)
            assert customer is not None  # an arrival always leaves a customer
            customers[key] = customer
            if step_counts.late != late:
                self.late += 1
            if step_counts.fired:
                self._count_fired()
            if changes:
                self._tally(changes)
                source = ChangeSource(file, 0, offset)
                for change in changes:
                    yield change, source

    def finish(self, until: int) -> Iterator[tuple[StageChange, ChangeSource]]:
        """Fire the customers' deadlines up to and including `until` (epoch milliseconds), in time order.

        Among equal times, customers come in the order in which they were first seen. The changes' source
        has no file, and the number of all records as its offset.
        """
        model, customers = self.model, self._customers
        source = ChangeSource("", 0, self.records)
        waiting: list[tuple[int, int, tuple[Kind, str]]] = []
        for order, (key, customer) in enumerate(customers.items()):
            time = due(model, customer)
            if time is not None and time <= until:
                waiting.append((time, order, key))
        heapify(waiting)
        while waiting:
            time, order, key = heappop(waiting)
            after, changes = step(model, customers[key], Passing(time), self.step_counts)
            self._count_fired()
            self._tally(changes)
            if after is None:
                del customers[key]
            elif (later := due(model, after)) is not None and later <= until:
                heappush(waiting, (later, order, key))
            for change in changes:
                yield change, source

    def standings(self, until: int | None = None) -> Iterator[Standing]:
        """Every customer that is not forgotten, in each lifecycle, in the order of being first seen.

        Scores and facts are read at the customer's clock in the lifecycle, or at `until` where that is given
        and later.
        """
        for customer in self._customers.values():
            for lifecycle in self.model.lifecycles:
                life = customer.lives[lifecycle.id]
                at = life.clock if until is None else max(life.clock, until)
                scores = scores_of(lifecycle, life, at)
                yield Standing(customer, lifecycle, life, at, scores, facts_of(lifecycle, life, at))

    def figures(self) -> list[bytes]:
        """Rows of the figures, as a worker writes them, in order; all records are one partition, number 0."""
        stages: dict[tuple[str, str], int] = {}
        for customer in self._customers.values():
            for lifecycle, life in customer.lives.items():
                stage = lifecycle, life.stage
                stages[stage] = stages.get(stage, 0) + 1
        batch = Batch(self.records)
        for _ in self._figures.take(self.step_counts.figures, stages, batch):
            pass
        self._figures.commit()
        self.step_counts.figures = self._figures.tallies()
        return sorted(each.value for each in batch.figures if each.value is not None)

    def _tally(self, changes: list[StageChange]) -> None:
        if self._figures:
            tally_moves(changes, self._figures.sets, self.step_counts.figures)

    def customers_named(self, subject: str) -> list[Customer]:
        """Who has this id and is not forgotten: a customer, a visitor, or both."""
        kinds: tuple[Kind, ...] = ("customer", "anonymous")
        return [found for kind in kinds if (found := self._customers.get((kind, subject))) is not None]

    def answer(self, customer: Customer, until: int | None = None) -> dict[str, Any]:
        """The explanations of a customer, as a worker answers; at its own clock, or at `until` where that is later.

        All records are one partition, number 0.
        """
        clock = max(life.clock for life in customer.lives.values())
        at = clock if until is None else max(clock, until)
        told = explain(self.model, customer, at)
        return customer_data(customer, told, partition=0, offset=self.records - 1, clock=at, at=at)

    def _count_fired(self) -> None:
        self.deadlines += len(self.step_counts.fired)
        self.step_counts.fired.clear()
