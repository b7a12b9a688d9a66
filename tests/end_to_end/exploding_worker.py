"""A worker whose code fails on some records, and says so with all that it knows of them.

    python tests/end_to_end/exploding_worker.py worker

It fails on a record that has `explode` in its value, as our own code might; at one that has `fatal` it fails in a way
of which nobody knows which record it was.
"""

from collections.abc import Generator, Iterable
from typing import Any

from stream.app import Application
from stream.cli import main
from stream.codec.records import SourceRecords
from stream.machine.batch import Batch, RecordFailed


class Exploding:
    """The machine of a partition, but for such records."""

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
            value = record.value or b""
            if b"fatal" in value:
                raise ValueError(f"nothing goes with {value!r}")
            if b"explode" in value and record.offset not in self._isolated:
                try:
                    {}[value]
                except KeyError as error:
                    raise RecordFailed(record.offset, error) from error
        batch: Batch = yield from self._machine.run(records, next_offset, **more)
        return batch


if __name__ == "__main__":
    make = Application._machine
    Application._machine = lambda self, *place: Exploding(make(self, *place))  # type: ignore[assignment, method-assign, return-value]
    main()
