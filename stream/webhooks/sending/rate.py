"""How many requests a second an endpoint gets: a token bucket, without a clock of its own."""

from typing import Final

_BURST: Final = 0.05
"""Seconds: what may be sent at once is what comes in so long, and at least one request."""


class RateLimit:
    """At most `rate` requests in any second, those of a burst among them.

    What did not go out in a quiet time is not made up for: after it no more than a twentieth of a second's requests go
    out at once. A rate below 1 spaces requests: 0.5 is one in two seconds.
    """

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, rate: float) -> None:
        """`rate`: more than 0."""
        self._burst = max(1.0, rate * _BURST)
        # The burst and what comes back behind it are one second's requests together.
        self._per_second = rate - (self._burst - 1.0) if rate > 1.0 else rate
        self._tokens = self._burst
        self._at: float | None = None

    def take(self, now: float, requests: int = 1) -> float:
        """Seconds to wait until so many requests may be sent; 0.0 where they may now, and are counted.

        `now`: seconds of a clock that never goes back. More than may go out at once go once the bucket is full, and
        what comes after them waits the longer.
        """
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        wanted = min(float(requests), self._burst)
        if self._tokens < wanted - 1e-9:
            return (wanted - self._tokens) / self._per_second
        self._tokens -= requests
        return 0.0

    def owe(self, requests: int) -> None:
        """So many more went out with the last one; what comes after them waits the longer."""
        self._tokens -= requests
