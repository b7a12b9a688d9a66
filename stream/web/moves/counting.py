"""Moves from stage to stage, counted by when they happened: memory stays bounded, however many there are.

For each time that can be asked for there are some dozens of buckets, each of as many milliseconds. What is counted is
exact; the time that it is counted over begins with a bucket, which is up to one bucket before the time asked for.
"""

from typing import Final, NamedTuple

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
        self._kinds: set[tuple[str, Stages]] = set()
        self.latest: int | None = None
        """The time of the latest move."""
        self.left_out = False
        """There are more kinds of moves than are counted."""

    def add(self, lifecycle: str, stages: Stages, at: int, entered: int | None) -> None:
        """Somebody moved at `at`, who had entered the stage before at `entered`."""
        kind = lifecycle, stages
        if kind not in self._kinds:
            if len(self._kinds) == MOST_MOVES:
                self.left_out = True
                return
            self._kinds.add(kind)
        if self.latest is None or at > self.latest:
            self.latest = at
        stayed = EMPTY if entered is None else tally_of(at - entered)
        for ring in self._rings.values():
            ring.add(kind, at, stayed)

    def within(self, name: str, lifecycle: str, until: int) -> Counted:
        """The moves of a lifecycle from the time with this name before `until` on, up to and with it."""
        length, bucket = WITHIN[name]
        first, last = (until - length) // bucket, until // bucket
        return Counted(first * bucket, self._rings[bucket].read(lifecycle, first, last))


class _Ring:
    """Buckets of one length, as many as reach far enough back from the latest."""

    def __init__(self, bucket: int, reach: int) -> None:
        self._bucket = bucket
        self._most = reach // bucket + 1
        self._latest: int | None = None
        self._buckets: dict[int, dict[tuple[str, Stages], Moved]] = {}
        """By number: that of a time is the time in lengths of a bucket."""

    def add(self, kind: tuple[str, Stages], at: int, stayed: int) -> None:
        number = at // self._bucket
        bucket = self._buckets.get(number)
        if bucket is None:
            if self._latest is None or number > self._latest:
                self._latest = number
                for old in [each for each in self._buckets if each <= number - self._most]:
                    del self._buckets[old]
            elif number <= self._latest - self._most:
                return
            bucket = self._buckets[number] = {}
        moved = bucket.get(kind)
        if moved is None:
            moved = bucket[kind] = Moved()
        moved.count += 1
        moved.stayed += stayed

    def read(self, lifecycle: str, first: int, last: int) -> dict[Stages, Moved]:
        """What is in the buckets from the first to the last."""
        found: dict[Stages, Moved] = {}
        for number, bucket in self._buckets.items():
            if first <= number <= last:
                for (name, stages), moved in bucket.items():
                    if name == lifecycle:
                        found.setdefault(stages, Moved()).add(moved)
        return found
