"""In which order the records of several topics are gathered into one: by their broker's times, as far as known.

What has arrived everywhere is put into the order of the times, so that a worker that was away takes up all topics
together, and no deadline fires for an interaction that waits in another topic. Where a topic holds nothing more, the
others do not wait for it: live interactions are taken as they come.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from stream.codec.records import SourceRecord, SourceRecords

MAX_RECORDS: Final = 1_000
MAX_BYTES: Final = 1 << 20
"""What one transaction of gathering holds at most, and one record more."""
_HEADER: Final = 60
"""Bytes of a header, about."""


class Taken(NamedTuple):
    """A record that is next."""

    topic: str
    record: SourceRecord


class Gathering:
    """What was read of each topic's partition and is not gathered yet."""

    def __init__(self, topics: Sequence[str]) -> None:
        """`topics` in the order in which records of the same time are taken."""
        self._waiting: dict[str, deque[SourceRecord]] = {topic: deque() for topic in topics}
        self._at_end: set[str] = set()

    @property
    def empty(self) -> list[str]:
        """The topics of which nothing is at hand."""
        return [topic for topic, waiting in self._waiting.items() if not waiting]

    @property
    def is_done(self) -> bool:
        """Everything that the topics hold was taken, as far as the broker said."""
        return len(self._at_end) == len(self._waiting) == len(self.empty)

    def ask(self) -> list[str]:
        """The topics of which nothing is at hand, to be asked. What the others said of their end is old by then."""
        self._at_end -= {topic for topic, waiting in self._waiting.items() if waiting}
        return self.empty

    def hear(self, topic: str, records: SourceRecords, *, at_end: bool) -> None:
        """These records of a topic came; `at_end`: the broker says that nothing lies behind them."""
        self._waiting[topic].extend(records)
        if at_end:
            self._at_end.add(topic)
        else:
            self._at_end.discard(topic)

    def take(self) -> list[Taken]:
        """What comes next, as much as one transaction holds; nothing while a topic that holds more was not heard."""
        taken: list[Taken] = []
        size = 0
        while len(taken) < MAX_RECORDS and size < MAX_BYTES:
            if any(not waiting and topic not in self._at_end for topic, waiting in self._waiting.items()):
                break
            heads = [(waiting[0].timestamp, topic) for topic, waiting in self._waiting.items() if waiting]
            if not heads:
                break
            _, topic = min(heads, key=_time)
            record = self._waiting[topic].popleft()
            size += len(record.key or b"") + len(record.value or b"") + _HEADER * len(record.headers)
            taken.append(Taken(topic, record))
        return taken


def _time(head: tuple[int, str]) -> int:
    return head[0]
