"""The items of a body are found whatever is wrong inside them, by the strict reader and by the lenient one alike."""

import json
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.web.collector import splitting
from stream.web.collector.answers import Refused
from stream.web.collector.splitting import elements_of, members_of, split_calls, split_interactions

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", '\\"', "{", "}", "[", "]", ",", ":", '],"batch":[', "\u2028"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXT, VALUES, max_size=5)
STYLES = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])
BAD = [
    b'{"a":NaN}',
    b'{"a":"\\ud800"}',
    b'{"a":-Infinity}',
    b'{"a":' + b"[" * 3_000 + b"]" * 3_000 + b"}",
    b"nope",
    b'{"a":"\xff"}',
]


def dumps(value: object, style: dict[str, object]) -> bytes:
    return json.dumps(value, **style).encode()


@pytest.fixture
def only_leniently(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the strict reader refused everything."""

    class Never:
        def decode(self, _body: bytes) -> None:
            raise RecursionError

    monkeypatch.setattr(splitting, "_OBJECT", Never())
    monkeypatch.setattr(splitting, "_LIST", Never())
    monkeypatch.setattr(splitting, "_BATCH", Never())


@given(st.lists(VALUES, max_size=6), STYLES)
def test_the_elements_of_a_list_are_those_of_json(values: list[object], style: dict[str, object]) -> None:
    found = elements_of(dumps(values, style))
    assert found is not None
    assert [json.loads(each) for each in found] == values


@given(st.lists(VALUES, max_size=6), STYLES)
def test_leniently_the_elements_of_a_list_are_those_of_json(values: list[object], style: dict[str, object]) -> None:
    body = dumps(values, style)
    parts = splitting._parts_of(body, b"[")
    assert parts is not None
    assert [json.loads(body[begin:end]) for begin, _colon, end in parts] == values


@given(OBJECTS, STYLES)
def test_strictly_and_leniently_an_object_has_the_members_that_json_finds(
    value: dict[str, object], style: dict[str, object]
) -> None:
    body = dumps(value, style)
    for found in (members_of(body), splitting._members_leniently(body)):
        assert found is not None
        assert {key: json.loads(bytes(raw)) for key, raw in found.items()} == value


@given(st.lists(st.tuples(OBJECTS, st.none() | st.sampled_from(BAD)), max_size=5), STYLES)
def test_bad_items_cost_none_of_their_neighbours(
    items: list[tuple[dict[str, object], bytes | None]], style: dict[str, object]
) -> None:
    written = [dumps(good, style) if bad is None else bad for good, bad in items]
    body = b'{"sentAt" : "x", "batch": [' + b" ,\n".join(written) + b'], "context":{"a":"]"}}'
    calls = split_calls(body)
    assert [bytes(each) for each in calls.items] == written
    assert {key: bytes(value) for key, value in calls.batch.items()} == {"sentAt": b'"x"', "context": b'{"a":"]"}'}


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"1"])).map(b"".join)
)
def test_whatever_the_bytes_the_answer_is_items_or_a_refusal(body: bytes) -> None:
    for split in (split_calls, split_interactions):
        with suppress(Refused):
            split(body)


@pytest.mark.usefixtures("only_leniently")
def test_leniently_whole_bodies_are_split_alike() -> None:
    calls = split_calls(b' {"batch":[{"a":1},{"b":"}{"}],"writeKey":"k"} ')
    assert [bytes(each) for each in calls.items] == [b'{"a":1}', b'{"b":"}{"}']
    assert {key: bytes(value) for key, value in calls.batch.items()} == {"writeKey": b'"k"'}
    assert split_interactions(b'{"a":1}') == [b'{"a":1}']
    assert split_interactions(b'{"a":1}\n\r\n {"b":2}\n') == [b'{"a":1}', b'{"b":2}']


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    for found in (members_of(b'{"a":1,"a":2}'), splitting._members_leniently(b'{"a":1,"a":2}')):
        assert found is not None
        assert {key: bytes(value) for key, value in found.items()} == {"a": b"2"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"5",
        b'"text"',
        b"{",
        b'{"batch":[{"a":1}',
        b'{"batch":{}}',
        b'{"batch":7}',
        b"[1",
        b'{"a":1}x',
        b'{"batch":[]}]',
    ],
)
def test_what_is_no_call_and_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as raised:
        split_calls(body)
    assert raised.value.status == 400


@pytest.mark.parametrize("body", [b"", b"null", b"text", b'{"a":1', b"[{}", b"[{}] {}", b'{"a"\n:1', b"a=1&b=2"])
def test_what_is_no_interaction_no_list_and_no_lines_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as raised:
        split_interactions(body)
    assert raised.value.status == 400


def test_one_broken_line_costs_itself_alone() -> None:
    assert split_interactions(b'{"a":1}\n{"b":\n{"c":3}') == [b'{"a":1}', b'{"b":', b'{"c":3}']


def test_an_object_over_several_lines_is_one_even_with_a_number_that_json_has_not() -> None:
    body = b'{\n "a": NaN,\n "b": {"c": 1}\n}'
    assert split_interactions(body + b"\n") == [body]


def test_a_byte_order_mark_is_no_part_of_a_body() -> None:
    assert split_interactions(b'\xef\xbb\xbf{"a":1}') == [b'{"a":1}']
    assert split_calls(b'\xef\xbb\xbf{"a":1}').items == [b'{"a":1}']


def test_digits_stay_as_they_were_sent() -> None:
    number = b"1180591620717411303424.100000000000000000001"
    calls = split_calls(orjson.dumps({"batch": []}).replace(b"[]", b'[{"n":%s}]' % number))
    assert bytes(calls.items[0]) == b'{"n":%s}' % number
