"""What a partition's interactions must have led to: made again by the core alone, beside the machine that is checked.

Of the machine nothing is used. In `stream` clock, known from its first record on, it is determined when each deadline
fired. Elsewhere only the least time that the partition's clock must have reached is; that a deadline fired earlier, the
caller finds in the published changes.
"""

from collections.abc import Callable, Container, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from stream.codec.controls import control_of, tick_time
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import AHEAD
from stream.codec.import_rows import row_of
from stream.codec.interactions import InteractionDecoder
from stream.codec.records import SourceRecord
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Passing
from stream.core.model import Model, due
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.settings import Clock

_AT_HAND: Final = 4_000
"""Customers that are kept decoded."""

OnChanges = Callable[[bytes, Sequence[StageChange], int], None]
"""Called with changes of one customer: its changelog key, the changes in order, the source offset they must name."""
Births = Container[tuple[bytes, int]]
"""Changelog keys, and source offsets at which a life of theirs began."""


class RecomputationInputs(NamedTuple):
    """The inputs of a recomputation besides the interactions."""

    partition: int
    clock: Clock
    grace: int
    decoder: InteractionDecoder
    live_from: int | None
    complete: bool
    """The partition's first record is the first that is processed here."""
    births: Births | None
    """Who began when; None: whoever appears is new, for nobody came before."""
    only: frozenset[bytes] | None
    """Changelog keys of those who are wanted; None: all."""
    generation: int = 1
    """Of the state."""
    elders_before: int = 0
    """Whoever has an interaction before that offset is not new when a life begins later."""


class LeastClock:
    """The least that a partition's clock must be: exact in `stream`; in `wall` what broker times make of it."""

    def __init__(self, mode: Clock, live_from: int | None, *, complete: bool) -> None:
        self.now: int | None = None
        self._complete = complete
        self._wall = mode == "wall"
        self.live_from = live_from or 0

    @property
    def live(self) -> bool:
        """It follows wall time."""
        return self._wall and self.now is not None and self.now >= self.live_from

    def interaction(self, time: int, broker_time: int) -> None:
        """An interaction was read: once live, the clock follows the broker's times."""
        live = self.live
        if self._wall and not live and not self._complete:  # it may have gone live out of our sight
            self._move(min(time, broker_time))
        else:
            self._move(broker_time if live else time)

    def tick(self, time: int, broker_time: int) -> None:
        """An import ended."""
        self._move(max(time, broker_time) if self._wall else time)

    def _move(self, time: int) -> None:
        self.now = time if self.now is None else max(self.now, time)


