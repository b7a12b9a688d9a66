"""A worker that is killed in the middle changes no figure: the topic's rows equal what pandas reckons."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pandas as pd
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import RecordMetadata

from stream.codec.records import Outgoing
from stream.settings import Settings
from tests.figures.comparing import differences, moves_of
from tests.figures.product import Told
from tests.figures.reckoning import reckon
from tests.figures.shop import FIGURES, LIFECYCLE, WORDS, shop
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all
from tests.kit.workers import PARTITIONS, has_read, worker_processes

pytestmark = pytest.mark.slow
ZONE = "Europe/Paris"
KILLS = 4


async def test_a_worker_killed_in_the_middle_changes_no_figure(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, saved: pd.DataFrame
) -> None:
    """Four are killed while they write, each in another part of the shop; the last reads the rest."""
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)
    frame = shop(saved, 1)
    frame = frame[frame["type"].isin(set(WORDS.values()))].reset_index(drop=True)
    lifecycle = LIFECYCLE.format(zone=ZONE).replace("by: [country, device]", "by: [country]")
    (tmp_path / "shop.yaml").write_text(lifecycle, encoding="utf-8")
    around = {
        "bootstrap": settings.bootstrap,
        "topic_prefix": topic_prefix,
        "partitions": str(PARTITIONS),
        "lifecycles": f"{tmp_path}/shop.yaml",
        "clock": "stream",
        "forget_after": "off",
        "session_timeout": "6s",
        "max_records": "100",
    }
    records = [Outgoing(subject_of(line).encode(), orjson.dumps(line)) for line in frame["line"]]
    part = len(records) // (KILLS + 1) + 1
    landed = list[RecordMetadata]()
    async with worker_processes(around, tmp_path) as start:
        for begin in range(0, len(records), part):
            worker = await start()
            await worker.until("/readyz", lambda answer: answer[0] == 200)
            before = await end_of(settings)
            landed += await produce(settings.bootstrap, settings.topics.interactions, records[begin : begin + part])
            if begin + part < len(records):
                async with asyncio.timeout(60):
                    while await end_of(settings) == before:
                        await asyncio.sleep(0.01)
                worker.process.kill()
                await worker.process.wait()
        await worker.until("/readyz", has_read(landed), seconds=180)
    told = Told(await latest_rows(settings), pd.DataFrame(await values(settings, settings.topics.stage_changes)))
    assert differences(told.sums(*FIGURES), reckon(frame, FIGURES, ZONE, ["country"])) == {}
    moved = told.sums("entered", "left", "moved", "stayed")
    assert differences(moved, moves_of(told, ZONE, ["country"])) == {}


def subject_of(line: dict[str, str]) -> str:
    return line.get("customer_id") or line["anonymous_id"]


async def end_of(settings: Settings) -> int:
    """How many rows were written, those of open transactions too; none where there is no topic yet."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap) as consumer:
        partitions = [TopicPartition(settings.topics.figures, number) for number in range(settings.partitions)]
        return sum((await consumer.end_offsets(partitions)).values())


async def values(settings: Settings, topic: str) -> list[dict[str, object]]:
    """Everything on a topic, but for what was never committed."""
    records = await read_all(settings.bootstrap, topic, seconds=120)
    return [orjson.loads(each.value or b"") for partition in records.values() for each in partition]


async def latest_rows(settings: Settings) -> list[dict[str, object]]:
    """The latest row of each key, as a compacted topic would keep it."""
    records = await read_all(settings.bootstrap, settings.topics.figures, seconds=120)
    latest = {each.key: each.value for partition in records.values() for each in partition}
    return [orjson.loads(value or b"") for value in latest.values()]
