"""A source topic that is not what it was: the worker ends with an error that says what is lost and what helps."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.records_to_delete import RecordsToDelete

from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.positions import decode_position, encode_position
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.settings import Settings
from tests.cli.on_kafka import environment_of
from tests.kit.kafka import SharedKafka
from tests.kit.times import T0
from tests.kit.topics import create_topics, produce, read_all

pytestmark = pytest.mark.slow
PATIENCE = 90.0
CUSTOMERS = 20


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    """Two partitions of a test's own."""
    return Settings(
        bootstrap=kafka.bootstrap,
        topic_prefix=topic_prefix,
        app=f"{topic_prefix}app",
        partitions=2,
        lifecycles=("journey",),
    )


class Worker:
    """A worker process and its log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process, self.log = process, log

    async def ends(self) -> str:
        """It ends by itself, with 1; returns why, on one line."""
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        said = self.log.read_text()
        assert code == 1, said
        return " ".join(said[said.index("the worker stops: ") :].split())


@asynccontextmanager
async def worker(settings: Settings, folder: Path) -> AsyncIterator[Worker]:
    """A worker; ended in order with the block, where it still runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    log = folder / "worker.log"
    with log.open("w") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", "worker", "--clock", "stream", "--web-port", "0"),
            env=environment | environment_of(settings) | {"PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=folder,
            stdout=said,
            stderr=said,
        )
    try:
        yield Worker(process, log)
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), PATIENCE)


async def visits(settings: Settings, count: int) -> None:
    """Each customer comes so many times."""
    await produce(
        settings.bootstrap,
        settings.topics.interactions,
        [
            Outgoing(b"c%d" % number, orjson.dumps({"customer_id": f"c{number}", "type": "page", "time": T0 + visit}))
            for visit in range(count)
            for number in range(CUSTOMERS)
        ],
    )


async def offsets(settings: Settings) -> list[int | None]:
    """The position of each partition."""
    found = []
    for number in range(settings.partitions):
        changelog = await read_changelog(
            settings, TopicPartition(settings.topics.customers, number), ChangelogProgress()
        )
        kept = changelog.get(positions.KEY)
        found.append(None if kept is None else decode_position(kept).offsets.get(settings.topics.interactions))
    return found


async def until_taken(settings: Settings, records: int) -> None:
    """Until the positions are so many records beyond the beginning."""
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(LookupError):
            while sum(each or 0 for each in await offsets(settings)) < records:
                await asyncio.sleep(0.2)


async def changes(settings: Settings) -> int:
    """How many stage changes there are."""
    return sum(map(len, (await read_all(settings.bootstrap, settings.topics.stage_changes)).values()))


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Of the broker."""
    client = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def delete(settings: Settings) -> None:
    """Delete the interactions topic, and wait until it is gone."""
    topic = settings.topics.interactions
    async with administration(settings) as client:
        await client.delete_topics([topic])
        while topic in await client.list_topics():
            await asyncio.sleep(0.05)


async def work(settings: Settings, folder: Path, records: int) -> None:
    """Let a worker take so many records, and stop it."""
    async with worker(settings, folder):
        await until_taken(settings, records)


@pytest.fixture
async def worked(settings: Settings, tmp_path: Path) -> Settings:
    """Topics from which a worker took five visits of each customer."""
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=2)
    await visits(settings, 5)
    await work(settings, tmp_path, 5 * CUSTOMERS)
    return settings


async def test_a_topic_created_again_and_longer_than_the_old_one_is_refused(worked: Settings, tmp_path: Path) -> None:
    """Its offsets exist, but they mean other interactions."""
    before = await changes(worked)
    await delete(worked)
    await create_topics(worked.bootstrap, worked.topics.interactions, partitions=2)
    await visits(worked, 50)
    async with worker(worked, tmp_path) as refused:
        said = await refused.ends()
    assert f"topic {worked.topics.interactions} was deleted and created again" in said
    assert "up to offset" in said
    assert "`lifecycle reset --to earliest`" in said
    assert await changes(worked) == before


async def test_a_topic_created_again_under_a_running_worker_is_refused(worked: Settings, tmp_path: Path) -> None:
    async with worker(worked, tmp_path) as running:
        await visits(worked, 5)
        await until_taken(worked, 10 * CUSTOMERS)
        before = await changes(worked)
        await delete(worked)
        await create_topics(worked.bootstrap, worked.topics.interactions, partitions=2)
        await visits(worked, 50)
        assert "created again" in await running.ends()
    assert await changes(worked) == before


async def test_a_topic_that_was_deleted_under_a_running_worker_ends_it(worked: Settings, tmp_path: Path) -> None:
    async with worker(worked, tmp_path) as running:
        await visits(worked, 5)
        await until_taken(worked, 10 * CUSTOMERS)
        await delete(worked)
        assert f"topic {worked.topics.interactions} is not there any more" in await running.ends()


async def test_partitions_added_under_a_running_worker_end_it(worked: Settings, tmp_path: Path) -> None:
    """Every partition of the old ones, too: the same customer is in another one from now on."""
    async with worker(worked, tmp_path) as running:
        await visits(worked, 5)
        await until_taken(worked, 10 * CUSTOMERS)
        async with administration(worked) as client:
            await client.create_partitions({worked.topics.interactions: NewPartitions(3)})
        said = await running.ends()
    assert "has 3 partitions" in said
    assert "lifecycle" in said


async def test_a_position_beyond_the_end_of_the_topic_is_refused(worked: Settings, tmp_path: Path) -> None:
    """As after an election of a leader that lacked the last records."""
    tp = TopicPartition(worked.topics.customers, 0)
    position = decode_position((await read_changelog(worked, tp, ChangelogProgress()))[positions.KEY])
    end = position.offsets[worked.topics.interactions]
    position.offsets[worked.topics.interactions] += 1_000
    async with administration(worked):
        await write_position(worked, encode_position(position))
    async with worker(worked, tmp_path) as refused:
        said = await refused.ends()
    assert f"offsets {end} to {end + 999} are gone" in said
    assert "`lifecycle reset --to earliest`" in said


async def write_position(settings: Settings, value: bytes) -> None:
    """Into the first partition of the changelog."""
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415

    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        await producer.send_and_wait(settings.topics.customers, value, key=positions.KEY, partition=0)


async def test_retention_that_overtook_the_position_is_refused_and_passed_with_the_command_it_names(
    worked: Settings, tmp_path: Path
) -> None:
    """States stay, and what retention left is taken."""
    await visits(worked, 3)
    async with administration(worked) as client:
        tps = [TopicPartition(worked.topics.interactions, number) for number in range(2)]
        await client.delete_records({tp: RecordsToDelete(-1) for tp in tps})
    await visits(worked, 2)
    async with worker(worked, tmp_path) as refused:
        said = await refused.ends()
    assert "were deleted by retention before they were processed" in said
    assert "`lifecycle reset --to earliest --keep-states`" in said

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", "reset", "--to", "earliest", "--keep-states", "--yes"),
        env=os.environ | environment_of(worked) | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complained = await process.communicate()
    assert process.returncode == 0, complained
    assert f"{3 * CUSTOMERS} interactions skipped" in complained.decode()
    before = await changes(worked)
    await work(worked, tmp_path, 10 * CUSTOMERS)
    assert sum(each or 0 for each in await offsets(worked)) == 10 * CUSTOMERS
    assert await changes(worked) == before  # nobody began a life anew
