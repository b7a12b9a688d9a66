"""What interactions come in: CloudEvents, envelopes, a schema registry's bytes, objects of any shape by a mapping."""

import base64
import json
from typing import Any

import pytest

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.fields import Reading
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.import_rows import HEADER as IMPORT_HEADER
from stream.codec.import_rows import encode_row
from stream.codec.interactions import DEFAULT_BLOCKED, DEFAULT_READING, InteractionDecoder
from stream.core.interaction import Interaction
from stream.core.times import parse_time

NOW = parse_time("2026-03-01T09:30:00Z") or 0
NATIVE = {"id": "e-1", "type": "Order Completed", "customer_id": "c-7", "time": NOW - 5_000, "properties": {"total": 5}}
SEGMENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": "c-7",
    "messageId": "e-1",
    "timestamp": "2026-03-01T09:29:55Z",
    "properties": {"total": 5},
}
ORDER = Interaction("c-7", None, "e-1", "Order Completed", NOW - 5_000, {"total": 5}, {})
CE = {"ce_specversion": "1.0", "ce_id": "ce-1", "ce_source": "/shop", "ce_type": "Order Completed"}


def raw(value: bytes, headers: dict[str, str] | None = None, mapping: str | None = None) -> Interaction | Rejected:
    decoder = InteractionDecoder(DEFAULT_READING, ColumnMapping.parse([mapping], complete=False) if mapping else None)
    return decoder.decode(value, NOW, [(name, text.encode()) for name, text in (headers or {}).items()])


def read(value: object, headers: dict[str, str] | None = None, mapping: str | None = None) -> Interaction | Rejected:
    return raw(json.dumps(value).encode(), headers, mapping)


def refused(found: Interaction | Rejected, reason: Reason, *words: str) -> None:
    assert isinstance(found, Rejected), found
    assert found.reason is reason, found
    assert [word for word in words if word not in found.detail] == [], found.detail


# ── A schema registry ──


@pytest.mark.parametrize("record", [NATIVE, SEGMENT])
@pytest.mark.parametrize("schema", [1, 142, 0x00FF00FF, 2**31])
def test_json_behind_the_five_bytes_of_a_schema_registry_is_read(record, schema):
    framed = b"\0" + schema.to_bytes(4, "big") + json.dumps(record).encode()
    assert raw(framed) == ORDER
    assert raw(b"\0" + schema.to_bytes(8, "big") + json.dumps(record).encode()) == ORDER


@pytest.mark.parametrize("schema", [1, 142, 0xFFFFFFFF])
def test_what_is_no_json_behind_them_is_one_reason_whatever_the_schema(schema):
    refused(
        raw(b"\0" + schema.to_bytes(4, "big") + b"\x02\x0ahello"),
        Reason.NOT_JSON,
        "schema registry",
        str(schema),
        "Avro",
    )


@pytest.mark.parametrize(
    "value",
    [
        b"\x22abcdefghijklmnopq\xff\x02",  # Avro's text of 17 characters begins with a quotation mark
        b"\x22abcdefghijklmnopq",
        b"\x22abcdefghijklmnopq\x22",
        b"\x06abc{\xff\x02",
        b"\x06abc\x22def",
        b"{\x01",
        b"[\x01",
        b"\x0217",
        b"",
    ],
)
def test_bytes_of_avro_that_begin_as_json_does_are_not_taken_for_it(value):
    refused(raw(b"\0\0\0\0\1" + value), Reason.NOT_JSON, "schema registry (schema 1)", "Avro")
    structured = {"specversion": "1.0", "type": "x", "subject": "c"}
    encoded = base64.b64encode(b"\0\0\0\0\1" + value).decode()
    refused(read(structured | {"data_base64": encoded}), Reason.NOT_JSON, "schema registry (schema 1)")


@pytest.mark.parametrize("space", [b" ", b"\n\t ", b"\r\n"])
def test_white_space_before_the_json_is_json(space):
    for schema in (b"\0\0\0\1", b"\0\0\0\0\0\0\0\1", b"    ", b"{{{{{{{{", b'""""""""'):
        assert raw(b"\0" + schema + space + json.dumps(NATIVE).encode()) == ORDER


def test_json_in_another_encoding_behind_them_is_named_as_that_with_the_registry():
    framed = b"\0\0\0\0\1" + json.dumps(NATIVE | {"customer_id": "c-é"}, ensure_ascii=False).encode("latin-1")
    refused(raw(framed), Reason.NOT_UTF8, "schema registry (schema 1)", "UTF-8")


