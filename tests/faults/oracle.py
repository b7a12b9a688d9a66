"""What a partition's records must lead to: its interactions in order, each deadline at its time, by the core alone.

None of the engine is used: records come from the topic, and deadlines fire by a plain walk over all customers who
are due. In `stream` clock the partition's clock is the largest time seen; `wall.py` has the other one.

Lifecycles are edited in a run: the position records tell from where to where which version had the partition
(`stints.py`). Where one takes over, every customer of a former one is considered before the next interaction.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any, NamedTuple

import orjson
from aiokafka import ConsumerRecord

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.import_rows import row_of
from stream.codec.interactions import DEFAULT_BLOCKED
from stream.codec.stage_changes import ChangeSource, data
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Edit, Passing
from stream.core.model import due
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.faults.figures import Added
from tests.faults.stints import Stint, Versions
from tests.kit.decoding import decode

AHEAD = 300_000
Interaction = ConsumerRecord[bytes | None, bytes | None]
"""A record of the interactions topic."""


class Letter(NamedTuple):
    """What a dead letter says, wherever it stands."""

    topic: str
    partition: int
    offset: int
    """Of the source record."""
    reason: str
    key: bytes | None
    value: bytes | None


class Place(NamedTuple):
    """A customer at a place in its partition."""

    partition: int
    applied: int
    """Records of interactions that are applied."""
    key: bytes
    """Of the changelog."""


@dataclass
class Expected:
    """What one partition must have written."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    """Values of stage changes, in order."""
    customers: dict[bytes, Customer] = field(default_factory=dict)
    """By changelog key."""
    dead_letters: list[Letter] = field(default_factory=list)
    """In the order of their source records."""
    edits: int = 0
    """How often another version of the lifecycles took over."""
    considered: int = 0
    """Customers who were considered because of that."""
    moved_by_edits: int = 0
    duplicates: int = 0
    known: int = 0
    """Rows of imports that began again."""
    late: int = 0
    deadlines: int = 0
    states: dict[Place, set[bytes]] = field(default_factory=dict)
    """The records of those who were asked for: as they are at each place, deadlines there fired or not."""

    figures: Added = field(default_factory=lambda: Added(0))

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

    def __init__(
        self, versions: Versions, stints: Sequence[Stint], topic: str, number: int, asked: Iterable[Place] = ()
    ) -> None:
        """`asked`: of whom the record is to be kept where."""
        self.expected = Expected(figures=Added(number))
        self._asked: dict[int, list[bytes]] = {}
        for place in asked:
            self._asked.setdefault(place.applied, []).append(place.key)
        self._versions = versions
        self._stints = stints
        self._model = versions.model({})
        self._codec = versions.codec({})
        self._topic = topic
        self._number = number
        self._clock: int | None = None
        self._due: list[tuple[int, bytes]] = []
        self._former: dict[bytes, bytes] = {}
        """Records of customers whom no one touched since another version of the lifecycles had them."""
        self._step_counts = StepCounts()

    def replay(self, records: Sequence[Interaction]) -> Expected:
        """Every record in the order of the topic, in `stream` clock."""
        index = 0
        for stint in self._stints:
            self._begin(stint)
            self._note(index)
            stays = stint.end == stint.start
            self._consider(stint.start, stint.keys_at_start if stays else None)
            self._note(index)
            self._fire(stint.start, stint.keys_at_start if stays else None)
            self._note(index)
            within = [record for record in records if stint.start <= record.offset < stint.end]
            for record in within:
                tick = self._tick(record)
                if tick is None:
                    self._take(record)
                else:
                    self._move(tick)
                index += 1
                self._note(index)
                ended = record is within[-1] and stint is not self._stints[-1]
                self._fire(record.offset + 1, stint.keys_at_end if ended else None)
                self._note(index)
        return self._counted()

    def _begin(self, stint: Stint) -> None:
        """Another version takes over: customers stay as they were written until they are touched."""
        for key, customer in self.expected.customers.items():
            self._former[key] = self._codec.encode(customer)
        self.expected.figures.interactions(self._step_counts.figures)
        self._model, self._codec = self._versions.model(stint.lifecycles), self._versions.codec(stint.lifecycles)
        self.expected.customers, self._due = {}, []
        for key, value in list(self._former.items()):
            customer = self._codec.decode(key, value)
            if self._codec.header(value).current:
                del self._former[key]
                self._keep(key, customer)
            else:
                self._schedule(key, customer)

    def _consider(self, offset: int, only: Container[bytes] | None) -> None:
        """Whoever was written by a former version moves if the new one says so; `only`: of these."""
        for key in list(self._former):
            customer = self._customer(key)
            if customer is not None and customer.edited is not None and (only is None or key in only):
                assert self._clock is not None
                after, changes = step(self._model, customer, Edit(self._clock), self._step_counts)
                self._keep(key, after)
                self.expected.considered += 1
                self.expected.moved_by_edits += bool(changes)
                self._tell(changes, offset)

    def _customer(self, key: bytes) -> Customer | None:
        """A customer as it is now."""
        value = self._former.get(key)
        return self.expected.customers.get(key) if value is None else self._codec.decode(key, value)

    def _note(self, index: int) -> None:
        """Keep the records of those who were asked for at this place."""
        for key in self._asked.get(index, ()):
            customer = self.expected.customers.get(key)
            value = self._former.get(key) if customer is None else self._codec.encode(customer)
            if value is not None:
                self.expected.states.setdefault(Place(self._number, index, key), set()).add(value)

    def _counted(self) -> Expected:
        self.expected.figures.interactions(self._step_counts.figures)
        for key, value in self._former.items():
            self.expected.customers[key] = self._codec.decode(key, value)
        self.expected.edits = sum(one.lifecycles != two.lifecycles for one, two in pairwise(self._stints))
        self.expected.late = self._step_counts.late
        self.expected.duplicates = self._step_counts.duplicates
        self.expected.known = self._step_counts.known_rows
        self.expected.deadlines += len(self._step_counts.fired)
        return self.expected

    def _tick(self, record: Interaction) -> int | None:
        if record.value is None or "lifecycle_control" not in dict(record.headers):
            return None
        time: int = orjson.loads(record.value)["time"]
        return time

    def _take(self, record: Interaction) -> None:
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
        before = self._step_counts.untouched
        arrival = Arrival(interaction, self._number, record.offset)
        customer, changes = step(self._model, self._customer(key), arrival, self._step_counts)
        assert customer is not None
        self._move(interaction.time)
        if self._step_counts.untouched == before:
            customer.offset = record.offset
            self._keep(key, customer)
        self._tell(changes, record.offset)

    def _move(self, time: int) -> None:
        self._clock = time if self._clock is None else max(self._clock, time)

    def _keep(self, key: bytes, customer: Customer | None) -> None:
        self._former.pop(key, None)
        if customer is None:
            self.expected.customers.pop(key, None)
            return
        self.expected.customers[key] = customer
        self._schedule(key, customer)

    def _schedule(self, key: bytes, customer: Customer) -> None:
        time = due(self._model, customer)
        if time is not None:
            heappush(self._due, (time, key))

    def _fire(self, offset: int, only: Container[bytes] | None = None) -> None:
        """Fire what has come; `only`: of these customers, for the version was ended before it came to the others."""
        left = []
        while self._due and self._clock is not None and self._due[0][0] <= self._clock:
            time, key = heappop(self._due)
            customer = self._customer(key)
            if customer is None or due(self._model, customer) != time:
                continue  # it moved; its new time is there too
            if only is not None and key not in only:
                left.append((time, key))
                continue
            after, changes = step(self._model, customer, Passing(self._clock), self._step_counts)
            self._keep(key, after)
            self._tell(changes, offset)
        for each in left:
            heappush(self._due, each)

    def _tell(self, changes: Sequence[StageChange], offset: int) -> None:
        source = ChangeSource(self._topic, self._number, offset)
        self.expected.figures.changes(self._model, changes)
        for change in changes:
            told: dict[str, Any] = orjson.loads(orjson.dumps(data(change, source)))
            self.expected.changes.append(told)


def expected_of(
    versions: Versions,
    stints: Mapping[int, Sequence[Stint]],
    topic: str,
    records: Mapping[int, Sequence[Interaction]],
    asked: Iterable[Place] = (),
) -> dict[int, Expected]:
    """What each partition of the interactions topic must have led to; `asked`: of whom states are kept where."""
    places: dict[int, list[Place]] = {number: [] for number in records}
    for place in asked:
        places[place.partition].append(place)
    return {
        number: Partition(versions, stints[number], topic, number, places[number]).replay(each)
        for number, each in records.items()
    }
