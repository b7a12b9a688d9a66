"""The published schema of stage changes, its examples, and what the machine of a partition writes say the same."""

import copy
import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from jsonschema import Draft202012Validator

from stream.codec.controls import tick
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load_all, parse
from stream.codec.records import Outgoing
from stream.codec.state.positions import KEY, Position, encode_position
from stream.core.interaction import MAX_TIME, MIN_TIME, Interaction
from stream.core.model import model_of
from stream.demo.shop import SHOP_CLOSED, shop_interactions
from stream.settings import Settings
from tests.kit.machines import compacted, machine, records_of, run_all
from tests.kit.times import DAY

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "schemas" / "examples"
SCHEMA = json.loads((ROOT / "schemas" / "stage-change.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
PATHS = sorted((EXAMPLES / "stage-change").glob("*.json"))
HEADERS = {"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "content-type"}
LATER_KINDS = {"command", "merge", "erased"}
"""Trigger kinds that a reader must be ready for, and nothing writes yet."""

Change = dict[str, Any]


def stem(path: Path) -> str:
    return path.stem


@cache
def demo() -> tuple[Outgoing, ...]:
    """What one partition writes for the shop's interactions, and for the passing of a year after the last of them."""
    lines = [encode_native(each) for each in shop_interactions(people=60)]
    latest = SHOP_CLOSED
    model = model_of([each.lifecycle for each in load_all(["metrics"])])
    records = records_of([*lines, tick(latest + 365 * DAY)], broker_time=latest)
    batches = run_all(machine(model, Settings(clock="stream")), records)
    return tuple(each for batch in batches for each in batch.events)


T0 = 1_772_357_400_000  # 2026-03-01T09:30:00Z
STORY = [
    Interaction(None, "b-7f3a90", "i-1", "page", T0, {"path": "/"}, {"device": {"type": "phone"}}),
    Interaction("c-1001", None, "i-2", "Signed Up", T0 + 60_000, {}, {}),
    Interaction("c-1001", None, "i-3", "Order Completed", T0 + DAY, {"total": 120, "currency": "EUR"}, {}),
]
"""A visitor who never returns, and a customer who orders once."""


@cache
def story() -> tuple[Outgoing, ...]:
    """What one partition of the garden shop writes for it, 200 days long; the visitor returns after being forgotten."""
    model = model_of([each.lifecycle for each in load_all([str(EXAMPLES / "lifecycle" / "shop.yaml")])])
    returned = Interaction(None, "b-7f3a90", "i-4", "page", T0 + 200 * DAY, {"path": "/"}, {})
    batches = run_all(machine(model, Settings(clock="stream")), records_of([*STORY, returned]))
    return tuple(each for batch in batches for each in batch.events)


def again() -> tuple[Outgoing, ...]:
    """What the shop writes after a reset, which raised the generation, and after an edit that moves the customer."""
    text = (EXAMPLES / "lifecycle" / "shop.yaml").read_text(encoding="utf-8")
    settings = Settings(clock="stream")
    position = encode_position(Position(offsets={}, partitions=1, generation=2))
    before = run_all(
        machine(model_of([parse(text, "shop.yaml").lifecycle]), settings, {KEY: position}), records_of(STORY)
    )
    edited = model_of([parse(text.replace("since(last_order) >= 180d", "orders >= 1"), "shop.yaml").lifecycle])
    after = run_all(machine(edited, settings, compacted(before)), [])
    return tuple(each for batch in [*before, *after] for each in batch.events)


WRITTEN = pytest.mark.parametrize("written", [demo, story], ids=["demo", "story"])
Written = Callable[[], tuple[Outgoing, ...]]


def changes(written: tuple[Outgoing, ...]) -> list[Change]:
    return [orjson.loads(each.value or b"") for each in written]


def as_event(record: Outgoing) -> BaseCloudEvent:
    """The record as the CloudEvents SDK reads it; raises where it is no event."""
    assert record.value is not None
    assert len({name for name, _value in record.headers}) == len(record.headers)
    return from_binary_event(KafkaMessage(dict(record.headers), record.key, record.value))


def problems(change: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(change)]


def described(part: object) -> list[str]:
    """The properties anywhere in a schema that have no description worth its name."""
    if isinstance(part, list):
        return [name for each in part for name in described(each)]
    if not isinstance(part, dict):
        return []
    bare = [
        name
        for name, each in part.get("properties", {}).items()
        if "type" in part and len(each.get("description", "")) < 12
    ]
    return bare + [name for each in part.values() for name in described(each)]


def test_the_schema_is_a_schema_and_describes_every_field() -> None:
    """Down to the points of a contribution."""
    Draft202012Validator.check_schema(SCHEMA)
    assert len(SCHEMA["description"]) > 100
    assert described(SCHEMA) == []


@WRITTEN
def test_what_is_written_passes_the_schema(written: Written) -> None:
    """Every change of the demonstration data, and of a life with every kind of change."""
    assert [problem for change in changes(written()) for problem in problems(change)] == []


@WRITTEN
def test_what_is_written_has_no_field_that_the_schema_does_not_name(written: Written) -> None:
    """Readers may ignore what they do not know; we must describe what we write."""
    for change in changes(written()):
        assert set(change) <= set(SCHEMA["properties"])
        assert set(SCHEMA["properties"]) - set(change) <= {"customer_id", "anonymous_id"}
        for part in ("trigger", "source"):
            assert set(change[part]) == set(SCHEMA["properties"][part]["properties"])


def test_the_demonstration_data_shows_what_there_is() -> None:
    """Births, moves, deadlines and the forgotten, with scores, facts and contributions: the tests see them all."""
    found = changes(demo())
    assert len(found) > 100
    kinds = {each["trigger"]["kind"] for each in found}
    assert kinds == {"interaction", "deadline", "forgotten"}
    assert kinds | LATER_KINDS | {"lifecycle"} == set(SCHEMA["properties"]["trigger"]["properties"]["kind"]["enum"])
    for part in ("scores", "facts", "channels", "actions"):
        assert any(each[part] for each in found)
    assert any(signals for each in found for signals in each["contributions"].values())


@WRITTEN
def test_each_record_is_a_cloudevent_in_binary_mode(written: Written) -> None:
    """According to the SDK of CloudEvents: its attributes and data are those of the change."""
    for record in written():
        assert {name for name, _value in record.headers} == HEADERS
        event = as_event(record)
        change = event.get_data()
        assert isinstance(change, dict)
        kind = "customer" if "customer_id" in change else "anonymous"
        subject, lifecycle = change[f"{kind}_id"], change["lifecycle"]
        assert event.get_specversion() == "1.0"
        assert event.get_datacontenttype() == "application/json"
        assert event.get_type() == "lifecycle.stage.changed"
        assert event.get_source() == f"/lifecycles/{lifecycle}"
        assert event.get_subject() == subject
        assert event.get_extension("partitionkey") == subject
        assert event.get_id() == f"{lifecycle}:{kind}:{subject}:{change['born']}:{change['sequence']}"


def test_control_characters_of_an_id_are_escaped_in_headers_alone() -> None:
    """Clients and proxies refuse a header with a line break, or cut it there; key and value have the id as it is."""
    subject = "a\n\x00b\x85 é%0A"
    model = model_of([each.lifecycle for each in load_all(["metrics"])])
    visit = Interaction(subject, None, "i-1", "page", T0, {}, {})
    [change] = run_all(machine(model, Settings(clock="stream")), records_of([visit]))[0].events
    headers = dict(change.headers)
    assert headers["ce_subject"].decode() == "a%0A%00b%C2%85 é%0A"
    assert headers["ce_id"].decode().startswith("metrics:customer:a%0A%00b%C2%85 é%0A:0-")
    assert change.key == subject.encode()
    assert orjson.loads(change.value or b"")["customer_id"] == subject


@WRITTEN
def test_the_event_time_is_the_time_of_the_change(written: Written) -> None:
    """To the millisecond, with a zone."""
    for record in written():
        event = as_event(record)
        time = event.get_time()
        assert time is not None
        assert time.utcoffset() is not None
        seconds, milliseconds = divmod(orjson.loads(record.value or b"")["at"], 1_000)
        assert (int(time.timestamp()), time.microsecond) == (seconds, milliseconds * 1_000)


@WRITTEN
def test_no_two_changes_have_one_id(written: Written) -> None:
    """Nor do the changes of a subject that was forgotten and came back."""
    ids = [as_event(record).get_id() for record in written()]
    assert len(set(ids)) == len(ids)


def test_a_subject_that_comes_back_begins_another_life() -> None:
    """The numbers begin again, the life's name is another."""
    visitor = [each for each in changes(story()) if each.get("anonymous_id") == "b-7f3a90"]
    assert [(each["from"], each["to"], each["born"], each["sequence"]) for each in visitor] == [
        (None, "visitor", "0-0", 1),
        ("visitor", None, "0-0", 2),
        (None, "visitor", "0-3", 1),
    ]


@WRITTEN
def test_numbers_of_a_life_are_without_a_gap_and_each_change_begins_where_the_last_one_ended(written: Written) -> None:
    """What a reader may rely on beyond the schema."""
    lives: dict[tuple[str, ...], list[Change]] = {}
    for each in changes(written()):
        subject = each.get("customer_id") or each["anonymous_id"]
        lives.setdefault((each["lifecycle"], subject, each["born"]), []).append(each)
    for life in lives.values():
        assert [each["sequence"] for each in life] == list(range(1, len(life) + 1))
        assert life[0]["from"] is None
        for before, after in pairwise(life):
            assert (after["from"], after["entered"]) == (before["to"], before["at"])
            assert after["at"] >= before["at"]


@WRITTEN
def test_contributions_add_up_to_their_score(written: Written) -> None:
    """Where the score has a min or max, to no less or no more than that; here none is reached."""
    for each in changes(written()):
        assert set(each["contributions"]) == set(each["scores"])
        for score, value in each["scores"].items():
            points = sum(one["points"] for one in each["contributions"][score])
            assert points == pytest.approx(value, rel=1e-9, abs=1e-9)


EXAMPLE_OF: dict[str, Callable[[Change], bool]] = {
    "birth": lambda change: change["from"] is None and "customer_id" in change,
    "moved-by-interaction": lambda change: change["to"] == "customer",
    "moved-by-deadline": lambda change: change["to"] == "resting",
    "forgotten": lambda change: change["to"] is None,
}


def test_every_kind_of_change_has_an_example() -> None:
    """Birth, interaction, deadline, forgotten."""
    assert {path.stem for path in PATHS} == set(EXAMPLE_OF)


@pytest.mark.parametrize("path", PATHS, ids=stem)
def test_an_example_passes_the_schema(path: Path) -> None:
    """As any reader's validator finds it."""
    assert problems(json.loads(path.read_bytes())) == []


@pytest.mark.parametrize("path", PATHS, ids=stem)
def test_an_example_is_what_the_machine_writes(path: Path) -> None:
    """Word for word, from the garden shop's lifecycle; the last digit of a power may differ between machines."""
    (written,) = [each.value or b"" for each in story() if EXAMPLE_OF[path.stem](orjson.loads(each.value or b""))]
    example, found = (
        json.loads(text, parse_float=lambda digits: f"{float(digits):.9g}") for text in (path.read_bytes(), written)
    )
    assert example == found


@pytest.mark.parametrize("path", PATHS, ids=stem)
def test_more_keys_break_no_reader(path: Path) -> None:
    """Additions are allowed, at the top and within."""
    change = json.loads(path.read_bytes())
    change["segment"] = "gold"
    change["trigger"]["by"] = {"rule": 7}
    change["source"]["cluster"] = "eu"
    for signals in change["contributions"].values():
        for each in signals:
            each["share"] = 0.5
    assert problems(change) == []


def test_what_is_written_after_a_reset_and_an_edit_passes() -> None:
    """A generation before the life's name, and the trigger `lifecycle`."""
    changes = [json.loads(each.value or b"") for each in again()]
    assert [problem for change in changes for problem in problems(change)] == []
    assert {change["born"].partition(".")[0] for change in changes} == {"2"}
    assert "lifecycle" in {change["trigger"]["kind"] for change in changes}


@pytest.mark.parametrize("kind", sorted(LATER_KINDS | {"lifecycle"}))
def test_a_change_of_every_kind_passes(kind: str) -> None:
    """Those that the demonstration data do not show."""
    change = json.loads((EXAMPLES / "stage-change" / "moved-by-interaction.json").read_bytes())
    change["trigger"] |= {"kind": kind, "id": None, "type": None}
    change["transition"] = None
    assert problems(change) == []


@pytest.mark.parametrize("path", PATHS, ids=stem)
def test_no_field_may_be_missing(path: Path) -> None:
    """At the top, of the trigger, of the source, of a contribution."""
    change = json.loads(path.read_bytes())
    for place in [(), ("trigger",), ("source",)]:
        whole = change if not place else change[place[0]]
        for name in whole:
            less = copy.deepcopy(change)
            del (less if not place else less[place[0]])[name]
            assert problems(less), name


def _set(*place: str | int, to: object) -> Callable[[Change], None]:
    def edit(change: Change) -> None:
        part: Any = change
        for step in place[:-1]:
            part = part[step]
        part[place[-1]] = to

    return edit


@pytest.mark.parametrize(
    "edit",
    [
        _set("anonymous_id", to="b-1"),
        _set("customer_id", to=""),
        _set("customer_id", to=7),
        _set("customer_id", to="c" * 257),
        _set("identified", to=None),
        _set("version", to=0),
        _set("born", to="0"),
        _set("born", to="1.0-1"),
        _set("born", to=".0-1"),
        _set("sequence", to=0),
        _set("final", to="yes"),
        _set("from", to=None),
        _set("to", to=None),
        _set("entered", to=None),
        _set("at", to="2026-03-01T09:30:00Z"),
        _set("at", to=1.5),
        _set("at", to=MAX_TIME + 1),
        _set("at", to=MIN_TIME - 1),
        _set("trigger", "kind", to="wish"),
        _set("trigger", "late", to=None),
        _set("transition", to=3),
        _set("scores", "interest", to="much"),
        _set("scores", "interest", to=None),
        _set("facts", "orders", to=[1]),
        _set("facts", "orders", to=None),
        _set("contributions", "spending", 0, "count", to=0),
        _set("contributions", "spending", 0, "points", to="3"),
        _set("channels", to="email"),
        _set("actions", to=[""]),
        _set("source", "partition", to=-1),
        _set("source", "offset", to=None),
    ],
)
def test_what_is_no_stage_change_is_refused(edit: Callable[[Change], None]) -> None:
    """One edit of a good change each."""
    change = json.loads((EXAMPLES / "stage-change" / "moved-by-interaction.json").read_bytes())
    edit(change)
    assert problems(change)
