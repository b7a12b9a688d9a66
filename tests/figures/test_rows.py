"""Rows of the topic are as their schema says, each key once; flat, so that sinks of Kafka Connect take them."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
from hypothesis import given
from jsonschema import Draft202012Validator

from stream.codec.figures import exact, row
from stream.codec.state.figures import NO_VALUE, OTHER, Cell
from stream.machine.batch import Batch
from tests.docs.markdown import names, page, section
from tests.kit.machines import records_of, run_all
from tests.properties.figure_histories import histories
from tests.properties.test_laws_of_figures import machine_of

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "figure.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
IN_THE_VALUE_ALONE = {"version", "value", "exact"}


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_table_of_fields_is_that_of_the_schema() -> None:
    """In the schema's order, each once."""
    assert names(section(page("docs/figures.md"), "## The topic `figures`")) == list(SCHEMA["properties"])
    assert SCHEMA["required"] == list(SCHEMA["properties"])


@given(history=histories())
def test_each_row_is_valid_flat_and_has_a_key_of_its_own(history) -> None:
    batches: list[Batch] = run_all(machine_of(), records_of(history))
    for batch in batches:
        rows = batch.figures
        assert rows
        assert len({each.key for each in rows}) == len(rows)
        for each in rows:
            assert each.key is not None
            assert each.value is not None
            key, value = orjson.loads(each.key), orjson.loads(each.value)
            assert json.loads(each.value) == value
            assert [fault.message for fault in VALIDATOR.iter_errors(value)] == []
            assert key == {name: one for name, one in value.items() if name not in IN_THE_VALUE_ALONE}
            assert not any(isinstance(one, dict | list) for one in value.values())


def test_a_row_that_the_schema_should_refuse_is_refused() -> None:
    """A segment without a fact, and a stage of a figure of the file."""
    value = orjson.loads(row("shop", 1, 0, 20_000, Cell("visits", "", ""), 1, millionths=False).value or b"")
    assert VALIDATOR.is_valid(value)
    assert not VALIDATOR.is_valid(value | {"segment": "DE"})
    assert not VALIDATOR.is_valid(value | {"to": "customer"})
    assert not VALIDATOR.is_valid(value | {"kind": "other"})
    assert not VALIDATOR.is_valid(value | {"exact": "1e3"})


def test_values_of_facts_that_look_like_the_marks_are_told_from_them() -> None:
    """A country called `*`, one called `-`, and one that is an empty text."""
    segments = ["=*", "=-", "=", NO_VALUE, OTHER]
    rows = [row("shop", 1, 0, 20_000, Cell("visits", "country", each), 1, millionths=False) for each in segments]
    assert len({each.key for each in rows}) == len(rows)
    told = [orjson.loads(each.value or b"") for each in rows]
    assert [(each["kind"], each["segment"]) for each in told] == [
        ("value", "*"),
        ("value", "-"),
        ("value", ""),
        ("none", None),
        ("other", None),
    ]


def test_sums_are_exact_however_large() -> None:
    assert exact(1) == "0.000001"
    assert exact(-1_500_000) == "-1.5"
    assert exact(-500_000) == "-0.5"
    assert exact(10**36 + 1) == f"{10**30}.000001"
    assert exact(-(10**36)) == f"-{10**30}"
