"""`docs/topics.md` is the contract: it says all that the code writes and reads, and nothing else."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from stream.codec import dead_letters, deliveries
from stream.codec.controls import HEADER, TICK
from stream.codec.dead_letter_reasons import MAX_BYTES, MAX_DEPTH, MAX_ID_BYTES, Reason
from stream.codec.import_rows import MAX_NAME
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.state import positions
from stream.codec.state.keys import KINDS
from stream.core.model import model_of
from stream.core.times import parse_time
from stream.kafka.topic_plan import plan_topics
from stream.settings import Partitioner, Settings
from stream.webhooks.topics import plan_webhook_topics
from tests.docs.markdown import ROOT, blocks, names, page, rows, section
from tests.kit.machines import Record, machine, run_all

TOPICS = page("docs/topics.md")
WITH_OTHER_NAMES_LIKE_HEADERS = {"metrics.py", "events.py", "authentication.py", "span_counts.py"}
HEADER_NAME = re.compile(r"ce_[a-z]+|content-type|lifecycle_[a-z_]+|trace(?:parent|state)")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page(f"schemas/{name}.schema.json"))
    return found


def fields(part: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Every field that a schema names, those inside another behind its name and a dot."""
    for name, inner in part.get("properties", {}).items():
        yield before + name
        yield from fields(inner, f"{before}{name}.")
    for inner in (part.get("additionalProperties"), part.get("items")):
        if isinstance(inner, dict):
            into = "[]." if inner is part.get("items") else ""
            yield from fields(inner, (before.removesuffix(".") if into else before) + into)


def headers_in_the_code() -> set[str]:
    """Every constant of the product that is the name of a header."""
    found: set[str] = set()
    for module in (ROOT / "stream").rglob("*.py"):
        if module.name not in WITH_OTHER_NAMES_LIKE_HEADERS:
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.update(HEADER_NAME.findall(node.value) if HEADER_NAME.fullmatch(node.value) else ())
    return found


def example() -> str:
    (value,) = blocks(TOPICS, "json interaction")
    return value


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("interaction", "### Native fields"),
        ("stage-change", "### Fields"),
        ("webhook-attempt", "### Webhook attempts"),
    ],
)
def test_the_tables_of_fields_are_those_of_the_schemas(name: str, heading: str) -> None:
    """In the schema's order, each once."""
    assert names(section(TOPICS, heading)) == list(fields(schema(name)))


def test_the_kinds_of_triggers_are_those_of_the_schema() -> None:
    kinds = schema("stage-change")["properties"]["trigger"]["properties"]["kind"]["enum"]
    assert sorted(names(section(TOPICS, "### Trigger kinds"))) == sorted(kinds)


def test_the_reasons_are_those_of_the_code() -> None:
    """In the order in which they are found."""
    assert names(section(TOPICS, "### Reasons")) == [each.value for each in Reason]


def test_the_headers_in_the_tables_are_those_that_the_code_writes_and_reads() -> None:
    in_tables = [
        *names(section(TOPICS, "### Headers of interactions")),
        *names(section(TOPICS, "### Headers of stage changes")),
        *names(section(TOPICS, "## Dead letters")),
    ]
    found = headers_in_the_code()
    assert len(found) > 15
    assert {each for each in in_tables if HEADER_NAME.fullmatch(each)} == found


def test_no_header_is_named_that_is_in_no_table() -> None:
    """A name in running text, too, is one that exists; metrics are named by their whole names."""
    metrics = set(names(page("docs/metrics.md")))
    assert set(re.findall(r"`(lifecycle_[a-z_]+|ce_[a-z]+)[`:]", TOPICS)) - metrics - headers_in_the_code() == set()


def test_the_topics_are_those_that_are_created_with_the_same_settings_of_kafka() -> None:
    documented = topics_of("## The topics")
    assert documented == {plan.name: dict(plan.configs) for plan in plan_topics(Settings(), {}, figures=True)}
    assert list(documented) == list(Settings().topics.named(figures=True))


