"""What a gatherer logs; a line that would repeat is written once in ten seconds."""

import logging
from collections.abc import Mapping

from stream.errors import UnreadableError
from stream.events import Event, report
from stream.kafka.log_throttle import Throttle
from stream.kafka.refusals import describe_error

log = logging.getLogger(__name__)


class GathererLog:
    """The lines about gathering one partition. `throttle` is shared by all."""

    def __init__(self, partition: int, throttle: Throttle) -> None:
        self._partition = partition
        self._throttle = throttle

    def begins(self, offsets: Mapping[str, int]) -> None:
        """Gathering begins at these offsets of its topics."""
        report(
            log.info,
            Event.GATHERING_BEGINS,
            "partition {partition}: interactions are gathered from {offsets}",
            partition=self._partition,
            offsets=dict(offsets),
        )

    def waits(self, error: BaseException) -> None:
        """Kafka could not do what was asked of it."""
        kept = self._throttle.passes("gathering waits for Kafka")
        if kept is not None:
            report(
                log.warning,
                Event.GATHERING_WAITS,
                "partition {partition}: gathering waits for Kafka: {reason}",
                partition=self._partition,
                reason=describe_error(error),
                kept_back=kept,
            )

    def blocked(self, error: UnreadableError, group: str) -> None:
        """The next interactions of a topic cannot be read."""
        kept = self._throttle.passes(f"gathering blocked {self._partition}")
        if kept is not None:
            report(
                log.error,
                Event.GATHERING_BLOCKED,
                "partition {partition}: gathering is blocked: {reason}. What lies behind it waits; when it cannot be "
                "cured, kafka-consumer-groups.sh --reset-offsets moves group {group} on, while no worker runs",
                partition=self._partition,
                reason=str(error),
                group=group,
                kept_back=kept,
            )
