"""A topic of ours that somebody deletes: nobody is forgotten without a word, and what can go on does."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.kafka.admin import admin_client
from stream.kafka.topics import find_topics
from stream.settings import Settings
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce
from tests.kit.workers import PARTITIONS, Start, Worker, has_read, worker_processes

pytestmark = pytest.mark.slow
T = 1_767_225_600_000


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)


@pytest.fixture
def around(settings: Settings) -> dict[str, str]:
    return {
        "bootstrap": settings.bootstrap,
        "topic_prefix": settings.topic_prefix,
        "partitions": str(PARTITIONS),
        "lifecycles": "journey",
        "session_timeout": "2s",
    }


@pytest.fixture
async def start(around: dict[str, str], tmp_path: Path) -> AsyncIterator[Start]:
    async with worker_processes(around, tmp_path) as start_worker:
        yield start_worker


async def test_a_state_that_is_gone_is_refused_until_somebody_says_reset(
    settings: Settings, around: dict[str, str], start: Start, tmp_path: Path
) -> None:
    """A worker that began from nothing would forget whoever is older than the interactions that are kept."""
    first = await start()
    await works(first, settings, range(40))
    await stop(first)
    await delete(settings, settings.topics.customers)

    second = await start()
    async with asyncio.timeout(60):
        assert await second.process.wait() == 1
    log = (tmp_path / "worker1.log").read_text()
    assert "has no state of partition" in log
    assert "lifecycle reset --to earliest" in log
    verified = await command(around, "verify")
    assert verified.returncode == 2
    assert "has no state of partition" in " ".join(verified.stderr.split())

    done = await command(around, "reset", "--to", "earliest", "--yes")
    assert done.returncode == 0, done.stderr
    await works(await start(), settings, range(40, 50))


async def test_a_topic_that_workers_write_to_is_made_again_by_the_next_one(
    settings: Settings, start: Start, tmp_path: Path
) -> None:
    """The one that runs ends, since nothing that it is asked for can be had of it; whoever supervises it starts it."""
    first = await start()
    await works(first, settings, range(40))
    await delete(settings, settings.topics.stage_changes)
    async with asyncio.timeout(120):
        assert await first.process.wait() == 1
    assert f"topic {settings.topics.stage_changes} is not there any more" in (tmp_path / "worker0.log").read_text()
    await works(await start(), settings, range(40, 80))


async def works(worker: Worker, settings: Settings, numbers: Sequence[int]) -> None:
    await worker.until("/readyz", lambda answer: answer[0] == 200)
    interactions = [Interaction(f"c{n}", None, f"i{n}", "Order Completed", T + n, {}, {}) for n in numbers]
    records = [Outgoing(each.subject.encode(), encode_native(each)) for each in interactions]
    await worker.until("/readyz", has_read(await produce(settings.bootstrap, settings.topics.interactions, records)))


async def stop(worker: Worker) -> None:
    worker.process.terminate()
    assert await worker.process.wait() == 0


async def delete(settings: Settings, topic: str) -> None:
    async with admin_client(settings) as admin:
        await admin.delete_topics([topic])
    async with asyncio.timeout(60):
        while topic in await find_topics(settings):
            await asyncio.sleep(0.1)


async def command(around: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {f"LIFECYCLE_{name.upper()}": value for name, value in around.items()}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "stream.cli", *arguments],
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
