"""The life of one partition: fence, recover, then fetch, apply and write, batch after batch.

There is one error path. Whatever goes wrong, the machine and its producer are dropped and the partition
begins again at the fence: an unknown outcome of a commit, a rival, a broker that restarts and a bug are
the same case, and memory never differs from the changelog for longer than a batch.
"""

import asyncio
import random
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from aiokafka.errors import KafkaError

from stream.codec.records import SourceRecord
from stream.engine.delivery import Delivery
from stream.engine.error_policy import Faults
from stream.engine.misplaced import MisplacedWarnings
from stream.engine.partition_log import PartitionLog
from stream.errors import UnreadableError
from stream.kafka.changelog import ChangelogProgress
from stream.kafka.contact import AWAY_AFTER, Contact
from stream.kafka.lag import Lag
from stream.kafka.log_throttle import Throttle
from stream.kafka.partition_reader import Fetched, is_cancelled
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch, Machine

T = TypeVar("T")

MakeMachine = Callable[[int, SourceTopic], Machine]
"""A new machine for a partition of this topic."""

_IDLE_WAIT = 1.0
_LEAST_WAIT = 0.001
_NOT_ASSIGNED_WAIT = 0.05
_PAUSE_DEADLINE = 5.0
_CANCEL_AGAIN = 0.5
_READ_AGAIN = 5.0
"""What cannot be read is seldom cured by itself: a bit that changed on its way here, or another replica that leads."""


class State(StrEnum):
    """What a partition is doing."""

    FENCING = "fencing"
    WAITING = "waiting to recover"
    RECOVERING = "recovering"
    RUNNING = "running"
    AWAY = "waiting for Kafka"
    """It would run, but no broker answers for it; as `Partition.shown` has it."""
    BLOCKED = "blocked"
    """Its next interactions cannot be read; it goes on once they can be, or are skipped."""
    BACKING_OFF = "backing off"
    PAUSED = "paused"
    FAILED = "failed"


class Observer(Protocol):
    """Hears of what partitions did; called once a batch, never once a record."""

    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        """A batch is safe in Kafka: `seconds` in all, of which `transaction_seconds` to write it."""

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        """A partition's state was read from `records` changelog records."""

    def failed(self, partition: int, kind: str) -> None:
        """A partition starts over; `kind`: `kafka`, `fenced`, `record`, `deadline`, `bug` or `fatal`."""


class Source(Protocol):
    """The interactions topic, as a member of the consumer group sees it."""

    async def fetch(self, partition: int, position: int, patience: float) -> Fetched | None:
        """As `stream.kafka.partition_reader.PartitionReader.fetch`."""

    async def first_offset(self, partition: int) -> int:
        """The earliest offset that the partition still holds."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all partitions of a worker share."""

    source: Source
    source_topic: Callable[[], Awaitable[SourceTopic]]
    """The topic as it is now, seen since the last rebalance at least."""
    make_machine: MakeMachine
    make_delivery: Callable[[int], Delivery]
    read_changelog: Callable[[int, ChangelogProgress], Awaitable[dict[bytes, bytes]]]
    observer: Observer
    recovery_slots: asyncio.Semaphore
    fail: Callable[[BaseException], None]
    """Stop the worker: this error does not pass."""
    recovered: Callable[[int, Machine], None]
    """A partition was, with this machine."""
    in_background: Callable[[Awaitable[None]], None]
    throttle: Throttle
    """Shared, so that a broker that is away costs a worker one line, not one for each partition."""
    contact: Contact
    fenced_wait: float
    """Longer than a heartbeat, so that a worker that lost the partition hears of it first."""
    misplaced: MisplacedWarnings = field(default_factory=MisplacedWarnings)
    """Shared, so that a partition that starts over does not warn again."""


