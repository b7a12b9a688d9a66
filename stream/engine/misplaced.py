"""Warn of customers whose interactions lie on other partitions than their own."""

import logging

from stream.events import Event, report
from stream.machine.batch import Counts

log = logging.getLogger(__name__)


class MisplacedWarnings:
    """Warns once of each partition, for as long as this is kept: what goes on is a metric's to show."""

    def __init__(self) -> None:
        self._warned: set[int] = set()

    def look(self, partition: int, counts: Counts) -> None:
        """A batch of this partition was written; no key and no id is logged."""
        if not counts.misplaced or partition in self._warned:
            return
        self._warned.add(partition)
        report(
            log.warning,
            Event.INTERACTIONS_MISPLACED,
            "partition {partition} has interactions ({interactions} so far) of customers that belong on another "
            "partition; a customer on several partitions has a life on each. Likely cause: {cause}. "
            "The metric lifecycle_misplaced_interactions counts them",
            partition=partition,
            interactions=counts.misplaced,
            cause=counts.misplaced_cause,
        )
