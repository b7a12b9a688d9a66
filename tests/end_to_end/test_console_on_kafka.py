"""What the console asks of real workers on Apache Kafka: of two of them, with tokens of each role, over TLS."""

import asyncio
import signal
import ssl
import time
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.settings import Settings
from tests.kit.certificates import Authority
from tests.kit.http_contract import hold
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import SHOP
from tests.kit.topics import produce
from tests.kit.workers import PARTITIONS, Start, Worker, running_pair, worker_processes

pytestmark = pytest.mark.slow

TOKENS = {
    "reader": ("0123456789abcdef-read", ["read"]),
    "operator": ("0123456789abcdef-operate", ["operate"]),
    "both": ("0123456789abcdef-both", ["read", "operate"]),
}
BAD = b'{"type":"page","customer_id":"null","secret":"of a customer"}'


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)


@pytest.fixture
async def start(settings: Settings, tmp_path: Path) -> AsyncIterator[Start]:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    around = {
        "bootstrap": settings.bootstrap,
        "topic_prefix": settings.topic_prefix,
        "partitions": str(PARTITIONS),
        "lifecycles": f"{tmp_path}/shop.yaml",
        "session_timeout": "20s",
    }
    async with worker_processes(around, tmp_path) as start_worker:
        yield start_worker


async def asked(worker: Worker, path: str) -> dict[str, Any]:
    """An answer of 200, as the description has it."""
    status, body = await worker.ask(path)
    hold("GET", path, status, "application/json", orjson.dumps(body))
    assert status == 200, body
    return body


async def log_in(worker: Worker, token: str) -> str:
    """The cookie, as a browser sends it."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{worker.url}/v1/console/login", json={"token": token}, ssl=worker.trusts) as response,
    ):
        assert response.status == 204
        [morsel] = SimpleCookie(response.headers["Set-Cookie"]).values()
        assert morsel["secure"] is True
        return f"{morsel.key}={morsel.coded_value}"


async def test_operators_see_all_workers_and_only_readers_see_what_was_sent(
    settings: Settings, start: Start, tmp_path: Path
) -> None:
    authority = Authority("console", tmp_path)
    certificate = authority.issue("worker", tmp_path / "worker.pem", ("localhost",))
    with certificate.open("ab") as file:
        file.write(authority.file.read_bytes())
    lines = (
        f'[[token]]\ntoken = "{token}"\nname = "{name}"\nroles = {roles}\n' for name, (token, roles) in TOKENS.items()
    )
    (tmp_path / "tokens.toml").write_text("".join(lines), encoding="utf-8")
    cookies: dict[str, str] = {}

    async def start_secured() -> Worker:
        worker = await start(
            web_certfile=str(certificate),
            web_url="https://localhost:{port}",
            web_tokens=str(tmp_path / "tokens.toml"),
        )
        worker.headers = {"Authorization": f"Bearer {TOKENS['both'][0]}"}
        worker.trusts = ssl.create_default_context(cafile=str(authority.file))
        return worker

    one, two = await running_pair(start_secured)
    for name, (token, _) in TOKENS.items():
        cookies[name] = await log_in(one, token)

    def be(name: str) -> None:
        for worker in (one, two):
            worker.headers = {"Cookie": cookies[name]}

    customers = [f"c-{number}" for number in range(20)]
    sent = [Interaction(each, None, None, "page", time.time_ns() // 1_000_000, {}, {}) for each in customers]
    records = [Outgoing(each.subject.encode(), encode_native(each)) for each in sent]
    await produce(settings.bootstrap, settings.topics.interactions, records)
    await produce(settings.bootstrap, settings.topics.interactions, [Outgoing(b"nobody", BAD), Outgoing(b"43", b"{")])

    be("reader")  # the owner is asked with the cookie's token
    for worker in (one, two):
        for customer in customers:
            await worker.until(f"/v1/customers/{customer}", lambda answer: answer[0] == 200)
    assert {(await one.ask(path))[0] for path in ("/v1/operations", "/v1/dead-letters", "/metrics")} == {403}

    be("operator")
    assert (await one.ask(f"/v1/customers/{customers[0]}"))[0] == 403
    await one.until("/v1/dead-letters", lambda answer: answer[1].get("looked_at") == 2)
    found = await asked(one, "/v1/dead-letters")
    assert {each["reason"]: each["count"] for each in found["reasons"]} == {"blocked_subject": 1, "not_json": 1}
    assert found["complete"] is True
    assert {(each["key"], each["value"], each["detail"]) for each in found["latest"]} == {(None, None, None)}
    assert "of a customer" not in str(found)

    be("both")
    [blocked, _] = sorted((await asked(two, "/v1/dead-letters"))["latest"], key=lambda each: str(each["reason"]))
    assert (blocked["key"], blocked["value"]) == ("nobody", BAD.decode())
    assert (blocked["topic"], blocked["size"]) == (settings.topics.interactions, len(BAD))

    be("operator")
    await one.until("/v1/operations", lambda answer: answer[1].get("lag") == 0)
    for worker in (one, two):
        found = await asked(worker, "/v1/operations")
        assert [each["url"] for each in found["workers"]] == sorted([one.url, two.url])
        assert all(each["answers"] and each["ready"] for each in found["workers"])
        assert (found["partitions"], found["owned"], found["consistent"]) == (PARTITIONS, PARTITIONS, True)
        owned = sorted(each["partition"] for worker in found["workers"] for each in worker["partitions"])
        assert owned == list(range(PARTITIONS))

    two.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    found = await asked(one, "/v1/operations")
    assert time.monotonic() - began < 4
    [silent] = [each for each in found["workers"] if not each["answers"]]
    assert (silent["url"], len(silent["partitions"])) == (two.url, PARTITIONS // 2)
    assert (found["owned"], found["lag"]) == (PARTITIONS // 2, None)
    two.process.send_signal(signal.SIGCONT)
    await one.until("/v1/operations", lambda answer: answer[1].get("owned") == PARTITIONS)


async def test_a_worker_without_partitions_is_shown(start: Start, settings: Settings) -> None:
    """The group's coordinator tells of it, and where it is reached."""
    one, _ = await running_pair(start)
    more = [await start() for _ in range(PARTITIONS - 1)]
    body: dict[str, Any]
    _, body = await one.until("/v1/operations", lambda answer: len(answer[1].get("workers", ())) == PARTITIONS + 1)
    hold("GET", "/v1/operations", 200, "application/json", orjson.dumps(body))
    _, body = await one.until("/v1/operations", lambda answer: answer[1].get("owned") == PARTITIONS)
    idle = [each["url"] for each in body["workers"] if not each["partitions"]]
    assert len(idle) == 1
    assert all(each["answers"] for each in body["workers"])
    assert more


async def test_dead_letters_are_asked_for_again_while_kafka_is_away(start: Start, tmp_path: Path) -> None:
    """With when to do so; nothing else of the worker is held up."""
    worker = await start(bootstrap="127.0.0.1:1")
    await worker.until("/livez", lambda answer: answer[0] == 200)
    async with (
        asyncio.timeout(20),
        aiohttp.ClientSession() as session,
        session.get(f"{worker.url}/v1/dead-letters") as response,
    ):
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await response.json())["code"] == "kafka_away"
