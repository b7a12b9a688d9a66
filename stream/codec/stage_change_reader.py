"""Read the stage changes that `stage_changes` writes: what the product itself needs of them, or all of it.

Beside the writer and not in it, since that is compiled, and what msgspec decodes into cannot be.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from stream.codec.stage_changes import event_id_of
from stream.core.interaction import MAX_TIME, MIN_TIME, Kind


class TriggerValue(msgspec.Struct):
    """What caused a change."""

    kind: str
    type: str | None = None
    late: bool = False
    id: str | None = None
    """The interaction's id, where there is an interaction and it has one."""


class SourceValue(msgspec.Struct):
    """Where the input of a change stood."""

    topic: str
    partition: int
    offset: int


class ContributionValue(msgspec.Struct):
    """What one signal adds to one score at the time of a change."""

    signal: str
    points: float
    count: int
    """How often it counted in this life."""


class StageChangeValue(msgspec.Struct, rename={"from_stage": "from", "to_stage": "to"}):
    """The value of a stage change; times are epoch milliseconds."""

    lifecycle: str
    born: str
    sequence: int
    final: bool
    from_stage: str | None
    to_stage: str | None
    at: Annotated[int, msgspec.Meta(ge=MIN_TIME, le=MAX_TIME)]
    trigger: TriggerValue
    source: SourceValue
    transition: str | None = None
    scores: Mapping[str, float] = {}
    customer_id: str | None = None
    anonymous_id: str | None = None

    @property
    def kind(self) -> Kind:
        """Which of the two ids the subject has."""
        return "anonymous" if self.customer_id is None else "customer"

    @property
    def subject(self) -> str:
        """The id, whichever kind it is."""
        return self.customer_id if self.customer_id is not None else self.anonymous_id or ""

    @property
    def event_id(self) -> str:
        """The CloudEvents id that its record must have."""
        return event_id_of(self.lifecycle, self.kind, self.subject, self.born, self.sequence)

    @property
    def life(self) -> tuple[int, int]:
        """Orders the lives of one subject: the generation, and the offset of the interaction that began the life.

        Raises ValueError where `born` is not as this product writes it.
        """
        generation, dot, place = self.born.rpartition(".")
        partition, _, offset = place.partition("-")
        int(partition)
        return int(generation) if dot else 1, int(offset)

    @property
    def generation(self) -> int:
        """1, and one more after each reset that read the interactions again. Raises as `life`."""
        return self.life[0]


_NOT_IN_THE_VALUE = {name: f"({name})" for name in ("partition", "offset", "value", "correction")}
"""Names that no field of a value will have: what the value does not say is not read from it."""


class SubscribedChange(StageChangeValue, rename={"from_stage": "from", "to_stage": "to", **_NOT_IN_THE_VALUE}):
    """A stage change with all that its record says, and where the record stands; times are epoch milliseconds.

    See `docs/topics.md` for the meaning of each field.
    """

    identified: bool = False
    version: int = 1
    entered: int | None = None
    """When `from_stage` was entered; None where the life begins."""
    contributions: Mapping[str, tuple[ContributionValue, ...]] = {}
    """By score, the signals that counted."""
    facts: Mapping[str, str | int | float | bool] = {}
    """Whole numbers as such, so that times are whole epoch milliseconds."""
    channels: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    partition: int = -1
    """Partition of the record on the topic of stage changes."""
    offset: int = -1
    """Its offset there."""
    value: bytes = b""
    """The value as it stands on the topic: JSON."""
    correction: bool = False
    """A reset made it again: what caused it lies before a change of an earlier generation that the subscriber got."""


class MoveValue(msgspec.Struct, rename={"from_stage": "from", "to_stage": "to"}, gc=False):
    """Of a stage change what is counted of it; times are epoch milliseconds."""

    lifecycle: str
    from_stage: str | None
    to_stage: str | None
    at: Annotated[int, msgspec.Meta(ge=MIN_TIME, le=MAX_TIME)]
    entered: int | None = None
    """When `from_stage` was entered; None where the life begins."""


class CauseValue(msgspec.Struct, gc=False):
    """Of a stage change what caused it."""

    trigger: TriggerValue
    source: SourceValue


T = TypeVar("T", bound=StageChangeValue)

_decoder = msgspec.json.Decoder(StageChangeValue)
_whole = msgspec.json.Decoder(SubscribedChange)
_move = msgspec.json.Decoder(MoveValue)
_cause = msgspec.json.Decoder(CauseValue)


def read_change(value: bytes | None) -> StageChangeValue | None:
    """The stage change that a record's value holds; None where it holds none."""
    return _read(_decoder, value)


def read_whole_change(value: bytes | None, partition: int, offset: int) -> SubscribedChange | None:
    """The same with all that it says, of the record that stands there; None where it holds no stage change."""
    change = _read(_whole, value)
    if change is None or value is None:
        return None
    try:
        _ = change.life
    except ValueError:
        return None
    change.partition, change.offset, change.value = partition, offset, value
    return change


def read_move(value: bytes | None) -> MoveValue | None:
    """Of the stage change that a record's value holds only the move; None where it holds none."""
    try:
        return _move.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def causing_offset(value: bytes) -> int | None:
    """The offset of the interaction that caused the stage change in a record's value; None where none did.

    What time, an edit or the end of a subject's record caused names an offset as well, but of what came behind it.
    """
    try:
        cause = _cause.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cause.source.offset if cause.trigger.kind == "interaction" else None


def _read(decoder: msgspec.json.Decoder[T], value: bytes | None) -> T | None:
    try:
        change = decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if change.customer_id is None and change.anonymous_id is None else change
