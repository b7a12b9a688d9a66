"""What the owned partitions know of customers, for those who ask: as it is committed, and from nobody but the owner."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from stream.codec.partitioners import home_of
from stream.codec.state.figures import Cell
from stream.codec.state.keys import customer_key
from stream.core import scoring
from stream.core.customer import Customer
from stream.core.interaction import Kind
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model
from stream.engine.committed_state import MovingError
from stream.engine.cooperation import Turns
from stream.engine.rankings import Rankings
from stream.engine.supervisor import Supervisor
from stream.machine.batch import Machine
from stream.machine.machine import PartitionMachine
from stream.machine.sorted_runs import Entry
from stream.machine.stage_index import StageIndex
from stream.settings import Settings

T = TypeVar("T")

_SCORED_AT_ONCE: Final = 500
_SAMPLED_AT_ONCE: Final = 10
_LOOKED_AT_ONCE: Final = 1_000
"""Entries of an index, most of which may be of customers who left."""
_FIGURES_AT_ONCE: Final = 5_000
"""Numbers, of as many days as have some more."""


class CustomerState(NamedTuple):
    """A customer as the partition's owner last committed it."""

    customer: Customer | None
    """None: there is nobody with this id."""
    partition: int
    offset: int
    """Every interaction before it is in the state, and none from it on."""
    clock: int | None
    """The partition's, epoch milliseconds: deadlines up to it have come."""


class Member(NamedTuple):
    """One customer of a stage, in the order that was asked for."""

    at: Entry
    """Where in that order; the next page begins after it."""
    customer: Customer
    clock: int


class Ranked(NamedTuple):
    """Customers of a stage in the order of a score."""

    members: list[Member]
    at: int
    """When they were put into that order, epoch milliseconds; what is shown of each is as it is now."""


FigureDay = tuple[int, dict[Cell, int]]
"""A day, counted from 1970-01-01, and what its figures were when it was read."""


