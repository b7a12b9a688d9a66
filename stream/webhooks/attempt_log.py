"""The record of one attempt to deliver, on the topic `webhook-attempts`: JSON, for people and their tools.

`schemas/webhook-attempt.schema.json` describes it.
"""

from typing import Annotated, Final

import msgspec

from stream.webhooks.exchange import Verdict


class AttemptRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One attempt, and what comes next; times are epoch milliseconds."""

    id: str
    """Of the stage change: its CloudEvents id."""
    endpoint: str
    lifecycle: str
    customer_id: str | None = None
    anonymous_id: str | None = None
    """One of the two is there, as in the stage change."""
    attempt: Annotated[int, msgspec.Meta(ge=1)]
    """The first is 1."""
    at: int
    """When its first request was sent."""
    verdict: Verdict
    status: Annotated[int, msgspec.Meta(ge=100, le=999)] | None
    """Of the last answer; None where there was none."""
    seconds: Annotated[float, msgspec.Meta(ge=0)]
    """From `at` until all was done."""
    reason: Annotated[str, msgspec.Meta(max_length=200)]
    """For people; holds no credentials."""
    next: int | None
    """When it is tried again; None: never."""

    @property
    def subject(self) -> str:
        """The id, whichever kind it is."""
        return self.customer_id if self.customer_id is not None else self.anonymous_id or ""


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(AttemptRecord)


def encode_attempt(record: AttemptRecord) -> bytes:
    """The value of the record; an id that is None is left out."""
    return _encoder.encode(record)


def read_attempt(value: bytes | None) -> AttemptRecord | None:
    """The attempt that a record's value holds, keys that are not known left out; None where it holds none."""
    try:
        record = _decoder.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if (record.customer_id is None) == (record.anonymous_id is None) else record
