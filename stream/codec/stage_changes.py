"""Stage changes as CloudEvents: Kafka binary mode, the value a JSON object; and how their ids and keys are spelled.

The same object, one a line, is what `lifecycle simulate` writes. `stage_change_reader` reads it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
from librt.strings import BytesWriter

from stream.codec.packed_records import pack_length
from stream.codec.state.keys import ANONYMOUS, CUSTOMER, kind_of
from stream.core.interaction import Kind
from stream.core.stage_change import Contribution, StageChange
from stream.core.times import format_time

EVENT_TYPE: Final = "lifecycle.stage.changed"
_SPEC_VERSION: Final = ("ce_specversion", b"1.0")
_TYPE: Final = ("ce_type", EVENT_TYPE.encode())
_CONTENT_TYPE: Final = ("content-type", b"application/json")
_dumps: Final = orjson.dumps
_LIFECYCLES: Final = b"/lifecycles/"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]").sub


def _sized(value: bytes) -> bytes:
    """A short name or value as it stands in a record: behind its length, doubled."""
    return bytes([len(value) << 1]) + value


# What stands in a record before, between and behind the values that differ from change to change.
_BEFORE_ID: Final = bytes([7 << 1]) + b"".join(_sized(each) for each in (b"ce_specversion", _SPEC_VERSION[1], b"ce_id"))
_BEFORE_SOURCE: Final = b"".join(_sized(each) for each in (b"ce_type", _TYPE[1], b"ce_source"))
_BEFORE_SUBJECT: Final = _sized(b"ce_subject")
_BEFORE_TIME: Final = _sized(b"ce_time")
_BEHIND_TIME: Final = b"".join(_sized(each) for each in (b"content-type", _CONTENT_TYPE[1]))


class ChangeSource:
    """Where the input of a change stood; for a deadline the offset before which it fired."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset


def event_id(change: StageChange) -> str:
    """The CloudEvents id: the same however often a change is written, and of no other change."""
    return event_id_of(change.lifecycle, change.kind, change.subject, change.born, change.sequence)


def event_id_of(lifecycle: str, kind: Kind, subject: str, born: str, sequence: int) -> str:
    """The CloudEvents id of the change with these parts."""
    return f"{lifecycle}:{kind}:{subject}:{born}:{sequence}"


def current_key(change: StageChange) -> bytes:
    """The key of a customer's latest change of one lifecycle, on the topic of current stages."""
    return f"{change.lifecycle}:{change.kind}:{change.subject}".encode()


def current_key_of(lifecycle: str, customer_key: bytes) -> bytes:
    """The same, of the customer with this changelog key."""
    return b":".join((lifecycle.encode(), (kind_of(customer_key) or "").encode(), customer_key[1:]))


def split_current_key(key: bytes) -> tuple[str, bytes]:
    """The lifecycle, and the changelog key of the customer, that a key on the topic of current stages names."""
    lifecycle, _, rest = key.partition(b":")
    kind, _, subject = rest.partition(b":")
    return lifecycle.decode(errors="replace"), (ANONYMOUS if kind == b"anonymous" else CUSTOMER) + subject


def in_header(text: str) -> bytes:
    """Text as the value of a header: control characters, which clients and proxies trip over, as %XX of their UTF-8.

    An id stays unique: `born`, which stands behind the subject, is of one customer.
    """
    return (text if text.isprintable() else _CONTROL(_escaped, text)).encode()


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def headers(change: StageChange) -> list[tuple[str, bytes]]:
    """CloudEvents attributes as Kafka headers."""
    return [
        _SPEC_VERSION,
        ("ce_id", in_header(event_id(change))),
        _TYPE,
        ("ce_source", _LIFECYCLES + change.lifecycle.encode()),
        ("ce_subject", in_header(change.subject)),
        ("ce_time", format_time(change.at).encode()),
        _CONTENT_TYPE,
    ]


def packed_headers(change: StageChange) -> bytes:
    """The same as they stand in a record of Kafka's format v2, their number before them."""
    out = BytesWriter()
    own_id, subject, lifecycle = in_header(event_id(change)), in_header(change.subject), change.lifecycle.encode()
    out.write(_BEFORE_ID)
    pack_length(out, len(own_id))
    out.write(own_id)
    out.write(_BEFORE_SOURCE)
    pack_length(out, len(_LIFECYCLES) + len(lifecycle))
    out.write(_LIFECYCLES)
    out.write(lifecycle)
    out.write(_BEFORE_SUBJECT)
    pack_length(out, len(subject))
    out.write(subject)
    out.write(_BEFORE_TIME)
    out.write(_sized(format_time(change.at).encode()))
    out.write(_BEHIND_TIME)
    return out.getvalue()


def data(change: StageChange, source: ChangeSource) -> dict[str, Any]:
    """The value of a stage change; times are epoch milliseconds."""
    trigger = change.trigger
    return {
        "customer_id" if change.kind == "customer" else "anonymous_id": change.subject,
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
        "contributions": contributions_data(change.contributions),
        "facts": change.facts,
        "channels": change.channels,
        "actions": change.actions,
        "source": {"topic": source.topic, "partition": source.partition, "offset": source.offset},
    }


def contributions_data(contributions: Mapping[str, tuple[Contribution, ...]]) -> dict[str, list[dict[str, Any]]]:
    """By score, what each signal adds to it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for score, parts in contributions.items():
        signals: list[dict[str, Any]] = []
        for part in parts:
            signals.append({"signal": part.signal, "points": part.points, "count": part.count})  # noqa: PERF401
        found[score] = signals
    return found


def encode(change: StageChange, source: ChangeSource) -> bytes:
    """The value as JSON."""
    value: bytes = _dumps(data(change, source))
    return value