class StateReader:
    """Asks the machines of this worker's partitions."""

    def __init__(self, supervisor: Supervisor, settings: Settings, model: Model) -> None:
        self.model = model
        self._supervisor, self._settings = supervisor, settings
        self._indexing: dict[int, tuple[PartitionMachine, asyncio.Task[StageIndex]]] = {}
        self._preparing: set[asyncio.Task[None]] = set()
        self._rankings = Rankings()
        self._turns = Turns()

    @property
    def owned(self) -> list[int]:
        """The partitions whose state this worker may speak for."""
        return self._supervisor.owned

    def owns(self, partition: int) -> bool:
        """Whether the partition is one of `owned`."""
        return self._supervisor.owns(partition)

    def owner(self, partition: int) -> str | None:
        """Where the partition's owner is reached; None while nobody knows."""
        return self._supervisor.membership.owners.get(partition)

    @property
    def by_owner(self) -> Mapping[int, str]:
        """By partition, where its owner is reached, as of the last assignment."""
        return self._supervisor.membership.owners

    @property
    def owners(self) -> set[str]:
        """Where all owners are reached, this worker among them."""
        return set(self._supervisor.membership.owners.values())

    @property
    def url(self) -> str:
        """Where others reach this worker."""
        return self._supervisor.membership.url

    async def partitions(self) -> int:
        """How many partitions there are. Raises MovingError while nobody knows."""
        return await self._supervisor.partition_count()

    async def home(self, subject: str) -> int:
        """The partition on which the interactions of this id are. Raises MovingError while nobody knows."""
        return home_of(self._settings.partitioner, subject.encode(), await self.partitions())

    async def customer(self, kind: Kind, subject: str, partition: int) -> CustomerState:
        """The customer with this id. Raises MovingError where the partition is not surely ours, or moves."""
        key = customer_key(kind, subject)

        def read(machine: PartitionMachine) -> CustomerState:
            return CustomerState(machine.customer(key), partition, machine.next_offset or 0, machine.clock)

        return await self._ask(partition, read)

    def customer_now(self, kind: Kind, subject: str, partition: int) -> CustomerState | None:
        """As `customer`, without waiting; None where that must be. Raises MovingError."""
        key = customer_key(kind, subject)
        place = self._supervisor.place_of(partition, key)
        if place is None:
            return None
        machine = place.machine
        assert isinstance(machine, PartitionMachine)
        return CustomerState(machine.committed_customer(key), partition, place.next_offset or 0, place.clock)

    async def stages(self, partition: int) -> dict[tuple[str, str], int]:
        """Customers by lifecycle and stage. Raises MovingError."""
        return await self._ask(partition, lambda machine: dict(machine.stages))

    async def figure_span(self, partition: int, lifecycle: str) -> tuple[int | None, int | None]:
        """The first and the latest day that have figures, which may still change. Raises MovingError."""
        return await self._ask(
            partition, lambda machine: (machine.figures.first_day(lifecycle), machine.figures.latest_day(lifecycle))
        )

    async def figures(self, partition: int, lifecycle: str, first: int, last: int) -> AsyncIterator[list[FigureDay]]:
        """The figures of the days from `first` to `last`, some thousand at a time. Raises MovingError."""
        begin = first

        def read(machine: PartitionMachine) -> list[FigureDay]:
            nonlocal begin
            taken, numbers = list[FigureDay](), 0
            for day, cells in machine.figures.days(lifecycle, begin, last):
                if day < begin:  # the day before, which comes with them
                    continue
                taken.append((day, cells.copy()))
                numbers += len(cells)
                if numbers >= _FIGURES_AT_ONCE:
                    begin = day + 1
                    return taken
            begin = last + 1
            return taken

        while begin <= last:
            yield await self._ask(partition, read)
            await asyncio.sleep(0)

    async def customers_after(self, partition: int, lifecycle: str, day: int) -> Mapping[str, int]:
        """Customers by stage at the end of a day, of a lifecycle that has figures. Raises MovingError."""

        def read(machine: PartitionMachine) -> Mapping[str, int]:
            now = {stage: count for (name, stage), count in machine.stages.items() if name == lifecycle}
            return machine.figures.customers_after(lifecycle, day, now)

        return await self._ask(partition, read)

    async def members(
        self, partition: int, lifecycle: str, stage: str, after: Entry | None, limit: int, *, latest_first: bool
    ) -> list[Member]:
        """Customers of a stage after `after`, by when they entered it. Raises MovingError."""
        await self._indexed(partition)

        def read(machine: PartitionMachine) -> list[Member]:
            store, members = machine.store, list[Member]()
            if store.indexed is None:  # another machine than the one that was indexed
                raise MovingError
            for entry in store.indexed.read(lifecycle, stage, after, latest_first=latest_first):
                entered, key = entry
                if store.stands(key, lifecycle, stage, int(entered)):
                    customer = store.customer(key)
                    assert customer is not None
                    members.append(Member(entry, customer, machine.clock or 0))
                    if len(members) == limit:
                        break
            return members

        return await self._ask(partition, read)

    async def ranked(
        self,
        partition: int,
        lifecycle: Lifecycle,
        stage: str,
        score: str,
        after: Entry | None,
        limit: int,
        *,
        largest: bool,
    ) -> Ranked:
        """Customers of a stage after `after`, by a score. Raises MovingError."""
        ranking = await self._rankings.of(
            (partition, lifecycle.id, stage, score), lambda: self._scores(partition, lifecycle, stage, score)
        )

        def read(machine: PartitionMachine) -> list[Member]:
            members: list[Member] = []
            for entry in ranking.runs.descending(after) if largest else ranking.runs.ascending(after):
                customer = machine.store.customer(entry[1])
                life = None if customer is None else customer.lives.get(lifecycle.id)
                if customer is not None and life is not None and life.stage == stage:
                    members.append(Member(entry, customer, machine.clock or 0))
                    if len(members) == limit:
                        break
            return members

        return Ranked(await self._ask(partition, read), ranking.at)

    async def _scores(self, partition: int, lifecycle: Lifecycle, stage: str, name: str) -> AsyncIterator[list[Entry]]:
        """The score of every customer of a stage, some hundred at a time, all at one time of the partition's clock."""
        [score] = [each for each in lifecycle.scores if each.name == name]
        now, after = 0, None
        while True:
            members = await self.members(partition, lifecycle.id, stage, after, _SCORED_AT_ONCE, latest_first=False)
            entries: list[Entry] = []
            for entry, customer, clock in members:
                now = now or clock
                life = customer.lives[lifecycle.id]
                entries.append((scoring.read(score, life, max(now, life.clock)), entry[1]))
            yield entries
            if len(members) < _SCORED_AT_ONCE:
                return
            after = members[-1].at
            await asyncio.sleep(0)

    async def sample(self, partition: int, lifecycle: str, stage: str, most: int) -> AsyncIterator[list[Member]]:
        """Customers of a stage, at most `most`, spread evenly over when they entered it; a few at a time.

        Raises MovingError.
        """
        await self._indexed(partition)
        entries: Iterator[Entry] | None = None
        found = set[bytes]()
        ended = False

        def read(machine: PartitionMachine) -> list[Member]:
            nonlocal entries, ended
            store, members = machine.store, list[Member]()
            if entries is None:
                if store.indexed is None:  # another machine than the one that was indexed
                    raise MovingError
                entries = store.indexed.spread(lifecycle, stage)
            for _ in range(_LOOKED_AT_ONCE):
                entry = next(entries, None)
                if entry is None:
                    ended = True
                    break
                entered, key = entry
                if key in found or not store.stands(key, lifecycle, stage, int(entered)):
                    continue
                customer = store.customer(key)
                assert customer is not None
                found.add(key)
                members.append(Member(entry, customer, machine.clock or 0))
                if len(members) == _SAMPLED_AT_ONCE or len(found) == most:
                    break
            return members

        while not ended and len(found) < most:
            yield await self._ask(partition, read)
            await asyncio.sleep(0)

    def prepare(self) -> None:
        """Begin to make the index of each owned partition that has none: somebody will soon ask who is in a stage."""
        for partition in self.owned:
            task = asyncio.create_task(self._prepare(partition))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    async def _prepare(self, partition: int) -> None:
        with contextlib.suppress(MovingError):
            await self._indexed(partition)

    async def _indexed(self, partition: int) -> None:
        """Let the partition have an index; where its own is worn, a new one is made in the background."""
        machine = await self._ask(partition, lambda machine: machine)
        store = machine.store
        if store.indexed is not None and not store.indexed.is_worn(sum(store.stages.values())):
            return
        known = self._indexing.get(partition)
        if known is None or known[0] is not machine or known[1].done():
            known = self._indexing[partition] = (machine, asyncio.create_task(self._turns.drive(store.index())))
        if store.indexed is None:
            await asyncio.shield(known[1])

    async def _ask(self, partition: int, question: Callable[[PartitionMachine], T]) -> T:
        def ask(machine: Machine) -> T:
            assert isinstance(machine, PartitionMachine)
            return question(machine)

        return await self._supervisor.ask(partition, ask)
