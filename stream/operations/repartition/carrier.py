"""Carry all customers over, from old topics to new ones.

The state of each old partition is marked first, by its own transactional producer: from then on no worker goes on with
it, so nothing changes while it is carried over, and what broke off is completed by another run. What is half carried is
marked too, and refused by workers, until everything is there, read again and found equal.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, NamedTuple

from aiokafka import TopicPartition

from stream.codec.records import Outgoing
from stream.codec.stage_changes import split_current_key
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import kind_of
from stream.codec.state.spans import with_none_applied
from stream.core.model import Model
from stream.engine.delivery import Route, Transactional
from stream.errors import PositionError, StateError
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import count_partitions
from stream.machine.batch import Batch
from stream.operations.repartition.checksum import Checksum
from stream.operations.repartition.closed_figures import closed_rows
from stream.operations.repartition.figures import Cells, Stages, read_cells, records, rows, spread
from stream.operations.repartition.gathering import gathering, require_gatherable, to_gather
from stream.operations.repartition.marks import Old, is_marked, mark, read_partition, record_of
from stream.operations.repartition.new_states import NewStates
from stream.operations.repartition.sources import Sources, new_home, split
from stream.operations.repartition.topics import Wanted, id_of, look
from stream.operations.repartition.waiting import Copier
from stream.settings import Settings

ReportProgress = Callable[[str, float], None]
"""Called with what is done now, and the share of it that is done."""
_BYTES_AT_ONCE: Final = 2 << 20
_AROUND: Final = 100


class Outlook(NamedTuple):
    """What there is to do."""

    customers: int
    waiting: int
    """Interactions that were not processed yet, at most: each transaction counts for one more."""
    misplaced: int
    several: int
    """Customers with records in several partitions."""
    is_done: bool
    """All are carried over already: only what has arrived on the old topic since is copied."""
    is_begun: bool
    was_recreated: bool
    """The topic of interactions was deleted and created again: nothing of it was processed."""


class Carrier:
    """From the topics of `old` to those of `new`, which differ in prefix and partitions; `look` first."""

    def __init__(self, old: Settings, new: Settings, model: Model, progress: ReportProgress) -> None:
        self.sources = Sources()
        self.lost = 0
        """Offsets that retention deleted before they were copied."""
        self._old, self._new, self._model, self._progress = old, new, model, progress
        self._from, self._to = old.topics.interactions, new.topics.interactions
        self._partitions = 0
        """Of the old state; the topic of interactions may have got more, which is what stopped its workers."""
        self._figures = False
        self._firsts: dict[int, int] = {}
        self._states = NewStates(new)
        self._first_start = int(time.time() * 1_000) if old.clock == "wall" else None
        self._wanted: Wanted | None = None
        self._sums: list[Checksum] = []

    async def look(self) -> Outlook:
        """Read everything, change nothing. Raises LifecycleError where it cannot be carried over."""
        seen = await look(self._old, self._new)
        self._figures = self._old.topics.figures in seen.found
        self._wanted = Wanted(self._old, self._new, seen, figures=self._figures)
        self._partitions = seen.found[self._old.topics.customers].partitions
        require_gatherable(self._old, {name: each.partitions for name, each in seen.found.items()})
        tps = [TopicPartition(self._from, number) for number in range(seen.found[self._from].partitions)]
        self.sources.topic_id = await id_of(self._old, self._from)
        async with LogReader(self._old) as log:
            self._firsts = {tp.partition: await log.first_offset(tp) for tp in tps}
            ends = {tp.partition: await log.readable_end(tp) for tp in tps}
        for number in range(self._partitions):
            self._progress("looking at customers", number / self._partitions)
            changelog = await read_partition(self._old, number)
            self.sources.add(number, self._partitions, self._old.partitioner, changelog)
        if self._new.topics.customers in seen.found:
            await self._states.look()
        marks = {each.carried_to for each in self.sources.worked_on if each.is_carried}
        if marks - {self._to}:
            raise PositionError(
                f"the customers of {self._from} were carried over to {', '.join(sorted(map(str, marks)))} before: give "
                "the --into of then, or take it back with --back"
            )
        if self._states.finished and not marks:
            raise PositionError(
                f"topic {self._new.topics.customers} has a state that was not carried over from here: choose another "
                "--into, or delete these topics if nobody needs them"
            )
        await self._require_not_taken_back()
        if not self._states.are_finished:
            self.sources.require(self._old, self._model, self._firsts)
        waiting = self.sources.behind(self._from, ends, self._firsts)
        waiting += await to_gather(self._old, {name: each.partitions for name, each in seen.found.items()})
        known = self.sources
        return Outlook(
            customers=known.customers,
            waiting=waiting,
            misplaced=known.misplaced,
            several=len(known.chosen),
            is_done=self._states.are_finished,
            is_begun=bool(marks),
            was_recreated=known.was_recreated(self._from),
        )

    async def _require_not_taken_back(self) -> None:
        """Raises PositionError where workers may have gone on with the old topics since they were copied from."""
        if all(map(is_marked, self.sources.positions.values())) or not self._states.is_begun:
            return
        if self._states.finished or await self._states.may_have_copies():
            raise PositionError(
                f"{self._from} was taken back by --back since {self._to} was written to, or that broke off: workers "
                "may have processed what was copied. Run it with --back again, and then with another --into, or delete "
                "these new topics before if nobody needs them"
            )

    async def carry(self) -> None:
        """Do it; returns at once where it was done before.

        Raises KafkaError and the like where Kafka fails: then another run completes it. StateError: what was carried
        over is not what was there.
        """
        assert self._wanted is not None
        if self._states.are_finished:
            return
        await self._wanted.create()
        self._sums = [Checksum() for _ in range(self._new.partitions)]
        async with self._targets() as targets:
            async with self.copier() as copier:  # now no other run can write any more
                await self._states.require_unchanged()
                if not self._states.is_begun:
                    await copier.begin_anew()
            begun = self.sources.position(self._to, self._new.partitions, self._first_start)
            begun.carried_to = self._to
            layouts = [Outgoing(key, value) for key, value in self.sources.layouts.items()]
            for target in targets.values():
                await target.write(Batch(state=[*layouts, record_of(begun)], next_offset=0))
            before, after, cells = await self._carry_customers(targets)
            if self._figures:
                self._progress("figures", 0)
                new = spread(cells, before, after)
                await self._carry_figures(targets, new)
                await self._carry_closed_rows(targets, cells, new)
            await self._carry_current_stages(targets)
            async with self.copying() as copier:
                await copier.copy(lambda share: self._progress("interactions that wait", share))
                self.lost = copier.lost
            await self._check()
            await self._wanted.finish()  # before a worker may go on: then it is done, wherever it breaks off
            final = record_of(self.sources.position(self._to, self._new.partitions, self._first_start))
            for target in targets.values():
                await target.write(Batch(state=[final], next_offset=0))

    @asynccontextmanager
    async def copying(self) -> AsyncIterator[Copier]:
        """A copier, with what gathers interactions where they are sent to several old topics."""
        async with AsyncExitStack() as stack:
            copier = await stack.enter_async_context(self.copier())
            if self._old.topics.sources:
                gathered = gathering(self._old, self._begins, self.sources.positions)
                copier.before = await stack.enter_async_context(gathered)
            yield copier

    @property
    def _begins(self) -> dict[int, int]:
        """By old partition, the first interaction that was not processed."""
        return {number: self.sources.begin(number, self._from, first) for number, first in self._firsts.items()}

    def copier(self) -> Copier:
        """What copies interactions that were not processed, as long as somebody still sends to the old topic."""
        assert self._wanted is not None
        known = {number: each for number, each in self.sources.positions.items() if each is not None}
        clocks = {number: each.clock for number, each in known.items() if each.clock is not None}
        return Copier(self._old, self._new, self._begins, clocks, self._wanted.largest)

    @asynccontextmanager
    async def _targets(self) -> AsyncIterator[dict[int, Transactional]]:
        """A writer for each new partition that is not whole yet."""
        topics = self._new.topics.machine_with_figures if self._figures else self._new.topics.machine
        async with AsyncExitStack() as stack:
            targets: dict[int, Transactional] = {}
            for number in range(self._new.partitions):
                if number not in self._states.finished:
                    target = Transactional(Route(self._new, TopicPartition(self._to, number), topics))
                    stack.push_async_callback(target.discard)
                    await target.start()
                    targets[number] = target
            yield targets

    async def _carry_customers(
        self, targets: Mapping[int, Transactional]
    ) -> tuple[dict[int, Stages], dict[int, Stages], dict[int, Cells]]:
        """Customers by stage, of each old partition and of each new one, and the figures of each old one."""
        before = {number: Stages() for number in range(self._partitions)}
        after = {number: Stages() for number in range(self._new.partitions)}
        cells: dict[int, Cells] = {}
        codec = CustomerCodec(self._model)
        for layout in self.sources.layouts.values():
            codec.learn(layout)
        for number in range(self._partitions):
            self._progress("customers", number / self._partitions)
            changelog = await self._mark(number)
            cells[number] = read_cells(self._model, changelog) if self._figures else {}
            by_home = split(self.sources, number, changelog, self._old.partitioner, self._new.partitions)
            for home, customers in enumerate(by_home):
                carried = [Outgoing(key, with_none_applied(value)) for key, value in customers]
                for each in carried:
                    self._sums[home].add(each.key or b"", each.value or b"")
                if self._figures:
                    for _, value in customers:
                        stages = codec.header(value).stages
                        before[number].update(stages)
                        after[home].update(stages)
                if home in targets:
                    for part in _parts(carried):
                        await targets[home].write(Batch(state=part, next_offset=0))
        return before, after, cells

    async def _mark(self, number: int) -> dict[bytes, bytes]:
        """Let no worker go on with an old partition; returns its changelog as it is from now on."""
        looked_at = self.sources.positions[number]
        next_offset = self.sources.begin(number, self._from, self._firsts.get(number, 0))
        return await mark(
            self._old, Old(number, self._partitions, looked_at, next_offset), self._to, self.sources.generation
        )

    async def _carry_figures(self, targets: Mapping[int, Transactional], cells: Mapping[int, Cells]) -> None:
        for number, target in targets.items():
            for part in _parts(records(self._model, cells[number])):
                await target.write(Batch(state=part, next_offset=0))
            for part in _parts(rows(self._model, number, cells[number])):
                await target.write(Batch(figures=part, next_offset=0))

    async def _carry_closed_rows(
        self, targets: Mapping[int, Transactional], old: Mapping[int, Cells], new: Mapping[int, Cells]
    ) -> None:
        """Rows of days that can no longer change, which the changelogs have no more."""
        open_rows = {each.key for number, cells in old.items() for each in rows(self._model, number, cells)}
        told = {each.key or b"": each.value or b"" for n in new for each in rows(self._model, n, new[n])}
        async with LogReader(self._old) as log:
            for tp in await _partitions(self._old, self._old.topics.figures):
                into = targets.get(tp.partition % self._new.partitions)
                if into is None:
                    continue
                kept = (each for each in await _latest(log, tp) if each.key not in open_rows)
                for part in _parts(closed_rows(kept, told, new)):
                    await into.write(Batch(figures=part, next_offset=0))

    async def _carry_current_stages(self, targets: Mapping[int, Transactional]) -> None:
        into = next(iter(targets.values()))
        async with LogReader(self._old) as log:
            tps = await _partitions(self._old, self._old.topics.current_stages)
            for index, tp in enumerate(tps):
                self._progress("current stages", index / len(tps))
                for part in _parts(each for each in await _latest(log, tp) if self._is_open(each.key or b"")):
                    await into.write(Batch(latest=part, next_offset=0))

    def _is_open(self, current_key: bytes) -> bool:
        """Whether the customer belongs to a partition with which no worker has gone on."""
        customer = split_current_key(current_key)[1]
        return new_home(self._old.partitioner, customer, self._new.partitions) not in self._states.finished

    async def _check(self) -> None:
        """Raises StateError where the new topics do not hold what the old ones do."""
        for number, expected in enumerate(self._sums):
            if number in self._states.finished:
                continue
            self._progress("reading it again", number / self._new.partitions)
            found = Checksum()
            for key, value in (await read_partition(self._new, number)).items():
                if kind_of(key) is not None:
                    found.add(key, value)
            if found != expected:
                raise StateError(
                    f"topic {self._new.topics.customers}, partition {number}, holds {found.count:,} customers, and "
                    f"{expected.count:,} were carried over, or other records of them: something else writes there. "
                    "Nothing is lost: no worker goes on with these topics. Choose another --into"
                )


async def _partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    counts = await count_partitions(settings, topic)
    return [TopicPartition(topic, number) for number in range(counts[topic])]


async def _latest(log: LogReader, tp: TopicPartition) -> list[Outgoing]:
    """What a compacted partition keeps."""
    latest: dict[bytes, Outgoing] = {}
    async for fetched in log.read(tp):
        for record in fetched:
            if record.key is not None:
                latest[record.key] = Outgoing(record.key, record.value, record.headers)
    return [each for each in latest.values() if each.value is not None]


def _parts(outgoing: Iterable[Outgoing]) -> Iterable[list[Outgoing]]:
    """Of a size that one transaction takes at ease."""
    part: list[Outgoing] = []
    size = 0
    for each in outgoing:
        part.append(each)
        size += len(each.key or b"") + len(each.value or b"") + _AROUND
        if size >= _BYTES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part
