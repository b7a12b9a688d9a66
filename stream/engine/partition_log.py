"""What a partition logs; a line that would repeat is written once in ten seconds."""

import logging
from typing import Final

from stream.errors import UnreadableError
from stream.events import Event, report
from stream.kafka.log_throttle import Throttle
from stream.kafka.refusals import describe_error
from stream.machine.batch import Counts, DeadlineFailed, RecordFailed

log = logging.getLogger(__name__)


_SKIP: Final = (
    "Its other interactions wait behind this; when it cannot be cured, `lifecycle skip {partition} {offset}` goes on "
    "without it"
)
_RETENTION: Final = "What stands behind it waits until it can be read, or retention has deleted it"


class PartitionLog:
    """The lines of one partition. `throttle` is shared by all: one line speaks for a broker that is away."""

    def __init__(self, partition: int, throttle: Throttle, *, skips_gaps: bool = False) -> None:
        """`skips_gaps` is as in `Role`: it decides what helps where a batch cannot be read."""
        self._partition = partition
        self._past_blocked = _RETENTION if skips_gaps else _SKIP
        self._throttle = throttle
        self._considered = self._moved = 0

    def restarted(self, error: Exception) -> None:
        """Our own code failed. What an exception of Python says may quote a record, so only its kind is logged."""
        known = isinstance(error, RecordFailed | DeadlineFailed)
        report(
            log.warning,
            Event.PARTITION_RESTARTED,
            "partition {partition} starts over: {reason}",
            exc_info=error,
            partition=self._partition,
            reason=str(error) if known else type(error).__name__,
        )
        report(
            log.debug,
            Event.PARTITION_RESTARTED_WORDS,
            "partition {partition}: what failed",
            exc_info=error,
            partition=self._partition,
        )

    def fenced(self) -> None:
        """Another writer took over the partition."""
        if self._throttle.passes("fenced") is not None:
            report(
                log.warning,
                Event.PARTITION_FENCED,
                "partition {partition} starts over: another worker, or a command, took it over meanwhile",
                partition=self._partition,
            )

    def waits(self, error: Exception) -> None:
        """Kafka could not do what was asked of it."""
        kept = self._throttle.passes("waits for Kafka")
        if kept is not None:
            report(
                log.warning,
                Event.PARTITION_WAITS,
                "partition {partition} waits for Kafka: {reason}",
                partition=self._partition,
                reason=describe_error(error),
                kept_back=kept,
            )

    def blocked(self, error: UnreadableError) -> None:
        """The next records cannot be read."""
        kept = self._throttle.passes(f"blocked {self._partition}")
        if kept is not None:
            report(
                log.error,
                Event.PARTITION_BLOCKED,
                "partition {partition} is blocked: {reason}. {remedy}",
                partition=self._partition,
                offset=error.offset,
                reason=str(error),
                remedy=self._past_blocked.format(partition=self._partition, offset=error.offset),
                kept_back=kept,
            )

    def gap(self, before: int, nearest: int) -> None:
        """The topic does not hold what should be read next."""
        report(
            log.error,
            Event.GAP_SKIPPED,
            "partition {partition}: what should be read from offset {before} on is not there any more: retention, or "
            "a broker that lost it; it goes on at {nearest}, and nothing is done for what is missing",
            partition=self._partition,
            before=before,
            nearest=nearest,
        )

    def recovered(self, records: int, seconds: float, offset: int) -> None:
        """The state was read."""
        report(
            log.info,
            Event.PARTITION_RECOVERED,
            "partition {partition}: recovered {records} records in {seconds:.2f} s, goes on at offset {offset}",
            partition=self._partition,
            records=records,
            seconds=round(seconds, 3),
            offset=offset,
        )

    def considered(self, counts: Counts, left: int) -> None:
        """A batch considered customers after an edit, `left` still have to be: logged once for all of them."""
        self._considered += counts.reconsidered
        self._moved += counts.moved_by_edit
        if self._considered and not left:
            report(
                log.info,
                Event.EDIT_APPLIED,
                "partition {partition}: lifecycles were edited: {considered} customers considered again, "
                "{moved} of them moved",
                partition=self._partition,
                considered=self._considered,
                moved=self._moved,
            )
            self._considered = self._moved = 0
