"""Read the stage changes that `stage_changes` writes: what the product itself needs of them, no more.

Beside the writer and not in it, since that is compiled, and what msgspec decodes into cannot be.
"""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from stream.codec.stage_changes import event_id_of
from stream.core.interaction import MAX_TIME, MIN_TIME, Kind


class TriggerValue(msgspec.Struct):
    """What caused a change."""

    kind: str
    type: str | None = None
    late: bool = False


class SourceValue(msgspec.Struct):
    """Where the input of a change stood."""

    topic: str
    partition: int
    offset: int


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


_decoder = msgspec.json.Decoder(StageChangeValue)


def read_change(value: bytes | None) -> StageChangeValue | None:
    """The stage change that a record's value holds; None where it holds none."""
    try:
        change = _decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if change.customer_id is None and change.anonymous_id is None else change
