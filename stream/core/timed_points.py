"""Points that count for a while: `expires` of a signal, `within` of a sum (rule 23)."""

from bisect import bisect_right
from typing import Final

from mypy_extensions import i64

from stream.core.interaction import MAX_TIME
from stream.core.memory import TimedPoints

DEFAULT_KEEP: Final = 64
MAX_KEEP: Final = 256
"""The largest times that are kept at most."""

Steps = list[tuple[int, int]]
"""When something changes by the passing of time alone, and by how much; in no order."""


def empty(columns: int) -> TimedPoints:
    """No points yet."""
    return TimedPoints([], [[] for _ in range(columns)])


def keep(points: TimedPoints, time: int, amounts: list[int], clock: i64, within: int, most: int) -> int:
    """Add points at `time`, drop what is over at `clock`, and all but the largest `most` times.

    Returns how many entries were dropped though they were not over.
    """
    times = points.times
    at = bisect_right(times, time)
    times.insert(at, time)
    for column, amount in zip(points.columns, amounts, strict=True):
        column.insert(at, amount)
    over = bisect_right(times, clock - within)
    lost = max(0, len(times) - over - most)
    if over + lost:
        del times[: over + lost]
        for column in points.columns:
            del column[: over + lost]
    return lost


def sum_at(points: TimedPoints, column: int, now: i64, within: int) -> int:
    """Millionths of one column at `now`: of the points whose time is less than `within` ago."""
    times, amounts = points.times, points.columns[column]
    oldest = now - within
    total = 0
    for index in range(len(times) - 1, -1, -1):
        if times[index] <= oldest:
            break
        total += amounts[index]
    return total


def ends(points: TimedPoints, column: int, now: i64, within: int, steps: Steps) -> None:
    """Add when points of one column leave it after `now`, and what it changes by then."""
    times, amounts = points.times, points.columns[column]
    for index in range(len(times) - 1, -1, -1):
        end = times[index] + within
        if end <= now:
            break
        if end <= MAX_TIME:
            steps.append((end, -amounts[index]))


def forget(points: TimedPoints, column: int) -> None:
    """Take all points of one column away; an entry that has none left goes."""
    points.columns[column] = [0] * len(points.times)
    _drop_empty(points)


def forget_until(points: TimedPoints, column: int, time: int) -> None:
    """Take the points of one column away that are not later than `time`; an entry that has none left goes."""
    kept = points.columns[column]
    later = [0 if at <= time else amount for at, amount in zip(points.times, kept, strict=True)]
    points.columns[column] = later
    _drop_empty(points)


def unite(points: TimedPoints, other: TimedPoints, most: int) -> None:
    """Take over another record's points, and keep the largest `most` times of both."""
    order = sorted(
        [(time, 0, place) for place, time in enumerate(other.times)]
        + [(time, 1, place) for place, time in enumerate(points.times)]
    )[-most:]
    both = other.columns, points.columns
    columns = range(len(points.columns))
    points.columns = [[both[whose][column][place] for _, whose, place in order] for column in columns]
    points.times = [time for time, _, _ in order]


def _drop_empty(points: TimedPoints) -> None:
    left = [index for index in range(len(points.times)) if any(each[index] for each in points.columns)]
    points.times = [points.times[index] for index in left]
    points.columns = [[each[index] for index in left] for each in points.columns]
