"""Kafka goes away under a running worker and a running subscriber, and comes back: what people see meanwhile."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from stream.core.stage_change import StageChange
from stream.kafka.embedded.process import HOST, free_port
from tests.kit.kafka import KafkaBroker
from tests.kit.proxy import Proxy
from tests.kit.stage_changes import change, outgoing
from tests.kit.topics import create_topics, produce

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROXY_PORT = free_port()
AWAY = r"Kafka at 127\.0\.0\.1:\d+ does not answer since \d{4}-\d\d-\d\dT[\d:.]+Z"


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[KafkaBroker]:
    """A broker that these tests stop and start again; workers reach it through a proxy."""
    with KafkaBroker(proxy_ports=[PROXY_PORT]) as broker:
        yield broker


class Running:
    """A process and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path, url: str) -> None:
        self.process, self._output, self._url = process, output, url

    @property
    def said(self) -> str:
        return self._output.read_text()

    async def until_said(self, pattern: str) -> None:
        try:
            async with asyncio.timeout(180):
                while not re.search(pattern, self.said):
                    assert self.process.returncode is None, self.said
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"no {pattern!r} in\n{self.said}")

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self._url + path) as response:
            return response.status, await response.text()

    async def until_ready(self, holds: Callable[[int, dict[str, Any]], bool]) -> dict[str, Any]:
        """The first body of /readyz of which and of whose status `holds`."""
        body: dict[str, Any] = {}
        try:
            async with asyncio.timeout(180):
                while True:
                    try:
                        status, text = await self.get("/readyz")
                    except aiohttp.ClientError:  # it starts
                        status, text = 0, "{}"
                    body = json.loads(text)
                    if holds(status, body):
                        return body
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{body}\n{self.said}")


@asynccontextmanager
async def running(output: Path, *command: str, web_port: int = 0, **settings: str) -> AsyncIterator[Running]:
    """A Python process, ended at the end of the block."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    named = {f"LIFECYCLE_{name}": value for name, value in settings.items()}
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", *command), env=around | named, cwd=ROOT, stdout=file, stderr=file
        )
    try:
        yield Running(process, output, f"http://127.0.0.1:{web_port}")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 180)
            except TimeoutError:
                process.kill()
                await process.wait()


@pytest.mark.parametrize("how", ["it holds connections and answers nothing", "it is killed"])
async def test_a_worker_whose_kafka_goes_away_is_not_ready_says_since_when_and_comes_back(
    own_kafka: KafkaBroker, topic_prefix: str, tmp_path: Path, how: str
) -> None:
    """Two records of an open transaction wait then, and the lag goes on to say so."""
    port, stalled = free_port(), how.startswith("it holds")
    settings = {
        "BOOTSTRAP": f"{HOST}:{PROXY_PORT}",
        "TOPIC_PREFIX": topic_prefix,
        "APP": f"{topic_prefix}app",
        "PARTITIONS": "2",
        "LIFECYCLES": "metrics",
        "WEB_PORT": str(port),
    }
    async with (
        Proxy(PROXY_PORT, own_kafka.behind_proxies[0]) as proxy,
        running(tmp_path / "worker.log", "-m", "stream.cli", "worker", web_port=port, **settings) as worker,
    ):
        body = await worker.until_ready(lambda status, body: status == 200 and len(body["partitions"]) == 2)
        assert body["kafka"]["up"]
        async with AIOKafkaProducer(
            bootstrap_servers=own_kafka.bootstrap, transactional_id=f"{topic_prefix}open"
        ) as producer:
            await producer.begin_transaction()
            for _ in range(2):
                await producer.send_and_wait(f"{topic_prefix}interactions", b"{}", partition=1)
            body = await worker.until_ready(lambda _, body: [each["lag"] for each in body["partitions"]] == [0, 2])
            assert body["partitions"][0]["open_transaction_since"] is None
            assert body["partitions"][1]["open_transaction_since"] is not None
            if stalled:
                proxy.stall()
            else:
                await asyncio.to_thread(own_kafka.kill)
            body = await worker.until_ready(lambda status, body: status == 503 and not body["kafka"]["up"])
            assert body["status"] == "not ready"
            assert body["kafka"]["seconds_since_answer"] > 4
            await worker.until_said(AWAY + "; partitions that wait: 2")
            body = await worker.until_ready(lambda _, body: body["kafka"]["seconds_since_answer"] > 6)
            assert [each["lag"] for each in body["partitions"]] == [0, 2]
            assert all(each["lag_age_seconds"] > 4 for each in body["partitions"])
            metrics = (await worker.get("/metrics"))[1]
            assert "\nlifecycle_kafka_up 0.0\n" in metrics
            assert 'lifecycle_lag_records{partition="1"} 2.0' in metrics
            if stalled:
                proxy.heal()
            else:
                await asyncio.to_thread(own_kafka.start)
            await producer.abort_transaction()
        await worker.until_said(r"Kafka answers again after \d+ s")
        body = await worker.until_ready(
            lambda status, body: status == 200 and [each["lag"] for each in body["partitions"]] == [0, 0]
        )
        assert body["partitions"][1]["open_transaction_since"] is None
        assert "\nlifecycle_kafka_up 1.0\n" in (await worker.get("/metrics"))[1]
    assert [line for line in worker.said.splitlines() if "aiokafka" in line or "faust" in line] == []
    assert worker.process.returncode == 0, worker.said


def moved(customer: str) -> StageChange:
    """A change that the example shows."""
    return change(customer, from_stage="lead", to_stage="customer", final=True)


def example_subscriber(bootstrap: str) -> str:
    """The code that docs/topics.md shows, with the broker of this test."""
    text = (ROOT / "docs" / "topics.md").read_text(encoding="utf-8")
    section = text[text.index("### Subscribe") :]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    assert '"localhost:9092"' in code
    return code.replace('"localhost:9092"', f'"{bootstrap}"')


async def test_the_subscriber_of_the_documents_says_little_while_kafka_is_away_and_goes_on_when_it_is_back(
    own_kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """Without a limit aiokafka says dozens of times a second that it cannot connect."""
    topic = f"{topic_prefix}stage-changes"
    await create_topics(own_kafka.bootstrap, topic)
    code = example_subscriber(own_kafka.bootstrap)
    async with running(tmp_path / "subscriber.log", "-c", code, TOPIC_PREFIX=topic_prefix) as subscriber:
        await produce(own_kafka.bootstrap, topic, [outgoing(moved("c-1"))])
        await subscriber.until_said("c-1 lead -> customer")
        await asyncio.to_thread(own_kafka.kill)
        await subscriber.until_said("(?i)connect")
        await asyncio.to_thread(own_kafka.start)
        await produce(own_kafka.bootstrap, topic, [outgoing(moved("c-2"))])
        await subscriber.until_said("c-2 lead -> customer")
        assert len(subscriber.said.splitlines()) < 40, subscriber.said
