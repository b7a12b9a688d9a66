"""A collector, a worker and webhooks as processes, on Apache Kafka, with an endpoint that takes their spans.

site ──HTTP──▶ collector ──Kafka──▶ worker ──Kafka──▶ webhooks ──HTTP──▶ receiver
   traceparent          traceparent          traceparent          traceparent
"""

import asyncio
import json
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web

from stream.codec.records import Outgoing
from stream.kafka.embedded.process import free_port
from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.kit.collectors import collector_process
from tests.kit.kafka import SharedKafka
from tests.kit.otlp import Endpoint, SeenSpan, otlp_endpoint
from tests.kit.topics import produce, read_all
from tests.kit.webhooks import Receiver, WebhookProcess, endpoint, receiver
from tests.kit.workers import Worker, worker_processes

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SHOP = """
lifecycle: shop
interactions: {visit: [page], purchase: [order]}
facts: {orders: {count: purchase}, last: {last: visit}}
stages: {visitor: {}, customer: {}, away: {}}
transitions:
  - {from: visitor, to: customer, when: orders >= 1}
  - {from: customer, to: away, when: since(last) >= 2s}
"""


class Site(NamedTuple):
    """The three processes, and who asks them and whom they tell."""

    settings: Settings
    collector: str
    """Its URL."""
    worker: Worker
    webhooks: WebhookProcess
    hook: Receiver
    logs: Path

    async def send(self, *items: dict[str, Any], **headers: str) -> int:
        """The status of a request with these interactions."""
        url = f"{self.collector}/v1/interactions"
        async with aiohttp.ClientSession() as session, session.post(url, json=items, headers=headers) as answer:
            return answer.status

    def changes_of(self, customer: str) -> list[dict[str, str]]:
        """The headers of the requests that told of a customer."""
        return [dict(each.headers) for each in self.hook.got if f":{customer}:" in each.id]