class Recomputation:
    """The customers of one partition; a record is kept as bytes, those at hand decoded."""

    def __init__(self, model: Model, inputs: RecomputationInputs, on_changes: OnChanges) -> None:
        self.step_counts = StepCounts()
        self.clock = LeastClock(inputs.clock, inputs.live_from, complete=inputs.complete)
        self.elders: set[bytes] = set()
        """Who has interactions from before `elders_before`."""
        self._model = model
        self._inputs = inputs
        self._on_changes = on_changes
        self._codec = CustomerCodec(model)
        self._written: dict[bytes, bytes] = {}
        self._at_hand: dict[bytes, Customer] = {}
        self._due: list[tuple[int, bytes]] = []
        self._scheduled: dict[bytes, int] = {}

    def process(self, record: SourceRecord) -> Rejected | None:
        """Apply one record, but for the deadlines of others; returns why it is a dead letter, where it is one."""
        inputs = self._inputs
        control = control_of(record.headers) if record.headers else None
        if control is not None:
            time = tick_time(control, record.value)
            if isinstance(time, Rejected):
                return time
            self.clock.tick(time, record.timestamp)
            return None
        interaction = inputs.decoder.decode(record.value, record.timestamp, record.headers)
        if isinstance(interaction, Rejected):
            return interaction
        row = row_of(record.headers) if record.headers else None
        if isinstance(row, Rejected):
            return row
        interaction.row = row
        if interaction.time > record.timestamp + AHEAD:
            interaction.time = record.timestamp
        time = interaction.time
        key = customer_key(interaction.kind, interaction.subject)
        if inputs.only is None or key in inputs.only:
            self._apply(key, Arrival(interaction, inputs.partition, record.offset, inputs.generation))
        self.clock.interaction(time, record.timestamp)
        return None

    def _apply(self, key: bytes, arrival: Arrival) -> None:
        if self.clock.live:
            self._fire_own(key, arrival.offset)
        customer = self.customer(key)
        births = self._inputs.births
        if arrival.offset < self._inputs.elders_before:
            self.elders.add(key)
        is_elder = key in self.elders or (births is not None and (key, arrival.offset) not in births)
        if customer is None and is_elder:
            return  # of a life whose beginning is out of reach
        untouched = self.step_counts.untouched
        after, changes = step(self._model, customer, arrival, self.step_counts)
        assert after is not None
        if self.step_counts.untouched == untouched:
            after.offset = arrival.offset
            self._keep(key, after)
        self._on_changes(key, changes, arrival.offset)

    def _fire_own(self, key: bytes, offset: int) -> None:
        """Of a customer whose interaction comes now everything that has come must have fired."""
        until, time = self.least, self.due(key)
        if until is not None and time is not None and time <= until:
            self.let_pass(key, until, offset)

    def fire(self, offset: int) -> None:
        """Fire what must have fired before the record at `offset`.

        Once live, where more came at once than one transaction takes, interactions of other customers went first, and
        the published changes show when it was; what was not to be published came before.
        """
        until = self.least
        if until is None:
            return
        if self.clock.live:
            until = min(until, self.clock.live_from - 1)
        while self._due and self._due[0][0] <= until:
            time, key = heappop(self._due)
            if self._scheduled.get(key) != time:
                continue
            del self._scheduled[key]
            if self.due(key) == time:
                self.let_pass(key, until, offset)
            else:
                self._schedule(key)

    def due_until(self, until: int) -> list[bytes]:
        """Who has a deadline that has come by `until`."""
        keys = sorted({key for time, key in self._due if time <= until})
        return [key for key in keys if (time := self.due(key)) is not None and time <= until]

    def let_pass(self, key: bytes, until: int, offset: int) -> None:
        """Fire one customer's deadlines up to and including `until`."""
        customer = self.customer(key)
        if customer is not None:
            after, changes = step(self._model, customer, Passing(until), self.step_counts)
            self._keep(key, after)
            self._on_changes(key, changes, offset)

    @property
    def least(self) -> int | None:
        """Up to which time deadlines must have fired."""
        return None if self.clock.now is None else self.clock.now - self._inputs.grace

    def due(self, key: bytes) -> int | None:
        """The time of a customer's next deadline."""
        customer = self.customer(key)
        return None if customer is None else due(self._model, customer)

    def customer(self, key: bytes) -> Customer | None:
        """A customer as it must be; None where there is none."""
        customer = self._at_hand.get(key)
        if customer is None and (value := self._written.get(key)) is not None:
            customer = self._codec.decode(key, value)
        return customer

    def records(self) -> dict[bytes, bytes]:
        """The records of all customers."""
        self._encode()
        return self._written

    def _keep(self, key: bytes, customer: Customer | None) -> None:
        if customer is None:
            self._at_hand.pop(key, None)
            self._written.pop(key, None)
            return
        self._at_hand[key] = customer
        self._schedule(key)
        if len(self._at_hand) > _AT_HAND:
            self._encode()

    def _schedule(self, key: bytes) -> None:
        """See that the customer is looked at when it is due: a deadline that moved later stays where it was."""
        time = self.due(key)
        known = self._scheduled.get(key)
        if time is not None and (known is None or time < known):
            self._scheduled[key] = time
            heappush(self._due, (time, key))

    def _encode(self) -> None:
        for key, customer in self._at_hand.items():
            self._written[key] = self._codec.encode(customer)
        self._at_hand = {}
