r"""Records of the interactions topic to the core's Interaction, whatever the format; which it is, each record says.

Native (`schemas/interaction.schema.json`):

    {"id", "type", "customer_id", "anonymous_id", "time", "properties", "context"}

`type` is the event name; one of the two subject ids is needed, everything else may be missing or null. Unknown keys are
ignored. A record is, the first that holds:

1. a CloudEvent, where its headers say so;
2. what the setting `map` makes of it, where that finds a subject or a name in it; the mapping of the topic that it was
   gathered from, where that has one of its own;
3. native, where it has the key `customer_id` or `anonymous_id`;
4. of the Segment spec (`stream.codec.segment`);
5. what is inside an envelope (`stream.codec.envelopes`), told apart in the same way, or, inside a CloudEvent or an
   outbox row, an object of any shape: these are its properties, and the envelope says the rest.

In all of them:

- An id is text, or a whole number, read as its decimal text: clients do send `42` for `"42"`, and 42.0. Null, empty and
  blank mean that there is none. An interaction's own id that cannot be used is none.
- `\u0000` is a character like any other.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.envelopes import Envelope, cloud_event_of, loads_framed, unwrap
from stream.codec.fields import FieldReader, Reading
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.gathered import topic_of
from stream.codec.import_rows import HEADER as IMPORT_HEADER
from stream.codec.json_objects import JsonReader
from stream.codec.mapped_objects import MappedObjects, suggestion
from stream.codec.refusal import Refusal, kind_of
from stream.codec.segment import is_segment, read_segment
from stream.core.interaction import Interaction

DEFAULT_BLOCKED: Final = frozenset(
    {
        # How languages and exports spell "nothing", and what stands for nobody in particular.
        *("null", "(null)", "<null>", "nil", "<nil>", "none", "undefined", "nan", "n/a", "na"),
        *("false", "true", "-1", "{}", "[]", "[object object]"),
        *("anon", "anonymous", "guest", "unknown", "not_authenticated"),
        # The name of a field where its value was meant.
        *("id", "email", "distinct_id", "distinctid"),
        # What phones answer when they may not pass on the advertising id.
        *("00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"),
    }
)
"""Subject ids that stand for nobody, lower-case.

