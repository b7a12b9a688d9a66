"""`schemas/asyncapi.yaml` says of the topics what the code does, and its examples are what it says.

That it is AsyncAPI, its own parser says: `deploy/asyncapi/validate.sh`.
"""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from stream.build import product_version
from stream.codec import dead_letters
from stream.codec.controls import tick
from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.deliveries import GivenUp, given_up
from stream.codec.stage_changes import ChangeSource, encode, headers
from stream.kafka.topic_plan import plan_topics
from stream.settings import Settings
from stream.webhooks.attempt_log import AttemptRecord, encode_attempt
from stream.webhooks.exchange import Verdict
from stream.webhooks.topics import plan_webhook_topics
from tests.docs.markdown import ROOT, names, page, section
from tests.kit.machines import Record
from tests.kit.stage_changes import change

FOLDER = ROOT / "schemas"
DOCUMENT: dict[str, Any] = YAML(typ="safe").load(FOLDER / "asyncapi.yaml")
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
WEBHOOKS = Settings().webhook_topics
INTERNAL = {Settings().topics.customers, WEBHOOKS.state, WEBHOOKS.commands}


def whole(part: Any) -> Any:
    """A part of the document with what it refers to in its place, and without what says which kind of schema it is."""
    if isinstance(part, list):
        return [whole(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "schemaFormat" in part:
        return whole(part["schema"])
    reference = part.get("$ref", "")
    if reference.startswith("#/"):
        target: Any = DOCUMENT
        for name in reference[2:].split("/"):
            target = target[name]
        return whole(target)
    if reference:
        return json.loads((FOLDER / reference).read_text(encoding="utf-8"))
    return {name: whole(each) for name, each in part.items()}


def faults(message: str, part: str, value: Any) -> list[str]:
    return [each.message for each in Draft202012Validator(whole(MESSAGES[message][part])).iter_errors(value)]


def examples() -> Iterator[Any]:
    for name, message in MESSAGES.items():
        for example in message.get("examples", ()):
            for part in ("headers", "payload"):
                if part in example:
                    yield pytest.param(name, part, example[part], id=f"{name}-{example['name']}-{part}")


def files(folder: str, message: str) -> Iterator[Any]:
    for path in sorted((FOLDER / "examples" / folder).glob("*.json")):
        yield pytest.param(message, "payload", json.loads(path.read_text(encoding="utf-8")), id=path.stem)


def texts(pairs: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in pairs}


def test_the_version_is_the_products() -> None:
    assert DOCUMENT["info"]["version"] == product_version()


def test_the_channels_are_the_topics_that_are_not_internal_with_their_settings_of_kafka() -> None:
    described = {
        channel["address"]: {
            name: ",".join(value) if isinstance(value, list) else str(value)
            for name, value in channel["bindings"]["kafka"]["topicConfiguration"].items()
        }
        for channel in DOCUMENT["channels"].values()
    }
    plans = [*plan_topics(Settings(), {}, figures=True), *plan_webhook_topics(Settings(), 16)]
    made = {plan.name: dict(plan.configs) for plan in plans if plan.name not in INTERNAL}
    for configs in made.values():
        for without_a_word in ("message.timestamp.type", "max.compaction.lag.ms"):  # in a binding
            configs.pop(without_a_word, None)
    assert described == made


def test_every_message_is_in_a_channel_and_every_channel_has_an_operation() -> None:
    in_channels = [each["$ref"] for channel in DOCUMENT["channels"].values() for each in channel["messages"].values()]
    assert sorted(in_channels) == sorted(f"#/components/messages/{name}" for name in MESSAGES)
    in_operations = [each["channel"]["$ref"] for each in DOCUMENT["operations"].values()]
    assert sorted(in_operations) == sorted(f"#/channels/{name}" for name in DOCUMENT["channels"])


@pytest.mark.parametrize("message", MESSAGES)
def test_every_schema_is_one(message: str) -> None:
    for part in ("headers", "payload"):
        Draft202012Validator.check_schema(whole(MESSAGES[message].get(part, {})))


@pytest.mark.parametrize(("message", "part", "value"), list(examples()))
def test_an_example_is_as_its_message(message: str, part: str, value: Any) -> None:
    assert faults(message, part, value) == []


@pytest.mark.parametrize(
    ("message", "part", "value"),
    [
        *files("interaction", "interaction"),
        *files("stage-change", "stageChange"),
        *files("interaction-segment-ecommerce", "segmentCall"),
    ],
)
def test_the_examples_beside_it_are_of_its_messages(message: str, part: str, value: Any) -> None:
    assert faults(message, part, value) == []


def test_what_workers_and_import_write_is_of_its_messages() -> None:
    assert faults("stageChange", "headers", texts(headers(change()))) == []
    assert whole(MESSAGES["stageChange"]["headers"])["required"] == list(texts(headers(change())))
    described = [*whole(MESSAGES["stageChange"]["headers"])["properties"]]
    assert described == names(section(page("docs/topics.md"), "### Headers of stage changes"))
    assert faults("tick", "headers", texts(tick(1_795_341_600_000).headers)) == []
    place = dead_letters.SourceAddress("interactions", 3, 4711, 1_795_341_600_000)
    letter = dead_letters.dead_letter(
        Record(4711, 1_795_341_600_000, b"null", b"{}"), Rejected(Reason.BLOCKED_SUBJECT, "…"), "interactions", 3
    )
    assert faults("deadLetter", "headers", texts(letter.headers)) == []
    assert faults("receipt", "headers", texts(dead_letters.receipt(place).headers)) == []
    assert faults("tick", "payload", json.loads(tick(1_795_341_600_000).value or b"")) == []


def test_what_webhooks_write_is_of_its_messages() -> None:
    moved = encode(change(), ChangeSource("interactions", 3, 4711))
    letter = given_up("crm", "shop:customer:ann:0-0:2", moved, "refused", "422", 1, 1_795_341_600_281)
    assert faults("webhookDeadLetter", "headers", texts(letter.headers)) == []
    assert faults("webhookDeadLetter", "payload", json.loads(letter.value or b"")) == []
    described = whole(MESSAGES["webhookDeadLetter"]["headers"])
    assert list(described["properties"]) == described["required"] == list(texts(letter.headers))
    assert described["properties"]["webhook_reason"]["examples"] == list(get_args(GivenUp))
    attempt = AttemptRecord(
        id="shop:customer:ann:0-0:2",
        endpoint="crm",
        lifecycle="shop",
        customer_id="ann",
        attempt=1,
        at=1_795_341_600_250,
        verdict=Verdict.DELIVERED,
        status=204,
        seconds=0.031,
        reason="204",
        next=None,
    )
    assert faults("webhookAttempt", "payload", json.loads(encode_attempt(attempt))) == []


def test_a_wrong_header_would_be_found() -> None:
    wrong = texts(headers(change())) | {"ce_type": "something.else"}
    assert faults("stageChange", "headers", wrong) == ["'lifecycle.stage.changed' was expected"]
    del wrong["ce_id"]
    assert "'ce_id' is a required property" in faults("stageChange", "headers", wrong)


def test_headers_of_dead_letters_and_their_reasons_are_those_of_the_contract() -> None:
    described = whole(MESSAGES["deadLetter"]["headers"])["allOf"]
    found = {name: each for part in described for name, each in part["properties"].items()}
    documented = names(section(page("docs/topics.md"), "## Dead letters"))
    assert set(found) == {each for each in documented if each.startswith("lifecycle_")}
    assert found["lifecycle_reason"]["examples"] == [each.value for each in Reason]


def test_headers_of_interactions_are_those_of_the_contract() -> None:
    documented = names(section(page("docs/topics.md"), "### Headers of interactions"))
    described = [*whole(MESSAGES["interaction"]["headers"])["properties"], *MESSAGES["tick"]["headers"]["properties"]]
    assert described == documented
