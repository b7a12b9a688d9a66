"""Whole worker processes, inside Faust, on brokers that come, go and return."""

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from stream.codec.records import Outgoing
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.settings import Settings
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.topics import produce, read_all

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KEYS = 40


class Worker:
    """A process of toy_worker.py, what it reported and what it logged."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._log = log
        self._changed = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def inputs(self) -> int:
        return sum(event["inputs"] for event in self.events if event["event"] == "batch")

    def reported(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["event"] == event]

    async def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.events[-20:]}\n{self.log[-5_000:]}") from None

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self, seconds: float = 30.0) -> int:
        code = await asyncio.wait_for(self.process.wait(), seconds)
        await self._listener
        return code

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.events.append(json.loads(line))
            self._changed.set()


@pytest.fixture
async def start(tmp_path: Path, topic_prefix: str) -> AsyncIterator[Callable[..., Any]]:
    """Start a worker; whatever still runs at the end of the test is killed."""
    workers: list[Worker] = []

    async def start_worker(bootstrap: str, delivery: str = "auto") -> Worker:
        log = tmp_path / f"worker{len(workers)}.log"
        workdir = tmp_path / f"worker{len(workers)}"
        workdir.mkdir()
        with log.open("w") as printed:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "tests" / "engine" / "toy_worker.py"),
                bootstrap,
                topic_prefix,
                delivery,
                stdout=PIPE,
                stderr=printed,
                cwd=workdir,
            )
        workers.append(Worker(process, log))
        return workers[-1]

    yield start_worker
    for worker in workers:
        if worker.process.returncode is None:
            worker.process.kill()
        await worker.ended()


@pytest.fixture
async def own_kafka() -> AsyncIterator[KafkaBroker]:
    """A broker that the test may harm; not started."""
    broker = KafkaBroker()
    yield broker
    await asyncio.to_thread(broker.__exit__)


def settings_for(bootstrap: str, prefix: str) -> Settings:
    return Settings(bootstrap=bootstrap, topic_prefix=prefix)


async def visit(settings: Settings, times: int) -> int:
    """Every key visits so many times; returns how many interactions that makes."""
    visits = [Outgoing(b"k%d" % key, b"visit") for _ in range(times) for key in range(KEYS)]
    await produce(settings.bootstrap, settings.topics.interactions, visits)
    return len(visits)


async def assert_changes(settings: Settings, visits: int) -> None:
    """Each key's changes after `visits` of its visits, each once and in order."""
    read = await read_all(settings.bootstrap, settings.topics.stage_changes)
    seen: dict[bytes | None, list[int]] = {}
    for records in read.values():
        for record in records:
            seen.setdefault(record.key, []).append(int(record.value or b""))
    expected = list(range(5, visits + 1, 5))
    assert seen == {b"k%d" % key: expected for key in range(KEYS)}


async def test_a_worker_ends_in_order_when_asked_to(
    kafka: SharedKafka, topic_prefix: str, start: Callable[..., Any], tmp_path: Path
) -> None:
    worker = await start(kafka.bootstrap)
    await worker.until(lambda: len(worker.reported("recovered")) == 4)
    settings = settings_for(kafka.bootstrap, topic_prefix)
    sent = await visit(settings, 20)
    await worker.until(lambda: worker.inputs == sent)
    assert await worker.end(signal.SIGTERM) == 0
    await assert_changes(settings, 20)
    assert [event["phase"] for event in worker.reported("service")] == ["waiting for Kafka", "stopping"]
    assert list((tmp_path / "worker0").iterdir()) == []
    assert "delivery is exactly_once" in worker.log
    assert "ERROR" not in worker.log


async def test_a_worker_started_before_its_broker_waits_and_then_works(
    own_kafka: KafkaBroker, topic_prefix: str, start: Callable[..., Any]
) -> None:
    worker = await start(own_kafka.bootstrap)
    while "waiting for Kafka at" not in worker.log:
        await asyncio.sleep(0.05)
    began = time.monotonic()
    await asyncio.to_thread(own_kafka.start)
    waited = time.monotonic() - began
    await worker.until(lambda: len(worker.reported("recovered")) == 4)
    settings = settings_for(own_kafka.bootstrap, topic_prefix)
    sent = await visit(settings, 5)
    await worker.until(lambda: worker.inputs == sent)
    assert await worker.end(signal.SIGINT) == 0
    assert worker.log.count("waiting for Kafka at") <= 2 + waited // 10  # a busy machine starts a broker in a minute


