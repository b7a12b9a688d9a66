"""Whether a process could know, and keep, what became of a request: from what was done to it, and nothing else."""

from collections.abc import Iterator
from math import isfinite

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

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.outages = journal.of(*_OUTAGES)
        self._rebalances = [*journal.of(*_OF_PROCESSES, "isolate"), *self.outages]

    def was_stopped(self, sender: str, at: float) -> bool:
        """Whether the process was stopped at that time or until shortly before: it may have been about to send."""
        stops = (each for each in self._journal.of("frozen") if each.of == sender)
        return any(each.began <= at <= each.ended + WOKEN for each in stops)

    def excuse(self, arrival: Arrival) -> str | None:
        """Why the result of this request may not have been committed; None: there is no reason."""
        ended = arrival.ended if isfinite(arrival.ended) else arrival.at
        until = ended + COMMIT
        for each in self._journal.of("killed"):
            if each.of == arrival.sender and each.overlaps(arrival.at, until):
                return "killed"
        for each in self._journal.of("frozen"):
            if each.of == arrival.sender and each.overlaps(arrival.at - WOKEN, until):
                return "stopped"
        for each in self._away(arrival.sender):
            if each.overlaps(arrival.at - BACK, until):
                return "cut off from Kafka"
        outlived = ended - arrival.at >= _RELEASE or not (arrival.whole or arrival.cut)
        if outlived and any(each.overlaps(arrival.at - _REBALANCE, until) for each in self._rebalances):
            return "ended in a rebalance"
        return None

    def _away(self, sender: str) -> Iterator[Happening]:
        way = self._journal.ways.get(sender)
        """When it was cut off from Kafka."""
        yield from self.outages
        yield from (each for each in self._journal.of("isolate") if each.of == way)
