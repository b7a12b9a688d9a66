"""Kafka Connect's and Debezium's own types, where a schema names them; values are worked out by hand."""

import json
from typing import Any

import pytest

from stream.codec.connect_types import converted
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.interactions import DEFAULT_READING, InteractionDecoder
from stream.core.interaction import Interaction

CONNECT = "org.apache.kafka.connect.data."
TIME = "io.debezium.time."
NOW = 1_772_380_829_000  # 2026-03-01T16:00:29Z, 20,513 days and 57,629 seconds after 1970


def decimal(scale: object) -> dict[str, Any]:
    return {"type": "bytes", "name": f"{CONNECT}Decimal", "version": 1, "parameters": {"scale": scale}}


def named(name: str, kind: str = "int64") -> dict[str, Any]:
    return {"type": kind, "name": name, "version": 1, "optional": True}


def struct(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "struct", "fields": [each | {"field": name} for name, each in fields.items()], "optional": False}


@pytest.mark.parametrize(
    ("text", "scale", "number"),
    [
        ("B8Y=", "2", 19.9),  # 0x07C6 = 1990
        ("+Do=", "2", -19.9),  # 0xF83A = 63546 = 65536 - 1990
        ("/w==", "0", -1),
        ("AIA=", "0", 128),  # the leading 0 says that it is positive
        ("gA==", "1", -12.8),
        ("BQ==", "-3", 5_000),
        ("AA==", "2", 0.0),
        ("f/////////8=", "0", 2**63 - 1),
        ("AIAAAAAAAAAA", "0", "9223372036854775808"),  # beyond 64 bits: a text, which counts as the number
        ("Ak4KUw==", "10", 0.0038668883),  # 0x024E0A53 = 38668883
    ],
)
def test_a_decimal_is_a_number(text, scale, number):
    found = converted(text, decimal(scale))
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("value", "scale"),
    [
        ("B8Y", "2"),
        ("!", "2"),
        ("", "2"),
        (19.9, "2"),  # decimal.format=NUMERIC
        (None, "2"),
        ({"a": 1}, "2"),
        ("B8Y=", "many"),
        ("B8Y=", 2),
        ("B8Y=", "99999"),
        ("B8Y=", "999"),
        ("f" * 4_000, "2"),
        ("f" + "/" * 171, "0" * 5),
    ],
)
def test_a_decimal_that_is_malformed_stays_as_it_is(value, scale):
    assert converted(value, decimal(scale)) is value


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        (f"{CONNECT}Date", 20_513, "2026-03-01"),
        (f"{TIME}Date", -1, "1969-12-31"),
        (f"{CONNECT}Time", 57_627_029, "16:00:27.029"),
        (f"{TIME}Time", 0, "00:00:00.000"),
        (f"{TIME}MicroTime", 57_627_029_999, "16:00:27.029"),
        (f"{TIME}NanoTime", 57_627_029_999_999, "16:00:27.029"),
        (f"{CONNECT}Timestamp", NOW, NOW),
        (f"{TIME}Timestamp", NOW, NOW),
        (f"{TIME}MicroTimestamp", NOW * 1_000 + 999, NOW),
        (f"{TIME}NanoTimestamp", NOW * 1_000_000 + 999_999, NOW),
        (f"{TIME}MicroTimestamp", -1, -1),  # the millisecond before 1970
        (f"{TIME}ZonedTimestamp", "2026-03-01T16:00:29Z", "2026-03-01T16:00:29Z"),
    ],
)
def test_a_time_is_epoch_milliseconds_or_a_text(name, value, wanted):
    assert converted(value, named(name)) == wanted
    for malformed in ("x", None, True, 1.5, [], 2**80):
        assert converted(malformed, named(name)) is malformed


def test_a_time_of_day_that_no_day_has_stays():
    assert converted(86_400_000, named(f"{CONNECT}Time")) == 86_400_000
    assert converted(-1, named(f"{CONNECT}Time")) == -1


def test_structs_lists_and_maps_are_converted_inside():
    line = struct(price=decimal("2"), name={"type": "string"})
    schema = struct(
        lines={"type": "array", "items": line},
        by_day={"type": "map", "keys": {"type": "string"}, "values": named(f"{TIME}Date", "int32")},
        pairs={"type": "map", "keys": {"type": "int32"}, "values": named(f"{TIME}Date", "int32")},
        plain={"type": "int64"},
        loose={
            "type": "struct",
            "name": "io.debezium.data.VariableScaleDecimal",
            "fields": [{"type": "int32", "field": "scale"}, {"type": "bytes", "field": "value"}],
        },
    )
    payload = {
        "lines": [{"price": "B8Y=", "name": "B8Y="}, {"price": None}, None],
        "by_day": {"a": 20_513},
        "pairs": [[1, 20_513]],
        "plain": 20_513,
        "loose": {"scale": 2, "value": "B8Y="},
        "of no schema": "B8Y=",
    }
    assert converted(payload, schema) == {
        "lines": [{"price": 19.9, "name": "B8Y="}, {"price": None}, None],
        "by_day": {"a": "2026-03-01"},
        "pairs": [[1, 20_513]],
        "plain": 20_513,
        "loose": 19.9,
        "of no schema": "B8Y=",
    }
    assert converted({"loose": {"scale": True, "value": "B8Y="}}, schema) == {"loose": {"scale": True, "value": "B8Y="}}
    assert converted([1], schema) == [1]


@pytest.mark.parametrize(
    "schema", [None, 1, [], {}, {"type": "struct"}, {"type": "struct", "fields": [1, {"field": 1}, {"type": "x"}]}]
)
def test_a_schema_that_says_nothing_changes_nothing(schema):
    payload = {"a": "B8Y="}
    assert converted(payload, schema) is payload


def test_a_schema_that_is_nested_without_end_ends():
    schema: dict[str, Any] = named(f"{TIME}Date")
    for _ in range(1_000):
        schema = {"type": "array", "items": schema}
    assert converted([1], schema) == [1]


def test_a_changed_row_of_debezium_has_numbers_and_times():
    row = struct(
        client={"type": "string"}, total=decimal("2"), at=named(f"{TIME}NanoTimestamp"), day=named(f"{TIME}Date")
    )
    after = {"client": "c-7", "total": "B8Y=", "at": NOW * 1_000_000, "day": 20_513}
    change = {"before": None, "after": after, "source": {}, "op": "c", "ts_ms": NOW}
    record = {"schema": struct(before=row, after=row, op={"type": "string"}), "payload": change}
    mapping = ColumnMapping.parse(
        ["customer_id=client,type='Order Completed',time=at,properties.total=total,properties.day=day"]
    )
    decoder = InteractionDecoder(DEFAULT_READING, mapping)
    found = decoder.decode(json.dumps(record).encode(), NOW)
    assert found == Interaction("c-7", None, None, "Order Completed", NOW, {"total": 19.9, "day": "2026-03-01"}, {})
    assert decoder.take_flaws() == {}


def test_a_native_struct_of_connect_is_read_with_its_decimals():
    schema = struct(properties=struct(total=decimal("2")), customer_id=decimal("0"), time=named(f"{CONNECT}Timestamp"))
    payload = {"type": "visit", "customer_id": "AIAAAAAAAAAA", "time": NOW, "properties": {"total": "+Do="}}
    found = InteractionDecoder().decode(json.dumps({"schema": schema, "payload": payload}).encode(), NOW)
    assert found == Interaction("9223372036854775808", None, None, "visit", NOW, {"total": -19.9}, {})
