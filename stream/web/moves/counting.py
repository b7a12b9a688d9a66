"""Moves from stage to stage, counted by when they happened: memory stays bounded, however many there are.

For each time that can be asked for there are some dozens of buckets, each of as many milliseconds. What is counted is
exact; the time that it is counted over begins with a bucket, which is up to one bucket before the time asked for.
"""

from typing import Final, NamedTuple

from stream.core.interaction import MIN_TIME
from stream.web.moves.lengths import EMPTY, tally_of

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
MOST_MOVES: Final = 256
"""Kinds of moves; more are not counted. Each that happens all the time takes a third of a megabyte."""

Stages = tuple[str | None, str | None]
"""From and to; None: the life began, or ended."""


class Within(NamedTuple):
    """A time that can be asked for, in milliseconds."""

    length: int
    bucket: int


WITHIN: Final[dict[str, Within]] = {
    "1d": Within(_DAY, 30 * _MINUTE),
    "1m": Within(_MINUTE, _SECOND),
    "1h": Within(_HOUR, _MINUTE),
    "7d": Within(7 * _DAY, 6 * _HOUR),
    "30d": Within(30 * _DAY, _DAY),
    "90d": Within(90 * _DAY, _DAY),
}
"""By name; the first is what is meant where none is given."""


class Moved:
    """Those who moved from one stage to another."""

    __slots__ = ("count", "stayed")

    def __init__(self, count: int = 0, stayed: int = EMPTY) -> None:
        self.count = count
        self.stayed = stayed
        """How long they were in the stage that they left: see `lengths`."""

    def add(self, other: "Moved") -> None:
        """These, too."""
        self.count += other.count
        self.stayed += other.stayed


class Counted(NamedTuple):
    """The moves of one lifecycle over a time."""

    since: int
    """Epoch milliseconds, the first that counts."""
    moves: dict[Stages, Moved]


class MoveCounts:
    """Counts moves; times are epoch milliseconds."""

    def __init__(self) -> None:
        reaches: dict[int, int] = {}
        for each in WITHIN.values():
            reaches[each.bucket] = max(each.length, reaches.get(each.bucket, 0))
        self._rings = {bucket: _Ring(bucket, reach) for bucket, reach in reaches.items()}
        self._kinds: dict[tuple[str, Stages], int] = {}
        """By lifecycle and stages a number, 0, 1, 2…"""
        self.latest: int | None = None
        """The time of the latest move."""
        self.left_out = False
        """There are more kinds of moves than are counted."""

    def come_to(self, now: int) -> None:
        """Nothing before what can be asked for at `now` is wanted any more."""
        for ring in self._rings.values():
            ring.come_to(now)

    def add(self, lifecycle: str, stages: Stages, at: int, entered: int | None) -> None:
        """Somebody moved at `at`, who had entered the stage before at `entered`."""
        kind = self._kinds.get((lifecycle, stages))
        if kind is None:
            kind = len(self._kinds)
            if kind == MOST_MOVES:
                self.left_out = True
                return
            self._kinds[lifecycle, stages] = kind
        if self.latest is None or at > self.latest:
            if self.latest is None or at // _SECOND > self.latest // _SECOND:  # each bucket is some seconds
                self.come_to(at)
            self.latest = at
        stayed = EMPTY if entered is None else tally_of(at - entered)
        for ring in self._rings.values():
            if at >= ring.since:
                ring.add(kind, at, stayed)

    def within(self, name: str, lifecycle: str, until: int) -> Counted:
        """The moves of a lifecycle from the time with this name before `until` on, up to and with it."""
        length, bucket = WITHIN[name]
        first, last = (until - length) // bucket, until // bucket
        found = self._rings[bucket].read(first, last)
        moves = {stages: found[kind] for (of, stages), kind in self._kinds.items() if of == lifecycle and kind in found}
        return Counted(first * bucket, moves)


class _Ring:
    """Buckets of one length, as many as reach far enough back from the latest time."""

    def __init__(self, bucket: int, reach: int) -> None:
        self._bucket, self._reach = bucket, reach
        self.since = MIN_TIME
        """Moves before this time have no bucket."""
        self._buckets: dict[int, dict[int, Moved]] = {}
        """By number: that of a time is the time in lengths of a bucket. Each by kind of move."""

    def come_to(self, now: int) -> None:
        """Let go of what is too old at `now`."""
        first = (now - self._reach) // self._bucket
        since = first * self._bucket
        if since > self.since:
            self.since = since
            for old in [each for each in self._buckets if each < first]:
                del self._buckets[old]

    def add(self, kind: int, at: int, stayed: int) -> None:
        """Count a move that is not too old."""
        bucket = self._buckets.setdefault(at // self._bucket, {})
        moved = bucket.get(kind)
        if moved is None:
            bucket[kind] = Moved(1, stayed)
        else:
            moved.count += 1
            moved.stayed += stayed

    def read(self, first: int, last: int) -> dict[int, Moved]:
        """What is in the buckets from the first to the last, by kind of move."""
        found: dict[int, Moved] = {}
        for number, bucket in self._buckets.items():
            if first <= number <= last:
                for kind, moved in bucket.items():
                    found.setdefault(kind, Moved()).add(moved)
        return found
