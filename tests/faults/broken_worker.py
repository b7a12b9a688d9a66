"""A build that is wrong on purpose, so that it can be shown that the verdict notices.

    python tests/faults/broken_worker.py KIND worker

KIND is one of BROKEN; `collector` for those of COLLECTORS.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from itertools import count
from time import time_ns
from typing import Any

from stream.cli import main
from stream.codec.packed_records import PackedRecords
from stream.codec.state.keys import FIGURE, LAYOUT
from stream.engine.committed_state import MovingError, Question
from stream.engine.delivery import Transactional
from stream.engine.partition import Partition
from stream.kafka.membership import Membership
from stream.kafka.partition_reader import Fetched
from stream.kafka.receipt_producer import Patience, Receipt, ReceiptProducer
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch

_numbers = count()
_IN_BETWEEN = 0.3
"""Seconds between two transactions that should be one: a fault is to hit there, however busy the machine is."""
_UNWRITTEN = 2.0
"""Seconds from an answer until what was answered is written: both collectors are killed once only."""


def no_fencing() -> None:
    """Every producer has an id of its own: an owner that comes back from the dead is not stopped."""
    really = Transactional.__init__

    def starts(self: Transactional, route: Any) -> None:
        really(self, route)
        self._producer._txn_manager.transactional_id += f"-{os.getpid()}-{next(_numbers)}"

    Transactional.__init__ = starts  # type: ignore[method-assign]


def position_apart() -> None:
    """The position has a transaction of its own, before that of changes and states.

    After it, nothing would be lost, and only dead letters come twice: customers know the last offset they have seen.
    """
    really = Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        await really(self, Batch(batch.next_offset, state=[batch.state[-1]], inputs=batch.inputs))
        batch.state = PackedRecords([*batch.state][:-1])
        await asyncio.sleep(_IN_BETWEEN)
        await really(self, batch)

    Transactional.write = write  # type: ignore[method-assign]


def figures_apart() -> None:
    """Figures have a transaction of their own, before that of the customers who made them."""
    really = Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        own = [each for each in batch.state if each.key is not None and each.key[:1] == FIGURE]
        if own:
            await really(self, Batch(batch.next_offset, state=own, figures=batch.figures, inputs=batch.inputs))
            batch.state = PackedRecords(each for each in batch.state if each not in own)
            batch.figures = PackedRecords()
            await asyncio.sleep(_IN_BETWEEN)
        await really(self, batch)

    Transactional.write = write  # type: ignore[method-assign]


def changes_last() -> None:
    """States and position are committed before the changes are even sent."""
    really = Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        await really(self, Batch(batch.next_offset, state=batch.state, inputs=batch.inputs))
        await asyncio.sleep(_IN_BETWEEN)
        batch.state = PackedRecords()
        await really(self, batch)

    Transactional.write = write  # type: ignore[method-assign]


def state_kept() -> None:
    """After an error the partition goes on with the state that it has, though its batch was never written."""
    really = Partition._fence_and_recover
    drop = Partition.drop

    def keeps(self: Partition) -> None:
        machine, position = self.machine, self.position
        drop(self)
        self.kept = (machine, position) if machine is not None else getattr(self, "kept", None)  # type: ignore[attr-defined]

    async def begins(self: Partition, topic: SourceTopic) -> None:
        await really(self, topic)
        kept = getattr(self, "kept", None)
        if kept is not None:
            self.machine = kept[0]
            assert self.machine is not None
            self.position = self.machine.next_offset

    Partition.drop = keeps  # type: ignore[method-assign]
    Partition._fence_and_recover = begins  # type: ignore[method-assign]


def early() -> None:
    """Deadlines are fired by a clock that is three seconds fast."""
    really = Partition._apply

    async def apply(self: Partition, records: Any, fetched: Fetched, wall: int) -> Batch:
        return await really(self, records, fetched, wall + 3_000)

    Partition._apply = apply  # type: ignore[method-assign]


def rash() -> None:
    """Deadlines are fired by the wall clock, however many interactions are still to be read."""
    really = Partition._turn

    async def turn(self: Partition) -> None:
        assert self.position is not None
        await self._apply([], Fetched([], self.position, True, None), time_ns() // 1_000_000)
        await really(self)

    Partition._turn = turn  # type: ignore[method-assign]


def layouts_lost() -> None:
    """What records need to be read is not written beside them."""
    really = Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        batch.state = PackedRecords(each for each in batch.state if (each.key or b"")[:1] != LAYOUT)
        await really(self, batch)

    Transactional.write = write  # type: ignore[method-assign]


def edit_forgotten() -> None:
    """After an edit nobody is considered who is not touched."""
    os.environ["LIFECYCLE_APPLY_EDITS"] = "when_touched"


def always_sure() -> None:
    """Whoever was given partitions answers for them, however long it heard nothing of the group."""
    Membership.is_sure = property(lambda _: True)  # type: ignore[method-assign, assignment]


def uncommitted() -> None:
    """Whoever asks is answered at once, from a batch that is being written, too."""

    async def ask(self: Partition, question: Question[Any]) -> Any:
        if self.machine is None:
            raise MovingError
        return question(self.machine)

    def place_of(_self: Partition, _key: bytes) -> None:
        """Of nobody is more known than what `ask` says."""

    really = Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        await asyncio.sleep(_IN_BETWEEN)
        await really(self, batch)

    Partition.ask = ask  # type: ignore[method-assign]
    Partition.place_of = place_of  # type: ignore[method-assign, assignment]
    Transactional.write = write  # type: ignore[method-assign]


def behind() -> None:
    """Whoever asks is answered from before a batch that subscribers may read already."""
    really = Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        await really(self, batch)
        await asyncio.sleep(_IN_BETWEEN)

    Transactional.write = write  # type: ignore[method-assign]


def answers_first() -> None:
    """A collector answers 200 before Kafka has what was sent."""
    really = ReceiptProducer._accepted

    async def accepted(self: ReceiptProducer, *batch: Any) -> Any:
        await asyncio.sleep(_UNWRITTEN)
        return await really(self, *batch)

    async def at_once(_self: Patience, _receipt: Receipt) -> BaseException | None:
        return None

    ReceiptProducer._accepted = accepted  # type: ignore[method-assign, assignment]
    Patience.outcome = at_once  # type: ignore[method-assign, assignment]


def _named(*kinds: Callable[[], None]) -> dict[str, Callable[[], None]]:
    return {each.__name__.replace("_", "-"): each for each in kinds}


WORKERS = _named(
    no_fencing, position_apart, figures_apart, changes_last, state_kept, early, rash, layouts_lost, edit_forgotten
)
"""What topics show."""
LOOKUPS = _named(always_sure, uncommitted, behind)
"""What answers show."""
COLLECTORS = _named(answers_first)
BROKEN = {**WORKERS, **LOOKUPS, **COLLECTORS}

if __name__ == "__main__":
    BROKEN[sys.argv.pop(1)]()
    main()
