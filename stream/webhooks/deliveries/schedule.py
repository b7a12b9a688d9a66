"""When a delivery that failed is tried again: the schedule of Standard Webhooks 1.0, with jitter."""

from typing import Final

from xxhash import xxh3_64_intdigest

_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000
DELAYS: Final = (
    0,
    5 * _SECOND,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Milliseconds before each attempt, counted from the one before."""
JITTER: Final = 0.2
"""The share of a delay by which it is lengthened at most, so that what failed together is not tried again together."""
FAILING_FOR: Final = 5 * 24 * _HOUR
"""An endpoint at which every attempt failed for so long is disabled."""


def next_due(event_id: str, endpoint: str, attempts: int, at: int) -> int | None:
    """When the attempt after `attempts` failed ones is due, epoch milliseconds; None: there is no further one.

    `at` is when the last one failed. The jitter is drawn from what is given, so that it is the same when it is computed
    again.
    """
    if attempts >= len(DELAYS):
        return None
    drawn = xxh3_64_intdigest(f"{endpoint}\0{event_id}\0{attempts}".encode()) / (1 << 64)
    return at + round(DELAYS[attempts] * (1 + JITTER * drawn))
