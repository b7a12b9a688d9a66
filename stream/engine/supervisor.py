"""The partitions that this worker owns."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Hashable, Iterable, Mapping
from typing import TypeVar

from aiokafka.errors import KafkaError

from stream.engine.committed_state import MovingError, Place, Question
from stream.engine.edit_log import Edits
from stream.engine.partition import Partition
from stream.engine.partition_context import PartitionContext
from stream.engine.status import EngineStatus, PartitionState, PartitionStatus, Phase
from stream.events import Event, report
from stream.kafka.contact import Contact
from stream.kafka.membership import Membership
from stream.machine.batch import Machine

log = logging.getLogger(__name__)

T = TypeVar("T")

_FINISH_DEADLINE = 1.0
"""Seconds for a running batch when the worker ends, far longer than one lasts; else the next owner repeats it."""
_LET_GO_DEADLINE = 0.3
"""Seconds for producers to close when the worker ends; one that does not is abandoned."""


class Supervisor:
    """Owns partitions: begins, pauses and ends them as the group says, and stops at a fatal error."""

    def __init__(
        self,
        contact: Contact | None = None,
        digests: Mapping[str, str] | None = None,
        membership: Membership | None = None,
    ) -> None:
        """`digests` are those of the worker's lifecycles, for the log."""
        self.phase = Phase.WAITING_FOR_KAFKA
        self.delivery: str | None = None
        self.failure: BaseException | None = None
        self.contact = contact or Contact()
        self.membership = membership or Membership()
        self._context: PartitionContext | None = None
        self._partitions: dict[int, Partition] = {}
        self._edits = Edits(digests or {})
        self.rebalances = 0
        """Assignments that this worker got."""
        self._lapses = 0
        """Of the membership, as of the last assignment."""
        self._failed = asyncio.Event()
        self._background: set[asyncio.Future[None]] = set()

    def connect(self, delivery: str, context: PartitionContext) -> None:
        """Set how partitions reach Kafka; before the first `assign`."""
        self.delivery, self.phase, self._context = delivery, Phase.JOINING, context

    async def pause(self) -> None:
        """A rebalance begins: every partition ends its batch, and nothing is written afterwards."""
        if self.phase is Phase.RUNNING:
            self.phase = Phase.REBALANCING
        self._edits.say()
        await asyncio.gather(*(partition.pause() for partition in self._partitions.values()))

    def assign(self, numbers: Iterable[int]) -> None:
        """A rebalance ended. Does not wait: partitions fence and recover in tasks of their own.

        No heartbeat is sent while the group waits for this, so it must return at once.
        """
        assert self._context is not None, "connect() comes first"
        self._context.look_again()
        self.rebalances += 1
        if self.phase in (Phase.STOPPING, Phase.FAILED):
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
        sure, self._lapses = self.membership.lapses == self._lapses, self.membership.lapses
        self._edits.given_up(self._partitions.keys() - owned)
        for number in self._partitions.keys() - owned:
            self._partitions.pop(number).drop()
        for number in sorted(owned):
            if number not in self._partitions:
                self._partitions[number] = Partition(number, self._context, self)
            self._partitions[number].start(sure=sure)
        self.phase = Phase.RUNNING

    async def stop(self) -> None:
        """End every partition's batch and let go of all of them, within seconds, broker or no broker."""
        if self.phase is not Phase.FAILED:
            self.phase = Phase.STOPPING
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
            self.phase, self.failure = Phase.FAILED, error
            self._failed.set()

    async def wait_failed(self) -> None:
        """Returns when `fail` was called; `failure` says why."""
        await self._failed.wait()

    async def partition_count(self) -> int:
        """How many partitions the interactions topic has. Raises MovingError before the worker is connected."""
        if self._context is None:
            raise MovingError
        return (await self._context.source_topic()).partitions

    @property
    def owned(self) -> list[int]:
        """The partitions that the group gave to this worker; empty where it may not be a member any more."""
        return sorted(self._partitions) if self.membership.is_sure else []

    def owns(self, number: int) -> bool:
        """Whether the partition is one of `owned`."""
        return number in self._partitions and self.membership.is_sure

    def place_of(self, number: int, key: bytes) -> Place | None:
        """As `Partition.place_of`; raises MovingError also where another worker may have the partition by now."""
        if not self.owns(number):
            raise MovingError
        return self._partitions[number].place_of(key)

    async def ask(self, number: int, question: Question[T]) -> T:
        """As `Partition.ask`; raises MovingError also where another worker may have the partition by now."""
        partition = self._partitions.get(number)
        if partition is None:
            raise MovingError

        def asked(machine: Machine) -> T:
            if not self.membership.is_sure:  # looked at where the state is: not before a wait
                raise MovingError
            return question(machine)

        return await partition.ask(asked)

    def progress_tokens(self) -> dict[int, Hashable]:
        """By partition, something that changes wherever it gets on; those that wait for others are left out."""
        tokens = {number: partition.progress_token for number, partition in self._partitions.items()}
        return {number: token for number, token in tokens.items() if token is not None}

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
                    each.recovery.share if each.state not in (PartitionState.FENCING, PartitionState.WAITING) else 0.0,
                    each.position if each.position is not None else each.lag.position,
                    each.lag.end,
                    now - each.last_progress,
                    None if each.lag.heard_at is None else now - each.lag.heard_at,
                    each.lag.open_since,
                    None if each.blocked is None else str(each.blocked),
                    each.to_gather,
                )
                for number, each in sorted(self._partitions.items())
            ),
            self.contact.status(),
            None if self._context is None else self._context.dead_letters.status(),
            None if self._context is None else self._context.topic_partitions(),
        )

    def dead_letter_share(self) -> float:
        """Which share of the last minute's interactions became dead letters, 0 to 1."""
        return 0.0 if self._context is None else self._context.dead_letters.last_minute().share

    def machines(self) -> dict[int, Machine]:
        """The machines of the partitions that are recovered."""
        return {number: each.machine for number, each in self._partitions.items() if each.machine is not None}

    def recovered(self, number: int, machine: Machine) -> None:
        """See `Owner`; once no other partition is on its way, what the states know of edits is logged."""
        self._edits.recovered(number, machine)
        failing = (PartitionState.BACKING_OFF, PartitionState.FAILED)
        if all(each.machine is not None or each.state in failing for each in self._partitions.values()):
            self._edits.say()

    def in_background(self, work: Awaitable[None]) -> None:
        """See `Owner`."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