def test_json_that_is_too_deep_is_that_behind_them_too():
    refused(raw(b"\0\0\0\0\1" + b"[" * 70 + b"]" * 70), Reason.TOO_DEEP)


def test_a_registry_that_puts_the_schema_into_a_header_leaves_the_value_bare():
    assert read(NATIVE, {"__value_schema_id": "\x01abcdefghijklmnop"}) == ORDER


# ── Kafka Connect ──


@pytest.mark.parametrize("schema", [None, {"type": "struct", "fields": []}])
@pytest.mark.parametrize("payload", [NATIVE, SEGMENT, json.dumps(NATIVE)])
def test_the_envelope_of_kafka_connect_is_opened(schema, payload):
    assert read({"schema": schema, "payload": payload}) == ORDER


def test_an_envelope_of_connect_without_payload_is_a_null_value():
    refused(read({"schema": None, "payload": None}), Reason.NULL_VALUE, "Kafka Connect")


def test_json_that_a_converter_took_for_a_text_is_read():
    assert read(json.dumps(NATIVE)) == ORDER


def test_how_connect_s_string_converter_writes_an_object_is_named():
    refused(raw(b"{id=e-1, type=visit, customer_id=c-7}"), Reason.NOT_JSON, "StringConverter", "JsonConverter")
    refused(raw(b"Struct{id=e-1,type=visit}"), Reason.NOT_JSON, "StringConverter", "JsonConverter")


# ── CloudEvents ──


@pytest.mark.parametrize("record", [NATIVE, SEGMENT])
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", None])
def test_a_cloud_event_whose_data_are_an_interaction_is_that(record, content_type):
    binary = CE | ({} if content_type is None else {"content-type": content_type})
    assert read(record, binary) == ORDER
    structured = {name[3:]: text for name, text in CE.items()} | {"data": record}
    assert read(structured) == ORDER
    assert read(structured, {"content-type": "application/cloudevents+json; charset=utf-8"}) == ORDER


def test_what_the_interaction_does_not_say_its_event_says():
    about = CE | {"ce_time": "2026-03-01T09:29:55Z", "ce_subject": "ignored"}
    bare = {"customer_id": "c-7", "properties": {"total": 5}}
    wanted = Interaction("c-7", None, "ce-1", "Order Completed", NOW - 5_000, {"total": 5}, {})
    assert read(bare, about) == wanted
    assert read({name[3:]: text for name, text in about.items()} | {"data": bare}) == wanted
    segment = {"type": "track", "event": "Order Completed", "userId": "c-7", "properties": {"total": 5}}
    assert read(segment, about) == wanted


def test_data_of_any_shape_are_the_properties_of_the_event():
    about = CE | {"ce_time": "2026-03-01T09:29:55Z", "ce_subject": "c-7"}
    wanted = Interaction("c-7", None, "ce-1", "Order Completed", NOW - 5_000, {"total": 5}, {})
    assert read({"total": 5}, about) == wanted
    structured: dict[str, Any] = {name[3:]: text for name, text in about.items()}
    assert read(structured | {"data": {"total": 5}}) == wanted
    assert read(structured | {"data_base64": base64.b64encode(b'{"total":5}').decode()}) == wanted
    assert read(structured) == Interaction("c-7", None, "ce-1", "Order Completed", NOW - 5_000, {}, {})


def test_without_a_time_of_its_own_an_event_happened_when_the_broker_had_it():
    found = read({"total": 5}, CE | {"ce_subject": "c-7"})
    assert isinstance(found, Interaction)
    assert found.time == NOW


def test_the_subject_may_be_a_field_of_the_data_that_the_mapping_names():
    wanted = Interaction("c-7", None, "ce-1", "Order Completed", NOW, {"user": {"id": "c-7"}, "total": 5}, {})
    data = {"user": {"id": "c-7"}, "total": 5}
    assert read(data, CE, "customer_id=user.id") == wanted
    assert read({name[3:]: text for name, text in CE.items()} | {"data": data}, None, "customer_id=user.id") == wanted


def test_an_event_of_nobody_names_what_to_set():
    refused(read({"total": 5}, CE), Reason.NO_SUBJECT, "in a CloudEvent", "`subject`", "map")


