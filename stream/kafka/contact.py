"""Whether Kafka answers, and since when it does or does not: for health, metrics and the log.

Any answer to a client of ours counts; the topic monitor asks every second, so that a worker without partitions hears
from Kafka, too. A network that holds its connections open and answers nothing is as away as a broker that is gone.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream.core.times import format_time
from stream.events import Event, report
from stream.kafka.log_throttle import INTERVAL, Throttle

log = logging.getLogger(__name__)

AWAY_AFTER = 4.0
"""Seconds without an answer. A broker that elects a leader or collects garbage is quiet for less; and whoever probes
health must see within five seconds that Kafka is away."""
_FROZEN = 3.0
"""Seconds between two looks after which this process, not Kafka, was away: a second is usual."""
_SILENT_LOOKS = 3
"""Before them it may be Kafka as a whole that goes away: of that the topic monitor may have heard a second later."""


@dataclass(frozen=True, slots=True)
class ContactStatus:
    """What is known of Kafka at one moment."""

    up: bool
    """It answered within the last four seconds."""
    since: int
    """Since when that is so, epoch milliseconds: the last answer where it is away, the first one where it is up; the
    start of this process where there was none yet."""
    seconds_since_answer: float | None
    """None before the first answer."""


class Contact:
    """Remembers when Kafka last answered. `clock` counts seconds from wherever it likes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._up_since = clock()
        self._last: float | None = None
        self.silence = 0.0
        """Seconds that the silence before `up_since` lasted."""

    def heard(self, age: float = 0.0) -> None:
        """Kafka answered `age` seconds ago."""
        at = self._clock() - age
        if self._last is not None and at <= self._last:
            return
        if self._last is None or at - self._last > AWAY_AFTER:
            self.silence = at - (self._up_since if self._last is None else self._last)
            self._up_since = at
        self._last = at

    @property
    def away(self) -> bool:
        """Nothing was heard for too long, or nothing yet."""
        return self._last is None or self._clock() - self._last > AWAY_AFTER

    def up_for(self, seconds: float) -> bool:
        """It answers, and did so for so long already."""
        return not self.away and self._clock() - self._up_since >= seconds

    def status(self) -> ContactStatus:
        """As it is now."""
        away, now = self.away, self._clock()
        since = self._last if away and self._last is not None else self._up_since
        return ContactStatus(
            up=not away,
            since=round((time.time() - (now - since)) * 1000),
            seconds_since_answer=None if self._last is None else now - self._last,
        )


class ContactLog:
    """Logs in our words that Kafka is away, once in ten seconds, and once that it is back."""

    def __init__(self, contact: Contact, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._contact, self._host, self._clock = contact, host, clock
        self._throttle = Throttle(INTERVAL, clock)
        self._looked_at: float | None = None
        self._said_away = False
        self._silent_looks = 0

    def look(self, waiting: int, silent: Sequence[int]) -> None:
        """To be called every second.

        `waiting` partitions are owned, of which the numbers in `silent` hear nothing from their own brokers.
        """
        now, before = self._clock(), self._looked_at
        self._looked_at = now
        if before is not None and now - before > _FROZEN:
            return
        self._silent_looks = self._silent_looks + 1 if silent else 0
        if self._contact.away:
            self._say_away(waiting)
        elif self._said_away:
            self._said_away = False
            report(
                log.warning,
                Event.KAFKA_BACK,
                "Kafka answers again after {seconds} s",
                seconds=round(self._contact.silence),
            )
        elif self._silent_looks >= _SILENT_LOOKS and self._throttle.passes("silent") is not None:
            report(
                log.warning,
                Event.PARTITIONS_UNANSWERED,
                "Kafka at {bootstrap} answers, but no broker that leads these partitions does: {partitions}",
                bootstrap=self._host,
                partitions=list(silent),
            )

    def _say_away(self, waiting: int) -> None:
        self._said_away = True
        if self._throttle.passes("away") is None:
            return
        report(
            log.warning,
            Event.KAFKA_SILENT,
            "Kafka at {bootstrap} does not answer since {since}; partitions that wait: {waiting}",
            bootstrap=self._host,
            since=format_time(self._contact.status().since),
            waiting=waiting,
        )
