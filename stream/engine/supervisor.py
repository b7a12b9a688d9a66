"""The partitions that this worker owns."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aiokafka.errors import KafkaError

from stream.engine.delivery import Delivery
from stream.engine.edit_log import Edits
from stream.engine.partition import MakeMachine, Observer, Partition, Source, State, Surroundings
from stream.events import Event, report
from stream.kafka.changelog import ChangelogProgress
from stream.kafka.contact import Contact, ContactStatus
from stream.kafka.log_throttle import Throttle
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Machine

log = logging.getLogger(__name__)

_RECOVERIES_AT_ONCE = 4
_FINISH_DEADLINE = 1.0
"""For a running batch when the worker ends, dozens of times what one takes; who has the partition next does it anew."""
_LET_GO_DEADLINE = 0.3
"""For producers to take their leave when the worker ends; one that does not is as good as killed."""


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """What one partition is doing."""

    partition: int
    state: State
    recovered: float
    """Share of the changelog read, 0 to 1; 1 once it runs."""
    position: int | None
    """The next offset to take, the last known one where the partition starts over; None before recovery."""
    end_offset: int | None
    """The end of the log, as last heard, behind transactions that are open, too; None before the first fetch."""
    idle_seconds: float
    """Since this partition last wrote a batch or had nothing to write."""
    lag_age_seconds: float | None = None
    """Since a broker last said where the log ends; None before it did."""
    open_transaction_since: int | None = None
    """Since when, in epoch milliseconds, the transaction that holds up reading has been seen; None: there is none."""
    blocked_by: str | None = None
    """Which batch cannot be read, and why; None: it is not blocked."""

    @property
    def lag(self) -> int | None:
        """Interactions not yet taken, as last known; None before anything is."""
        if self.position is None or self.end_offset is None:
            return None
        return max(self.end_offset - self.position, 0)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the worker is doing."""

    phase: str
    """`waiting for Kafka`, `joining`, `running`, `rebalancing`, `stopping` or `failed`."""
    delivery: str | None
    """`exactly_once` or `at_least_once`; None until the broker told what it can."""
    partitions: tuple[PartitionStatus, ...]
    kafka: ContactStatus

    @property
    def ready(self) -> bool:
        """Kafka answers, the worker is a member of the group, and every partition that it owns runs."""
        running = all(each.state is State.RUNNING for each in self.partitions)
        return self.kafka.up and self.phase == "running" and running


class SourceTopics(Protocol):
    """Knows the interactions topic; see `stream.kafka.topic_monitor.TopicMonitor`."""

    async def source(self) -> SourceTopic:
        """The topic, seen since `look_again`."""

    def look_again(self) -> None:
        """What was seen until now may be old."""


