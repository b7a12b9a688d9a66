"""Every record of the interactions topic becomes one exact Interaction, or is rejected with its reason."""

import json
from dataclasses import asdict
from types import MappingProxyType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream.codec.dead_letter_reasons import MAX_BYTES, MAX_DEPTH, MAX_ID_BYTES, Reason, Rejected
from stream.codec.interactions import DEFAULT_BLOCKED, encode_native
from stream.core.interaction import MAX_TIME, MIN_TIME, Interaction
from stream.core.times import EARLIEST_TIME, format_time
from tests.kit.decoding import decode

RECEIVED = 1_772_357_400_000  # 2026-03-01T09:30:00Z
TIME = 1_483_272_000_000  # 2017-01-01T12:00:00Z


def read(value: bytes | None, received: int | None = RECEIVED) -> Interaction | Rejected:
    return decode(value, received, DEFAULT_BLOCKED)


def native(received: int | None = RECEIVED, **fields: object) -> Interaction | Rejected:
    record = {"type": "visit", "customer_id": "c1", "time": TIME, **fields}
    return read(json.dumps(record).encode(), received)


def segment(received: int | None = RECEIVED, **fields: object) -> Interaction | Rejected:
    record = {"type": "track", "event": "Visited", "userId": "c1", **fields}
    return read(json.dumps(record).encode(), received)


def fields(interaction: Interaction) -> tuple[object, ...]:
    """The values of its fields, in their order."""
    return tuple(asdict(interaction).values())


def interaction(result: Interaction | Rejected) -> Interaction:
    assert isinstance(result, Interaction), result
    return result


def reason(result: Interaction | Rejected) -> Reason:
    assert isinstance(result, Rejected), result
    assert result.detail
    return result.reason


def nested(levels: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return opening * levels + b"1" + closing * levels


# ── Bytes ──


def test_a_record_without_value_is_a_null_value():
    assert reason(read(None)) is Reason.NULL_VALUE


def test_one_mebibyte_is_read_and_one_byte_more_is_not():
    record = b'{"type":"visit","customer_id":"c1","properties":{"note":"%s"}}'
    largest = record % (b"x" * (MAX_BYTES - len(record) + 2))
    assert len(largest) == MAX_BYTES == 1_048_576
    assert interaction(read(largest)).customer_id == "c1"
    assert reason(read(largest + b" ")) is Reason.TOO_LARGE


@pytest.mark.parametrize("value", [b"\xff", b'{"type":"\xe9"}', b'{"type":"\xed\xa0\x80"}', "{}".encode("utf-16")])
def test_what_is_not_utf8_is_said_to_be_so(value):
    assert reason(read(value)) is Reason.NOT_UTF8


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b" ", b"{", b'{"type":"visit",}', b"{'type':'visit'}", b"visit", b'{"type":"a"}{"type":"b"}'),
        *(b"\xef\xbb\xbf{}", b'{"a":nan}', b'{"a":+Infinity}', b'{"a":NaN,}', b'{"a":01}', b'{"a":"\x00"}'),
        *(
            b'{"a":"\\ud800"}',
            b'{"a":"\\udc00\\ud800"}',
            b'{"a":"\\x00"}',
            b'{"a":1e999e}',
            b'{"a":' + b"9" * 4000 + b"-}",
        ),
        b"{}".ljust(80, b"]"),
    ],
)
def test_what_is_not_json_is_said_to_be_so(value):
    assert reason(read(value)) is Reason.NOT_JSON


@pytest.mark.parametrize("value", [b"null", b"[]", b'"visit"', b"12", b"1.5", b"true", b'"%s"' % (b"[" * 100)])
def test_json_that_is_no_object_is_said_to_be_so(value):
    assert reason(read(value)) is Reason.NOT_AN_OBJECT


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]"), (b'[{ "b" : ', b"}]")])
def test_64_levels_are_read_and_65_are_too_deep(opening, closing):
    brackets = 2 if b"[{" in opening else 1
    record = b'{"type":"visit","customer_id":"c1","properties":{"deep":%s,"wide":[[],{}]}}'
    levels = (MAX_DEPTH - 2) // brackets
    assert MAX_DEPTH == 64
    assert interaction(read(record % nested(levels, opening, closing)))
    assert reason(read(record % nested(levels + 1, opening, closing))) is Reason.TOO_DEEP