One of them gathers the behaviour of thousands in one customer, and merges all once identities are tied.
PostHog and Mixpanel refuse nearly all of these as a user's id; they refuse `0` too, which here may be the
first customer.
"""

NATIVE: Final = "native"
SEGMENT: Final = "Segment"
MAPPED: Final = "by the setting map"
IMPORTED: Final = "written by lifecycle import"
UNKNOWN: Final = "of no known format"
DEFAULT_READING: Final = Reading(DEFAULT_BLOCKED)

_NATIVE_KEYS: Final = frozenset({"customer_id", "anonymous_id", "id", "type", "time", "properties", "context"})
_NONE_BY_TOPIC: Final[Mapping[str, ColumnMapping]] = {}
_NO_HEADERS: Final[tuple[tuple[str, bytes | None], ...]] = ()


class InteractionDecoder:
    """Reads records, one after the other, as the settings say."""

    def __init__(
        self,
        reading: Reading = DEFAULT_READING,
        mapping: ColumnMapping | None = None,
        by_topic: Mapping[str, ColumnMapping] = _NONE_BY_TOPIC,
    ) -> None:
        """`mapping` is for records whose topic has none in `by_topic`."""
        self._fields = FieldReader(reading)
        self._json = JsonReader(self._fields.flaws)
        self._flaws: dict[str, int] = {}
        self._others = None if mapping is None else MappedObjects(mapping)
        self._mapped = self._others
        self._by_topic = {topic: MappedObjects(each) for topic, each in by_topic.items()}
        self.format = ""
        """What the latest record was, as far as it was read: native, Segment, by the mapping, a CloudEvent…"""

    def decode(
        self, value: bytes | None, received: int | None, headers: Sequence[tuple[str, bytes | None]] = _NO_HEADERS
    ) -> Interaction | Rejected:
        """Read one record; never raises, whatever the bytes.

        `received` is the broker's time of the record in epoch ms, None offline: the interaction's time where the
        record names none, and what a Segment sender's clock is corrected by.
        """
        if value is None:
            return Rejected(Reason.NULL_VALUE, "the record has no value; an interaction is a JSON object")
        fields = self._fields
        if self._by_topic:
            topic = topic_of(headers)
            self._mapped = self._others if topic is None else self._by_topic.get(topic, self._others)
        try:
            interaction = self._decode(value, received, headers)
            if fields.lost_digits:
                exact = self._once_more(value, received, headers)
                interaction.customer_id, interaction.anonymous_id = exact.customer_id, exact.anonymous_id
                interaction.id = exact.id
        except Refusal as refusal:
            fields.lost_digits = False
            fields.flaws.clear()
            return refusal.rejected
        if fields.flaws:
            self._count_flaws()
        return interaction

    def take_flaws(self) -> dict[str, int]:
        """What could not be used of records that were taken, by its name, since this was last called."""
        taken = self._flaws
        if not taken:
            return {}
        self._flaws = {}
        return taken

    def _count_flaws(self) -> None:
        """Those of the record that was just taken."""
        flaws = self._fields.flaws
        for flaw, count in flaws.items():
            self._flaws[flaw] = self._flaws.get(flaw, 0) + count
        flaws.clear()

    def _once_more(
        self, value: bytes, received: int | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> Interaction:
        flaws = dict(self._fields.flaws)
        self._fields.lost_digits = False
        self._fields.digits_are_text = self._json.keeps_digits = True
        try:
            return self._decode(value, received, headers)
        finally:
            self._fields.digits_are_text = self._json.keeps_digits = False
            self._fields.flaws.clear()
            self._fields.flaws.update(flaws)

    def _decode(self, value: bytes, received: int | None, headers: Sequence[tuple[str, bytes | None]]) -> Interaction:
        fields, json = self._fields, self._json
        if headers:
            if any(name == IMPORT_HEADER for name, _ in headers):
                self.format = IMPORTED
                return self._imported(value, received)
            event = cloud_event_of(headers, value, json)
            if event is not None:
                self.format = "CloudEvent"
                return self._inside(event.data, event.envelope, received)
        record = json.loads(value) if value and value[0] else loads_framed(value, json)
        if isinstance(record, dict):
            if self._mapped is not None:
                native = self._mapped.native_of(record)
                if native is not None:
                    self.format = MAPPED
                    return _native(native, received, fields)
            if "customer_id" in record or "anonymous_id" in record:
                self.format = NATIVE
                return _native(record, received, fields)
            if is_segment(record):
                self.format = SEGMENT
                return read_segment(record, received, fields)
        self.format = UNKNOWN
        data, envelope = unwrap(record, json)
        return self._inside(data, envelope, received)

    def _imported(self, value: bytes, received: int | None) -> Interaction:
        """What `lifecycle import` wrote is native, whatever the setting `map` says of others."""
        record = self._json.loads(value)
        if not isinstance(record, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, f"an interaction is a JSON object; this is {kind_of(record)}")
        return _native(record, received, self._fields)

    def _inside(self, data: object, envelope: Envelope | None, received: int | None) -> Interaction:
        """What an envelope holds, or a record that is of no format by its keys."""
        if envelope is None:
            return self._bare(data, received)
        self.format = envelope.format
        try:
            return self._enveloped(data, envelope, received)
        except Refusal as refusal:
            reason, detail = refusal.rejected
            raise Refusal(reason, f"in a {envelope.format}: {detail}") from None

    def _bare(self, record: object, received: int | None) -> Interaction:
        fields = self._fields
        if not isinstance(record, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, f"an interaction is a JSON object; this is {kind_of(record)}")
        native = None if self._mapped is None else self._mapped.native_of(record)
        if native is None and is_segment(record):
            self.format = SEGMENT
            return read_segment(record, received, fields)
        if native is not None:
            self.format = MAPPED
        elif "customer_id" in record or "anonymous_id" in record:
            self.format = NATIVE
        try:
            return _native(record if native is None else native, received, fields)
        except Refusal as refusal:
            reason, detail = refusal.rejected
            is_other = native is None and not record.keys() <= _NATIVE_KEYS
            if not is_other or reason not in (Reason.NO_EVENT_NAME, Reason.NO_SUBJECT):
                raise
            raise Refusal(reason, f"{detail}; {suggestion(record)}") from None

    def _enveloped(self, data: object, envelope: Envelope, received: int | None) -> Interaction:
        inner, deeper = unwrap(data, self._json)
        if deeper is not None:
            return self._enveloped(inner, deeper, received)
        if not isinstance(inner, dict):
            raise Refusal(Reason.NOT_AN_OBJECT, f"its data must be a JSON object; they are {kind_of(inner)}")
        native = None if self._mapped is None else self._mapped.native_of(inner)
        if native is None:
            if is_segment(inner):
                moment = "originalTimestamp" if inner.get("timestamp") is None else "timestamp"
                beside = {"messageId": envelope.id, moment: envelope.time}
                return read_segment(_completed(inner, beside), received, self._fields)
            is_native = "customer_id" in inner or "anonymous_id" in inner
            native = inner if is_native else {"properties": inner}
        beside = {"type": envelope.type, "id": envelope.id, "time": envelope.time}
        if native.get("customer_id") is None and native.get("anonymous_id") is None:
            beside["customer_id"] = envelope.subject
            if envelope.subject is None:
                raise Refusal(
                    Reason.NO_SUBJECT,
                    "nothing says whose it is: set its `subject`, or say with the setting map which field of its data "
                    "is the customer_id",
                )
        return _native(_completed(native, beside), received, self._fields)


def encode_native(interaction: Interaction) -> bytes:
    """Write an interaction in the native format: decoding it, with nothing blocked, gives it back.

    Its properties and context must hold what JSON can: TypeError for anything else, whole numbers beyond 64
    bits and lone surrogates among it; NaN and the infinities become null.
    """
    record = {
        "customer_id": interaction.customer_id,
        "anonymous_id": interaction.anonymous_id,
        "id": interaction.id,
        "time": interaction.time,
        "properties": interaction.properties,
        "context": interaction.context,
        "type": interaction.name,
    }
    present = {key: value for key, value in record.items() if value is not None}
    return orjson.dumps(present, default=dict)  # for a mapping that is no dict


def _native(record: dict[str, object], received: int | None, fields: FieldReader) -> Interaction:
    name = fields.name(record.get("type"), "type")
    customer, anonymous = fields.subject(record, "customer_id", "anonymous_id")
    own_id = fields.own_id(record.get("id"))
    properties = fields.mapping(record.get("properties"), "properties")
    context = fields.mapping(record.get("context"), "context")
    time = fields.moment(record.get("time"), "time", received)
    return Interaction(customer, anonymous, own_id, name, fields.time(time, received), properties, context)


def _completed(record: dict[str, object], beside: dict[str, object]) -> dict[str, object]:
    """The record with what it lacks."""
    missing = {key: value for key, value in beside.items() if value is not None and record.get(key) is None}
    return {**record, **missing} if missing else record
