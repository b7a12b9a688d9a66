"""Whether a process could know, and keep, what became of a request: from what was done to it, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator
from math import isfinite

from stream.kafka.partitioner import partition_of
from tests.faults.webhooks.journal import Arrival, Happening, Journal

COMMIT = 5_000
"""Milliseconds in which a result is committed by a process to which nothing is done."""
WOKEN = 1_500
"""Milliseconds after which a request arrived that was being sent when its process was stopped, once that goes on."""
BACK = 10_000
"""Milliseconds after which all is as before, once a broker or a network is there again."""
_RELEASE = 850
"""Milliseconds that a request has when its partition is given up, about: it is ended then, whatever becomes of it."""
_REBALANCE = 20_000
"""Milliseconds in which a process that was started, or is missed, leads to a rebalance."""
_OUTAGES = ("broker-stop", "broker-kill", "stall", "refuse")
_OF_PROCESSES = ("started", "told", "ended", "killed", "frozen")


class Fates:
    """What the journal says of processes."""

    def __init__(self, journal: Journal, partitions: int) -> None:
        self._journal, self._partitions = journal, partitions
        self.outages = journal.of(*_OUTAGES)
        self._senders: defaultdict[int, list[Arrival]] = defaultdict(list)
        for each in journal.arrivals:
            self._senders[self.partition(each)].append(each)
        self._rebalances = [*journal.of(*_OF_PROCESSES, "isolate"), *self.outages]

    def partition(self, arrival: Arrival) -> int:
        """Where the customer's deliveries wait."""
        return partition_of(arrival.id.split(":")[2].encode(), self._partitions)

    def was_stopped(self, sender: str, at: float) -> bool:
        """Whether the process was stopped at that time or until shortly before: it may have been about to send."""
        stops = (each for each in self._journal.of("frozen") if each.of == sender)
        return any(each.began <= at <= each.ended + WOKEN for each in stops)

    def excuse(self, arrival: Arrival) -> str | None:
        """Why the result of this request may not have been committed; None: there is no reason."""
        ended = arrival.ended if isfinite(arrival.ended) else arrival.at
        until = ended + COMMIT
        for each in self._journal.of("killed"):  # what it had sent may lie at a busy receiver for a while
            if each.of == arrival.sender and each.overlaps(arrival.at - WOKEN, until):
                return "killed"
        for each in self._journal.of("frozen"):
            if each.of == arrival.sender and each.overlaps(arrival.at - WOKEN, until):
                return "stopped"
        for each in self._away(arrival.sender):
            if each.overlaps(arrival.at - BACK, until):
                return "cut off from Kafka"
        if self._lost_while_fenced(arrival, until):
            return "fenced, and then it was another's"
        outlived = ended - arrival.at >= _RELEASE or not (arrival.whole or arrival.cut)
        if outlived and any(each.overlaps(arrival.at - _REBALANCE, until) for each in self._rebalances):
            return "ended in a rebalance"
        return None

    def _lost_while_fenced(self, arrival: Arrival, until: float) -> bool:
        """A rival held up the partition, and another process got it before its state was read again.

        Only then: else what became of requests is in memory, and is told to the state that is read again.
        """
        partition = self.partition(arrival)
        rivals = (each for each in self._journal.of("rival") if each.of == str(partition))
        if not any(each.overlaps(arrival.at - WOKEN, until) for each in rivals):
            return False
        later = (each for each in self._senders[partition] if arrival.at < each.at <= until)
        return any(each.sender != arrival.sender for each in later)

    def _away(self, sender: str) -> Iterator[Happening]:
        way = self._journal.ways.get(sender)
        """When it was cut off from Kafka."""
        yield from self.outages
        yield from (each for each in self._journal.of("isolate") if each.of == way)