def test_the_topics_of_webhooks_are_those_that_are_created_with_the_same_settings_of_kafka() -> None:
    made = {plan.name: dict(plan.configs) for plan in plan_webhook_topics(Settings(), 16)}
    assert topics_of("## Topics of webhooks") == made
    assert set(made) == set(Settings().webhook_topics.beside_source)


def topics_of(heading: str) -> dict[str, dict[str, str]]:
    """By topic of the table below a heading, what it is created with."""
    return {
        cells[0].strip("`"): dict(each.split("=", 1) for each in re.findall(r"`([^`]+)`", cells[4]))
        for cells in rows(section(TOPICS, heading))
        if len(cells) == 5
    }


def test_the_headers_and_reasons_of_webhook_dead_letters_are_those_of_the_code() -> None:
    letter = deliveries.given_up("crm", "shop:customer:42:0-0:2", b"{}", "refused", "no", 1, 2)
    named = names(section(TOPICS, "### Webhook dead letters"))
    assert named == [*(name for name, _ in letter.headers), *get_args(deliveries.GivenUp)]


def test_the_kinds_of_records_that_webhooks_remember_are_those_of_the_code() -> None:
    section_ = section(TOPICS, "### The changelog: `lifecycle-webhooks`")
    assert {each.encode() for each in names(section_)} == {deliveries.DELIVERY, deliveries.ENDPOINT, positions.KEY}


def test_the_partitioners_are_those_of_the_setting() -> None:
    assert names(section(TOPICS, "### Keys and partitioners")) == list(get_args(Partitioner))


def test_the_kinds_of_changelog_records_are_those_of_the_code() -> None:
    section_ = section(TOPICS, "## The changelog: `lifecycle-customers`")
    assert {each.encode() for each in names(section_)} == KINDS


def test_the_limits_are_those_of_the_code() -> None:
    assert (MAX_BYTES, MAX_DEPTH, MAX_ID_BYTES, MAX_NAME) == (1 << 20, 64, 256, 64)
    assert "at most 1 MiB of UTF-8, nested at most 64 deep" in TOPICS
    assert "at most 256 bytes of UTF-8" in TOPICS
    assert "1 to 64 printable ASCII characters" in TOPICS
    kept, beside = dead_letters.MAX_VALUE_BYTES, dead_letters.MAX_BESIDE
    assert f"({kept:,} bytes) of a value are kept, and {beside >> 10} KiB" in TOPICS
    assert f"`{HEADER}` | `{TICK.decode()}`" in TOPICS


def test_the_example_is_what_a_worker_writes() -> None:
    """The interaction that the page shows, through the machine of a partition, with the lifecycle of the README."""
    lifecycle = load(str(ROOT / "schemas" / "examples" / "lifecycle" / "readme.yaml")).lifecycle
    made = machine(model_of([lifecycle]), Settings(clock="stream"))
    at = parse_time(json.loads(example())["time"])
    assert at is not None
    (batch,) = run_all(made, [Record(0, at, b"42", example().encode())])
    first, second = batch.events
    (headers,) = blocks(TOPICS, "text headers")
    (value,) = blocks(TOPICS, "json stage-change")
    born = json.loads(first.value or b"")
    assert (born["from"], born["to"], born["final"]) == (None, "visitor", False)
    assert [f"{name}: {text.decode()}" for name, text in second.headers] == headers.splitlines()
    assert json.loads(second.value or b"") == json.loads(value)
    assert second.key == b"42"
    assert [each.key for each in batch.latest] == [b"shop:customer:42"]


@pytest.mark.parametrize("name", ["interaction", "stage-change", "webhook-attempt"])
def test_the_examples_pass_the_schemas(name: str) -> None:
    (value,) = blocks(TOPICS, f"json {name}")
    assert list(Draft202012Validator(schema(name)).iter_errors(json.loads(value))) == []


def test_a_field_that_a_schema_had_besides_would_be_found() -> None:
    """The walk through a schema itself: inside objects, maps and lists."""
    inner = {"properties": {"c": {}}}
    part = {"properties": {"a": inner, "b": {"additionalProperties": {"items": inner}}}}
    assert list(fields(part)) == ["a", "a.c", "b", "b[].c"]
