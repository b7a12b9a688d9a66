"""How many interactions each source may send: a bucket that fills at its rate, and holds what some seconds bring."""

import time
from collections.abc import Callable
from typing import Final

from stream.web.collector.answers import Refused
from stream.web.collector.write_keys import Source

BURST: Final = 5.0
"""Seconds: after a pause a source may send at once what it may send in so many."""


class Rates:
    """The buckets of all sources, of this process alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds from wherever it likes."""
        self._clock = clock
        self._buckets: dict[tuple[str, float], tuple[float, float]] = {}
        """By source and rate: what is left, and when that was so."""

    def charge(self, source: Source, interactions: int) -> None:
        """Let a source send so many, or raise Refused, 429.

        A request is taken whole where anything is left: what it takes beyond that, the next ones wait for.
        """
        rate = source.rate
        if rate is None:
            return
        now, full = self._clock(), max(rate * BURST, 1.0)
        left, since = self._buckets.get((source.name, rate), (full, now))
        left = min(full, left + (now - since) * rate)
        if left < 1.0:
            self._buckets[source.name, rate] = left, now
            raise Refused(
                429,
                "rate_exceeded",
                f"the source {source.name!r} may send {rate:g} interactions a second",
                retry_after=(1.0 - left) / rate,
            )
        self._buckets[source.name, rate] = left - interactions, now
