"""Which share of the interactions become dead letters: where it is large, a sender or a setting is wrong."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from stream.events import Event, report
from stream.machine.batch import Counts

log = logging.getLogger(__name__)

WINDOW: Final = 60.0
"""Seconds that are looked back on, and the least between two lines of log."""
LEAST: Final = 1_000
"""Interactions in the window below which a share says nothing."""


@dataclass(frozen=True, slots=True)
class DeadLetterShare:
    """The dead letters of the last minute."""

    share: float
    """Dead letters by interactions, 0 to 1; 0 where there were fewer than LEAST interactions."""
    of: int
    """Interactions processed, dead letters included."""
    reasons: dict[str, int]
    """Dead letters by reason, the most frequent first."""


@dataclass(slots=True)
class _Second:
    """What was processed within one second."""

    second: int
    interactions: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class DeadLetterWatch:
    """Counts batch by batch over the last minute, for all partitions of a worker together."""

    def __init__(self, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`limit`: the share above which something is wrong; `clock`: seconds."""
        self.limit = limit
        self._clock = clock
        self._seconds: deque[_Second] = deque()
        self._logged_at: float | None = None

    def count(self, counts: Counts) -> None:
        """A batch was written; logs an error where the share is above the limit, at most once a minute."""
        interactions = sum(counts.results.values()) - counts.ticks
        if not interactions:
            return
        now = self._clock()
        if not self._seconds or self._seconds[-1].second != int(now):
            self._seconds.append(_Second(int(now)))
        latest = self._seconds[-1]
        latest.interactions += interactions
        latest.reasons.update(counts.rejected)
        if counts.rejected and (self._logged_at is None or now - self._logged_at >= WINDOW):
            found = self.status()
            if found is not None:
                self._logged_at = now
                self._log(found)

    def last_minute(self) -> DeadLetterShare:
        """The last minute as it is now, to the second."""
        oldest = self._clock() - WINDOW
        while self._seconds and self._seconds[0].second < oldest:
            self._seconds.popleft()
        of = sum(each.interactions for each in self._seconds)
        reasons: Counter[str] = Counter()
        for each in self._seconds:
            reasons.update(each.reasons)
        share = reasons.total() / of if of >= LEAST else 0.0
        return DeadLetterShare(share, of, dict(reasons.most_common()))

    def status(self) -> DeadLetterShare | None:
        """The last minute, where its share of dead letters is above the limit; else None."""
        found = self.last_minute()
        return found if found.share > self.limit else None

    def _log(self, found: DeadLetterShare) -> None:
        report(
            log.error,
            Event.DEAD_LETTERS_MANY,
            "{share:.0%} of the {of} interactions of the last minute became dead letters (by reason: {reasons}): "
            "a sender or a setting is wrong. `lifecycle dead-letters list` shows them; once the cause is removed, "
            "`lifecycle dead-letters replay` processes them",
            share=round(found.share, 4),
            of=found.of,
            reasons=found.reasons,
        )
