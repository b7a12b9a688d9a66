"""A collector on Apache Kafka: what is answered 200 is there, where a worker looks for it, and read as it was sent."""

from collections.abc import AsyncIterator

import orjson
import pytest

from stream.codec.interactions import InteractionDecoder
from stream.core.interaction import Interaction
from stream.kafka.partitioner import partition_of
from stream.settings import Settings
from tests.kit.collectors import Served, served
from tests.kit.kafka import SharedKafka
from tests.kit.topics import read_all


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=4, collector_port=0)


@pytest.fixture
async def collector(settings: Settings) -> AsyncIterator[Served]:
    async with served(settings) as found:
        yield found


async def interactions(settings: Settings) -> list[Interaction]:
    """All that is there; each is on the partition of its key, which is its subject."""
    decoder, found = InteractionDecoder(), []
    for number, records in (await read_all(settings.bootstrap, settings.topics.interactions)).items():
        for record in records:
            read = decoder.decode(record.value, record.timestamp, record.headers)
            assert isinstance(read, Interaction), read
            assert record.key == read.subject.encode()
            assert partition_of(record.key, 4) == number
            found.append(read)
    return sorted(found, key=lambda each: (each.subject, each.name))


async def test_what_is_answered_200_is_on_the_topic_where_a_worker_looks_for_it(
    collector: Served, settings: Settings
) -> None:
    calls = [{"type": "track", "event": f"E{number}", "userId": f"u-{number}"} for number in range(50)]
    assert (await collector.post("/v1/batch", orjson.dumps({"batch": calls})))[:2] == (200, {"success": True})
    native = b'{"type":"visit","customer_id":"w","time":"2026-11-22T10:00:00Z"}'
    assert (await collector.post("/v1/interactions", native))[0] == 200
    found = await interactions(settings)
    assert sorted((each.name, each.subject) for each in found) == sorted(
        [("visit", "w"), *((f"E{number}", f"u-{number}") for number in range(50))]
    )