def test_an_event_that_cannot_be_read_says_that_it_is_one():
    refused(
        raw(b"<order/>", CE | {"content-type": "application/xml"}), Reason.NOT_JSON, "CloudEvent", "application/xml"
    )
    refused(read([1], CE | {"ce_subject": "c-7"}), Reason.NOT_AN_OBJECT, "CloudEvent", "a list")
    refused(read([NATIVE], {"content-type": "application/cloudevents-batch+json"}), Reason.BAD_SHAPE, "batch")
    refused(
        read({"specversion": "1.0", "type": "x", "subject": "c", "data_base64": "!"}), Reason.BAD_SHAPE, "data_base64"
    )
    refused(read({"total": 5}, CE | {"ce_subject": "c-7", "ce_time": "soon"}), Reason.BAD_TIME, "CloudEvent", "soon")


# ── Debezium ──

ROW = {"id": "row-1", "aggregatetype": "order", "aggregateid": "c-7", "type": "Order Completed"}


@pytest.mark.parametrize("payload", [{"total": 5}, '{"total":5}'])
def test_a_row_of_an_outbox_is_an_interaction_of_its_aggregate(payload):
    wanted = Interaction("c-7", None, "row-1", "Order Completed", NOW - 5_000, {"total": 5}, {})
    row = ROW | {"payload": payload, "timestamp": NOW - 5_000}
    assert read(row) == wanted
    changed = {"before": None, "after": ROW | {"payload": payload}, "source": {}, "op": "c", "ts_ms": NOW - 5_000}
    assert read(changed) == wanted
    assert read({"schema": {}, "payload": changed}) == wanted


@pytest.mark.parametrize("record", [NATIVE, SEGMENT, json.dumps(NATIVE)])
def test_a_payload_that_is_an_interaction_is_that(record):
    assert read(ROW | {"payload": record}) == ORDER


def test_a_deleted_row_is_no_interaction_and_says_how_to_leave_it_out():
    deleted = {"before": ROW | {"payload": "{}"}, "after": None, "source": {}, "op": "d", "ts_ms": NOW}
    refused(read(deleted), Reason.NULL_VALUE, "Debezium", "skipped.operations")


def test_a_changed_row_of_another_table_is_read_by_the_mapping():
    changed = {"before": None, "after": {"client": "c-7", "sum": 5, "no": "e-1"}, "source": {}, "op": "c", "ts_ms": NOW}
    mapping = "customer_id=client, type='Order Completed', id=no, properties.total=sum"
    assert read(changed, None, mapping) == Interaction("c-7", None, "e-1", "Order Completed", NOW, {"total": 5}, {})


# ── A mapping ──

FOREIGN = {"who": {"mail": "c-7"}, "what": "Order Completed", "at": "2026-03-01T09:29:55Z", "no": "e-1", "sum": 5}
MAPPING = "customer_id=who.mail, type=what, time=at, id=no, properties.total=sum"


def test_a_mapping_says_where_the_parts_are():
    assert read(FOREIGN, None, MAPPING) == ORDER
    assert read({"schema": None, "payload": FOREIGN}, None, MAPPING) == ORDER


def test_without_targets_below_properties_the_whole_object_is_them():
    found = read(FOREIGN, None, "customer_id=who.mail, type=what, time=at")
    assert isinstance(found, Interaction)
    assert found.properties == FOREIGN


@pytest.mark.parametrize("record", [NATIVE, SEGMENT])
def test_beside_a_mapping_other_formats_are_still_themselves(record):
    assert read(record, None, MAPPING) == ORDER


def test_what_was_imported_is_native_whatever_the_mapping():
    row = {IMPORT_HEADER: encode_row("orders", 0, 1).decode()}
    assert read(NATIVE, row, "customer_id=customer_id, type=event") == ORDER


def test_an_object_of_unknown_shape_names_its_fields_and_a_mapping_that_may_be_meant():
    record = {"distinct_id": "c-7", "event": "visit", "timestamp": "2026-03-01T09:29:55Z"}
    refused(read(record), Reason.NO_EVENT_NAME, "distinct_id, event, timestamp", 'map = "customer_id=', "type=event")
    assert "c-7" not in str(read(record))


def test_a_mapped_record_that_is_no_interaction_says_what_it_lacks():
    refused(read({"who": {"mail": "c-7"}}, None, MAPPING), Reason.NO_EVENT_NAME, "`type`")


# ── Numbers that JSON does not have ──


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400])
def test_a_number_that_json_does_not_have_costs_its_value_and_not_the_record(number):
    decoder = InteractionDecoder()
    text = (
        '{"type":"Order Completed","customer_id":"c-7","properties":{"total":20,"a":%s,"b":[1,%s],"c":"NaN \\" NaN"}}'
    )
    found = decoder.decode((text % (number, number)).encode(), NOW)
    assert isinstance(found, Interaction)
    assert found.properties == {"total": 20, "a": None, "b": [1, None], "c": 'NaN " NaN'}
    assert decoder.take_flaws() == {"not_a_number": 2}
    assert decoder.take_flaws() == {}


