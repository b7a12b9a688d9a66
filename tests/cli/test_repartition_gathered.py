"""`lifecycle repartition` where interactions come on several topics, with real workers that gather them."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream.codec.gathered import origin_of, topic_of
from stream.codec.records import Outgoing
from stream.settings import Settings
from tests.cli.commands import Run
from tests.engine.gathering import LIFECYCLE, crm, settings_of, web
from tests.kit.kafka import SharedKafka
from tests.kit.topics import add_partitions, partition_count, produce, read_all
from tests.kit.workers import has_read, worker_processes

pytestmark = pytest.mark.kafka

CUSTOMERS = [f"c{number}" for number in range(24)]
MORE = 5


async def test_all_that_waits_in_several_topics_is_carried_over_once_and_read_by_the_mapping_of_its_topic(
    lifecycle: Run, kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Each customer's 20 interactions make it loyal, and not one less: 8 are processed before, and 6 wait.

    4 come to the old topics afterwards, and 2 to the new ones.
    """
    old = settings_of(kafka, topic_prefix)
    new = replace(old, topic_prefix=f"{topic_prefix}v2.", partitions=MORE)
    (tmp_path / "shop.yaml").write_text(LIFECYCLE)
    await work(old, tmp_path, range(4), gathered=8)
    await send(old, range(4, 7))

    command = ["repartition", "--to", str(MORE), "--into", new.topic_prefix, "--yes"]
    done = await asyncio.to_thread(lifecycle, *command, environment=environment(old, tmp_path))
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert f"{len(CUSTOMERS)} customers carried over to {MORE} partitions" in said
    assert f"gathered from {', '.join(old.topics.sources)}; from now on, {', '.join(new.topics.sources)}" in said
    for topic in new.topics.all:
        assert await partition_count(new.bootstrap, topic) == MORE

    await send(old, range(7, 9))
    again = await asyncio.to_thread(lifecycle, *command, environment=environment(old, tmp_path))
    assert again.returncode == 0, again.stderr
    assert f"{len(CUSTOMERS) * 4} interactions copied" in " ".join(again.stderr.split())
    await work(new, tmp_path, range(9, 10), gathered=12)

    copies = [each for records in (await read_all(new.bootstrap, new.topics.interactions)).values() for each in records]
    assert len(copies) == len(CUSTOMERS) * 12
    assert {topic_of(each.headers) for each in copies} == set(new.topics.sources)
    places = [each for each in (origin_of(copy.headers) for copy in copies) if each and each.partition < MORE]
    assert len(places) == len(set(places)) == len(CUSTOMERS) * 2  # of what was sent to the new topics alone
    verified = await asyncio.to_thread(lifecycle, "verify", "--json", environment=environment(new, tmp_path))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    changes = [*await moves(old), *await moves(new)]
    assert sorted(changes) == sorted((each, to) for each in CUSTOMERS for to in ("new", "known", "loyal"))
    assert {each for each, to in await moves(new) if to == "loyal"} == set(CUSTOMERS)


async def test_where_a_topic_got_partitions_that_the_gathered_one_lacks_it_says_what_to_do_first(
    lifecycle: Run, kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    old = settings_of(kafka, topic_prefix)
    new = replace(old, topic_prefix=f"{topic_prefix}v2.", partitions=MORE)
    (tmp_path / "shop.yaml").write_text(LIFECYCLE)
    await work(old, tmp_path, range(1), gathered=2)
    await add_partitions(old.bootstrap, old.topics.sources[0], 3)
    await send(old, range(1, 2))
    command = ["repartition", "--to", str(MORE), "--into", new.topic_prefix, "--yes"]

    refused = await asyncio.to_thread(lifecycle, *command, environment=environment(old, tmp_path))
    assert refused.returncode == 1
    assert f"{old.topics.sources[0]} has 3 partitions" in " ".join(refused.stderr.split())
    assert "--partitions 3" in refused.stderr

    for topic in (old.topics.sources[1], old.topics.interactions):
        await add_partitions(old.bootstrap, topic, 3)
    done = await asyncio.to_thread(lifecycle, *command, environment=environment(old, tmp_path))
    assert done.returncode == 0, done.stderr
    copies = [each for records in (await read_all(new.bootstrap, new.topics.interactions)).values() for each in records]
    assert len(copies) == len(CUSTOMERS) * 2


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    return {f"LIFECYCLE_{name.upper()}": value for name, value in around(settings, folder).items()}


def around(settings: Settings, folder: Path) -> dict[str, str]:
    """Settings of workers and commands."""
    return {
        "bootstrap": settings.bootstrap,
        "app": settings.app,
        "topic_prefix": settings.topic_prefix,
        "interactions": "web,crm",
        "map": "crm: customer_id=contact.number, type=what",
        "partitions": str(settings.partitions),
        "lifecycles": f"{folder}/shop.yaml",
        "session_timeout": "6s",
    }


async def send(settings: Settings, numbers: range) -> None:
    """Two interactions of each customer for each number: one on each topic."""
    for topic, made in zip(settings.topics.sources, (web, crm), strict=True):
        records: list[Outgoing] = [made(each, number) for number in numbers for each in CUSTOMERS]
        await produce(settings.bootstrap, topic, records)


async def work(settings: Settings, folder: Path, numbers: range, *, gathered: int) -> None:
    """A worker gathers and processes all that is there, and these, until it has so many of each customer."""
    topic = settings.topics.interactions
    async with worker_processes(around(settings, folder), folder) as start:
        worker = await start()
        await worker.until("/readyz", lambda answer: answer[0] == 200)
        await send(settings, numbers)
        records: list[list[Any]] = []
        async with asyncio.timeout(120):
            while sum(map(len, records)) < gathered * len(CUSTOMERS):
                records = list((await read_all(settings.bootstrap, topic)).values())
        await worker.until("/readyz", has_read([each[-1] for each in records if each]), seconds=180)
        worker.process.terminate()
        assert await worker.process.wait() == 0


async def moves(settings: Settings) -> list[tuple[str, str]]:
    """Customer and stage of each change that was published."""
    records = await read_all(settings.bootstrap, settings.topics.stage_changes)
    told: list[dict[str, Any]] = [orjson.loads(each.value or b"") for part in records.values() for each in part]
    return [(each["customer_id"], each["to"]) for each in told]
