"""Values that Kafka Connect writes in a form of its own, where the `schema` beside a payload names it.

    org.apache.kafka.connect.data.Decimal             Base64 of a whole number, with a scale     a number
    io.debezium.data.VariableScaleDecimal             the same with its scale beside it          a number
    org.apache.kafka.connect.data.Date, …time.Date    days since 1970                            `2026-03-01`
    org.apache.kafka.connect.data.Time, …time.Time    milliseconds since midnight                `16:00:27.029`
    io.debezium.time.MicroTime, NanoTime              micro-, nanoseconds since midnight         `16:00:27.029`
    io.debezium.time.MicroTimestamp, NanoTimestamp    micro-, nanoseconds since 1970             epoch milliseconds

Timestamps of milliseconds and texts (io.debezium.time.ZonedTimestamp) are as they should be. What is not what its
schema says stays as it is.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Final

from stream.codec.dead_letter_reasons import MAX_DEPTH
from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.times import format_time

_Convert = Callable[[object], object]

_DAY: Final = 86_400_000
_MOST_BYTES: Final = 128
"""Of a decimal: 308 digits, as many as a number may have."""
_LARGEST_SCALE: Final = 400
_EXACT: Final = 2**63


def converted(payload: object, schema: object) -> object:
    """The payload with its values as numbers, epoch milliseconds and texts."""
    convert = _of(schema, 0)
    return payload if convert is None else convert(payload)


def _of(schema: object, depth: int) -> _Convert | None:
    """How values of this schema are converted; None: not at all."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return None
    name = schema.get("name")
    if isinstance(name, str) and name in _NAMED:
        return _NAMED[name]
    kind = schema.get("type")
    if name == "org.apache.kafka.connect.data.Decimal":
        return _decimal_of(schema)
    if kind == "struct":
        return _struct_of(schema.get("fields"), depth)
    if kind == "array":
        return _list_of(_of(schema.get("items"), depth + 1))
    if kind == "map":
        return _values_of(_of(schema.get("values"), depth + 1))
    return None


def _struct_of(fields: object, depth: int) -> _Convert | None:
    converts: dict[object, _Convert] = {}
    for each in fields if isinstance(fields, list) else ():
        if isinstance(each, dict) and isinstance(each.get("field"), str):
            convert = _of(each, depth + 1)
            if convert is not None:
                converts[each["field"]] = convert
    if not converts:
        return None

    def of_struct(value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {key: converts[key](each) if key in converts else each for key, each in value.items()}

    return of_struct


def _list_of(convert: _Convert | None) -> _Convert | None:
    if convert is None:
        return None
    return lambda value: [convert(each) for each in value] if isinstance(value, list) else value


def _values_of(convert: _Convert | None) -> _Convert | None:
    """Of a map whose keys are texts; others are lists of pairs, which no rule can read."""
    if convert is None:
        return None
    return lambda value: {key: convert(each) for key, each in value.items()} if isinstance(value, dict) else value


def _decimal_of(schema: dict[str, object]) -> _Convert | None:
    parameters = schema.get("parameters")
    text = parameters.get("scale") if isinstance(parameters, dict) else None
    if not isinstance(text, str) or len(text) > 4:
        return None
    try:
        scale = int(text)
    except ValueError:
        return None
    return lambda value: _decimal(value, scale)


def _variable_decimal(value: object) -> object:
    if not isinstance(value, dict):
        return value
    scale = value.get("scale")
    if not isinstance(scale, int) or isinstance(scale, bool):
        return value
    text = value.get("value")
    number = _decimal(text, scale)
    return value if number is text else number


def _decimal(value: object, scale: int) -> object:
    if not isinstance(value, str) or abs(scale) > _LARGEST_SCALE or len(value) > 2 * _MOST_BYTES:
        return value
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    if not data or len(data) > _MOST_BYTES:
        return value
    unscaled = int.from_bytes(data, "big", signed=True)
    try:
        if scale > 0:
            return unscaled / 10**scale
        whole = unscaled * 10**-scale
        # Text that is exactly a number counts as that number, and as an id it keeps its digits.
        return whole if -_EXACT <= whole < _EXACT else str(whole)
    except OverflowError:
        return value


def _date(value: object) -> object:
    time = _scaled(value, _DAY, 1)
    return format_time(time)[:10] if time is not None else value


def _timestamp(divisor: int) -> _Convert:
    def of_timestamp(value: object) -> object:
        time = _scaled(value, 1, divisor)
        return value if time is None else time

    return of_timestamp


def _time(divisor: int) -> _Convert:
    def of_time(value: object) -> object:
        time = _scaled(value, 1, divisor)
        return format_time(time)[11:-1] if time is not None and 0 <= time < _DAY else value

    return of_time


def _scaled(value: object, factor: int, divisor: int) -> int | None:
    """A moment in milliseconds; None where it is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    time = value * factor // divisor
    return time if MIN_TIME <= time <= MAX_TIME else None


_NAMED: Final[dict[str, _Convert]] = {
    "org.apache.kafka.connect.data.Date": _date,
    "io.debezium.time.Date": _date,
    "org.apache.kafka.connect.data.Time": _time(1),
    "io.debezium.time.Time": _time(1),
    "io.debezium.time.MicroTime": _time(1_000),
    "io.debezium.time.NanoTime": _time(1_000_000),
    "io.debezium.time.MicroTimestamp": _timestamp(1_000),
    "io.debezium.time.NanoTimestamp": _timestamp(1_000_000),
    "io.debezium.data.VariableScaleDecimal": _variable_decimal,
}
