"""The template `generic`, read with an independent decoder of CloudEvents."""

from pathlib import Path

import orjson
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.records import Outgoing
from stream.codec.stage_change_reader import read_whole_change
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.settings import Settings
from stream.webhooks.exchange import Answer, Verdict
from stream.webhooks.templating.template_file import load_template
from tests.kit.machines import machine, records_of, run_all
from tests.webhooks.tool_changes import change

URL = {"url": "https://shop.example/hooks?kind=stage"}
GENERIC = load_template("generic", Path())


def records() -> list[Outgoing]:
    """What a partition writes: also of a customer whose id is not fit for headers."""
    people = ("5", "Zoë €\n\x7f", "v-\U0001f600")
    interactions = [Interaction(who, None, f"i-{who}", "page", 1_772_357_400_000, {}, {}) for who in people]
    model = model_of([each.lifecycle for each in load_all(["metrics"])])
    batches = run_all(machine(model, Settings(clock="stream")), records_of(interactions))
    return [each for batch in batches for each in batch.events]


def test_it_says_what_the_record_on_the_topic_says() -> None:
    found = records()
    assert len(found) >= 3
    for record in found:
        headers = {name: value for name, value in record.headers or () if value is not None}
        assert record.value is not None
        on_topic = from_binary_event(KafkaMessage(headers=headers, key=record.key, value=record.value))
        what = read_whole_change(record.value, 0, 0)
        assert what is not None
        (request,) = GENERIC.requests(what, headers["ce_id"].decode(), URL)
        sent = from_http_event(HTTPMessage(headers=dict(request.headers), body=request.body))
        attributes = {name: value for name, value in on_topic.get_attributes().items() if name != "partitionkey"}
        assert sent.get_attributes() == attributes  # the decoder takes a record's key for one, which no change has
        assert sent.get_id() == on_topic.get_id() == headers["ce_id"].decode()
        assert sent.get_subject() == headers["ce_subject"].decode()
        assert sent.get_data() == on_topic.get_data() == orjson.loads(record.value)
        assert orjson.loads(request.body)["data"] == orjson.loads(record.value)


def test_it_is_structured_json_for_the_endpoints_own_url() -> None:
    (request,) = GENERIC.requests(change(), "shop:customer:5:0-0:2", URL)
    assert (request.method, request.url) == ("POST", URL["url"])
    assert request.headers == (("Content-Type", "application/cloudevents+json"),)


def test_its_value_is_passed_on_byte_for_byte() -> None:
    what = change()
    (request,) = GENERIC.requests(what, what.event_id, URL)
    assert what.value in request.body


def test_only_2xx_is_taken_and_only_410_disables() -> None:
    for status in (*range(200, 207), *range(300, 309), *range(400, 430), 451, *range(500, 512), 599):
        expected = Verdict.DELIVERED if status < 300 else Verdict.GONE if status == 410 else Verdict.AGAIN
        assert GENERIC.outcome(Answer(status, {}, b"whatever")).verdict is expected