async def test_a_worker_that_waits_for_its_broker_ends_when_asked_to(
    own_kafka: KafkaBroker, start: Callable[..., Any]
) -> None:
    worker = await start(own_kafka.bootstrap)
    while "waiting for Kafka at" not in worker.log:
        await asyncio.sleep(0.05)
    assert await worker.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("kill", [False, True])
async def test_a_broker_that_restarts_costs_no_change_and_few_lines_of_log(
    own_kafka: KafkaBroker, topic_prefix: str, start: Callable[..., Any], kill: bool
) -> None:
    await asyncio.to_thread(own_kafka.start)
    worker = await start(own_kafka.bootstrap)
    await worker.until(lambda: len(worker.reported("recovered")) == 4)
    settings = settings_for(own_kafka.bootstrap, topic_prefix)
    sent = await visit(settings, 10)
    await worker.until(lambda: worker.inputs == sent)
    await asyncio.to_thread(own_kafka.kill if kill else own_kafka.stop)
    await asyncio.to_thread(own_kafka.restart)
    sent += await visit(settings, 10)
    await worker.until(lambda: worker.inputs == sent)
    assert await worker.end(signal.SIGTERM) == 0
    await assert_changes(settings, 20)
    assert len(worker.log.splitlines()) < 60


async def test_a_worker_ends_while_its_broker_is_away(own_kafka: KafkaBroker, start: Callable[..., Any]) -> None:
    await asyncio.to_thread(own_kafka.start)
    worker = await start(own_kafka.bootstrap)
    await worker.until(lambda: len(worker.reported("recovered")) == 4)
    await asyncio.to_thread(own_kafka.kill)
    assert await worker.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_what_one_worker_leaves_another_takes_over(
    kafka: SharedKafka, topic_prefix: str, start: Callable[..., Any], end: signal.Signals
) -> None:
    first = await start(kafka.bootstrap)
    await first.until(lambda: len(first.reported("recovered")) == 4)
    second = await start(kafka.bootstrap)
    await second.until(lambda: len(second.reported("recovered")) == 2)
    settings = settings_for(kafka.bootstrap, topic_prefix)
    sent = await visit(settings, 50)
    await first.until(lambda: first.inputs > 0)
    await first.end(end)
    sent += await visit(settings, 50)
    # What the first one wrote but was ended before telling is missing in the sum, so the changes decide.
    last = Counter({b"k%d" % key: 1 for key in range(KEYS)})
    async with asyncio.timeout(180):
        while Counter(await finished(settings, b"100")) != last:
            await asyncio.sleep(0.1)
    assert await second.end(signal.SIGTERM) == 0
    await assert_changes(settings, 100)
    assert second.inputs <= sent


async def finished(settings: Settings, value: bytes) -> list[bytes | None]:
    """The keys of the changes with this value."""
    read = await read_all(settings.bootstrap, settings.topics.stage_changes)
    return [record.key for records in read.values() for record in records if record.value == value]


async def test_a_bug_ends_the_worker_with_an_exit_code_and_its_stack(
    kafka: SharedKafka, topic_prefix: str, start: Callable[..., Any]
) -> None:
    worker = await start(kafka.bootstrap)
    await worker.until(lambda: len(worker.reported("recovered")) == 4)
    settings = settings_for(kafka.bootstrap, topic_prefix)
    await produce(kafka.bootstrap, settings.topics.interactions, [Outgoing(b"k", b"bug")])
    assert await worker.ended() == 1
    assert [event["kind"] for event in worker.reported("failed")] == ["bug", "bug", "fatal"]
    assert "CRITICAL the worker stops: ZeroDivisionError" in worker.log
    assert "in _take" in worker.log


async def test_a_worker_runs_on_the_embedded_broker(topic_prefix: str, start: Callable[..., Any]) -> None:
    async with EmbeddedBroker() as broker:
        worker = await start(broker.bootstrap)
        await worker.until(lambda: len(worker.reported("recovered")) == 4)
        settings = settings_for(broker.bootstrap, topic_prefix)
        sent = await visit(settings, 20)
        await worker.until(lambda: worker.inputs == sent)
        assert await worker.end(signal.SIGTERM) == 0
        await assert_changes(settings, 20)
        assert "delivery is at_least_once" in worker.log


async def test_exactly_once_is_refused_where_the_broker_has_no_transactions(
    start: Callable[..., Any],
) -> None:
    async with EmbeddedBroker() as broker:
        worker = await start(broker.bootstrap, "exactly_once")
        assert await worker.ended() == 1
        assert "has no transactions" in worker.log
