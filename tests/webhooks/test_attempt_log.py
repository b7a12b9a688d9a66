"""The record of an attempt: what is written is read again, and is what its schema says."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stream.webhooks.attempt_log import AttemptRecord, encode_attempt, read_attempt
from stream.webhooks.exchange import Verdict

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "webhook-attempt.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
TIMES = st.integers(0, 2**53)
EXAMPLE = AttemptRecord(
    id="shop:customer:42:0-7:2",
    endpoint="crm",
    lifecycle="shop",
    customer_id="42",
    attempt=3,
    at=1_764_000_000_250,
    verdict=Verdict.AGAIN,
    status=503,
    seconds=0.125,
    reason="503 come back later",
    next=1_764_000_300_000,
)

records = st.builds(
    lambda subject, is_customer, **rest: AttemptRecord(
        **{"customer_id" if is_customer else "anonymous_id": subject}, **rest
    ),
    subject=st.text(),
    is_customer=st.booleans(),
    id=st.text(),
    endpoint=st.text(),
    lifecycle=st.text(),
    attempt=st.integers(1, 2**31),
    at=TIMES,
    verdict=st.sampled_from(Verdict),
    status=st.none() | st.integers(100, 999),
    seconds=st.floats(0, 1e6),
    reason=st.text(max_size=200),
    next=st.none() | TIMES,
)


@given(records)
def test_an_attempt_is_read_as_it_was_written_and_fits_its_schema(record):
    value = encode_attempt(record)
    assert read_attempt(value) == record
    assert list(VALIDATOR.iter_errors(json.loads(value))) == []


def test_what_stands_on_the_topic_is_this():
    assert json.loads(encode_attempt(EXAMPLE)) == {
        "id": "shop:customer:42:0-7:2",
        "endpoint": "crm",
        "lifecycle": "shop",
        "customer_id": "42",
        "attempt": 3,
        "at": 1_764_000_000_250,
        "verdict": "again",
        "status": 503,
        "seconds": 0.125,
        "reason": "503 come back later",
        "next": 1_764_000_300_000,
    }
    assert EXAMPLE.subject == "42"


def test_the_schema_is_one_and_describes_every_key_of_the_record():
    Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) == set(AttemptRecord.__struct_fields__)
    assert all(len(each["description"]) > 20 for each in (SCHEMA, *SCHEMA["properties"].values()))


def test_null_says_that_there_is_no_status_and_no_next_attempt():
    record = AttemptRecord(**{name: getattr(EXAMPLE, name) for name in EXAMPLE.__struct_fields__} | {"next": None})
    record.status = None
    assert {"status": None, "next": None}.items() <= json.loads(encode_attempt(record)).items()


CHANGES = {
    "no id": {"customer_id": None},
    "two ids": {"anonymous_id": "a"},
    "another verdict": {"verdict": "perhaps"},
    "attempt 0": {"attempt": 0},
    "a long reason": {"reason": "x" * 201},
    "a status that is none": {"status": 7},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_no_attempt_is_read_as_none_and_does_not_fit_the_schema(change):
    value = {**json.loads(encode_attempt(EXAMPLE)), **change}
    value = {name: each for name, each in value.items() if each is not None}
    assert read_attempt(json.dumps(value).encode()) is None
    assert not VALIDATOR.is_valid(value)


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", b"\xff", b'{"id": "\xff"}', b"[" * 100_000])
def test_other_values_are_no_attempts(value):
    assert read_attempt(value) is None


def test_keys_of_later_releases_are_left_out():
    value = {**json.loads(encode_attempt(EXAMPLE)), "later": [1]}
    assert read_attempt(json.dumps(value).encode()) == EXAMPLE
