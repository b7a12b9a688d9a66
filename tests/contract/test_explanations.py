"""The answer about a customer: its schema, and the JSON that is made of explanations."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from stream.codec.explanations import customer_data
from stream.core.explain import explain
from tests.core.subject import Subject, lifecycle
from tests.kit.times import DAY, T0
from tests.properties.explained import met, scenario

SCHEMAS = Path(__file__).parents[2] / "schemas"
ANSWER, EXPLANATION = (
    json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("customer", "explanation")
)
REGISTRY: Registry[Any] = Registry().with_resource("explanation.schema.json", Resource.from_contents(EXPLANATION))
VALIDATOR = Draft202012Validator(ANSWER, registry=REGISTRY)

SHOP = lifecycle("""
version: 3
title: Online shop
interactions: {visit: [page], order: [Order Completed]}
scores: {interest: {}, value: {}}
signals:
  looked: {each: visit, add: {interest: 5}, at_most: {times: 1, per: 1h}}
  spent: {each: order, add: {value: properties.total}}
facts: {last_order: {last: order}, busy: {count: visit, within: 30d, keep: 2}}
bands: {grade: {value: {A: 500, B: }, interest: {1: 50, 2: }}}
stages:
  visitor: {title: Visitor, channels: [email], actions: [call]}
  lead: {title: Lead}
transitions:
  - {from: visitor, to: lead, when: interest >= 50, hold: 1d}
  - {from: visitor, to: lead, when: 'grade == "A1" or since(last_order) >= 90d', at_most_every: 7d}
""")


def answer() -> dict[str, Any]:
    subject = Subject(SHOP)
    subject.sees(T0, "Order Completed", {"total": 40})
    subject.sees(T0, "page")
    subject.sees(T0, "page")
    assert subject.customer is not None
    told = explain(subject.model, subject.customer, T0 + 1000)
    found = customer_data(subject.customer, told, partition=2, offset=17, clock=T0 + 500, at=T0 + 1000)
    decoded: dict[str, Any] = orjson.loads(orjson.dumps(found))
    return decoded


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(ANSWER)
    Draft202012Validator.check_schema(EXPLANATION)


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object that a schema describes, itself and within."""
    if "properties" in schema:
        yield schema
    for value in schema.values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from objects(each)


@pytest.mark.parametrize("schema", [ANSWER, EXPLANATION], ids=["customer", "explanation"])
def test_every_key_is_described(schema: dict[str, Any]) -> None:
    parts = [part for each in objects(schema) for part in each["properties"].values()]
    assert len(parts) > 6
    assert [part for part in parts if "const" not in part and len(part.get("description", "")) < 8] == []


def test_an_answer_has_all_keys_of_its_schema_and_no_other() -> None:
    found = answer()
    assert list(VALIDATOR.iter_errors(found)) == []
    assert set(found) | {"anonymous_id"} == set(ANSWER["properties"])
    (told,) = found["lifecycles"]
    assert set(told) == set(EXPLANATION["properties"])
    defs = EXPLANATION["$defs"]
    first, second = told["transitions"]
    assert set(first) == set(defs["transition"]["properties"])
    assert set(first["condition"]) == set(defs["comparison"]["properties"])
    assert set(second["condition"]) == set(defs["any"]["properties"])
    assert set(told["by_time"]) == set(defs["move"]["properties"])


def test_an_answer_says_what_is_missing() -> None:
    found = answer()
    assert {key: found[key] for key in ("customer_id", "identified", "partition", "offset", "clock", "at")} == {
        "customer_id": "c1",
        "identified": True,
        "partition": 2,
        "offset": 17,
        "clock": T0 + 500,
        "at": T0 + 1000,
    }
    (told,) = found["lifecycles"]
    assert (told["lifecycle"], told["title"], told["version"]) == ("shop", "Online shop", 3)
    assert (told["stage"], told["stage_title"], told["entered"], told["sequence"]) == ("visitor", "Visitor", T0, 1)
    assert told["contributions"]["value"] == [{"signal": "spent", "points": 40.0, "count": 1}]
    assert (told["facts"]["last_order"], told["times"]) == (T0, ["last_order"])
    assert told["used_up"] == [
        {"signal": "looked", "limit": "at most 1 per 1h", "until": T0 - T0 % 3_600_000 + 3_600_000}
    ]
    assert told["full"] == [{"kind": "fact", "name": "busy", "keep": 2, "oldest": T0, "dropped": None}]
    assert told["by_time"] == {
        "at": T0 + 90 * DAY,
        "to": "lead",
        "title": "Lead",
        "transitions": [{"from": "visitor", "to": "lead", "transition": 'grade == "A1" or since(last_order) >= 90d'}],
    }
    first, second = told["transitions"]
    assert first["condition"] == {
        "kind": "comparison",
        "text": "interest >= 50",
        "name": "interest",
        "wanted": True,
        "holds": False,
        "decisive": True,
        "unit": "number",
        "value": 5.0,
        "operator": ">=",
        "needs": 50,
        "missing": 45.0,
        "by_time": None,
        "scores": None,
    }
    assert first["guards"] == [{"kind": "hold", "length": DAY, "holds": False, "since": None, "until": None}]
    band, elapsed = second["condition"]["parts"]
    assert band["scores"]["kind"] == "all"
    assert (elapsed["missing"], elapsed["by_time"]) == (90 * DAY - 1000, T0 + 90 * DAY)


def test_a_visitor_has_an_anonymous_id() -> None:
    subject = Subject(SHOP, kind="anonymous")
    subject.sees(T0, "page")
    assert subject.customer is not None
    found = customer_data(subject.customer, [], partition=0, offset=-1, clock=T0, at=T0)
    assert found["anonymous_id"] == "a1"
    assert "customer_id" not in found
    assert list(VALIDATOR.iter_errors(found)) == []


def test_what_is_no_answer_is_refused_by_the_schema() -> None:
    """So that it says something, down to the last comparison."""
    found = answer()
    del found["lifecycles"][0]["transitions"][1]["condition"]["parts"][0]["scores"]["parts"][1]["missing"]
    assert not VALIDATOR.is_valid(found)


@pytest.mark.parametrize("seed", range(40))
def test_explanations_of_random_customers_are_as_their_schema(seed: int) -> None:
    chance = Random(seed)
    for each in met(chance, scenario(chance)):
        told = explain(each.model, each.customer, each.now)
        found = customer_data(each.customer, told, partition=0, offset=3, clock=each.now, at=each.now)
        assert list(VALIDATOR.iter_errors(orjson.loads(orjson.dumps(found)))) == []
