"""What a worker and its partitions are doing, as health and metrics show it."""

from dataclasses import dataclass
from enum import StrEnum

from stream.engine.dead_letter_share import DeadLetterShare
from stream.kafka.contact import ContactStatus


class Phase(StrEnum):
    """What a worker as a whole is doing."""

    WAITING_FOR_KAFKA = "waiting for Kafka"
    JOINING = "joining"
    RUNNING = "running"
    REBALANCING = "rebalancing"
    STOPPING = "stopping"
    FAILED = "failed"


class PartitionState(StrEnum):
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


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """What one partition is doing, and how far it is."""

    partition: int
    state: PartitionState
    recovered: float
    """Share of the changelog read, 0 to 1; 1 once it runs."""
    position: int | None
    """The next offset to process, the last known one where the partition starts over; None before recovery."""
    end_offset: int | None
    """The last known end of the log, open transactions included; None before the first fetch."""
    idle_seconds: float
    """Since this partition last wrote a batch or had nothing to write."""
    lag_age_seconds: float | None = None
    """Since a broker last reported the end of the log; None before it did."""
    open_transaction_since: int | None = None
    """Since when, in epoch milliseconds, the transaction that holds up reading has been seen; None: there is none."""
    blocked_by: str | None = None
    """Which batch cannot be read, and why; None: it is not blocked."""
    to_gather: int | None = 0
    """Interactions that wait in one of several topics to be gathered, as last known; None before anything is."""

    @property
    def lag(self) -> int | None:
        """Interactions not yet processed, as last known; None before anything is."""
        if self.position is None or self.end_offset is None or self.to_gather is None:
            return None
        return max(self.end_offset - self.position, 0) + self.to_gather


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the worker is doing."""

    phase: Phase
    delivery: str | None
    """`exactly_once` or `at_least_once`; None until it is known what the broker can do."""
    partitions: tuple[PartitionStatus, ...]
    kafka: ContactStatus
    dead_letters: DeadLetterShare | None = None
    """The last minute, where more of it became dead letters than the setting `dead_letter_share` allows."""
    topic_partitions: int | None = None
    """How many partitions the topic that is processed has, as last seen; None before it was."""

    @property
    def ready(self) -> bool:
        """Kafka answers, the worker is a member of the group, and every partition that it owns runs.

        Dead letters change nothing: the worker goes on, and another one would make the same.
        """
        running = all(each.state is PartitionState.RUNNING for each in self.partitions)
        return self.kafka.up and self.phase is Phase.RUNNING and running
