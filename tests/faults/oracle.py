"""What a partition's records must lead to: its interactions in order, each deadline at its time, by the core alone.

None of the engine is used: records come from the topic, and deadlines fire by a plain walk over all customers who
are due. In `stream` clock the partition's clock is the largest time seen; `wall.py` has the other one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, NamedTuple

import orjson
from aiokafka import ConsumerRecord

from stream.codec.customers import customer_key
from stream.codec.import_rows import row_of
from stream.codec.interactions import DEFAULT_BLOCKED, Rejected, decode
from stream.codec.stage_changes import Source, data
from stream.core.change import StageChange
from stream.core.customer import Customer
from stream.core.step import Arrival, Model, Passing, due, step
from stream.core.tally import Tally

AHEAD = 300_000


class Letter(NamedTuple):
    """What a dead letter says, wherever it stands."""

    topic: str
    partition: int
    offset: int
    """Of the source record."""
    reason: str
    key: bytes | None
    value: bytes | None


@dataclass
class Expected:
    """What one partition must have written."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    """Values of stage changes, in order."""
    customers: dict[bytes, Customer] = field(default_factory=dict)
    """By changelog key."""
    dead_letters: list["Letter"] = field(default_factory=list)
    """In the order of their source records."""
    duplicates: int = 0
    known: int = 0
    """Rows of imports that began again."""
    late: int = 0
    deadlines: int = 0

    @property
    def current(self) -> dict[str, dict[str, Any]]:
        """The latest change of each life that still runs, by the key of current-stages."""
        latest: dict[str, dict[str, Any]] = {}
        for change in self.changes:
            kind = "customer" if "customer_id" in change else "anonymous"
            latest[f"{change['lifecycle']}:{kind}:{change[f'{kind}_id']}"] = change
        return {key: change for key, change in latest.items() if change["to"] is not None}


class Partition:
    """One partition of interactions, replayed."""

    def __init__(self, model: Model, topic: str, number: int) -> None:
        self.expected = Expected()
        self._model = model
        self._topic = topic
        self._number = number
        self._clock: int | None = None
        self._due: list[tuple[int, bytes]] = []
        self._tally = Tally()

    def replay(self, records: Iterable[ConsumerRecord[bytes | None, bytes | None]]) -> Expected:
        """Every record in the order of the topic, in `stream` clock."""
        for record in records:
            tick = self._tick(record)
            if tick is None:
                self._take(record)
            else:
                self._move(tick)
            self._fire(record.offset + 1)
        return self._counted()

    def _counted(self) -> Expected:
        self.expected.late = self._tally.late
        self.expected.duplicates = self._tally.duplicates
        self.expected.known = self._tally.known_rows
        self.expected.deadlines += len(self._tally.fired)
        return self.expected

    def _tick(self, record: ConsumerRecord[bytes | None, bytes | None]) -> int | None:
        if record.value is None or "lifecycle_control" not in dict(record.headers):
            return None
        time: int = orjson.loads(record.value)["time"]
        return time

    def _take(self, record: ConsumerRecord[bytes | None, bytes | None]) -> None:
        interaction = decode(record.value, record.timestamp, DEFAULT_BLOCKED)
        if isinstance(interaction, Rejected):
            place = self._topic, self._number, record.offset
            self.expected.dead_letters.append(Letter(*place, interaction.reason.value, record.key, record.value))
            return
        row = row_of(record.headers)
        assert not isinstance(row, Rejected)
        interaction.row = row
        if interaction.time > record.timestamp + AHEAD:
            interaction.time = record.timestamp
        key = customer_key(interaction.kind, interaction.subject)
        before = self._tally.untouched
        arrival = Arrival(interaction, self._number, record.offset)
        customer, changes = step(self._model, self.expected.customers.get(key), arrival, self._tally)
        assert customer is not None
        self._move(interaction.time)
        if self._tally.untouched == before:
            customer.offset = record.offset
            self._keep(key, customer)
        self._tell(changes, record.offset)

    def _move(self, time: int) -> None:
        self._clock = time if self._clock is None else max(self._clock, time)

    def _keep(self, key: bytes, customer: Customer | None) -> None:
        if customer is None:
            self.expected.customers.pop(key, None)
            return
        self.expected.customers[key] = customer
        time = due(self._model, customer)
        if time is not None:
            heappush(self._due, (time, key))

    def _fire(self, offset: int) -> None:
        while self._due and self._clock is not None and self._due[0][0] <= self._clock:
            time, key = heappop(self._due)
            customer = self.expected.customers.get(key)
            if customer is None or due(self._model, customer) != time:
                continue  # it moved; its new time is there too
            after, changes = step(self._model, customer, Passing(self._clock), self._tally)
            self._keep(key, after)
            self._tell(changes, offset)

    def _tell(self, changes: Sequence[StageChange], offset: int) -> None:
        source = Source(self._topic, self._number, offset)
        for change in changes:
            told: dict[str, Any] = orjson.loads(orjson.dumps(data(change, source)))
            self.expected.changes.append(told)


def expected_of(
    model: Model, topic: str, records: Mapping[int, Sequence[ConsumerRecord[bytes | None, bytes | None]]]
) -> dict[int, Expected]:
    """What each partition of the interactions topic must have led to."""
    return {number: Partition(model, topic, number).replay(each) for number, each in records.items()}