@pytest.mark.parametrize("levels", [65, 254, 255, 1023, 1024, 1025, 1026, 100_000])
def test_however_deep_and_wherever_it_is_too_deep(levels):
    assert reason(read(nested(levels))) is Reason.TOO_DEEP
    assert reason(read(nested(levels, b"[", b"]"))) is Reason.TOO_DEEP
    ignored_key = b'{"type":"visit","customer_id":"c1","ignored":%s}' % nested(levels)
    assert reason(read(ignored_key)) is Reason.TOO_DEEP


def test_brackets_side_by_side_and_in_text_are_not_deep():
    wide = {"list": [{}] * 500, "text": "[{" * 500, "escaped": '"[' * 100}
    assert interaction(native(properties=wide)).properties == wide


def test_of_a_key_that_stands_twice_the_last_counts():
    value = b'{"type":"a","customer_id":"c1","type":"b","customer_id":"c2"}'
    assert fields(interaction(read(value)))[:5] == ("c2", None, None, "b", RECEIVED)


def test_numbers_are_exact_up_to_64_bits_and_doubles_beyond():
    properties = b'{"a":18446744073709551615,"b":18446744073709551616,"c":1e-999}'
    value = b'{"type":"visit","customer_id":"c1","properties":%s}' % properties
    assert interaction(read(value)).properties == {"a": 2**64 - 1, "b": float(2**64), "c": 0.0}


def test_nul_is_a_character_like_any_other():
    result = interaction(native(customer_id="c\0", type="\0", properties={"\0": "\0"}))
    assert (result.customer_id, result.name, result.properties) == ("c\0", "\0", {"\0": "\0"})


# ── What both formats have in common ──


@pytest.mark.parametrize("name", [None, "", " \t", 7, True, ["visit"], {"name": "visit"}])
def test_an_event_name_is_text_that_is_not_blank(name):
    assert reason(native(type=name)) is Reason.NO_EVENT_NAME
    assert reason(segment(event=name)) is Reason.NO_EVENT_NAME


@pytest.mark.parametrize(("sent", "taken"), [("42", "42"), (42, "42"), (-7, "-7"), (2**64 - 1, str(2**64 - 1))])
def test_a_whole_number_as_an_id_is_its_decimal_text(sent, taken):
    assert fields(interaction(native(customer_id=sent, anonymous_id=sent, id=sent)))[:3] == (taken, taken, taken)
    assert fields(interaction(segment(userId=sent, anonymousId=sent, messageId=sent)))[:3] == (taken, taken, taken)


@pytest.mark.parametrize("wrong", [1.5, True, False, [], ["c1"], {}, {"id": "c1"}, 1e20])
def test_a_subject_of_another_type_is_rejected_and_an_own_id_is_none(wrong):
    assert reason(native(customer_id=wrong)) is Reason.BAD_SUBJECT
    assert reason(native(anonymous_id=wrong)) is Reason.BAD_SUBJECT
    assert reason(segment(userId=wrong)) is Reason.BAD_SUBJECT
    assert reason(segment(anonymousId=wrong)) is Reason.BAD_SUBJECT
    assert interaction(native(id=wrong)).id is None
    assert interaction(segment(messageId=wrong)).id is None


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"3146.0", "3146"),
        (b"-7.0", "-7"),
        (b"1e3", "1000"),
        (b"9007199254740991.0", "9007199254740991"),
        (b"18446744073709551616", "18446744073709551616"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"-123456789012345678901234567890", "-123456789012345678901234567890"),
    ],
)
def test_a_whole_number_keeps_its_digits_as_an_id_however_it_is_written(sent, read):
    value = b'{"type":"visit","customer_id":%s,"anonymous_id":%s,"id":%s,"properties":{"n":%s}}' % (
        sent,
        sent,
        sent,
        sent,
    )
    found = interaction(decode(value, RECEIVED, DEFAULT_BLOCKED))
    assert fields(found)[:3] == (read, read, read)
    assert found.properties == {"n": float(sent)}
    call = b'{"type":"track","event":"Visited","userId":%s,"messageId":%s}' % (sent, sent)
    assert fields(interaction(decode(call, RECEIVED, DEFAULT_BLOCKED)))[:3] == (read, None, read)


