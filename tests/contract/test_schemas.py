"""The published schema, its examples and the decoder say the same."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.fields import Reading
from stream.codec.interactions import DEFAULT_BLOCKED, InteractionDecoder
from stream.core.interaction import Interaction
from stream.core.times import parse_time
from tests.kit.decoding import decode

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES = SCHEMAS / "examples"
SCHEMA = json.loads((SCHEMAS / "interaction.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

NATIVE = sorted((EXAMPLES / "interaction").glob("*.json"))
INVALID = sorted((EXAMPLES / "interaction-invalid").glob("*.json"))

UNREADABLE = ("not_utf8", "not_json")  # what is no JSON, a schema is never asked about
BEYOND_THE_SCHEMA = {
    "bad_time-30-february": "a pattern knows no calendar",
    "bad_time-before-1995": "what is believed is a setting",
    "bad_time-missing-offline": "where there is a broker, its time is taken",
    "blocked_subject-beside-a-good-anonymous-id": "the list of blocked ids is a setting",
    "blocked_subject-case-and-space": "the list of blocked ids is a setting",
    "blocked_subject-null-text": "the list of blocked ids is a setting",
    "blocked_subject-zero-uuid": "the list of blocked ids is a setting",
    "id_too_long-bytes": "a schema counts characters, not bytes",
    "too_deep-65-levels": "a schema does not count levels",
}


def names(path: Path) -> str:
    return path.stem


def ms(text: str) -> int:
    time = parse_time(text)
    assert time is not None
    return time


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_every_key_of_the_schema_is_described():
    assert all(len(part["description"]) > 20 for part in (SCHEMA, *SCHEMA["properties"].values()))


@pytest.mark.parametrize("path", NATIVE, ids=names)
def test_a_native_example_passes_the_schema_and_is_read_offline(path):
    value = path.read_bytes()
    assert list(VALIDATOR.iter_errors(json.loads(value))) == []
    assert isinstance(decode(value, None, DEFAULT_BLOCKED), Interaction)


def test_every_key_of_the_native_format_stands_in_the_full_example():
    full = json.loads((EXAMPLES / "interaction" / "full.json").read_bytes())
    assert set(full) == set(SCHEMA["properties"])


def test_the_full_example_is_read_whole():
    path = EXAMPLES / "interaction" / "full.json"
    record = json.loads(path.read_bytes())
    assert decode(path.read_bytes(), None, DEFAULT_BLOCKED) == Interaction(
        customer_id="c-1001",
        anonymous_id="b-7f3a90",
        id="0195a4f0-6f6e-7c5b-9d0e-3f1f6f1c2a77",
        name="Order Completed",
        time=ms("2026-03-01T09:30:00.250Z"),
        properties=record["properties"],
        context=record["context"],
    )


@pytest.mark.parametrize("path", INVALID, ids=names)
def test_an_invalid_example_is_rejected_for_the_reason_in_its_name(path):
    rejected = decode(path.read_bytes(), None, DEFAULT_BLOCKED)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == path.stem.partition("-")[0]
    assert rejected.detail


@pytest.mark.parametrize("path", [path for path in INVALID if not path.stem.startswith(UNREADABLE)], ids=names)
def test_the_schema_refuses_an_invalid_example_too_where_a_schema_can(path):
    refused = not VALIDATOR.is_valid(json.loads(path.read_bytes()))
    assert refused == (path.stem not in BEYOND_THE_SCHEMA)


def test_every_reason_that_a_small_file_can_show_has_an_invalid_example():
    shown = {path.stem.partition("-")[0] for path in INVALID}
    assert shown == set(Reason) - {Reason.NULL_VALUE, Reason.TOO_LARGE, Reason.UNPROCESSABLE, Reason.UNREADABLE}


ids = st.none() | st.text(max_size=3) | st.text(min_size=60, max_size=260) | st.integers(-(2**63), 2**64 - 1)
odd = st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(st.none(), max_size=1)
objects = st.none() | st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2)
instants = (
    st.none() | st.integers(-(10**15), 10**15) | st.datetimes().map(str) | st.sampled_from(["", "2026-03-01", "soon"])
)
records = st.fixed_dictionaries(
    {},
    optional={
        "id": ids | odd,
        "type": st.text(max_size=3) | ids | odd,
        "customer_id": ids | odd,
        "anonymous_id": ids | odd,
        "time": instants | odd,
        "properties": objects | odd,
        "context": objects | odd,
    },
)


@settings(deadline=None)
@given(records)
def test_the_schema_passes_whatever_is_read(record):
    decoder = InteractionDecoder(Reading(frozenset(), earliest_time=None))
    read = isinstance(decoder.decode(json.dumps(record).encode(), 0), Interaction)
    if read and not decoder.take_flaws():
        assert list(VALIDATOR.iter_errors(record)) == []


@settings(deadline=None)
@given(records)
def test_whatever_passes_the_schema_is_read_but_for_what_a_schema_cannot_say(record):
    result = InteractionDecoder(Reading(frozenset(), earliest_time=None)).decode(json.dumps(record).encode(), 0)
    if isinstance(result, Rejected) and VALIDATOR.is_valid(record):
        whole_floats = [key for key in ("id", "customer_id", "anonymous_id") if isinstance(record.get(key), float)]
        assert whole_floats or result.reason is Reason.ID_TOO_LONG
