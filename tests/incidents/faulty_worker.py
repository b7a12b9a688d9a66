"""A worker with bugs that two kinds of customers meet: interactions of some make it fail, deadlines of others.

python tests/incidents/faulty_worker.py worker
"""

import json
from collections.abc import Generator, Iterable
from typing import Any

from stream.app import Application
from stream.cli import main
from stream.codec.records import SourceRecords
from stream.codec.state.keys import customer_key
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch, DeadlineFailed, RecordFailed

EXPLODES = b"explodes"
"""In an interaction that makes it fail."""
DOOMED = b"doomed"
"""In an interaction of a customer whose deadlines make it fail."""
_IDLE_MS = 2_000
"""As in shop.yaml."""
_deadlines: dict[tuple[int, bytes], int] = {}
"""Of doomed customers, by partition and key; a partition that starts over has another machine, which must know them."""


class Faulty:
    """The machine of a partition, but for such interactions and customers."""

    def __init__(self, machine: Any, partition: int) -> None:
        self._machine, self._partition = machine, partition
        self._isolated: set[int | bytes] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        self._isolated |= {*offsets, *keys}
        self._machine.isolate(offsets=offsets, keys=keys)

    def run(
        self, records: SourceRecords, next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        for record in records:
            value = record.value or b""
            if EXPLODES in value and record.offset not in self._isolated:
                raise RecordFailed(record.offset, ValueError(EXPLODES.decode()))
            if DOOMED in value:
                item = json.loads(value)
                key = customer_key("customer", item["customer_id"])
                _deadlines[self._partition, key] = item["time"] + _IDLE_MS
        for (partition, key), due in _deadlines.items():
            if partition == self._partition and due <= wall and key not in self._isolated:
                raise DeadlineFailed(key, ValueError(DOOMED.decode()))
        batch: Batch = yield from self._machine.run(records, next_offset, wall=wall, caught_up=caught_up)
        return batch


def faulty(application: Application, partition: int, topic: SourceTopic) -> Any:
    """As the product makes a machine, with the bugs."""
    return Faulty(_make(application, partition, topic), partition)


_make = Application._machine

if __name__ == "__main__":
    Application._machine = faulty  # type: ignore[assignment, method-assign]
    main()
