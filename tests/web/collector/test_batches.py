"""A call of a batch that is completed at its end alone becomes the record that it becomes where it is taken apart."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.times import format_time
from stream.kafka.topic_plan import FoundTopic
from stream.settings import Settings
from stream.web.collector.completing import Arrival
from stream.web.collector.intake import Going, Intake, Placed
from stream.web.collector.items import calls_in
from stream.web.collector.splitting import members_of, split_calls

NOW = 1_764_000_000_000
SETTINGS = Settings()
TOPIC = SETTINGS.topics.sent_to[0]
FOUND = FoundTopic(4, {"max.message.bytes": "100000"})
GOES = Going(TOPIC, [("lifecycle_source", b"shop")], NOW)
SENT = '"sentAt":"2025-11-24T16:00:00Z"'
WHOLE = {"type": "track", "event": "Bought", "userId": "u", "messageId": "m"}

TIMES = st.sampled_from(["2025-11-24T15:59:58.000Z", "2025-11-24T15:59:58.000+00:00", "", "never", None, 5])
EXTRA = st.dictionaries(
    st.sampled_from(["sentAt", "receivedAt", "writeKey", "context", "ü", "K", "anonymousId", "originalTimestamp"]),
    TIMES | st.just({"sentAt": 1}) | st.just("\\u0041"),
    max_size=3,
)
CALLS = st.builds(
    lambda call, left_out, extra: {key: value for key, value in {**call, **extra}.items() if key not in left_out},
    st.fixed_dictionaries({"timestamp": TIMES, "properties": st.dictionaries(st.text(max_size=3), st.integers())}).map(
        lambda more: {**WHOLE, **more}
    ),
    st.sets(st.sampled_from(["type", "event", "userId", "messageId", "timestamp"]), max_size=2),
    EXTRA,
)
WRITTEN = st.tuples(CALLS, st.booleans()).map(lambda made: json.dumps(made[0], ensure_ascii=made[1]))
ODD = st.sampled_from(
    [
        *("{}", "{ }", "[1]", "7", '"{}"', '{"a":NaN}', '{"a":"\\ud800"}', "null"),
        '{"type":"track","event":"Bought","userId":"u","messageId":"m","properties":{"n":NaN}}',
        '{"type":"track","event":"Bought","userId":"u","messageId":"m","\\u0073entAt":"2025-11-24T15:59:50Z"}',
        '{"type":"track","event":"Bought","userId":"u","messageId":"m","\\u0077riteKey":"secret"}',
        '{"type":"track","event":"Bought","userId":"u","messageId":"m","userId":"v"}',
        '{"type":"track","event":"Bought","userId":"u","messageId":"m","x":"' + "x" * 90_000 + '"}',
    ]
)


def intake() -> Intake:
    return Intake(SETTINGS, {TOPIC: FOUND, SETTINGS.topics.dead_letters: FOUND})


def apart(body: bytes) -> list[Placed]:
    """What becomes of the calls of a body where each is taken apart."""
    found = split_calls(body)
    taken, arrival = intake(), Arrival("", found.batch, format_time(NOW), None)
    return [taken.call(item, members_of(item), arrival, GOES) for item in found.items]


def placed(body: bytes) -> list[Placed]:
    items = calls_in(body, "", NOW, None)
    return items.place(intake(), GOES, 0, items.count)


def meaning(each: Placed) -> object:
    """All that matters of a record; a call that has no id and no time is given one by chance."""
    if each.rejected is not None:
        return each.rejected
    value = each.record.value
    assert value is not None
    call = orjson.loads(value.replace(b"NaN", b"null"))
    if len(call["messageId"]) == 32:
        call["messageId"] = "made"
    return each.topic, each.partition, each.record.key, call, each.record.headers


@given(st.lists(WRITTEN | ODD, min_size=1, max_size=4), st.sampled_from(["", SENT, SENT + ',"writeKey":"k"']))
def test_a_batch_becomes_the_same_records_either_way(items: list[str], beside: str) -> None:
    body = ('{"batch":[' + ", ".join(items) + "]" + ("," + beside if beside else "") + "}").encode()
    assert list(map(meaning, placed(body))) == list(map(meaning, apart(body)))


def test_a_call_keeps_its_bytes_and_has_its_times_behind_them() -> None:
    item = '{"type": "track", "event":"Bought", "userId":"ü", "messageId":"m" , "properties": {"a": 1.50} }'
    (only,) = placed(f'{{"batch": [ {item} ],{SENT}}}'.encode())
    assert only.rejected is None
    assert only.record.value == f'{item[:-1]},{SENT},"receivedAt":"{format_time(NOW)}"}}'.encode()


@pytest.mark.parametrize(
    "own", ['"sentAt":"2025-11-24T15:59:59Z"', '"writeKey":"secret"', '"\\u0077riteKey":"secret"', '"receivedAt":"x"']
)
def test_a_call_with_a_time_or_key_of_its_own_has_none_of_them_twice(own: str) -> None:
    item = f'{{"type":"track","event":"Bought","userId":"u","messageId":"m",{own}}}'
    (only,) = placed(f'{{"batch":[{item}],{SENT}}}'.encode())
    value = only.record.value
    assert value is not None
    keys = [key for key, _ in json.loads(value, object_pairs_hook=list)]
    assert len(keys) == len(set(keys))
    assert "writeKey" not in keys
