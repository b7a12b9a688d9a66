"""A worker with bugs that two kinds of customers meet: interactions of some make it fail, deadlines of others.

python tests/incidents/faulty_worker.py worker
"""

from collections.abc import Generator, Iterable
from typing import Any

from stream.app import Application
from stream.cli import main
from stream.codec.records import SourceRecords
from stream.machine.batch import Batch, RecordFailed
from stream.machine.deadline_processor import DeadlineProcessor

EXPLODES = b"explodes"
"""In an interaction that makes it fail."""
DOOMED = b"doomed"
"""In the id of a customer whose deadlines make it fail."""


class Faulty:
    """The machine of a partition, but for such interactions."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine
        self._isolated: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        self._isolated |= set(offsets)
        self._machine.isolate(offsets=offsets, keys=keys)

    def run(self, records: SourceRecords, next_offset: int, **more: Any) -> Generator[None, None, Batch]:
        for record in records:
            if EXPLODES in (record.value or b"") and record.offset not in self._isolated:
                raise RecordFailed(record.offset, ValueError(EXPLODES.decode()))
        batch: Batch = yield from self._machine.run(records, next_offset, **more)
        return batch


def fire_one(self: DeadlineProcessor, slot: Any, *more: Any) -> None:
    """As the product does, but for such customers."""
    if DOOMED in slot.key and slot.key not in self.isolated_keys:
        raise ValueError(DOOMED.decode())
    _fire_one(self, slot, *more)


_fire_one = DeadlineProcessor._fire_one

if __name__ == "__main__":
    make = Application._machine
    DeadlineProcessor._fire_one = fire_one  # type: ignore[assignment, method-assign]
    Application._machine = lambda self, *place: Faulty(make(self, *place))  # type: ignore[assignment, method-assign]
    main()
