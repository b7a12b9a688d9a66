"""Control records: what is on the interactions topic beside interactions."""

from typing import Final

import orjson

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.records import Headers, Outgoing
from stream.core.interaction import MAX_TIME, MIN_TIME

HEADER: Final = "lifecycle_control"
TICK: Final = b"tick"
_LONGEST: Final = 1_024
"""Bytes of a control record that is read."""


def tick(time: int) -> Outgoing:
    """The record that moves a partition on to `time`: sent to every partition at the end of an import."""
    return Outgoing(None, orjson.dumps({"time": time}), [(HEADER, TICK)])


def control_of(headers: Headers) -> bytes | None:
    """What kind of control record this is; None for an interaction."""
    for name, value in headers:
        if name == HEADER:
            return value
    return None


def tick_time(control: bytes, value: bytes | None) -> int | Rejected:
    """The time of a tick, epoch milliseconds."""
    try:
        body = orjson.loads(value or b"") if len(value or b"") <= _LONGEST else None
    except orjson.JSONDecodeError:
        body = None
    time = body.get("time") if isinstance(body, dict) else None
    if control != TICK or type(time) is not int or not MIN_TIME <= time <= MAX_TIME:
        return Rejected(Reason.BAD_SHAPE, 'a control record is a tick, {"time": epoch milliseconds}')
    return time