def test_a_damaged_record_with_such_a_number_is_still_damaged():
    refused(raw(b'{"type":"a","customer_id":"c","properties":{"a":NaN}'), Reason.NOT_JSON)
    refused(raw(b'{"type":"a","customer_id":"c","properties":{"a":NaN,"b":"' + b'\\"' * 400_000), Reason.NOT_JSON)


# ── Times that are believed ──


@pytest.mark.parametrize("factor", [1, 1_000, 1_000_000])
def test_seconds_microseconds_and_nanoseconds_are_told_from_milliseconds(factor):
    decoder = InteractionDecoder()
    sent = (NOW - 5_000) // 1_000 if factor == 1 else (NOW - 5_000) * factor
    found = decoder.decode(json.dumps(NATIVE | {"time": sent}).encode(), NOW)
    assert found == ORDER
    assert decoder.take_flaws() == {"time_unit": 1}


def test_seconds_with_a_fraction_keep_their_milliseconds():
    for ms in (1, 123, 289, 999):
        found = read(NATIVE | {"time": (NOW + ms - 5_000) / 1_000})
        assert isinstance(found, Interaction)
        assert found.time == NOW + ms - 5_000


@pytest.mark.parametrize("time", [0, 46_087, -5, 20_260_305, NOW // 1_000 + 400, "1970-01-01T00:00:00Z", "1994-12-31"])
def test_a_time_that_is_not_believed_is_refused_with_what_would_be(time):
    refused(read(NATIVE | {"time": time}), Reason.BAD_TIME, "1995-01-01", "earliest_time")


def test_a_time_that_is_ahead_is_read_as_it_is():
    found = read(NATIVE | {"time": NOW + 10**9})
    assert isinstance(found, Interaction)
    assert found.time == NOW + 10**9


def test_every_time_is_believed_where_the_setting_says_so():
    decoder = InteractionDecoder(Reading(DEFAULT_BLOCKED, earliest_time=None))
    for time in (0, -5, NOW // 1_000):
        found = decoder.decode(json.dumps(NATIVE | {"time": time}).encode(), NOW)
        assert isinstance(found, Interaction)
        assert found.time == time


def test_a_phone_whose_clock_was_never_set_is_corrected_before_it_is_believed():
    call = SEGMENT | {"timestamp": "1970-01-01T00:10:00Z", "sentAt": "1970-01-01T00:10:05Z"}
    stated = call | {"receivedAt": "2026-03-01T09:30:00Z"}
    assert read(stated) == ORDER
    refused(read(call), Reason.BAD_TIME, "1995")  # with the broker's time alone it may be an old record


@pytest.mark.parametrize(("zero", "point"), [(0x0660, "\u066b"), (0x06F0, "\u066b"), (0x0966, "."), (0xFF10, ".")])
def test_digits_of_any_script_are_digits(zero, point):
    """Arabic, Persian, Devanagari, and full width."""
    time = "2026-03-01T09:29:55.000Z".translate({ord(str(digit)): chr(zero + digit) for digit in range(10)})
    time = time.replace(".", point)
    assert read(NATIVE | {"time": time}) == ORDER
    assert read({**SEGMENT, "originalTimestamp": time, "timestamp": None}) == ORDER


# ── Clocks of Segment's senders ──


@pytest.mark.parametrize("waited", [17_300, 56_000, 109_000])
@pytest.mark.parametrize(
    ("library", "moved"), [("analytics-java", False), ("analytics-node", False), ("rudder-ios", True)]
)
def test_a_library_that_repeats_the_first_sent_at_is_not_moved_by_the_wait(waited, library, moved):
    sent = {"timestamp": NOW - waited - 5_000, "sentAt": NOW - waited, "context": {"library": {"name": library}}}
    found = read(SEGMENT | sent)
    assert isinstance(found, Interaction)
    assert found.time == NOW - 5_000 - (0 if moved else waited)


@pytest.mark.parametrize("library", ["analytics-java", "analytics.js"])
def test_a_clock_that_is_ahead_is_corrected_of_every_library(library):
    sent = {"timestamp": NOW + 3_600_000 - 5_000, "sentAt": NOW + 3_600_000, "context": {"library": {"name": library}}}
    found = read(SEGMENT | sent)
    assert isinstance(found, Interaction)
    assert found.time == NOW - 5_000


def test_old_calls_that_are_put_on_the_topic_today_keep_their_time():
    old = {"timestamp": "2024-03-01T09:29:55Z", "sentAt": "2024-03-01T09:29:56Z"}
    found = read(SEGMENT | old)
    assert isinstance(found, Interaction)
    assert found.time == parse_time("2024-03-01T09:29:55Z")


def test_a_colon_before_the_zone_of_sent_at_loses_no_order():
    decoder = InteractionDecoder()
    call = SEGMENT | {"sentAt": "2026-03-01T09:29:56.957:Z", "receivedAt": "soon"}
    assert decoder.decode(json.dumps(call).encode(), NOW) == ORDER
    assert decoder.take_flaws() == {"sentAt": 1, "receivedAt": 1}


# ── Ids ──


@pytest.mark.parametrize(
    ("ids", "wanted"),
    [
        ("exact", {"Ada.Example@Mail.test", "ada.example@mail.test", "ada.example@mail.test ", "STRASSE", "straße"}),
        ("trimmed", {"Ada.Example@Mail.test", "ada.example@mail.test", "STRASSE", "straße"}),
        ("folded", {"ada.example@mail.test", "strasse"}),
    ],
)
def test_ids_are_compared_as_the_setting_says(ids, wanted):
    decoder = InteractionDecoder(Reading(DEFAULT_BLOCKED, ids))
    found = set()
    for each in ("Ada.Example@Mail.test", "ada.example@mail.test", "ada.example@mail.test ", "STRASSE", "straße"):
        for key in ("customer_id", "anonymous_id"):
            record = {**NATIVE, "customer_id": None, key: each}
            read = decoder.decode(json.dumps(record).encode(), NOW)
            assert isinstance(read, Interaction)
            found.add(read.subject)
            assert read.id == "e-1"
    assert found == wanted


LONG = b'{"type":"visit","customer_id":123456789012345678901234567890,"properties":{"a":"\\" 1"}}'


@pytest.mark.parametrize(
    "value",
    [
        LONG,
        *(b"\0" + schema.to_bytes(4, "big") + LONG for schema in (34, 0x5C22, 0x39393939)),  # bytes that JSON knows
        json.dumps(LONG.decode()).encode(),
        b'{"schema":null,"payload":%s}' % LONG,
        json.dumps({"schema": None, "payload": LONG.decode()}).encode(),
        json.dumps({"aggregateid": "c", "type": "visit", "payload": LONG.decode()}).encode(),
        b'{"specversion":"1.0","type":"visit","data_base64":"%s"}' % base64.b64encode(LONG),
    ],
)
def test_an_id_keeps_its_digits_in_whatever_it_lies(value):
    found = raw(value)
    assert isinstance(found, Interaction), found
    assert found.customer_id == "123456789012345678901234567890"
    assert found.properties == {"a": '" 1'}


def test_a_time_in_nanoseconds_beside_such_an_id_is_a_time():
    found = raw(LONG.replace(b'"type"', b'"time":%d,"type"' % ((NOW - 5_000) * 1_000_000)))
    assert isinstance(found, Interaction), found
    assert (found.customer_id, found.time) == ("123456789012345678901234567890", NOW - 5_000)


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**18])
def test_an_id_of_about_64_bits_keeps_its_digits(number):
    found = read({"type": "visit", "customer_id": number, "id": 10**30})
    assert isinstance(found, Interaction), found
    assert (found.customer_id, found.id) == (str(number), str(10**30))


@pytest.mark.parametrize("own_id", [{"a": 1}, [1], True, 1.5, "x" * 257, "é" * 129, 1e300])
def test_an_own_id_that_cannot_be_used_is_none_and_counted(own_id):
    for record, key in ((NATIVE, "id"), (SEGMENT, "messageId")):
        decoder = InteractionDecoder()
        found = decoder.decode(json.dumps(record | {key: own_id}).encode(), NOW)
        assert isinstance(found, Interaction)
        assert (found.customer_id, found.id, found.time) == ("c-7", None, ORDER.time)
        assert decoder.take_flaws() == {"id": 1}


def test_of_a_record_that_is_refused_nothing_is_counted():
    decoder = InteractionDecoder()
    refused(
        decoder.decode(b'{"type":"visit","id":true,"time":1772359200,"properties":{"a":NaN}}', NOW), Reason.NO_SUBJECT
    )
    assert decoder.take_flaws() == {}
    decoder.decode(json.dumps(NATIVE | {"id": True}).encode(), NOW)
    assert decoder.take_flaws() == {"id": 1}
