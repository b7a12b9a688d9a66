"""`lifecycle export` of somebody of whom every topic holds something, beside others."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from stream.codec.records import Outgoing
from stream.settings import Settings
from tests.cli.commands import Run
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all
from tests.kit.webhooks import PICKY, Receiver, WebhookProcess, endpoint, receiver
from tests.kit.workers import has_read, worker_processes

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LIFECYCLE = """
lifecycle: shop
interactions: {purchase: [Order Completed]}
scores: {points: {}}
signals: {seen: {each: page, add: {points: 1}}}
ledgers: {bought: {each: purchase, by: properties.order_id, amount: properties.total}}
facts: {town: {latest: properties.town}, revenue: {sum: bought}}
stages: {new: {}, buyer: {}}
transitions: [{from: new, to: buyer, when: revenue >= 10}]
"""
PARTITIONS = 2
GIVEN_UP = "lifecycle-webhook-dead-letters"


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


def sent(**about: object) -> Outgoing:
    key = about.get("customer_id") or about.get("anonymous_id")
    return Outgoing(str(key).encode(), json.dumps(about).encode())


ANN = [
    sent(id="a1", type="page", customer_id="ann", anonymous_id="phone", properties={"town": "Turin"}),
    sent(
        id="a2",
        type="Order Completed",
        customer_id="ann",
        properties={"order_id": "o-7", "total": 30},
        context={"ip": "::1"},
    ),
    Outgoing(b"ann", b'{"type":"page","customer_id":"\\u0061nn"}'),
]
OTHERS = [
    sent(id="b1", type="page", customer_id="bob", properties={"note": "a friend of ann"}),
    sent(id="b2", type="page", anonymous_id="ann"),
    sent(id="b3", type="Order Completed", customer_id="annabel", properties={"order_id": "o-8", "total": 99}),
]
LETTERS = [
    Outgoing(b"ann", b"no JSON at all"),
    Outgoing(None, b'{"type": 7, "customer_id": "ann"}'),
    Outgoing(b"bob", b'{"type": 7, "customer_id": "bob"}'),
]


@pytest.fixture
async def worked(kafka: SharedKafka, topic_prefix: str, tmp_path: Path, hook: Receiver) -> dict[str, str]:
    """The settings with which a worker and webhooks went through all of it.

    Of the two endpoints one refuses for good, and one is not there, so that changes wait for it.
    """
    (tmp_path / "shop.yaml").write_text(LIFECYCLE)
    around = {
        "bootstrap": kafka.bootstrap,
        "app": f"{topic_prefix}app",
        "topic_prefix": topic_prefix,
        "partitions": str(PARTITIONS),
        "lifecycles": f"{tmp_path}/shop.yaml",
        "session_timeout": "6s",
    }
    settings = Settings(bootstrap=kafka.bootstrap, app=around["app"], topic_prefix=topic_prefix, partitions=PARTITIONS)

    async def answers(request: web.Request) -> web.StreamResponse:
        return web.Response(status=422 if request.path == "/picky" else 503)

    hook.answers = answers
    (tmp_path / "picky.yaml").write_text(PICKY)
    file = tmp_path / "webhooks.yaml"
    away = endpoint("away", hook.url("/away"))
    picky = endpoint("picky", hook.url("/picky")).replace("template: generic", "template: ./picky.yaml")
    file.write_text(f"endpoints:\n{away}{picky}")
    async with worker_processes(around, tmp_path) as start, WebhookProcess(settings, file, tmp_path / "hooks") as hooks:
        worker = await start()
        await worker.until("/readyz", lambda answer: answer[0] == 200)
        await hooks.until_ready(PARTITIONS)
        landed = await produce(kafka.bootstrap, settings.topics.interactions, [*ANN, *OTHERS, *LETTERS])
        await worker.until("/readyz", has_read(landed), seconds=60)
        async with asyncio.timeout(60):
            while await held(settings, "webhook-attempts") < 5 or await held(settings, GIVEN_UP) < 3:
                await asyncio.sleep(0.1)
        assert await hooks.end() == 0
    return {f"LIFECYCLE_{name.upper()}": value for name, value in around.items()}


async def held(settings: Settings, topic: str) -> int:
    """How many records a topic has with the key of ann, who is a customer and a visitor."""
    found = await read_all(settings.bootstrap, settings.topic_prefix + topic)
    return sum(record.key == b"ann" for records in found.values() for record in records)


async def test_everything_of_one_person_is_there_and_nothing_of_others(lifecycle: Run, worked: dict[str, str]) -> None:
    done = await asyncio.to_thread(lifecycle, "export", "ann", environment=worked)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)

    [state] = found["state"]
    [life] = state["lifecycles"]
    assert (found["customer_id"], state["customer_id"], state["identified"]) == ("ann", "ann", True)
    assert (life["stage"], life["scores"], life["facts"]["town"], life["facts"]["revenue"]) == (
        *("buyer", {"points": 2}, "Turin", 30),
    )
    [entry] = state["remembered"]["lifecycles"]["shop"]["ledgers"]["bought"]["entries"]
    assert entry["amount"][0] == 30
    assert state["remembered"]["interaction_ids"] == 2
    assert state["partition"] == state["record"]["partition"]
    assert state["offset"] >= found["interactions"][-1]["offset"]  # up to where all is applied
    assert [each["value"].get("id") for each in found["interactions"]] == ["a1", "a2", None]
    assert found["interactions"][1]["value"]["context"] == {"ip": "::1"}
    assert sorted(each["value"]["to"] for each in found["stage_changes"]) == ["buyer", "new"]
    assert [each["value"]["to"] for each in found["current_stages"]] == ["buyer"]
    assert sorted((each["matched"], each["value"]) for each in found["dead_letters"] if each["matched"] == "key") == [
        ("key", {"text": "no JSON at all"})
    ]
    assert [each["value"]["customer_id"] for each in found["dead_letters"] if each["matched"] == "text"] == ["ann"]
    assert {each["endpoint"] for each in found["webhooks_waiting"]} == {"away"}
    assert {each["value"]["endpoint"] for each in found["webhook_attempts"]} == {"away", "picky"}
    assert {each["endpoint"] for each in found["webhooks_given_up"]} == {"picky"}
    for section in ("webhooks_waiting", "webhooks_given_up"):
        assert {each["value"]["customer_id"] for each in found[section]} == {"ann"}
    assert {each["section"] for each in found["topics"] if each["exists"]} == found.keys() - {
        *("customer_id", "at", "topics"),
    }
    assert "bob" not in done.stdout
    assert "annabel" not in done.stdout


async def test_a_visitor_of_the_same_name_is_somebody_else_and_who_is_not_known_is_said(
    lifecycle: Run, worked: dict[str, str]
) -> None:
    done = await asyncio.to_thread(lifecycle, "export", "ann", "--anonymous", environment=worked)
    visitor = json.loads(done.stdout)
    assert [each["lifecycles"][0]["stage"] for each in visitor["state"]] == ["new"]
    assert [each["value"]["id"] for each in visitor["interactions"]] == ["b2"]
    assert [each["value"]["anonymous_id"] for each in visitor["stage_changes"]] == ["ann"]

    device = await asyncio.to_thread(lifecycle, "export", "phone", "--anonymous", environment=worked)
    found = json.loads(device.stdout)
    assert (found["state"], [each["value"]["id"] for each in found["interactions"]]) == ([], ["a1"])

    nobody = await asyncio.to_thread(lifecycle, "export", "cyd", environment=worked)
    assert nobody.returncode == 1
    assert "nothing is held of customer 'cyd'" in nobody.stderr
    assert json.loads(nobody.stdout)["state"] == []

    short = await asyncio.to_thread(lifecycle, "export", "ann", "--no-interactions", environment=worked)
    assert "interactions" not in json.loads(short.stdout)
