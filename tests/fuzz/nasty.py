"""What senders get wrong, and what attackers would send: strategies for bytes, JSON and text of every kind of input."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"

Value = Any
"""Of JSON."""

TEXTS = ["", " ", "\x00", "a\x00b", "null", "NaN", "é" * 129, "x" * 257, "\U0001f600", "\u2028", "'\";--", "../../etc"]
TIMES: list[Value] = [
    *(0, -1, 1e15, 253_402_300_799_999, 253_402_300_800_000, -62_135_596_800_000, -62_135_596_800_001, 2**63, -(2**63)),
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "10000-01-01T00:00:00Z"),
    *("2016-12-31T23:59:60Z", "2023-02-30T00:00:00Z", "2023-01-01T00:00:00+23:59", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59-12:00", "1700000000000", "2023-W01-1", "now", 1.7e12, 1e300, -0.0),
]
RAW = [
    *(b"1e999", b"-1e999", b"1e-999", b"1" + b"0" * 4000, b"NaN", b"Infinity", b"-0", b"01", b"9" * 30),
    *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\xff"', b'"\xed\xa0\x80"', b'"', b"[" * 70 + b"]" * 70),
    *(b"[" * 1_100, b'{"a":' * 66 + b"1" + b"}" * 66, b'{"a":1,"a":2}', b'{"":{"":[]}}', b"\xef\xbb\xbf1", b""),
]
"""Pieces of JSON, some of which are none, put in place of a value as they are."""
SCALARS: list[Value] = [None, True, False, 0, -1, 2**53 + 1, 2**63, -(2**64), 0.1, 1e15, -1e308, *TEXTS, *TIMES]
KEYS = ["type", "event", "userId", "anonymousId", "customer_id", "anonymous_id", "id", "messageId", "time", "timestamp"]
MORE_KEYS = ["originalTimestamp", "sentAt", "receivedAt", "properties", "traits", "context", "batch", "specversion", ""]

HOLE = "\ue000hole%d\ue000"


def json_values() -> st.SearchStrategy[Value]:
    """Any JSON, small, with nasty leaves."""
    leaves = st.sampled_from(SCALARS) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | keys(), inner, max_size=4),
        max_leaves=8,
    )


def keys() -> st.SearchStrategy[str]:
    """A key that some layout knows."""
    return st.sampled_from([*KEYS, *MORE_KEYS])


@st.composite
def json_bytes(draw: st.DrawFn, originals: list[Value]) -> bytes:
    """An original with values replaced, keys dropped, renamed and doubled; each may end up as no JSON at all."""
    value = draw(st.sampled_from(originals))
    raw: list[bytes] = []
    for _ in range(draw(st.integers(0, 4))):
        value = _mutated(draw, value, raw)
    text = json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for number, piece in enumerate(raw):
        for quoted in (json.dumps(HOLE % number), json.dumps(HOLE % number, ensure_ascii=False)):
            text = text.replace(quoted.encode(), piece)
    if draw(st.integers(0, 3)) == 0 and text.startswith(b"{") and len(text) > 2:
        again = json.dumps({draw(keys()): draw(st.sampled_from(SCALARS))}).encode("utf-8", "surrogatepass")
        text = text[:-1] + b"," + again[1:]
    return text


def _mutated(draw: st.DrawFn, value: Value, raw: list[bytes]) -> Value:
    """One place changed, wherever in it."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        match draw(st.sampled_from(["below", "below", "below", "drop", "rename", "add"])):
            case "drop":
                return {each: inner for each, inner in value.items() if each != key}
            case "rename":
                return {draw(keys()) if each == key else each: inner for each, inner in value.items()}
            case "add":
                return {**value, draw(keys()): _replacement(draw, raw)}
            case _:
                return {**value, key: _mutated(draw, value[key], raw)}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _mutated(draw, value[place], raw), *value[place + 1 :]]
    return _replacement(draw, raw)


def _replacement(draw: st.DrawFn, raw: list[bytes]) -> Value:
    if draw(st.integers(0, 2)) == 0:
        raw.append(draw(st.sampled_from(RAW)))
        return HOLE % (len(raw) - 1)
    return draw(st.sampled_from(SCALARS) | json_values())


@st.composite
def damaged(draw: st.DrawFn, originals: list[bytes]) -> bytes:
    """An original with bytes flipped, cut out, put in and repeated."""
    data = bytearray(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 16)))
        match draw(st.sampled_from(["flip", "cut", "insert", "repeat", "end"])):
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[start:end]
            case "insert":
                data[start:start] = draw(st.binary(max_size=8) | st.sampled_from(RAW))
            case "repeat":
                data[start:start] = data[start:end] * draw(st.integers(1, 50))
            case "end":
                del data[start:]
            case _:
                pass
    return bytes(data)


def anything(payloads: list[Value]) -> st.SearchStrategy[bytes]:
    """Bytes of every sort: payloads changed as JSON, changed as bytes, and noise."""
    written = [json.dumps(each).encode() for each in payloads]
    return json_bytes(payloads) | damaged(written) | st.binary(max_size=64) | st.builds(_dumps, json_values())


def _dumps(value: Value) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@cache
def payloads() -> list[Value]:
    """The published examples of interactions in every format, of what is none, and of webhooks of other services."""
    found: list[Value] = []
    for folder in ("interaction", "interaction-segment", "interaction-segment-ecommerce", "interaction-invalid"):
        for path in sorted((EXAMPLES / folder).glob("*.json")):
            with suppress(ValueError):  # some invalid ones are no JSON
                found.append(json.loads(path.read_bytes()))
    calls = [call for each in found if isinstance(each, dict) for call in each.get("batch", [])]
    return [*found, *calls]


WHEN = "2023-11-14T22:13:20Z"
NATIVE: list[Value] = [
    {"type": "Order Completed", "customer_id": "c1", "time": 1_700_000_000_000, "properties": {"total": 19.9}},
    {"type": "page", "anonymous_id": "a1", "id": "e1", "time": WHEN, "context": {"device": {"type": "tv"}}},
    {"type": "track", "event": "Order Completed", "userId": "c1", "messageId": "m", "properties": {"tags": [1, "a"]}},
    {"type": "identify", "anonymousId": "a1", "traits": {"country": "DE"}, "timestamp": "2023-11-14T22:13:20.5+01:00"},
    {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order", "subject": "c1", "time": WHEN, "data": {}},
    {"event": "$pageview", "distinct_id": "c1", "uuid": "u", "timestamp": WHEN, "properties": {"$set": {"a": 1}}},
    {"api_key": "k", "event": "$identify", "properties": {"distinct_id": "c1", "$anon_distinct_id": "a1", "time": 1.7}},
]
"""Every layout that is told apart, and some that are not yet."""


def interactions() -> st.SearchStrategy[bytes]:
    """The value of a record on the interactions topic."""
    return anything([*payloads(), *NATIVE * 20])


def raised_by(call: Callable[[], object], *, documented: Iterable[type[Exception]]) -> Exception | None:
    """The documented exception that `call` raises, if any; every other one passes through."""
    try:
        call()
    except tuple(documented) as error:
        return error
    return None