def item(customer: str, kind: str = "order") -> dict[str, Any]:
    return {"type": kind, "customer_id": customer, "time": time.time_ns() // 1_000_000}


@pytest.fixture
def spans() -> Iterator[Endpoint]:
    with otlp_endpoint() as made:
        yield made


@asynccontextmanager
async def running(
    kafka: SharedKafka, topic_prefix: str, folder: Path, around: dict[str, str], *, tracing: bool = True
) -> AsyncIterator[Site]:
    """The site, its processes with these variables around them."""
    settings = Settings(bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=2)
    await ensure_webhook_topics(settings)
    (folder / "shop.yaml").write_text(SHOP, encoding="utf-8")
    named = {
        "BOOTSTRAP": settings.bootstrap,
        "TOPIC_PREFIX": topic_prefix,
        "APP": settings.app,
        "PARTITIONS": "2",
        "RETENTION": "unlimited",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
        **({"TRACING": "on"} if tracing else {}),
    }
    port = free_port()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        hook = await enter(receiver())
        file = folder / "webhooks.yaml"
        file.write_text(
            "endpoints:\n" + endpoint("crm", hook.url("/hook/canary-path?key=canary-key")), encoding="utf-8"
        )
        with pytest.MonkeyPatch.context() as patch:
            for name, value in around.items():
                patch.setenv(name, value)
            await enter(collector_process(folder / "collector.log", COLLECTOR_PORT=str(port), **named))
            start = await enter(
                worker_processes({**named, "LIFECYCLES": str(folder / "shop.yaml"), "SESSION_TIMEOUT": "2s"}, folder)
            )
            worker = await start()
            webhooks = WebhookProcess(settings, file, folder / "webhooks.log")
            webhooks.environment.update({f"LIFECYCLE_{name}": value for name, value in named.items()})
            await enter(webhooks)
        await worker.until("/readyz", lambda answer: answer[0] == 200 and len(answer[1]["partitions"]) == 2)
        await webhooks.until_ready(2)
        await until_ready(f"http://127.0.0.1:{port}")
        yield Site(settings, f"http://127.0.0.1:{port}", worker, webhooks, hook, folder)


async def until_ready(url: str) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def headers_of(settings: Settings, topic: str, customer: str) -> list[dict[str, bytes]]:
    """Of the records of a customer."""
    found = await read_all(settings.bootstrap, topic)
    return [dict(each.headers) for part in found.values() for each in part if customer in str(each.key)]


def one(found: list[SeenSpan]) -> SeenSpan:
    [span] = found
    return span


async def test_a_trace_goes_from_the_request_of_the_site_to_the_request_of_the_webhook(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, spans: Endpoint
) -> None:
    async with running(kafka, topic_prefix, tmp_path, spans.environment(RESOURCE_ATTRIBUTES="deployment=test")) as site:
        failures = iter([503])

        async def answers(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=next(failures, 204))

        site.hook.answers = answers
        status = await site.send(
            item("canary-a"), traceparent=f"00-{TRACE}-{CALLER}-01", tracestate="shop=canary-not,b=2"
        )
        assert status == 200
        # Birth, which fails once and is tried again after five seconds, then the move that the order caused.
        await site.hook.until(lambda: len(site.changes_of("canary-a")) >= 3)
        await asyncio.to_thread(spans.until, lambda: len(spans.of("lifecycle-webhooks", "POST crm")) >= 3)

        server = one(spans.of("lifecycle-collector", "POST /v1/interactions"))
        assert (server.kind, server.trace, server.parent, server.failed) == ("server", TRACE, CALLER, False)
        assert server.attributes == {
            "http.request.method": "POST",
            "http.route": "/v1/interactions",
            "url.scheme": "http",
            "http.response.status_code": 200,
        }

        own = f"00-{TRACE}-{server.id}-01".encode()
        topics = site.settings.topics
        for topic in (topics.interactions, topics.stage_changes, topics.current_stages):
            for each in await headers_of(site.settings, topic, "canary-a"):
                assert (each["traceparent"], each["tracestate"]) == (own, b"shop=canary-not,b=2"), topic

        batch = one([each for each in spans.of("lifecycle-worker", "process") if each.links])
        assert (batch.kind, batch.parent, batch.links) == ("consumer", "", ((TRACE, server.id),))
        assert batch.trace != TRACE
        assert batch.attributes["messaging.destination.name"] == topics.interactions
        assert batch.attributes["messaging.consumer.group.name"] == site.settings.group
        assert batch.attributes["messaging.destination.partition.id"] in ("0", "1")
        assert batch.attributes["messaging.batch.message_count"] == batch.attributes["lifecycle.applied"] == 1
        assert (batch.attributes["lifecycle.stage_changes"], batch.attributes["lifecycle.dead_letters"]) == (2, 0)
        commit = one([each for each in spans.of("lifecycle-worker", "commit") if each.parent == batch.id])
        assert (commit.kind, commit.trace) == ("client", batch.trace)
        assert batch.start <= commit.start <= commit.end <= batch.end

        attempts = sorted(spans.of("lifecycle-webhooks", "POST crm"), key=lambda span: span.start)[:3]
        assert [(each.kind, each.trace, each.parent) for each in attempts] == [("client", TRACE, server.id)] * 3
        assert [each.attributes["http.response.status_code"] for each in attempts] == [503, 204, 204]
        assert [each.attributes.get("http.request.resend_count") for each in attempts] == [None, 1, None]
        assert [each.failed for each in attempts] == [True, False, False]
        for span, headers in zip(attempts, site.changes_of("canary-a"), strict=False):
            assert headers["traceparent"] == f"00-{TRACE}-{span.id}-01"
            assert headers["tracestate"] == "shop=canary-not,b=2"

        assert await verified(site) == 0

        for each in spans.of():
            assert each.resource["deployment"] == "test"
            assert "canary" not in re.sub(r'trace_state: "[^"]*"', "", each.text)


async def verified(site: Site) -> int:
    """The exit code of `lifecycle verify`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", "verify"),
        env=site.webhooks.environment | {"LIFECYCLE_LIFECYCLES": str(site.logs / "shop.yaml")},
    )
    return await asyncio.wait_for(process.wait(), 60)


async def test_what_time_causes_belongs_to_no_trace_of_an_interaction(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, spans: Endpoint
) -> None:
    async with running(kafka, topic_prefix, tmp_path, spans.environment()) as site:
        parent = f"00-{TRACE}-{CALLER}-01"
        assert await site.send(item("ann", "page"), item("ann"), traceparent=parent) == 200
        await site.hook.until(lambda: len(site.changes_of("ann")) >= 3)
        birth, bought, left = await headers_of(site.settings, site.settings.topics.stage_changes, "ann")
        assert birth["traceparent"] == bought["traceparent"]
        assert birth["traceparent"][3:35].decode() == TRACE
        assert "traceparent" not in left
        told = [each["traceparent"][3:35] for each in site.changes_of("ann")]
        assert told[:2] == [TRACE, TRACE]
        assert told[2] != TRACE


async def test_a_caller_that_does_not_sample_is_obeyed_and_its_trace_goes_on(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, spans: Endpoint
) -> None:
    async with running(kafka, topic_prefix, tmp_path, spans.environment()) as site:
        assert await site.send(item("ann"), traceparent=f"00-{TRACE}-{CALLER}-00") == 200
        await site.hook.until(lambda: len(site.changes_of("ann")) >= 2)
        assert {each["traceparent"][3:35] + each["traceparent"][-3:] for each in site.changes_of("ann")} == {
            f"{TRACE}-00"
        }
        assert await site.webhooks.end() == 0
        await asyncio.to_thread(spans.until, lambda: spans.of("lifecycle-worker", "process") != [])
        assert [each for each in spans.of() if each.trace == TRACE] == []
        assert [each for each in spans.of() if each.links] == []


async def test_a_process_that_ends_sends_what_it_has_and_its_lines_name_their_trace(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, spans: Endpoint
) -> None:
    async with running(kafka, topic_prefix, tmp_path, spans.environment(BSP_SCHEDULE_DELAY="3600000")) as site:
        assert await site.send(item("ann"), traceparent=f"00-{TRACE}-{CALLER}-01") == 200
        await site.hook.until(lambda: len(site.changes_of("ann")) >= 2)
        assert spans.of() == []
        site.worker.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(site.worker.process.wait(), 30) == 0
        assert await site.webhooks.end() == 0
        assert len(spans.of("lifecycle-worker", "process")) > 0
        assert len(spans.of("lifecycle-webhooks", "POST crm")) == 2
        started = [each for each in lines(site.logs / "worker0.log") if each["event"] == "tracing_started"]
        assert [(each["service"], each["endpoint"]) for each in started] == [
            ("lifecycle-worker", f"{spans.url}/v1/traces")
        ]


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


async def test_without_tracing_nothing_of_it_is_imported_carried_or_sent(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, spans: Endpoint
) -> None:
    """Although the variables of OpenTelemetry are set, and the interaction has a context."""
    around = spans.environment(BSP_SCHEDULE_DELAY="100") | {"PYTHONPROFILEIMPORTTIME": "1"}
    async with running(kafka, topic_prefix, tmp_path, around, tracing=False) as site:
        parent = f"00-{TRACE}-{CALLER}-01"
        await produce(
            kafka.bootstrap,
            site.settings.topics.interactions,
            [Outgoing(b"ann", json.dumps(item("ann")).encode(), [("traceparent", parent.encode())])],
        )
        assert await site.send(item("bob"), traceparent=parent) == 200
        await site.hook.until(lambda: len(site.changes_of("ann")) >= 2 and len(site.changes_of("bob")) >= 2)
        assert "traceparent" not in [name.lower() for each in site.hook.got for name in each.headers]
        topics = site.settings.topics
        [bought] = await headers_of(site.settings, topics.interactions, "bob")
        assert bought == {}
        for topic in (topics.stage_changes, topics.current_stages):
            for customer in ("ann", "bob"):
                for each in await headers_of(site.settings, topic, customer):
                    assert "traceparent" not in each
        assert b"traceparent" not in await state_of_webhooks(site.settings)
    assert spans.requests == 0
    for name, imports in (("collector", "collector"), ("worker0", "app"), ("webhooks", "webhook_role")):
        said = (tmp_path / f"{name}.log").read_text(encoding="utf-8")
        assert re.search(rf"import time: .* stream\.{imports}$", said, re.MULTILINE)
        assert re.search(r"import time: .* opentelemetry", said) is None


async def state_of_webhooks(settings: Settings) -> bytes:
    """All values of the changelog of what waits for webhooks."""
    found = await read_all(settings.bootstrap, settings.webhook_topics.state)
    return b"".join(each.value or b"" for part in found.values() for each in part)


@pytest.mark.parametrize("kind", ["refuses", "is silent"])
async def test_an_endpoint_that_takes_no_spans_holds_up_nothing(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, kind: str
) -> None:
    """Its queue is full after a few spans; processes end in order and soon, and say that spans are lost."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # and never accepts
        port = silent.getsockname()[1] if kind == "is silent" else free_port()
        around = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://canary:canary@127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            "OTEL_BSP_MAX_QUEUE_SIZE": "4",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        async with running(kafka, topic_prefix, tmp_path, around) as site:
            for number in range(20):
                assert await site.send(item(f"c{number}")) == 200
            await site.hook.until(lambda: len(site.hook.got) >= 40)
            [told] = await until_logged(tmp_path / "worker0.log", "spans_lost")
            assert told["level"] == "warning"
            assert told["endpoint"] == f"http://127.0.0.1:{port}/v1/traces"
            text = await site.webhooks.metrics()
            assert re.search(r"^lifecycle_spans_total [4-9]\d\.0$", text, re.MULTILINE)
            assert "lifecycle_spans_sent_total 0.0" in text
            began = time.monotonic()
            assert await site.webhooks.end() == 0
            site.worker.process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(site.worker.process.wait(), 30) == 0
            assert time.monotonic() - began < 30
    for name in ("collector", "worker0", "webhooks"):
        said = [each for each in lines(tmp_path / f"{name}.log") if each["event"] == "library"]
        assert [each for each in said if "opentelemetry" in each["logger"] or "urllib3" in each["logger"]] == []
        assert "canary" not in (tmp_path / f"{name}.log").read_text(encoding="utf-8")


async def until_logged(log: Path, event: str) -> list[dict[str, Any]]:
    """The lines of an event, once there are any."""
    async with asyncio.timeout(30):
        while not (found := [each for each in lines(log) if each["event"] == event]):
            await asyncio.sleep(0.1)
    return found
