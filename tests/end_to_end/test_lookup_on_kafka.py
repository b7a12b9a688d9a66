"""Lookups of real workers on Apache Kafka: right at every one of them, and never old from one that was away."""

import asyncio
import signal
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.settings import Settings
from tests.kit.certificates import Authority
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import SHOP
from tests.kit.times import HOUR
from tests.kit.topics import produce, read_all
from tests.kit.workers import PARTITIONS, Start, Worker, running_pair, worker_processes

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef-of-this-test"  # noqa: S105 a test's own
FLAPPING = """
lifecycle: flapping
interactions: {visit: [page], leave: [bye]}
stages: {out: {}, in: {}}
transitions:
  - {from: out, to: in, when: event.type == "visit"}
  - {from: in, to: out, when: event.type == "leave"}
"""
COOLING = """
lifecycle: cooling
interactions: {visit: [page], buy: [Order Completed]}
scores: {heat: {half_life: 1h}}
signals: {visited: {each: visit, add: {heat: 10}}, bought: {each: buy, add: {heat: 30}}}
stages: {cold: {title: Cold}, warm: {}}
transitions:
  - {from: cold, to: warm, when: heat >= 25}
  - {from: warm, to: cold, when: heat < 5}
"""


@pytest.fixture
async def start(kafka: SharedKafka, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Start workers of one group; whatever still runs at the end is killed."""
    for name, text in (("shop", SHOP), ("flapping", FLAPPING), ("cooling", COOLING)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    around = {
        "bootstrap": kafka.bootstrap,
        "topic_prefix": topic_prefix,
        "partitions": str(PARTITIONS),
        "lifecycles": ",".join(f"{tmp_path}/{name}.yaml" for name in ("shop", "flapping", "cooling")),
        "session_timeout": "2s",
    }
    async with worker_processes(around, tmp_path) as start_worker:
        yield start_worker


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)


async def send(settings: Settings, name: str, customers: list[str], **properties: object) -> None:
    interactions = [
        Interaction(each, None, None, name, time.time_ns() // 1_000_000, properties, {}) for each in customers
    ]
    records = [Outgoing(each.subject.encode(), encode_native(each)) for each in interactions]
    await produce(settings.bootstrap, settings.topics.interactions, records)


def stage(body: dict[str, Any], lifecycle: str = "shop") -> str | None:
    return next((each["stage"] for each in body.get("lifecycles", ()) if each["lifecycle"] == lifecycle), None)


async def test_every_worker_answers_for_every_customer(settings: Settings, start: Start) -> None:
    one, two = await running_pair(start)
    customers = [f"c-{number}" for number in range(40)]
    await send(settings, "Order Completed", customers, total=5)
    for customer in customers:
        path = f"/v1/customers/{customer}"
        _, body = await one.until(path, lambda answer: stage(answer[1]) == "customer")
        assert stage((await two.ask(path))[1]) == "customer"
        assert body["customer_id"] == customer
    for each in (one, two):
        _, body = await each.ask("/v1/lifecycles/shop/stages")
        assert (body["complete"], body["partitions"]) == (True, list(range(PARTITIONS)))
        assert {count["stage"]: count["customers"] for count in body["stages"]}["customer"] == 40
        _, body = await each.ask("/v1/lifecycles/shop/stages/customer/customers?limit=100")
        assert sorted(listed["customer_id"] for listed in body["customers"]) == sorted(customers)


async def test_workers_ask_each_other_over_tls_with_the_token_of_whoever_asks(
    settings: Settings, start: Start, tmp_path: Path
) -> None:
    authority = Authority("lookup", tmp_path)
    certificate = authority.issue("worker", tmp_path / "worker.pem", ("localhost",))
    with certificate.open("ab") as file:
        file.write(authority.file.read_bytes())
    (tmp_path / "tokens.toml").write_text(
        f'[[token]]\ntoken = "{TOKEN}"\nname = "crm"\nroles = ["read", "operate"]\n', encoding="utf-8"
    )
    secured = {
        "web_certfile": str(certificate),
        "web_url": "https://localhost:{port}",
        "web_tokens": str(tmp_path / "tokens.toml"),
    }

    async def start_secured() -> Worker:
        worker = await start(**secured)
        worker.headers = {"Authorization": f"Bearer {TOKEN}"}
        worker.trusts = ssl.create_default_context(cafile=str(authority.file))
        return worker

    one, two = await running_pair(start_secured)
    customers = [f"c-{number}" for number in range(20)]
    await send(settings, "Order Completed", customers, total=5)
    for worker in (one, two):
        for customer in customers:
            await worker.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1]) == "customer")
    one.headers = {"Authorization": f"Bearer {TOKEN}x"}
    assert {(await one.ask(f"/v1/customers/{customer}"))[0] for customer in customers} == {401}


async def test_a_worker_that_was_stopped_for_long_never_answers_with_what_was(settings: Settings, start: Start) -> None:
    """It owns the partitions still as far as it knows, and holds their old state, when it goes on."""
    one, two = await running_pair(start)
    customers = [f"c-{number}" for number in range(40)]
    await send(settings, "page", customers)
    for customer in customers:
        await one.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1]) == "lead")
    one.process.send_signal(signal.SIGSTOP)
    await two.until("/readyz", lambda answer: answer[0] == 200 and len(answer[1]["partitions"]) == PARTITIONS)
    await send(settings, "Order Completed", customers, total=5)
    for customer in customers:
        await two.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1]) == "customer")
    asked = [asyncio.create_task(one.ask(f"/v1/customers/{customer}")) for customer in customers]
    await asyncio.sleep(0.2)  # they wait in its socket, and are the first that it sees
    one.process.send_signal(signal.SIGCONT)
    answers = await asyncio.gather(*asked)
    for _ in range(50):
        answers += await asyncio.gather(*(one.ask(f"/v1/customers/{customer}") for customer in customers[:8]))
    assert {stage(body) for status, body in answers if status == 200} <= {"customer"}
    assert {status for status, _ in answers} <= {200, 503}
    await one.until(f"/v1/customers/{customers[0]}", lambda answer: stage(answer[1]) == "customer")


async def test_after_a_kill_lookups_say_to_ask_again_until_they_are_right(settings: Settings, start: Start) -> None:
    one, two = await running_pair(start)
    customers = [f"c-{number}" for number in range(20)]
    await send(settings, "Order Completed", customers, total=5)
    for customer in customers:
        await one.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1]) == "customer")
    one.process.kill()
    seen: set[int] = set()
    async with asyncio.timeout(60):
        while await two.owned() < PARTITIONS:
            for customer in customers:
                status, body = await two.ask(f"/v1/customers/{customer}")
                seen.add(status)
                assert status in (200, 503)
                assert status == 503 or stage(body) == "customer"
    for customer in customers:
        await two.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1]) == "customer")


async def test_the_latest_changes_of_a_customer_are_found(settings: Settings, start: Start) -> None:
    """Among those of many others, in order, as many as are asked for; and whether there are more is said."""
    worker = await start()
    await worker.until("/readyz", lambda answer: answer[0] == 200 and len(answer[1]["partitions"]) == PARTITIONS)
    others = [f"c-{number}" for number in range(200)]
    for name in ["page", "bye"] * 6:
        await send(settings, name, [*others, "42"])
    await send(settings, "Order Completed", ["42"], total=5)
    await worker.until("/v1/customers/42", lambda answer: stage(answer[1]) == "customer")
    status, body = await worker.ask("/v1/customers/42/changes")
    assert (status, body["complete"]) == (200, True)
    assert [(each["lifecycle"], each["to"], each["sequence"]) for each in body["changes"]][:2] == [
        ("shop", "customer", 2),
        ("flapping", "out", 13),
    ]
    flaps = [each for each in body["changes"] if each["lifecycle"] == "flapping"]
    assert [each["sequence"] for each in flaps] == list(range(13, 0, -1))
    assert {each["customer_id"] for each in body["changes"]} == {"42"}
    status, body = await worker.ask("/v1/customers/42/changes?limit=3")
    assert ([each["sequence"] for each in body["changes"]], body["complete"]) == ([2, 13, 12], True)
    assert (await worker.ask("/v1/customers/nobody/changes"))[0] == 404


async def moved(settings: Settings, lifecycle: str) -> Counter[tuple[str | None, str | None]]:
    """From and to of every change that the topic has, counted apart from the product."""
    found = Counter[tuple[str | None, str | None]]()
    for records in (await read_all(settings.bootstrap, settings.topics.stage_changes)).values():
        for record in records:
            value = orjson.loads(record.value or b"{}")
            if value["lifecycle"] == lifecycle:
                found[value["from"], value["to"]] += 1
    return found


async def test_moves_and_nearness_are_the_same_at_every_worker(settings: Settings, start: Start) -> None:
    one, two = await running_pair(start)
    customers = [f"c-{number}" for number in range(60)]
    path = "/v1/lifecycles/flapping/moves?within=1h"
    assert (await one.ask(path))[1]["moves"] == []
    for name in ["page", "bye"] * 3:
        await send(settings, name, customers)
    await send(settings, "page", customers[:20])
    await send(settings, "Order Completed", customers[:15], total=5)
    wanted = {(None, "out"): 60, ("out", "in"): 200, ("in", "out"): 180}
    for worker in (one, two):
        _, body = await worker.until(
            path, lambda answer: sum(each["customers"] for each in answer[1].get("moves", ())) == 440
        )
        assert {(each["from"], each["to"]): each["customers"] for each in body["moves"]} == wanted
        assert body["complete"]
        for customer in customers[:15]:
            await worker.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1]) == "customer")
        _, body = await worker.ask("/v1/lifecycles/shop/stages/lead/nearness")
        assert (body["customers"], body["looked_at"], body["complete"]) == (45, 45, True)
        [way] = body["transitions"]
        assert (way["to"], way["near"][-1], way["by_time"]) == ("customer", {"above": 0.0, "customers": 45}, 0)
        assert way["waits_for"] == [{"text": "orders >= 1", "customers": 45}]
        [way] = (await worker.ask("/v1/lifecycles/shop/stages/customer/nearness"))[1]["transitions"]
        assert (way["by_time"], way["by_time_within_7d"]) == (15, 0)
    assert await moved(settings, "flapping") == wanted


async def test_scores_are_those_of_the_closed_formula_at_every_worker(settings: Settings, start: Start) -> None:
    """Of customers on every partition, as they were at changes and as they cool down until the next move."""
    one, two = await running_pair(start)
    customers = [f"c-{number}" for number in range(12)]
    await send(settings, "page", customers)
    await send(settings, "Order Completed", customers, total=5)
    for customer in customers:
        await one.until(f"/v1/customers/{customer}", lambda answer: stage(answer[1], "cooling") == "warm")
        path = f"/v1/customers/{customer}/scores?points=30"
        (status, body), (_, theirs) = await one.ask(path), await two.ask(path)
        assert (status, body["complete"]) == (200, True)
        [cooling] = [each for each in body["lifecycles"] if each["lifecycle"] == "cooling"]
        [heat] = cooling["scores"]
        [(_, before), (bought, at_change)] = heat["past"]
        assert (before, at_change) == (0.0, pytest.approx(40, rel=0.01))
        assert heat["ahead"][0] == [bought, at_change]
        for when, value in heat["ahead"]:
            assert value == pytest.approx(at_change * 2 ** ((bought - when) / HOUR))
        assert (cooling["next"]["to"], cooling["next"]["title"], cooling["next"]["at"]) == (
            "cold",
            "Cold",
            cooling["until"],
        )
        assert heat["ahead"][-1] == [cooling["until"], pytest.approx(5, abs=0.001)]
        assert heat["ahead"][-1][1] < 5
        [again] = [each for each in theirs["lifecycles"] if each["lifecycle"] == "cooling"]
        assert (again["next"], again["scores"][0]["past"]) == (cooling["next"], heat["past"])
