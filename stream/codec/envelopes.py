"""What interactions come wrapped in: CloudEvents, Kafka Connect's envelope, Debezium's rows, a schema registry's bytes.

An envelope may be inside another. What it says of the interaction (its event name, id, time and whose it is) counts
where the interaction does not say so itself.
"""

import base64
import binascii
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from stream.codec.connect_types import converted
from stream.codec.dead_letter_reasons import Reason
from stream.codec.json_objects import JsonReader
from stream.codec.refusal import Refusal, kind_of

_REGISTRY: Final = 0
"""The first byte of what serializers of a schema registry write; behind it stands the schema's id."""
_REGISTRY_LENGTHS: Final = (5, 9)
"""Bytes before the data: an id of four bytes (Confluent, and most), or of eight (Apicurio)."""
_STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch"
_MOST_INSIDE: Final = 4
_OF_ANY_JSON: Final = (Reason.TOO_LARGE, Reason.TOO_DEEP)
"""Reasons for which JSON is not read though it is JSON."""


class Envelope(NamedTuple):
    """What an envelope says of the interaction inside it."""

    format: str
    """Its name, for messages."""
    subject: object = None
    type: object = None
    id: object = None
    time: object = None


class Unwrapped(NamedTuple):
    """What was inside."""

    data: object
    envelope: Envelope | None


def loads_framed(value: bytes, json: JsonReader) -> object:
    """What the bytes hold, also behind what a schema registry's serializer put before them. Raises Refusal.

    Bytes of Avro may begin as JSON does: JSON is what can be read as such, and is not just a text.
    """
    if not value or value[0] != _REGISTRY:
        return json.loads(value)
    for length in _REGISTRY_LENGTHS:
        try:
            found = json.loads(value[length:])
        except Refusal as refusal:
            if refusal.rejected.reason in _OF_ANY_JSON:
                raise
        else:
            if isinstance(found, (dict, list)) or (isinstance(found, str) and _holds_object(found)):
                return found
    schema = f"begins with the five bytes of a schema registry (schema {int.from_bytes(value[1:5], 'big')})"
    if any(_is_json_in_latin_1(value[length:], json) for length in _REGISTRY_LENGTHS):
        raise Refusal(
            Reason.NOT_UTF8, f"{schema}, and the JSON that follows is not in UTF-8; let the producer write it so"
        )
    raise Refusal(
        Reason.NOT_JSON,
        f"{schema}, and what follows is no JSON: Avro and Protobuf are not read; let the producer use the JSON "
        "serializer",
    )


def _holds_object(text: str) -> bool:
    """Whether a converter took an object of JSON for a text."""
    return text.lstrip().startswith("{")


def _is_json_in_latin_1(value: bytes, json: JsonReader) -> bool:
    with contextlib.suppress(Refusal):
        return isinstance(json.loads(value.decode("latin-1").encode()), dict)
    return False


def cloud_event_of(headers: Sequence[tuple[str, bytes | None]], value: bytes, json: JsonReader) -> Unwrapped | None:
    """The CloudEvent that a record's headers say it is; None where they do not. Raises Refusal."""
    attributes: dict[str, str] = {}
    content_type = ""
    for name, text in headers:
        if name.startswith("ce_"):
            attributes[name[3:]] = (text or b"").decode("utf-8", "replace")
        elif name == "content-type":
            content_type = (text or b"").decode("utf-8", "replace").strip().lower()
    if content_type.startswith(_BATCH):
        raise Refusal(Reason.BAD_SHAPE, "a batch of CloudEvents; send each as a record of its own")
    if content_type.startswith(_STRUCTURED):
        event = loads_framed(value, json)
        if not isinstance(event, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, f"a structured CloudEvent is a JSON object; this is {kind_of(event)}")
        return _structured(event, json)
    if "specversion" not in attributes:
        return None
    try:
        data = loads_framed(value, json)
    except Refusal as refusal:
        reason, detail = refusal.rejected
        raise Refusal(
            reason, f"the data of a CloudEvent (content type {content_type or 'not set'}): {detail}"
        ) from None
    return Unwrapped(data, _envelope(attributes))


def unwrap(record: object, json: JsonReader) -> Unwrapped:
    """What is inside a record, as far as it is in an envelope. Raises Refusal."""
    data, envelope = record, None
    for _ in range(_MOST_INSIDE):
        if isinstance(data, str):
            if not _holds_object(data):
                break
            data = json.loads(data.encode())
        elif not isinstance(data, dict):
            break
        elif len(data) == 2 and "schema" in data and "payload" in data:
            data = converted(data["payload"], data["schema"])
            if data is None:
                raise Refusal(Reason.NULL_VALUE, "the envelope of Kafka Connect has no payload")
        elif "specversion" in data:
            data, inner = _structured(data, json)
            envelope = envelope or inner
        elif "aggregateid" in data and "payload" in data:
            data, inner = _outbox_row(data, None)
            envelope = envelope or inner
        elif "op" in data and "after" in data and "source" in data:
            data, inner = _changed_row(data)
            envelope = envelope or inner
        else:
            break
    return Unwrapped(data, envelope)


def _envelope(attributes: Mapping[str, object]) -> Envelope:
    return Envelope(
        "CloudEvent", attributes.get("subject"), attributes.get("type"), attributes.get("id"), attributes.get("time")
    )


def _structured(event: dict[str, object], json: JsonReader) -> Unwrapped:
    data = event.get("data")
    encoded = event.get("data_base64")
    if data is None and isinstance(encoded, str):
        try:
            data = loads_framed(base64.b64decode(encoded, validate=True), json)
        except binascii.Error:
            raise Refusal(Reason.BAD_SHAPE, "`data_base64` of a CloudEvent is not Base64") from None
    return Unwrapped({} if data is None else data, _envelope(event))


def _outbox_row(row: dict[str, object], changed: object) -> Unwrapped:
    time = row.get("timestamp")
    return Unwrapped(
        row["payload"],
        Envelope(
            "Debezium outbox row",
            row["aggregateid"],
            row.get("type"),
            row.get("id"),
            changed if time is None else time,
        ),
    )


def _changed_row(event: dict[str, object]) -> Unwrapped:
    """A row as a connector of Debezium writes that it changed."""
    row = event["after"]
    if row is None:
        raise Refusal(
            Reason.NULL_VALUE,
            "Debezium tells of a deleted row, which holds no interaction; skipped.operations=d,t "
            "in the connector leaves these out",
        )
    if isinstance(row, dict) and "aggregateid" in row and "payload" in row:
        return _outbox_row(row, event.get("ts_ms"))
    return Unwrapped(row, None)
