"""Kafka is slow, away, or comes later: senders are told to come back, memory is bounded, nothing answered is lost."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import aiohttp
import orjson
import pytest

from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.embedded.process import HOST, free_port
from stream.settings import Settings
from tests.kit.collected import collected
from tests.kit.collectors import collector_process, served
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.proxy import Proxy

pytestmark = pytest.mark.slow

PROXY_PORT = free_port()


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[KafkaBroker]:
    """A broker that these tests stop and start again; a collector reaches it through a proxy."""
    with KafkaBroker(proxy_ports=[PROXY_PORT]) as broker:
        yield broker


@pytest.fixture
def settings(own_kafka: KafkaBroker, topic_prefix: str) -> Settings:
    return Settings(bootstrap=f"{HOST}:{PROXY_PORT}", topic_prefix=topic_prefix, partitions=2)


def proxy_of(broker: KafkaBroker) -> Proxy:
    [behind] = broker.behind_proxies
    return Proxy(PROXY_PORT, behind)


def page(number: int, filling: int = 0) -> bytes:
    return orjson.dumps(
        {"type": "page", "userId": f"u-{number}", "messageId": str(number), "properties": {"a": "x" * filling}}
    )


async def test_while_kafka_acknowledges_nothing_senders_are_told_to_come_back_and_memory_is_bounded(
    own_kafka: KafkaBroker, settings: Settings
) -> None:
    """Those for whom there is no room at once, those that wait after some seconds; what waited is written later."""
    async with proxy_of(own_kafka) as proxy, served(settings) as collector:
        room = collector.collector._room
        room.size = 4 << 20
        assert (await collector.post("/v1/page", page(0)))[0] == 200
        proxy.stall()
        most = 0

        async def send(number: int) -> tuple[int, str]:
            nonlocal most
            status, body, headers = await collector.post("/v1/page", page(number, 100_000))
            assert int(headers["Retry-After"]) >= 1
            most = max(most, room.taken)
            return status, body["code"]

        statuses = dict(enumerate(await asyncio.gather(*map(send, range(1, 121))), 1))
        late = {(429, "slow"), (503, "kafka_away")}  # where this machine is slow
        assert set(statuses.values()) - late == {(429, "busy"), (503, "not_acknowledged")}
        assert 0 < most <= room.size
        proxy.heal()
        await collector.until_ready()
        async with asyncio.timeout(60):
            while collector.collector.pending():
                await asyncio.sleep(0.05)
        assert (await collector.post("/v1/page", page(200)))[0] == 200
    direct = replace(settings, bootstrap=own_kafka.bootstrap)
    waited = {str(n) for n, (_status, code) in statuses.items() if code == "not_acknowledged"}
    assert {each.interaction.id for each in await collected(direct)} == {"0", *waited, "200"}


async def test_where_acknowledgements_are_slow_nothing_more_is_taken(
    own_kafka: KafkaBroker, settings: Settings
) -> None:
    async with proxy_of(own_kafka) as proxy, served(settings) as collector:
        proxy.stall()
        waiting = asyncio.create_task(collector.post("/v1/page", page(1)))
        answer: tuple[int, dict[str, object], dict[str, str]] = (0, {}, {})
        async with asyncio.timeout(30):
            while answer[1].get("code") != "slow":
                with suppress(TimeoutError):  # until then they wait, too
                    answer = await asyncio.wait_for(collector.post("/v1/page", page(2)), 0.3)
        assert answer[0] == 429
        assert int(answer[2]["Retry-After"]) >= 1
        await collector.until_ready(is_ready=False)
        assert (await collector.post("/v1/page", page(3)))[1]["code"] == "kafka_away"
        assert (await waiting)[0] == 503
        proxy.heal()
        async with asyncio.timeout(60):
            while (await collector.post("/v1/page", page(4)))[0] != 200:
                await asyncio.sleep(0.05)


async def test_a_broker_that_goes_away_and_comes_back_loses_nothing_that_was_answered(
    own_kafka: KafkaBroker, settings: Settings
) -> None:
    """Senders repeat, with the same ids, until they are answered 200, as SDKs do."""
    sent: set[str] = set()
    stop = asyncio.Event()

    async with proxy_of(own_kafka), served(settings) as collector:

        async def send(sender: int) -> None:
            number = 0
            while not stop.is_set():
                body = page(sender * 1_000_000 + number)
                status, _body, headers = await collector.post("/v1/page", body)
                if status == 200:
                    sent.add(str(sender * 1_000_000 + number))
                    number += 1
                else:
                    assert status in (429, 503)
                    assert int(headers["Retry-After"]) >= 1
                    await asyncio.sleep(0.2)

        senders = [asyncio.create_task(send(n)) for n in range(10)]
        await asyncio.sleep(1)
        await asyncio.to_thread(own_kafka.kill)
        await collector.until_ready(is_ready=False)
        async with collector.session.get(collector.url + "/livez") as response:
            assert response.status == 200
        async with collector.session.get(collector.url + "/readyz") as response:
            body = await response.json()
        assert (response.status, body["status"], body["kafka"]["up"]) == (503, "not ready", False)
        before = len(sent)
        await asyncio.to_thread(own_kafka.start)
        await collector.until_ready()
        async with asyncio.timeout(60):
            while len(sent) < before + 100:
                await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*senders)
    found = [each.interaction.id for each in await collected(replace(settings, bootstrap=own_kafka.bootstrap))]
    assert sent <= set(found)


async def test_without_kafka_it_starts_waits_and_takes_nothing(topic_prefix: str) -> None:
    nowhere = Settings(bootstrap=f"{HOST}:{free_port()}", topic_prefix=topic_prefix)
    async with served(nowhere, ready=False) as collector:
        status, body, headers = await collector.post("/v1/page", page(1))
        assert (status, body["code"], headers["Retry-After"]) == (503, "kafka_away", "5")
        await collector.until_ready(is_ready=False)


async def until_it_answers(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                async with session.get(url + "/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


async def test_asked_to_end_it_answers_what_it_has_and_exits_with_0(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """While senders send: each answer is 200, or the connection ends; what was answered is there."""
    port, log = free_port(), tmp_path / "collector.log"
    about = {"BOOTSTRAP": kafka.bootstrap, "TOPIC_PREFIX": topic_prefix, "PARTITIONS": "2", "COLLECTOR_PORT": str(port)}
    url = f"http://{HOST}:{port}"
    sent: list[str] = []
    async with collector_process(log, **about) as process, aiohttp.ClientSession() as session:
        await until_it_answers(session, url)

        async def send(sender: int) -> None:
            for number in range(1_000_000):
                name = sender * 1_000_000 + number
                try:
                    async with session.post(url + "/v1/page", data=page(name)) as response:
                        assert response.status == 200
                        await response.read()
                        sent.append(str(name))
                except aiohttp.ClientError:
                    return

        senders = [asyncio.create_task(send(n)) for n in range(20)]
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() == 0, log.read_text()
            await asyncio.gather(*senders)
    assert "stopped" in log.read_text()
    assert len(sent) > 100
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    found = [each.interaction.id for each in await collected(settings)]
    assert set(sent) <= set(found)
    assert len(found) == len(set(found))


async def test_asked_to_end_while_kafka_is_away_it_ends_too(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "collector.log"
    async with (
        collector_process(log, BOOTSTRAP=f"{HOST}:{free_port()}", COLLECTOR_PORT=str(port)) as process,
        aiohttp.ClientSession() as session,
    ):
        async with asyncio.timeout(60):
            while True:
                try:
                    async with session.post(f"http://{HOST}:{port}/v1/page", data=page(1)) as response:
                        assert response.status == 503
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0, log.read_text()
    assert "waiting for Kafka" in log.read_text()


async def test_on_the_embedded_broker_which_has_no_idempotence_it_takes_interactions_too() -> None:
    async with EmbeddedBroker() as broker:
        settings = Settings(bootstrap=broker.bootstrap, partitions=2)
        async with served(settings) as collector:
            answers = await asyncio.gather(*(collector.post("/v1/page", page(n)) for n in range(100)))
            assert {answer[0] for answer in answers} == {200}
        assert {each.interaction.id for each in await collected(settings)} == {str(n) for n in range(100)}
