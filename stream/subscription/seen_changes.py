"""What a subscriber knows of the changes of one partition that it has seen: repeats, gaps, and what a reset made again.

Within one life of one subject the `sequence` is 1, 2, 3… without a gap, and later lives order behind earlier ones by
generation and offset (`born`). So the latest life and sequence of a subject say of its next change whether it is new.
"""

from collections import OrderedDict
from typing import NamedTuple

import msgspec

from stream.codec.stage_change_reader import StageChangeValue

REMEMBERED = 100_000
"""Lives of a partition that are remembered, those that changed last: some 25 MB."""


class Cause(NamedTuple):
    """Where the input of a change stands among all of its partition; a deadline stands before the interaction there."""

    offset: int
    interaction: bool


class Reach(NamedTuple):
    """How far the changes of a partition have come."""

    cause: Cause = Cause(-1, False)
    at: int = 0
    """The latest time of a change, epoch milliseconds."""

    def and_of(self, change: StageChangeValue) -> "Reach":
        """Together with this change."""
        return Reach(max(self.cause, _cause(change)), max(self.at, change.at))

    def has(self, change: StageChangeValue) -> bool:
        """Whether what caused the change had been reached."""
        return _cause(change) <= self.cause and change.at <= self.at


class Sight(NamedTuple):
    """What a change is to who has seen those before it."""

    repeated: bool = False
    """It was seen before, or one that came after it in its life."""
    missing: int = 0
    """How many changes of its life before it were never seen."""
    correction: bool = False
    """See `SubscribedChange.correction`."""


class _Summary(NamedTuple):
    """What outlives the process: it is committed beside the offset."""

    generation: int
    now: Reach
    before: Reach


class SeenChanges:
    """Those of one partition, in the order of their offsets."""

    def __init__(self, summary: str = "") -> None:
        """`summary` is what an earlier process wrote of this partition; one that cannot be read is none."""
        self.position = 0
        """The offset after the latest record that was seen."""
        self._lives: OrderedDict[str, tuple[tuple[int, int], int]] = OrderedDict()
        try:
            self._summary = msgspec.json.decode(summary or "null", type=_Summary)
        except msgspec.DecodeError:
            self._summary = _Summary(1, Reach(), Reach())

    def see(self, change: StageChangeValue) -> Sight:
        """What this change is, after all that were seen before."""
        subject = f"{change.lifecycle}:{change.kind}:{change.subject}"
        life, sequence = change.life, change.sequence
        known = self._lives.get(subject)
        correction = self._note_reach(change, life[0])
        if known is not None and (life, sequence) <= known:
            return Sight(repeated=True)
        missing = sequence - known[1] - 1 if known is not None and known[0] == life else 0
        self._lives[subject] = (life, sequence)
        self._lives.move_to_end(subject)
        if len(self._lives) > REMEMBERED:
            self._lives.popitem(last=False)
        return Sight(missing=missing, correction=correction)

    def summary(self) -> str:
        """What the next process needs, beside the changes themselves, to tell what a reset made again."""
        return msgspec.json.encode(self._summary).decode()

    def _note_reach(self, change: StageChangeValue, generation: int) -> bool:
        """Whether the change was caused by what an earlier generation had reached."""
        latest, now, before = self._summary
        if generation < latest:
            return False
        if generation > latest:
            before = Reach(max(before.cause, now.cause), max(before.at, now.at))
            now = Reach()
        self._summary = _Summary(generation, now.and_of(change), before)
        return before.has(change)


def _cause(change: StageChangeValue) -> Cause:
    return Cause(change.source.offset, change.trigger.kind == "interaction")
