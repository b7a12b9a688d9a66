"""Who began when, according to the published changes."""

from collections.abc import Collection, Iterator

from stream.operations.verification.published import PublishedChanges
from stream.operations.verification.reach import Reach


class PublishedBirths:
    """Lives of one partition that began within reach.

    A customer begins in all lifecycles at once. A customer who was there when a lifecycle was added begins in that one
    alone, later, and cannot be recomputed; nor can one with changes of a lifecycle that another one replaced.
    """

    def __init__(self, published: PublishedChanges, reach: Reach, lifecycles: Collection[str]) -> None:
        self.of_dropped: set[bytes] = set()
        """Changelog keys with changes of lifecycles that are no more."""
        self._lifecycles = frozenset(lifecycles)
        self._older: set[bytes] = set()
        self._began: dict[tuple[bytes, int], set[str]] = {}
        for key, name, _change in published.left():
            at = reach.born(name.born)
            if name.lifecycle not in self._lifecycles:
                self.of_dropped.add(key)
            elif at is None or at < reach.floor:
                self._older.add(key)
            else:
                self._began.setdefault((key, at), set()).add(name.lifecycle)

    def births(self) -> Iterator[tuple[bytes, int]]:
        """Changelog keys, and the source offsets at which they began."""
        for (key, at), lifecycles in self._began.items():
            if key not in self.of_dropped and (key not in self._older or lifecycles >= self._lifecycles):
                yield key, at
