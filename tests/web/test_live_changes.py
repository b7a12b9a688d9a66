"""Live stage changes over real HTTP, from real Kafka."""

import asyncio

import pytest

from stream.settings import Settings
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import change, write
from tests.kit.topics import create_topics
from tests.web.live import Reader, reading, worker


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.stage_changes)
    return settings


async def test_a_change_arrives_as_an_event_with_its_value_and_its_id(settings: Settings) -> None:
    async with worker(settings) as url, reading(url) as reader:
        response = reader.response
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Accel-Buffering"] == "no"
        await reader.until_it_listens()
        await write(settings, [change("ann")])
        sent = await reader.next()
    assert reader.retry == 3000
    assert (sent.name, sent.data["ce_id"]) == ("stage-change", "shop:customer:ann:0-0:2")
    assert (sent.data["customer_id"], sent.data["to"], sent.data["facts"]) == ("ann", "customer", {"orders": 1})


async def test_a_reader_goes_on_after_its_last_event_on_another_worker(settings: Settings) -> None:
    """Without gap or repeat over all partitions: what came while nobody was there, and what comes then."""
    moves = [change(f"c{who}", born=f"0-{who}", sequence=each) for each in range(1, 31) for who in range(10)]
    got: list[object] = []
    async with worker(settings) as url, reading(url) as reader:
        await reader.until_it_listens()
        await write(settings, moves[:100])
        got += [each.data["ce_id"] for each in await reader.take(60)]
        last = reader.last_id
    await write(settings, moves[100:200])
    async with worker(settings) as url, reading(url, headers={"Last-Event-ID": last}) as reader:
        got += [each.data["ce_id"] for each in await reader.take(50)]
        await asyncio.gather(write(settings, moves[200:]), _collect(reader, got, 190))
    assert len(got) == len(set(got)) == 300


async def _collect(reader: Reader, got: list[object], count: int) -> None:
    got += [each.data["ce_id"] for each in await reader.take(count)]