class Partition:
    """One partition of the interactions topic; owned from `start` to `drop`."""

    def __init__(self, number: int, surroundings: Surroundings) -> None:
        self.number = number
        self.state = State.PAUSED
        self.recovery = ChangelogProgress()
        self.position: int | None = None
        self.lag = Lag()
        self.last_progress = time.monotonic()
        """When, by time.monotonic(), this partition last wrote a batch or had nothing to write."""
        self.last_error: BaseException | None = None
        """What it started over for; None once it runs again."""
        self._answered = time.monotonic()
        """When a broker last answered for this partition."""
        self.blocked: UnreadableError | None = None
        """What it cannot read; None once it has read on."""
        self._moves = 0
        self._log = PartitionLog(number, surroundings.throttle)
        self._topic: SourceTopic | None = None
        self._around = surroundings
        self._faults = Faults()
        self._delivery: Delivery | None = None
        self.machine: Machine | None = None
        """The state; None before recovery."""
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[Batch] | None = None

    @property
    def mark(self) -> Hashable | None:
        """Changes wherever the partition gets on, also where there is nothing to do; None: that is up to others."""
        if self._task is None or self.state in (State.WAITING, State.FAILED):
            return None
        return self._moves, self.recovery.position

    @property
    def shown(self) -> State:
        """The state, as others should see it: what runs where no broker answers for it does not run."""
        if self.state is not State.RUNNING or self._writing is not None:
            return self.state
        silent = time.monotonic() - max(self._answered, self.last_progress)
        return State.AWAY if silent > AWAY_AFTER else State.RUNNING

    def start(self) -> None:
        """Begin, or go on after `pause`."""
        self._moves += 1
        self._answered = time.monotonic()  # the group did
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"partition-{self.number}")

    async def pause(self, deadline: float = _PAUSE_DEADLINE) -> None:
        """Stop; a batch under way is finished within `deadline` seconds, or abandoned.

        An exclusive owner keeps state and producer: a rival would have to fence it first, and then its
        next write fails. Without that proof everything is dropped.
        """
        task, self._task = self._task, None
        while task is not None and not task.done():
            # More than once: `asyncio.wait_for` loses a cancellation where its future is done at that very moment, and
            # a partition that runs on would keep the worker from ever joining the group again.
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_AGAIN)
        writing, self._writing = self._writing, None
        if writing is not None:
            done, _ = await asyncio.wait([writing], timeout=deadline)
            if not done or writing.cancelled() or writing.exception() is not None:
                writing.cancel()
                self.drop()
        if self.machine is None or self._delivery is None or not self._delivery.exclusive:
            self.drop()
        if self.state is not State.FAILED:
            self.state = State.PAUSED

    def drop(self) -> None:
        """Forget state and producer; what is known of the lag stays."""
        if self.position is not None:
            self.lag.position = self.position
        delivery, self._delivery, self.machine, self.position = self._delivery, None, None, None
        if delivery is not None:
            self._around.in_background(delivery.discard())

    async def _run(self) -> None:
        while True:
            try:
                topic = await self._around.source_topic()
                if self.machine is None or topic != self._topic:
                    await self._fence_and_recover(topic)
                if self.blocked is None:
                    self.state = State.RUNNING
                await self._turn()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                await self._start_over(KafkaError("a client of Kafka was cancelled from inside"))
            except Exception as error:  # noqa: BLE001 whatever it is, `Faults` judges it
                await self._start_over(error)

    async def _start_over(self, error: Exception) -> None:
        """The one error path."""
        verdict = self._faults.judge(error, self.position, self._around.fenced_wait)
        self.last_error = error
        self._writing = None
        self.drop()
        self._around.observer.failed(self.number, verdict.kind)
        if verdict.fatal:
            self.state = State.FAILED
            self._around.fail(error)
            await asyncio.Event().wait()  # until the worker stops us
        self.state = State.BACKING_OFF
        if verdict.ours:
            self._log.restarted(error)
        elif verdict.kind == "fenced":
            self._log.fenced()
        elif not self._around.contact.away:  # else one line speaks for all partitions
            self._log.waits(error)
        jitter = random.uniform(1.0, 1.5)  # noqa: S311 only so that partitions do not come back as one
        await asyncio.sleep(verdict.delay * jitter)

    async def _fence_and_recover(self, topic: SourceTopic) -> None:
        around = self._around
        self.drop()
        self.state = State.FENCING
        self._delivery = around.make_delivery(self.number)
        await self._delivery.start()
        machine = around.make_machine(self.number, topic)
        self.state = State.WAITING
        async with around.recovery_slots:
            self.state, self.recovery = State.RECOVERING, ChangelogProgress()
            began = time.monotonic()
            changelog = await around.read_changelog(self.number, self.recovery)
            await _drive(machine.restore(changelog), self._moved)
        if machine.next_offset is None:
            self.position = await around.source.first_offset(self.number)
        else:
            self.position = machine.next_offset
        machine.isolate(offsets=self._faults.isolated_offsets, keys=self._faults.isolated_keys)
        if self._faults.closely_until is not None:
            machine.look_closely(self._faults.closely_until)
        seconds = time.monotonic() - began
        around.observer.recovered(self.number, self.recovery.records, seconds)
        self._log.recovered(self.recovery.records, seconds, self.position)
        self.machine, self._topic, self.last_error = machine, topic, None
        self._answered = time.monotonic()
        around.recovered(self.number, machine)

    async def _turn(self) -> None:
        """One fetch, and batches until nothing is left at this position."""
        assert self.position is not None
        unreadable: UnreadableError | None = None
        fetched: Fetched | None = None
        try:
            fetched = await self._around.source.fetch(self.number, self.position, self._patience())
        except UnreadableError as error:
            unreadable = error
        if unreadable is not None:
            await self._stand_before(unreadable)
            return
        if fetched is None:  # a rebalance is under way: it will pause us
            await asyncio.sleep(_NOT_ASSIGNED_WAIT)
            return
        age = self.lag.hear(fetched)
        if age is not None:
            self._answered = time.monotonic() - age
            self._around.contact.heard(age)
        if self.blocked is not None and (fetched.records or fetched.caught_up or fetched.next_offset > self.position):
            self.blocked, self.state = None, State.RUNNING
        if not fetched.records and not fetched.caught_up:
            self.position = fetched.next_offset
            self._moves += 1
            return
        # One time for all batches of this fetch: what we know of the source is as old as that.
        wall = time.time_ns() // 1_000_000
        records = fetched.records
        while True:
            self._writing = asyncio.create_task(self._apply(records, fetched, wall))
            batch = await asyncio.shield(self._writing)
            self._writing = None
            if not batch.more:
                return
            records = records[bisect_left(records, batch.next_offset, key=_offset) :]

    async def _stand_before(self, error: UnreadableError) -> None:
        """Wait before what cannot be read, and find out whether it was skipped meanwhile.

        Nothing is processed behind it, no deadline either, and everything is kept: other partitions go on. `lifecycle
        skip` moves the recorded position, and fences this partition's producer, which its next transaction notices.
        """
        assert self._delivery is not None
        assert self.position is not None
        self.blocked, self.state = error, State.BLOCKED
        if error.end is not None:
            self.lag.end, self.lag.heard_at = error.end, time.monotonic()
        self._moves += 1
        self._log.blocked(error)
        await asyncio.sleep(_READ_AGAIN)
        if self._delivery.exclusive:
            self._writing = asyncio.create_task(self._prove_ownership())
            await asyncio.shield(self._writing)
            self._writing = None
        else:
            self.drop()
        self._moves += 1

    async def _prove_ownership(self) -> Batch:
        """Write a transaction that says nothing new; it fails where another writer came for this partition."""
        assert self._delivery is not None
        assert self.position is not None
        batch = Batch(next_offset=self.position)
        await self._delivery.write(batch)
        return batch

    def _patience(self) -> float:
        """How long a fetch may wait for records, seconds: until the next deadline."""
        assert self.machine is not None
        due = self.machine.next_due()
        if due is None:
            return _IDLE_WAIT
        return min(max(due / 1000 - time.time(), _LEAST_WAIT), _IDLE_WAIT)

    async def _apply(self, records: Sequence[SourceRecord], fetched: Fetched, wall: int) -> Batch:
        """Run the machine for one batch and write it; nothing is written for a batch without inputs."""
        assert self.machine is not None
        assert self._delivery is not None
        began = time.monotonic()
        run = self.machine.run(records, fetched.next_offset, wall=wall, caught_up=fetched.caught_up)
        batch = await _drive(run)
        if batch.inputs:
            ran = time.monotonic()
            await self._delivery.write(batch)
            now = time.monotonic()
            self._around.observer.batch_written(self.number, batch, now - began, now - ran)
            self._around.misplaced.look(self.number, batch.counts)
            self._faults.forget_before(batch.next_offset)
            self._log.considered(batch.counts, self.machine.to_reconsider)
        elif batch.more:
            raise RuntimeError(f"partition {self.number}: the machine made no progress at {batch.next_offset}")
        self.position = batch.next_offset
        self.last_progress = time.monotonic()
        self._moves += 1
        return batch

    def _moved(self) -> None:
        self._moves += 1


def _offset(record: SourceRecord) -> int:
    return record.offset


async def _drive(work: Generator[None, None, T], breath: Callable[[], None] | None = None) -> T:
    """Run a generator to its end, and let the event loop breathe at each of its yields."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        if breath is not None:
            breath()
        await asyncio.sleep(0)
