"""A machine small enough to check by eye: counts records per key, and emits a change every so many.

Values that mean something: `fail` raises on this record, `due:<epoch ms>` asks for a deadline,
`fail-due:<epoch ms>` for one that raises, `bug` raises an error that names no record.
"""

import json
from collections.abc import Generator, Iterable, Sequence

from stream.codec.packed_records import PackedRecord
from stream.codec.records import Outgoing, SourceRecord, SourceRecords
from stream.errors import StateError
from stream.machine.batch import Batch, DeadlineFailed, RecordFailed

POSITION = b"\x00position"
_YIELD_EVERY = 500


class Toy:
    """Keeps for each key [count, deadline or None, deadline raises]."""

    def __init__(self, every: int = 5, limit: int = 100_000) -> None:
        self.next_offset: int | None = None
        self.edited: dict[str, str | None] = {}
        self.to_reconsider = 0
        self.clock: int | None = None
        self.counts: dict[bytes, list[int | bool | None]] = {}
        self._every, self._limit = every, limit
        self._isolated_offsets: set[int] = set()
        self._isolated_keys: set[bytes] = set()
        self.heard: list[bytes] = []
        """Keys that are counted once more with the next run."""

    def restore(self, changelog: dict[bytes, bytes]) -> Generator[None, None, None]:
        position = changelog.pop(POSITION, None)
        self.next_offset = None if position is None else int(position)
        for key, value in changelog.items():
            if value == b"unreadable":
                raise StateError(f"the state of {key!r} is unreadable")
            self.counts[key] = json.loads(value)
        yield

    def run(
        self, records: SourceRecords, next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        records = [*records]
        batch = Batch()
        dirty: set[bytes] = set()
        for key in self.heard:
            self._count(key, self.next_offset or 0, batch, dirty)
            batch.inputs += 1
        self.heard = []
        taken = records[: self._limit]
        for done, record in enumerate(taken):
            if done % _YIELD_EVERY == 0:
                yield
            self._take(record, batch, dirty)
            batch.inputs += 1
        batch.more = len(taken) < len(records)
        batch.next_offset = records[len(taken)].offset if batch.more else next_offset
        if caught_up and not batch.more:
            self._fire(wall, batch, dirty)
        batch.state.extend(Outgoing(key, json.dumps(self.counts[key]).encode()) for key in sorted(dirty))
        batch.state.append(Outgoing(POSITION, b"%d" % batch.next_offset))
        self.next_offset = batch.next_offset
        return batch

    def commit(self) -> None:
        """It keeps nothing beside."""

    def touches(self, key: bytes) -> bool:
        return key in self.counts

    def hear(self, news: Sequence[object]) -> None:
        self.heard += [str(each).encode() for each in news]

    def next_due(self) -> int | None:
        return min((int(due) for _, due, _ in self.counts.values() if due), default=None)

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        self._isolated_offsets.update(offsets)
        self._isolated_keys.update(keys)

    def look_closely(self, until: int) -> None:
        """It encodes nothing."""

    def _take(self, record: SourceRecord, batch: Batch, dirty: set[bytes]) -> None:
        key, value = record.key or b"", record.value or b""
        if record.offset in self._isolated_offsets:
            batch.dead_letters.append(Outgoing(record.key, record.value, [("reason", b"unprocessable")]))
            return
        if value == b"fail":
            raise RecordFailed(record.offset)
        if value == b"bug":
            raise ZeroDivisionError(value)
        state = self._count(key, record.offset, batch, dirty)
        kind, _, due = value.partition(b":")
        if kind in (b"due", b"fail-due"):
            state[1:] = [int(due), kind == b"fail-due"]

    def _count(self, key: bytes, offset: int, batch: Batch, dirty: set[bytes]) -> list[int | bool | None]:
        state = self.counts.setdefault(key, [0, None, False])
        state[0] = int(state[0] or 0) + 1
        dirty.add(key)
        if state[0] % self._every == 0:
            self._change(key, b"%d" % state[0], offset, batch)
        return state

    def _fire(self, wall: int, batch: Batch, dirty: set[bytes]) -> None:
        for key, state in self.counts.items():
            if state[1] and int(state[1]) <= wall:
                if key in self._isolated_keys:
                    batch.dead_letters.append(Outgoing(key, None, [("reason", b"deadline")]))
                elif state[2]:
                    raise DeadlineFailed(key)
                else:
                    self._change(key, b"deadline", int(state[1]), batch)
                state[1] = None
                dirty.add(key)
                batch.inputs += 1

    def _change(self, key: bytes, what: bytes, number: int, batch: Batch) -> None:
        batch.events.append(Outgoing(key, what, [("ce_id", b"%s:%d" % (key, number))]))
        batch.latest.append(PackedRecord(b"toy:" + key, what))