class Engine:
    """Owns partitions: begins, pauses and ends them as the group says, and stops at a fatal error."""

    def __init__(
        self,
        make_machine: MakeMachine,
        observer: Observer,
        *,
        fenced_wait: float,
        contact: Contact | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """`digests` are those of the worker's lifecycles, for the log."""
        self.phase = "waiting for Kafka"
        self.delivery: str | None = None
        self.failure: BaseException | None = None
        self._make_machine, self._observer, self._fenced_wait = make_machine, observer, fenced_wait
        self.contact = contact or Contact()
        self._surroundings: Surroundings | None = None
        self._topic_monitor: SourceTopics | None = None
        self._partitions: dict[int, Partition] = {}
        self._edits = Edits(digests or {})
        self.rebalances = 0
        """Assignments that were taken."""
        self._failed = asyncio.Event()
        self._background: set[asyncio.Future[None]] = set()

    def connect(
        self,
        delivery: str,
        *,
        source: Source,
        topic_monitor: SourceTopics,
        make_delivery: Callable[[int], Delivery],
        read_changelog: Callable[[int, ChangelogProgress], Awaitable[dict[bytes, bytes]]],
    ) -> None:
        """Say how to reach Kafka; before the first `assign`."""
        self.delivery, self.phase = delivery, "joining"
        self._topic_monitor = topic_monitor
        self._surroundings = Surroundings(
            source=source,
            source_topic=topic_monitor.source,
            make_machine=self._make_machine,
            make_delivery=make_delivery,
            read_changelog=read_changelog,
            observer=self._observer,
            recovery_slots=asyncio.Semaphore(_RECOVERIES_AT_ONCE),
            fail=self.fail,
            recovered=self._recovered,
            in_background=self._in_background,
            throttle=Throttle(),
            contact=self.contact,
            fenced_wait=self._fenced_wait,
        )

    async def pause(self) -> None:
        """A rebalance begins: every partition ends its batch, and nothing is written afterwards."""
        if self.phase == "running":
            self.phase = "rebalancing"
        self._edits.say()
        await asyncio.gather(*(partition.pause() for partition in self._partitions.values()))

    def assign(self, numbers: Iterable[int]) -> None:
        """A rebalance ended. Does not wait: partitions fence and recover in tasks of their own.

        No heartbeat is sent while the group waits for this, so it must return at once.
        """
        assert self._surroundings is not None, "connect() comes first"
        assert self._topic_monitor is not None
        self._topic_monitor.look_again()
        self.rebalances += 1
        if self.phase in ("stopping", "failed"):
            return
        owned = set(numbers)
        report(
            log.info,
            Event.PARTITIONS_ASSIGNED,
            "this worker has partitions {partitions}: added {added}, given up {given_up}",
            partitions=sorted(owned),
            added=sorted(owned - self._partitions.keys()),
            given_up=sorted(self._partitions.keys() - owned),
        )
        self._edits.given_up(self._partitions.keys() - owned)
        for number in self._partitions.keys() - owned:
            self._partitions.pop(number).drop()
        for number in sorted(owned):
            if number not in self._partitions:
                self._partitions[number] = Partition(number, self._surroundings)
            self._partitions[number].start()
        self.phase = "running"

    async def stop(self) -> None:
        """End every partition's batch and let go of all of them, within seconds, broker or no broker."""
        if self.phase != "failed":
            self.phase = "stopping"
        await asyncio.gather(*(partition.pause(_FINISH_DEADLINE) for partition in self._partitions.values()))
        self._edits.say()
        if self._partitions:
            report(
                log.info,
                Event.PARTITIONS_GIVEN_UP,
                "the worker ends: given up partitions {partitions}",
                partitions=sorted(self._partitions),
            )
        for partition in self._partitions.values():
            partition.drop()
        self._partitions.clear()
        if self._background:
            await asyncio.wait(self._background, timeout=_LET_GO_DEADLINE)

    def fail(self, error: BaseException) -> None:
        """Stop the worker: `error` would only happen again."""
        if self.failure is None:
            self.phase, self.failure = "failed", error
            self._failed.set()

    async def wait_failed(self) -> None:
        """Returns when `fail` was called; `failure` says why."""
        await self._failed.wait()

    def marks(self) -> dict[int, Hashable]:
        """By partition, something that changes wherever it gets on; those that wait for others are left out."""
        marks = {number: partition.mark for number, partition in self._partitions.items()}
        return {number: mark for number, mark in marks.items() if mark is not None}

    def stands(self, number: int) -> str:
        """Where a partition stands, in words."""
        partition = self._partitions[number]
        last = partition.last_error
        error = "" if last is None else f", last error {last if isinstance(last, KafkaError) else type(last).__name__}"
        return f"partition {number} ({partition.state}, next offset {partition.position}{error})"

    def status(self) -> EngineStatus:
        """A snapshot, cheap enough for every health probe."""
        now = time.monotonic()
        return EngineStatus(
            self.phase,
            self.delivery,
            tuple(
                PartitionStatus(
                    number,
                    each.shown,
                    each.recovery.share if each.state not in (State.FENCING, State.WAITING) else 0.0,
                    each.position if each.position is not None else each.lag.position,
                    each.lag.end,
                    now - each.last_progress,
                    None if each.lag.heard_at is None else now - each.lag.heard_at,
                    each.lag.open_since,
                    None if each.blocked is None else str(each.blocked),
                )
                for number, each in sorted(self._partitions.items())
            ),
            self.contact.status(),
        )

    def machines(self) -> dict[int, Machine]:
        """The machines of the partitions that are recovered."""
        return {number: each.machine for number, each in self._partitions.items() if each.machine is not None}

    def _recovered(self, number: int, machine: Machine) -> None:
        """One more partition was; once it was the last that is on its way, what they know of edits is said."""
        self._edits.recovered(number, machine)
        failing = (State.BACKING_OFF, State.FAILED)
        if all(each.machine is not None or each.state in failing for each in self._partitions.values()):
            self._edits.say()

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
