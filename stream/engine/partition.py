"""The life of one partition: fence, recover, then fetch, apply and write, batch after batch.

There is one error path. Whatever goes wrong, the machine and its producer are dropped and the partition
begins again at the fence: an unknown outcome of a commit, a rival, a broker that restarts and a bug are
the same case, and memory never differs from the changelog for longer than a batch.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Hashable
from typing import Protocol, TypeVar

from aiokafka.errors import KafkaError

from stream.codec.record_block import from_offset
from stream.codec.records import SourceRecords
from stream.engine.batch_tracing import BatchSpan
from stream.engine.committed_state import CommittedState, MovingError, Place, Question
from stream.engine.companion import Inbox
from stream.engine.delivery import Delivery
from stream.engine.error_policy import ErrorPolicy, FailureKind
from stream.engine.fetch_ahead import FetchAhead
from stream.engine.partition_context import PartitionContext
from stream.engine.partition_log import PartitionLog
from stream.engine.status import PartitionState
from stream.errors import PositionError, UnreadableError
from stream.kafka.changelog import ChangelogProgress
from stream.kafka.contact import AWAY_AFTER
from stream.kafka.lag import Lag
from stream.kafka.partition_reader import FRESH_MS, Fetched, is_cancelled
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch, Machine

T = TypeVar("T")

_IDLE_WAIT = 1.0
_LEAST_WAIT = 0.001
_GATHERING_WAIT = 0.05
"""Where interactions are gathered still: only after that is it known whether there is nothing more."""
_NOT_ASSIGNED_WAIT = 0.05
_PAUSE_DEADLINE = 5.0
_CANCEL_AGAIN = 0.5
_READ_AGAIN = 5.0
"""Seconds until the next try to read what cannot be read: few things cure it, such as another leader."""


class Owner(Protocol):
    """What a partition reports to; see `stream.engine.supervisor.Supervisor`."""

    def fail(self, error: BaseException) -> None:
        """Stop the worker: `error` would only happen again."""

    def recovered(self, number: int, machine: Machine) -> None:
        """Partition `number` was recovered; its state is in `machine`."""

    def in_background(self, work: Awaitable[None]) -> None:
        """Run `work`, and wait for it a moment when the worker ends."""


class Partition:
    """One partition of the topic that a role reads, a worker interactions; owned from `start` to `drop`."""

    def __init__(self, number: int, context: PartitionContext, owner: Owner) -> None:
        self.number = number
        self.state = PartitionState.PAUSED
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
        self._log = PartitionLog(number, context.throttle, skips_gaps=context.skips_gaps)
        self._topic: SourceTopic | None = None
        self._context = context
        self._owner = owner
        self._gatherer = None if context.make_gatherer is None else context.make_gatherer(number, owner.fail)
        self._companion = context.companion
        self._inbox = Inbox()
        self._ahead = FetchAhead(self._fetch)
        """Goes on while a batch is written; only where there is a companion."""
        self._policy = ErrorPolicy()
        self._delivery: Delivery | None = None
        self.machine: Machine | None = None
        """The state; None before recovery."""
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[Batch] | None = None
        self._committed = CommittedState()
        self._is_proven = True
        """Nobody else can have written for this partition since the state was made."""

    async def ask(self, question: Question[T]) -> T:
        """As `CommittedState.ask`; raises MovingError also while the partition does not run here."""
        self._require_running()
        return await self._committed.ask(question)

    def place_of(self, key: bytes) -> Place | None:
        """As `CommittedState.place_of`; raises MovingError also while the partition does not run here."""
        self._context.turns.asked()
        self._require_running()
        return self._committed.place_of(key)

    def _require_running(self) -> None:
        if self.state not in (PartitionState.RUNNING, PartitionState.BLOCKED):
            raise MovingError

    @property
    def progress_token(self) -> Hashable | None:
        """A value that changes with progress, also where there is nothing to do; None while it waits for others."""
        if self._task is None or self.state in (PartitionState.WAITING, PartitionState.FAILED):
            return None
        return self._moves, self.recovery.position

    @property
    def shown(self) -> PartitionState:
        """The state, as others should see it: what runs where no broker answers for it does not run."""
        if self.state is not PartitionState.RUNNING or self._writing is not None:
            return self.state
        silent = time.monotonic() - max(self._answered, self.last_progress)
        return PartitionState.AWAY if silent > AWAY_AFTER else PartitionState.RUNNING

    def start(self, *, sure: bool = True) -> None:
        """Begin, or go on after `pause`; not `sure`: another worker may have had the partition meanwhile."""
        self._moves += 1
        self._is_proven = self._is_proven and sure
        self._answered = time.monotonic()  # the group did
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"partition-{self.number}")

    async def pause(self, deadline: float = _PAUSE_DEADLINE) -> None:
        """Stop; a batch under way is finished within `deadline` seconds, or abandoned.

        An exclusive owner keeps state and producer: a rival would have to fence it first, and then its
        next write fails. Without that proof everything is dropped.
        """
        if self._companion is not None:
            await self._companion.release(self.number)
        task, self._task = self._task, None
        while task is not None and not task.done():
            # More than once: `asyncio.wait_for` loses a cancellation where its future is done at that very moment, and
            # a partition that runs on would keep the worker from ever joining the group again.
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_AGAIN)
        # Only now: the task above would have begun it again.
        gathering = None if self._gatherer is None else asyncio.create_task(self._gatherer.stop())
        writing = self._writing
        if writing is not None:
            done, _ = await asyncio.wait([writing], timeout=deadline)
            self._writing = None
            if not done or writing.cancelled() or writing.exception() is not None:
                writing.cancel()
                self.drop()
        if self._inbox and self.machine is not None and self._task is None:
            await self._write_last(deadline)
        self._ahead.stop()
        if gathering is not None:
            await gathering
        if self.machine is None or self._delivery is None or not self._delivery.exclusive:
            self.drop()
        if self.state is not PartitionState.FAILED:
            self.state = PartitionState.PAUSED
        self._committed.refuse()

    async def _write_last(self, deadline: float) -> None:
        """Write what the inbox holds: what was done for the partition while it ended is known to its next owner."""
        assert self.position is not None
        writing = asyncio.create_task(self._apply((), _nothing_at(self.position), time.time_ns() // 1_000_000))
        self._writing = writing  # a worker that is told to end in a rebalance pauses it twice: both must wait for this
        done, _ = await asyncio.wait([writing], timeout=deadline)
        self._writing = None
        if not done or writing.cancelled() or writing.exception() is not None:
            writing.cancel()
            self.drop()

    def drop(self) -> None:
        """Forget state and producer; what is known of the lag stays."""
        self._ahead.stop()
        self._inbox.clear()
        if self._companion is not None:
            self._companion.dropped(self.number)
        if self.position is not None:
            self.lag.position = self.position
        delivery, self._delivery, self.machine, self.position = self._delivery, None, None, None
        self._committed.forget()
        if delivery is not None:
            self._owner.in_background(delivery.discard())

    async def _run(self) -> None:
        while True:
            try:
                topic = await self._context.source_topic()
                if self.machine is None or topic != self._topic:
                    await self._fence_and_recover(topic)
                elif not self._is_proven:
                    await self._prove()
                if self.blocked is None:
                    self.state = PartitionState.RUNNING
                await self._turn()
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                await self._start_over(KafkaError("a client of Kafka was cancelled from inside"))
            except Exception as error:  # noqa: BLE001 whatever it is, `ErrorPolicy` judges it
                await self._start_over(error)

    async def _start_over(self, error: Exception) -> None:
        """The one error path."""
        verdict = self._policy.judge(error, self.position, self._context.fenced_wait)
        self.last_error = error
        self._writing = None
        self.drop()
        self._context.observer.failed(self.number, verdict.kind)
        if verdict.fatal:
            self.state = PartitionState.FAILED
            self._owner.fail(error)
            await asyncio.Event().wait()  # until the worker stops us
        self.state = PartitionState.BACKING_OFF
        if verdict.ours:
            self._log.restarted(error)
        elif verdict.kind is FailureKind.FENCED:
            self._log.fenced()
        elif not self._context.contact.away:  # else one line speaks for all partitions
            self._log.waits(error)
        jitter = random.uniform(1.0, 1.5)  # noqa: S311 only so that partitions do not all start at once
        await asyncio.sleep(verdict.delay * jitter)

    async def _fence_and_recover(self, topic: SourceTopic) -> None:
        context = self._context
        self.drop()
        self.state = PartitionState.FENCING
        self._delivery = context.make_delivery(self.number)
        await self._delivery.start()
        machine = context.make_machine(self.number, topic)
        self.state = PartitionState.WAITING
        async with context.recovery_slots:
            self.state, self.recovery = PartitionState.RECOVERING, ChangelogProgress()
            began = time.monotonic()
            changelog = await context.read_changelog(self.number, self.recovery)
            await context.turns.drive(machine.restore(changelog), self._moved)
        if machine.next_offset is None:
            self.position = await context.source.first_offset(self.number)
        else:
            self.position = machine.next_offset
        machine.isolate(offsets=self._policy.isolated_offsets, keys=self._policy.isolated_keys)
        if self._policy.closely_until is not None:
            machine.look_closely(self._policy.closely_until)
        seconds = time.monotonic() - began
        context.observer.recovered(self.number, self.recovery.records, seconds)
        self._log.recovered(self.recovery.records, seconds, self.position)
        self.machine, self._topic, self.last_error, self._is_proven = machine, topic, None, True
        self._committed.recovered(machine)
        self._answered = time.monotonic()
        self._owner.recovered(self.number, machine)

    async def _turn(self) -> None:
        """One fetch, and batches until nothing is left at this position."""
        assert self.position is not None
        if self._gatherer is not None and self.machine is not None:
            self._gatherer.start(self.machine.gathered, self.position)
        fetched = await self._next()
        if fetched is None:
            return
        age = self.lag.hear(fetched)
        if self._gatherer is not None and not self._gatherer.done_since(time.monotonic() - (age or 0.0)):
            fetched = fetched._replace(caught_up=False)  # interactions wait in the topics that they were sent to
        if age is not None:
            self._answered = time.monotonic() - age
            self._context.contact.heard(age)
        if self.blocked is not None and (fetched.records or fetched.caught_up or fetched.next_offset > self.position):
            self.blocked, self.state = None, PartitionState.RUNNING
        if not (fetched.records or fetched.caught_up or self._begins or self._companion):
            self.position = fetched.next_offset
            self._moves += 1
            return
        # One time for all batches of this fetch: what we know of the source is as old as that.
        wall = time.time_ns() // 1_000_000
        known = wall if fetched.asked_ms is None else fetched.asked_ms + FRESH_MS
        if fetched.caught_up and known < wall:
            # We stood still, or the broker took long: what came since may wait, so deadlines since then wait, too.
            if fetched.records:
                fetched = fetched._replace(caught_up=False)
            else:
                wall = known
        records = fetched.records
        while True:
            self._writing = asyncio.create_task(self._apply(records, fetched, wall))
            batch = await asyncio.shield(self._writing)
            self._writing = None
            if not batch.more:
                return
            records = from_offset(records, batch.next_offset)

    async def _next(self) -> Fetched | None:
        """What comes next; None where it cannot be read now, which was waited for."""
        assert self.position is not None
        unreadable: UnreadableError | None = None
        fetched: Fetched | None = None
        try:
            fetched = await (self._fetch(self.position) if self._companion is None else self._fetch_or_hear())
        except UnreadableError as error:
            unreadable = error
        except PositionError as error:
            if not self._context.skips_gaps or error.nearest is None:
                raise
            self._log.gap(self.position, error.nearest)
            self.position = error.nearest
            return None
        if unreadable is not None:
            await self._wait_at(unreadable)
        elif fetched is None:  # a rebalance is under way: it will pause us
            await asyncio.sleep(_NOT_ASSIGNED_WAIT)
        return fetched

    async def _fetch(self, position: int) -> Fetched | None:
        return await self._context.source.fetch(self.number, position, self._fetch_timeout())

    async def _fetch_or_hear(self) -> Fetched | None:
        """As `_fetch`; without records where an input came by another way, or something is due: the fetch goes on."""
        assert self.position is not None
        self._ahead.begin(self.position)
        if not self._ahead.is_there:
            either = [asyncio.ensure_future(each) for each in (self._ahead.wait(), self._inbox.wait())]
            try:
                await asyncio.wait(either, timeout=self._fetch_timeout(), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in either:
                    each.cancel()
        return self._ahead.take() if self._ahead.is_there else _nothing_at(self.position)

    async def _wait_at(self, error: UnreadableError) -> None:
        """Wait at what cannot be read, and find out whether it was skipped meanwhile.

        Nothing is processed behind it, no deadline either, and everything is kept: other partitions go on. `lifecycle
        skip` moves the recorded position, and fences this partition's producer, which its next transaction notices.
        """
        assert self._delivery is not None
        assert self.position is not None
        self.blocked, self.state = error, PartitionState.BLOCKED
        if error.end is not None:
            self.lag.end, self.lag.heard_at = error.end, time.monotonic()
        self._moves += 1
        self._log.blocked(error)
        await asyncio.sleep(_READ_AGAIN)
        if self._delivery.exclusive:
            await self._prove()
        else:
            self.drop()
        self._moves += 1

    async def _prove(self) -> None:
        """Find out that nobody else wrote for this partition; raises an error where somebody did."""
        self._writing = asyncio.create_task(self._prove_ownership())
        await asyncio.shield(self._writing)
        self._writing = None
        self._is_proven = True

    async def _prove_ownership(self) -> Batch:
        """Write a transaction without news; it fails where another writer took over this partition."""
        machine = self.machine
        assert machine is not None
        assert self._delivery is not None
        assert self.position is not None
        batch = Batch(next_offset=self.position)
        self._committed.begin(self._delivery)
        await self._delivery.write(batch)
        self._commit(machine)
        return batch

    def _commit(self, machine: Machine) -> None:
        """The batch of this machine is committed, or had nothing to write."""
        self._committed.commit(machine)
        if self._companion is not None and machine is self.machine and self._is_proven and self._task is not None:
            self._companion.committed(self.number, machine, self._inbox)

    @property
    def _begins(self) -> bool:
        """Its first batch is still to come, which keeps from when on its changes are live: it waits for nothing."""
        return self.machine is not None and self.machine.next_offset is None

    def _fetch_timeout(self) -> float:
        """How long a fetch may wait for records, seconds: until the next deadline."""
        assert self.machine is not None
        if self._begins:
            return _LEAST_WAIT
        if self._gatherer is not None and not self._gatherer.done_since(time.monotonic()):
            return _GATHERING_WAIT
        due = self.machine.next_due()
        if due is None:
            return _IDLE_WAIT
        return min(max(due / 1000 - time.time(), _LEAST_WAIT), _IDLE_WAIT)

    @property
    def to_gather(self) -> int | None:
        """Interactions that wait in the topics that they were sent to; None: not known yet."""
        return 0 if self._gatherer is None else self._gatherer.lag

    async def _apply(self, records: SourceRecords, fetched: Fetched, wall: int) -> Batch:
        """Run the machine for one batch and write it; nothing is written for a batch without inputs."""
        tracing = self._context.tracing
        if tracing is None:
            return await self._process(records, fetched, wall, None)
        with tracing.batch(self.number, records) as span:
            return await self._process(records, fetched, wall, span)

    async def _process(self, records: SourceRecords, fetched: Fetched, wall: int, span: BatchSpan | None) -> Batch:
        machine = self.machine
        assert machine is not None
        assert self._delivery is not None
        began = time.monotonic()
        if self._inbox:
            machine.hear(self._inbox.take())
        self._committed.begin(self._delivery)
        run = machine.run(records, fetched.next_offset, wall=wall, caught_up=fetched.caught_up)
        batch = await self._context.turns.drive(run)
        if batch.inputs:
            ran = time.monotonic()
            if span is None:
                await self._delivery.write(batch)
            else:
                span.ran(batch)
                with span.transaction():
                    await self._delivery.write(batch)
            now = time.monotonic()
            self._commit(machine)
            self._context.observer.batch_written(self.number, batch, now - began, now - ran)
            self._context.misplaced.look(self.number, batch.counts)
            self._context.dead_letters.count(batch.counts)
            self._policy.forget_before(batch.next_offset)
            self._log.considered(batch.counts, machine.to_reconsider)
        elif batch.more:
            raise RuntimeError(f"partition {self.number}: the machine made no progress at {batch.next_offset}")
        else:
            self._commit(machine)
        self.position = batch.next_offset
        if batch.inputs or self._companion is None or fetched.heard_ms is not None:
            # Else it is a turn in which a fetch went on: it is no sign that the fetch will ever end.
            self.last_progress = time.monotonic()
            self._moves += 1
        return batch

    def _moved(self) -> None:
        self._moves += 1


def _nothing_at(position: int) -> Fetched:
    """What a fetch gives that did not end."""
    return Fetched((), position, caught_up=False, end_offset=None, log_end=None, heard_ms=None)