@pytest.mark.parametrize("blank", [None, "", " ", "\t\n", "\u2003"])
def test_a_blank_id_is_no_id(blank):
    assert fields(interaction(native(anonymous_id=blank, id=blank)))[:3] == ("c1", None, None)
    assert interaction(native(customer_id=blank, anonymous_id="a1")).kind == "anonymous"
    assert fields(interaction(segment(userId=blank, anonymousId="a1")))[:2] == (None, "a1")
    assert reason(native(customer_id=blank)) is Reason.NO_SUBJECT
    assert reason(segment(userId=blank)) is Reason.NO_SUBJECT


def test_an_id_is_kept_as_it_was_sent():
    assert fields(interaction(native(customer_id=" Ünï ", id=" 1 ")))[:3] == (" Ünï ", None, " 1 ")


@pytest.mark.parametrize("character", ["x", "é", "猫", "🐈"])
@pytest.mark.parametrize("key", ["customer_id", "anonymous_id", "id"])
def test_an_id_has_at_most_256_bytes_of_utf8(character, key):
    longest = character * (MAX_ID_BYTES // len(character.encode()))
    assert MAX_ID_BYTES == 256
    assert longest in fields(interaction(native(**{key: longest})))
    longer = native(**{key: longest + character})
    if key == "id":
        assert interaction(longer).id is None
    else:
        assert reason(longer) is Reason.ID_TOO_LONG


@pytest.mark.parametrize(
    "blocked", [*sorted(DEFAULT_BLOCKED), "NULL", " Undefined\n", "[object Object]", "None", "NaN"]
)
def test_a_subject_that_stands_for_nobody_is_blocked(blocked):
    assert reason(native(customer_id=blocked)) is Reason.BLOCKED_SUBJECT
    assert reason(native(customer_id=None, anonymous_id=blocked)) is Reason.BLOCKED_SUBJECT
    assert reason(segment(userId=blocked)) is Reason.BLOCKED_SUBJECT
    assert reason(segment(userId=None, anonymousId=blocked)) is Reason.BLOCKED_SUBJECT


def test_a_number_that_stands_for_nobody_is_blocked_like_its_text():
    assert reason(native(customer_id=-1)) is Reason.BLOCKED_SUBJECT
    assert reason(segment(userId=None, anonymousId=-1)) is Reason.BLOCKED_SUBJECT


def test_the_customer_with_whom_numbering_begins_is_somebody():
    assert interaction(native(customer_id=0)).customer_id == "0"


def test_a_blocked_customer_id_is_not_replaced_by_the_anonymous_id():
    assert reason(native(customer_id="null", anonymous_id="a1")) is Reason.BLOCKED_SUBJECT


def test_a_blocked_anonymous_id_beside_a_customer_id_is_absent():
    assert fields(interaction(native(anonymous_id="Anonymous")))[:2] == ("c1", None)
    assert fields(interaction(native(anonymous_id="a1")))[:2] == ("c1", "a1")


def test_only_the_given_ids_are_blocked():
    value = b'{"type":"visit","customer_id":"null"}'
    assert interaction(decode(value, 0, frozenset({"c1"}))).customer_id == "null"
    assert reason(decode(b'{"type":"visit","customer_id":"C1 "}', 0, frozenset({"c1"}))) is Reason.BLOCKED_SUBJECT


def test_blocked_ids_are_written_as_they_are_compared():
    assert {blocked.strip().lower() for blocked in DEFAULT_BLOCKED} == DEFAULT_BLOCKED


@pytest.mark.parametrize("wrong", [[], [{}], "text", "", 0, 1.5, True, False])
def test_properties_and_context_are_objects(wrong):
    assert reason(native(properties=wrong)) is Reason.BAD_SHAPE
    assert reason(native(context=wrong)) is Reason.BAD_SHAPE
    assert reason(segment(properties=wrong)) is Reason.BAD_SHAPE
    assert reason(segment(context=wrong)) is Reason.BAD_SHAPE
    assert reason(segment(type="identify", traits=wrong)) is Reason.BAD_SHAPE
    assert reason(segment(type="identify", context={"traits": wrong})) is Reason.BAD_SHAPE
    assert reason(segment(type="group", traits=wrong)) is Reason.BAD_SHAPE


def test_absent_and_null_properties_and_context_are_empty():
    for result in (
        native(),
        native(properties=None, context=None),
        segment(),
        segment(properties=None, context=None),
    ):
        assert fields(interaction(result))[5:7] == ({}, {})


# ── Time ──


@pytest.mark.parametrize("time", [TIME, TIME + 0.9, "2017-01-01T12:00:00Z", "2017-01-01 13:00+01:00"])
def test_a_native_time_is_taken_as_sent(time):
    assert interaction(native(time=time)).time == TIME


@pytest.mark.parametrize("wrong", ["", "soon", "1483272000000", True, [], {}, MIN_TIME - 1, "2017-02-30", 12345])
def test_a_time_that_cannot_be_read_is_bad_and_not_replaced(wrong):
    assert reason(native(time=wrong)) is Reason.BAD_TIME
    assert reason(segment(timestamp=wrong)) is Reason.BAD_TIME
    assert reason(segment(originalTimestamp=wrong)) is Reason.BAD_TIME
    # What only helps to find the time is as if it were not there.
    assert interaction(segment(timestamp=TIME, sentAt=wrong)).time == TIME
    assert interaction(segment(timestamp=TIME, receivedAt=wrong)).time == TIME
    assert interaction(segment(timestamp=TIME, originalTimestamp=wrong)).time == TIME
    assert interaction(segment(timestamp=wrong, originalTimestamp=TIME)).time == TIME


def test_without_a_time_the_brokers_is_taken():
    assert interaction(native(time=None)).time == RECEIVED
    assert interaction(segment()).time == RECEIVED
    assert interaction(segment(sentAt=TIME)).time == RECEIVED


def test_offline_a_record_without_a_time_is_rejected():
    assert reason(native(None, time=None)) is Reason.BAD_TIME
    assert reason(segment(None)) is Reason.BAD_TIME


def test_without_any_other_time_a_segment_call_happened_when_it_was_received():
    assert interaction(segment(receivedAt=TIME)).time == TIME
    assert interaction(segment(None, receivedAt=TIME)).time == TIME


@pytest.mark.parametrize("impossible", [MAX_TIME + 1, MIN_TIME - 1])
def test_an_impossible_time_of_the_broker_is_not_taken(impossible):
    assert reason(native(impossible, time=None)) is Reason.BAD_TIME


def test_a_segment_timestamp_beside_the_original_is_corrected_already():
    times = {"timestamp": TIME, "originalTimestamp": TIME + 5, "sentAt": TIME + 9, "receivedAt": TIME + 1_000}
    assert interaction(segment(**times)).time == TIME


# sender's clock   original ──10──▶ sent
# our clock                         received     so it happened 10 before it was received
@pytest.mark.parametrize("key", ["originalTimestamp", "timestamp"])
def test_the_error_of_a_segment_senders_clock_is_taken_out(key):
    years_off = TIME + 10**11
    assert interaction(segment(TIME, **{key: years_off, "sentAt": years_off + 10})).time == TIME - 10
    assert interaction(segment(**{key: years_off, "sentAt": years_off + 10, "receivedAt": TIME})).time == TIME - 10
    assert (
        interaction(segment(None, **{key: years_off, "sentAt": years_off + 10, "receivedAt": TIME})).time == TIME - 10
    )


def test_a_segment_time_is_not_corrected_without_both_ends():
    assert interaction(segment(originalTimestamp=TIME)).time == TIME
    assert interaction(segment(timestamp=TIME, receivedAt=TIME + 500)).time == TIME
    assert interaction(segment(None, timestamp=TIME, sentAt=TIME + 10)).time == TIME


def test_a_correction_that_leads_out_of_the_calendar_is_left_out():
    end = format_time(MAX_TIME)
    assert interaction(segment(TIME, timestamp=TIME, sentAt=end)).time == TIME
    assert reason(segment(timestamp=format_time(MIN_TIME), sentAt=end)) is Reason.BAD_TIME


# ── Segment ──


@pytest.mark.parametrize("call", ["page", "screen", "identify", "group", "alias"])
def test_a_call_other_than_track_is_its_own_name(call):
    assert interaction(segment(type=call, event="ignored", name="Pricing")).name == call


def test_a_track_call_has_the_name_of_its_event():
    assert interaction(segment()).name == "Visited"
    assert interaction(segment(type=None)).name == "Visited"


def test_traits_are_the_properties_of_identify_and_group():
    traits, ignored = {"plan": "team"}, {"plan": "solo"}
    for call in ("identify", "group"):
        assert interaction(segment(type=call, traits=traits, properties=ignored)).properties == traits
    for call in ("track", "page", "screen", "alias"):
        assert interaction(segment(type=call, traits=ignored, properties=traits)).properties == traits


def test_identify_without_traits_takes_those_of_its_context():
    context = {"traits": {"plan": "team"}}
    assert interaction(segment(type="identify", context=context)).properties == {"plan": "team"}
    assert interaction(segment(type="identify", traits=None, context=context)).properties == {"plan": "team"}
    assert interaction(segment(type="identify", traits={}, context=context)).properties == {}
    assert interaction(segment(type="group", context=context)).properties == {}


def test_an_alias_belongs_to_the_new_id():
    assert interaction(segment(type="alias", previousId="old")).subject == "c1"
    assert reason(segment(type="alias", userId=None, previousId="old")) is Reason.NO_SUBJECT


@pytest.mark.parametrize("call", ["charge", "Track", "", 1, True, [], {}])
def test_an_unknown_segment_call_is_rejected(call):
    assert reason(segment(type=call)) is Reason.BAD_SHAPE


def test_a_segment_batch_is_rejected_with_what_would_be_right():
    result = read(b'{"batch":[{"type":"track","event":"a","userId":"c1"}],"sentAt":"2026-03-01T09:30:00Z"}')
    assert reason(result) is Reason.BAD_SHAPE
    assert "each of its calls" in result.detail


def test_one_native_id_makes_a_record_native():
    both = {"userId": "u", "anonymousId": "x", "event": "ignored", "timestamp": 5, "messageId": "m"}
    assert fields(interaction(native(**both)))[:5] == ("c1", None, None, "visit", TIME)
    assert fields(interaction(native(**both, customer_id=None, anonymous_id="a1")))[:2] == (None, "a1")


def test_an_anonymous_id_alone_makes_a_record_native():
    result = read(b'{"type":"visit","anonymous_id":"a1","userId":"u","event":"ignored"}')
    assert fields(interaction(result))[:4] == (None, "a1", None, "visit")


def test_a_native_event_may_have_the_name_of_a_segment_call():
    assert interaction(native(type="page")).name == "page"


def test_a_segment_call_without_ids_is_told_by_its_other_fields():
    result = read(b'{"type":"track","messageId":"m1","event":"Visited"}')
    assert reason(result) is Reason.NO_SUBJECT
    assert "userId" in result.detail


def test_a_record_with_nothing_of_segments_own_is_taken_as_native():
    result = read(b'{"type":"track","time":"2017-01-01T12:00:00Z","properties":{}}')
    assert reason(result) is Reason.NO_SUBJECT
    assert "customer_id" in result.detail


# ── Writing ──


scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
json_values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
good_ids = st.text(min_size=1, max_size=MAX_ID_BYTES // 4).filter(lambda text: not text.isspace())
objects = st.dictionaries(st.text(), json_values, max_size=3)
interactions = st.builds(
    Interaction,
    customer_id=good_ids,
    anonymous_id=st.none() | good_ids,
    id=st.none() | good_ids,
    name=good_ids,
    time=st.integers(EARLIEST_TIME, MAX_TIME),
    properties=objects,
    context=objects,
) | st.builds(
    Interaction,
    customer_id=st.none(),
    anonymous_id=good_ids,
    id=st.none() | good_ids,
    name=good_ids,
    time=st.integers(EARLIEST_TIME, MAX_TIME),
    properties=objects,
    context=objects,
)


@settings(deadline=None)
@given(interactions)
def test_what_is_written_is_read_back_the_same(written):
    assert decode(encode_native(written), None, frozenset()) == written


def test_what_is_absent_is_not_written():
    written = encode_native(Interaction(None, "a1", None, "visit", TIME, {}, {}))
    assert set(json.loads(written)) == {"type", "anonymous_id", "time", "properties", "context"}


def test_a_mapping_that_is_no_dict_is_written_as_an_object():
    properties = MappingProxyType({"total": MappingProxyType({"net": 5})})
    written = encode_native(Interaction("c1", None, None, "visit", TIME, properties, {}))
    assert json.loads(written)["properties"] == {"total": {"net": 5}}


def test_what_json_cannot_hold_is_not_written():
    with pytest.raises(TypeError):
        encode_native(Interaction("c1", None, None, "visit", 0, {"a": 2**64}, {}))
    with pytest.raises(TypeError):
        encode_native(Interaction("c1", None, None, "visit", 0, {}, {"a": object()}))


# ── Whatever comes ──


def check(result: Interaction | Rejected) -> None:
    """What holds of every result, whatever the bytes."""
    if isinstance(result, Rejected):
        assert isinstance(result.reason, Reason)
        assert result.reason is not Reason.UNPROCESSABLE
        assert result.detail
        result.detail.encode()
        return
    assert isinstance(result, Interaction)
    assert result.subject.strip()
    assert result.subject.strip().lower() not in DEFAULT_BLOCKED
    for text in (result.customer_id, result.anonymous_id, result.id):
        assert text is None or (text.strip() and len(text.encode()) <= MAX_ID_BYTES)
    assert result.name.strip()
    assert type(result.time) is int
    assert MIN_TIME <= result.time <= MAX_TIME
    assert type(result.properties) is dict
    assert type(result.context) is dict
    assert decode(encode_native(result), None, DEFAULT_BLOCKED) == result


@settings(deadline=None)
@given(st.binary(), st.none() | st.integers(EARLIEST_TIME, MAX_TIME))
def test_any_bytes_are_read_or_rejected(value, received):
    check(read(value, received))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
NATIVE_KEYS = ("id", "type", "customer_id", "anonymous_id", "time", "properties", "context")
SEGMENT_KEYS = (
    *("type", "event", "userId", "anonymousId", "messageId", "properties", "traits", "context", "batch"),
    *("timestamp", "originalTimestamp", "sentAt", "receivedAt", "groupId", "previousId"),
)
plausible = (
    st.sampled_from(["track", "page", "identify", "group", "alias", "screen", "null", "c1", " ", "visit"])
    | st.integers(MIN_TIME, MAX_TIME)
    | st.datetimes().map(str)
    | st.text(min_size=60, max_size=260)
    | st.dictionaries(st.sampled_from(["traits", "total"]), anything, max_size=2)
)


@settings(deadline=None)
@given(anything, st.none() | st.integers(EARLIEST_TIME, MAX_TIME))
def test_any_json_is_read_or_rejected(value, received):
    check(read(json.dumps(value).encode(), received))


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from(NATIVE_KEYS), plausible | anything)
    | st.dictionaries(st.sampled_from(SEGMENT_KEYS), plausible | anything)
    | st.dictionaries(st.sampled_from(NATIVE_KEYS + SEGMENT_KEYS), plausible | anything),
    st.none() | st.integers(EARLIEST_TIME, MAX_TIME),
)
@example({"type": [], "event": 1, "userId": "c1"}, None)
@example({"type": "track", "event": "a", "userId": "c1", "timestamp": 0, "sentAt": MIN_TIME}, MAX_TIME)
def test_any_object_with_the_keys_of_a_format_is_read_or_rejected(record, received):
    check(read(json.dumps(record).encode(), received))


NATIVE = b"""{"id": "i1", "type": "Order Completed", "customer_id": "c1", "anonymous_id": "a1",
"time": "2017-01-01T12:00:00.000Z", "properties": {"total": 59.9, "items": [{"sku": "a"}, {"sku": "b"}]},
"context": {"device": {"type": "mobile"}}}"""
SEGMENT = b"""{"type": "track", "event": "Signed Up", "userId": "u1", "anonymousId": null, "messageId": "m1",
"properties": {"a": [1]}, "context": {"traits": {"b": 2}}, "originalTimestamp": "2017-01-01T12:00:00Z",
"sentAt": "2017-01-01T12:00:01Z", "receivedAt": "2017-01-01T12:00:02Z"}"""
EXAMPLES = (NATIVE, SEGMENT)


def test_the_examples_to_be_damaged_are_whole():
    for value in EXAMPLES:
        check(interaction(read(value)))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_damaged_record_is_read_or_rejected(value, data):
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(value)))
        end = data.draw(st.integers(start, min(len(value), start + 8)))
        patch = data.draw(st.binary(max_size=4) | st.sampled_from([b'"', b"{", b"}", b"[", b":", b"null", b"1e999"]))
        value = value[:start] + patch + value[end:]
    check(read(value))
