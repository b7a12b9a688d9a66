"""Stage changes as CloudEvents: Kafka binary mode, the value a JSON object.

The same object, one a line, is what `lifecycle simulate` writes.
"""

from typing import Any, NamedTuple

import orjson

from stream.codec.times import format_time
from stream.core.change import StageChange

EVENT_TYPE = "lifecycle.stage.changed"


class Source(NamedTuple):
    """Where the input of a change stood; for a deadline the offset before which it fired."""

    topic: str
    partition: int
    offset: int


def event_id(change: StageChange) -> str:
    """The CloudEvents id: the same however often a change is written, and of no other change."""
    return f"{change.lifecycle}:{change.kind}:{change.subject}:{change.born}:{change.sequence}"


def current_key(change: StageChange) -> bytes:
    """The key of a customer's latest change of one lifecycle."""
    return f"{change.lifecycle}:{change.kind}:{change.subject}".encode()


def headers(change: StageChange) -> list[tuple[str, bytes]]:
    """CloudEvents attributes as Kafka headers."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id(change).encode()),
        ("ce_type", EVENT_TYPE.encode()),
        ("ce_source", f"/lifecycles/{change.lifecycle}".encode()),
        ("ce_subject", change.subject.encode()),
        ("ce_time", format_time(change.at).encode()),
        ("content-type", b"application/json"),
    ]


def data(change: StageChange, source: Source) -> dict[str, Any]:
    """The value of a stage change; times are epoch milliseconds."""
    trigger = change.trigger
    return {
        f"{change.kind}_id": change.subject,
        "identified": change.identified,
        "lifecycle": change.lifecycle,
        "version": change.version,
        "born": change.born,
        "sequence": change.sequence,
        "final": change.final,
        "from": change.from_stage,
        "to": change.to_stage,
        "at": change.at,
        "entered": change.entered,
        "trigger": {"kind": trigger.kind, "id": trigger.id, "type": trigger.type, "late": trigger.late},
        "transition": change.transition,
        "scores": change.scores,
        "contributions": {
            score: [{"signal": each.signal, "points": each.points, "count": each.count} for each in contributions]
            for score, contributions in change.contributions.items()
        },
        "facts": change.facts,
        "channels": change.channels,
        "actions": change.actions,
        "source": {"topic": source.topic, "partition": source.partition, "offset": source.offset},
    }


def encode(change: StageChange, source: Source) -> bytes:
    """The value as JSON."""
    return orjson.dumps(data(change, source))
