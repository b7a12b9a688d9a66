"""Spans of requests to the collector, and what the records that they make carry."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from stream.settings import Settings
from tests.kit.collectors import Served, served
from tests.kit.kafka import SharedKafka
from tests.kit.otlp import Endpoint, otlp_endpoint
from tests.kit.topics import read_all

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with otlp_endpoint() as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
async def collector(kafka: SharedKafka, topic_prefix: str, spans: Endpoint) -> AsyncIterator[Served]:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=4, tracing=True)
    async with served(settings) as made:
        yield made


async def carried(collector: Served, topic: str) -> list[tuple[str | None, str | None]]:
    """The contexts of the records of a topic."""
    found = await read_all(collector.collector.settings.bootstrap, topic)
    headers = [{name: value.decode() for name, value in each.headers} for part in found.values() for each in part]
    return [(each.get("traceparent"), each.get("tracestate")) for each in headers]


def sent(collector: Served, spans: Endpoint) -> Endpoint:
    """The endpoint, once it has all spans."""
    tracing = collector.collector._tracing
    assert tracing is not None
    tracing.end()
    return spans


async def test_every_record_of_a_batch_and_a_dead_letter_carries_the_context_of_its_request(
    collector: Served, spans: Endpoint
) -> None:
    body = b'[{"type":"page","customer_id":"a"},{"type":"page","customer_id":"b"},{"type":"page"}]'
    status, *_ = await collector.post(
        "/v1/interactions",
        body,
        traceparent=f"00-{TRACE}-{CALLER}-01",
        tracestate="a=1",
        content_type="application/json",
    )
    assert status == 200
    [span] = sent(collector, spans).of()
    assert (span.trace, span.parent, span.service) == (TRACE, CALLER, "lifecycle-collector")
    topics = collector.collector.settings.topics
    own = (f"00-{TRACE}-{span.id}-01", "a=1")
    assert await carried(collector, topics.interactions) == [own, own]
    assert await carried(collector, topics.dead_letters) == [own]


@pytest.mark.parametrize("wrong", ["rubbish", f"00-{TRACE}-{CALLER}", f"ff-{TRACE}-{CALLER}-01", "é"])
async def test_a_caller_whose_context_is_not_valid_is_served_and_begins_a_trace(
    collector: Served, spans: Endpoint, wrong: str
) -> None:
    body = b'{"type":"track","event":"page","userId":"a"}'
    assert (await collector.post("/v1/track", body, traceparent=wrong))[0] == 200
    [span] = sent(collector, spans).of()
    assert (span.parent, span.name) == ("", "POST /v1/track")
    assert span.trace != TRACE
    [(parent, state)] = await carried(collector, collector.collector.settings.topics.interactions)
    assert state is None
    assert parent is not None
    assert parent.startswith(f"00-{span.trace}-{span.id}-")


async def test_refusals_have_their_status_and_no_span_has_an_address_a_key_or_a_path_that_a_stranger_made_up(
    collector: Served, spans: Endpoint
) -> None:
    assert (await collector.post("/v1/canary-path?key=canary", b"canary"))[0] == 404
    assert (await collector.post("/v1/track", b"canary is no JSON", user_agent="canary"))[0] == 400
    async with collector.session.get(collector.url + "/v1/projects/canary-key/settings") as answer:
        assert answer.status == 200
    async with collector.session.get(collector.url + "/metrics") as answer:
        text = await answer.text()
    found = sent(collector, spans).of()
    assert [(each.name, each.attributes["http.response.status_code"], each.failed) for each in found] == [
        ("POST", 404, False),
        ("POST /v1/track", 400, False),
        ("GET /v1/projects/{key}/settings", 200, False),
    ]
    for each in found:
        assert "canary" not in each.text
        assert "127.0.0.1" not in each.text
    assert "lifecycle_spans_total 3.0" in text


async def test_what_waits_for_kafka_in_vain_fails_in_its_span(kafka: SharedKafka, spans: Endpoint) -> None:
    settings = replace(Settings(bootstrap="127.0.0.1:1"), tracing=True)
    async with served(settings, ready=False) as collector:
        assert (await collector.post("/v1/track", b"{}"))[0] == 503
        [span] = sent(collector, spans).of()
        assert span.failed
        assert (span.attributes["http.response.status_code"], span.attributes["error.type"]) == (503, "503")
