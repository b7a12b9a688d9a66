"""Stage changes as server-sent events."""

from typing import NamedTuple

import orjson

from stream.codec.stage_change_reader import StageChangeValue, read_change
from stream.kafka.change_consumer import Record

RETRY = b"retry: 3000\n\n"
"""Milliseconds after which a client that lost the connection comes again."""


class LiveEvent(NamedTuple):
    """A stage change as it is sent to every reader that wants it."""

    number: int
    """1, 2, 3… in the order in which this worker sends them."""
    partition: int
    offset: int
    change: StageChangeValue
    """What filters look at."""
    body: bytes
    """The event but for its id."""


def event_of(record: Record, number: int) -> LiveEvent | None:
    """The event of a record; None where it holds no stage change."""
    change = read_change(record.value)
    if change is None or record.value is None:
        return None
    value = record.value.strip()
    if b"\n" in value or b"\r" in value:  # a line break would end the field
        value = orjson.dumps(orjson.loads(value))
    event_id = next((text.decode() for name, text in record.headers if name == "ce_id"), change.event_id)
    body = b'event: stage-change\ndata: {"ce_id":%b,%b\n\n' % (orjson.dumps(event_id), value[1:])
    return LiveEvent(number, record.partition, record.offset, change, body)


def with_id(body: bytes, positions_id: str) -> bytes:
    """An event, and where its reader stands once it has it."""
    return b"id: %b\n%b" % (positions_id.encode(), body)


def heartbeat(positions_id: str | None) -> bytes:
    """That the stream lives, for proxies and clients; with an id, how far it has come though nothing was wanted."""
    return b": heartbeat\n\n" if positions_id is None else b": heartbeat\nid: %b\n\n" % positions_id.encode()


def gap(positions_id: str, partition: int | None, missing: tuple[int, int] | None, reason: str) -> bytes:
    """That changes are missing: of a partition, those from one offset to another, or nobody knows which."""
    first, last = (None, None) if missing is None else missing
    data = {"reason": reason, "partition": partition, "first_offset": first, "last_offset": last}
    return b"id: %b\nevent: gap\ndata: %b\n\n" % (positions_id.encode(), orjson.dumps(data))
