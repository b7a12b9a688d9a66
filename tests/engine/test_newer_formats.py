"""A state that a newer version wrote: an older worker writes nothing over it, and says what to do."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
import pytest

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.codec.state.keys import CUSTOMER, LAYOUT
from stream.codec.state.positions import KEY
from stream.core.interaction import Interaction
from stream.settings import Settings
from stream.topic_names import TopicNames
from tests.bench.worker import BenchWorker
from tests.kit.changelogs import write_changelog
from tests.kit.kafka import SharedKafka
from tests.kit.times import T0
from tests.kit.topics import produce, read_all

pytestmark = pytest.mark.slow
PARTITIONS = 4

Make = Callable[[Mapping[bytes, bytes]], Outgoing]


def newer_customer(_kept: Mapping[bytes, bytes]) -> Outgoing:
    """A customer record of the next format."""
    return Outgoing(b"cnew", b"\x05" + b"\x00" * 40)


def newer_layout(kept: Mapping[bytes, bytes]) -> Outgoing:
    """A layout of the next format."""
    key = next(key for key in kept if key[:1] == LAYOUT)
    return Outgoing(key, b"\x02" + kept[key][1:])


def newer_position(kept: Mapping[bytes, bytes]) -> Outgoing:
    """The same position in the next format."""
    return Outgoing(KEY, orjson.dumps({**orjson.loads(kept[KEY]), "format": 4}))


def newer_kind(_kept: Mapping[bytes, bytes]) -> Outgoing:
    """A record of a kind that this version does not know."""
    return Outgoing(b"r" + b"somebody", b"\x01")


NEWER: dict[Make, str] = {
    newer_customer: "a customer record has format 5, this version reads 1 to 4",
    newer_layout: "a layout has format 2, this version reads 1",
    newer_position: "the position record has format 4, this version reads 1 to 3",
    newer_kind: "there are records of kind 'r', which this version does not know",
}
"""What a newer version may leave, and what is said of it."""


async def everything(settings: Settings) -> dict[str, list[tuple[int, int]]]:
    """Partition and offset of every record that is on a topic, transaction markers left out, aborted ones too."""
    topics: TopicNames = settings.topics
    found: dict[str, list[tuple[int, int]]] = {}
    for topic in (topics.stage_changes, topics.current_stages, topics.customers, topics.dead_letters):
        read = await read_all(settings.bootstrap, topic, isolation="read_uncommitted")
        found[topic] = [(number, record.offset) for number, records in read.items() for record in records]
    return found


@pytest.mark.parametrize("make", NEWER, ids=[make.__name__ for make in NEWER])
async def test_a_newer_state_is_refused_before_anything_is_written(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path, make: Make
) -> None:
    """Though interactions wait: the old worker ends with 1, every time, and a worker that can read it may come."""
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)
    named = {"LIFECYCLES": "metrics", "PARTITIONS": str(PARTITIONS), "CLOCK": "stream", "SESSION_TIMEOUT": "2s"}
    log = tmp_path / "worker.log"
    visits = [
        Outgoing(f"c-{n}".encode(), encode_native(Interaction(f"c-{n}", None, None, "page_view", T0, {}, {})))
        for n in range(40)
    ]
    async with BenchWorker(kafka.bootstrap, topic_prefix, log, named) as worker:
        async with asyncio.timeout(180):
            while await worker.health() is None or (await worker.health() or {})["status"] != "ready":
                await asyncio.sleep(0.1)
        await produce(kafka.bootstrap, settings.topics.interactions, visits)
        await worker.until_taken(len(visits))
    read = await read_all(kafka.bootstrap, settings.topics.customers)
    for number, records in read.items():
        kept = {record.key or b"": record.value or b"" for record in records}
        assert any(key[:1] == CUSTOMER for key in kept)
        await write_changelog(kafka.bootstrap, settings.topics.customers, [(number, make(kept))], closing=None)
    await produce(kafka.bootstrap, settings.topics.interactions, visits)
    before = await everything(settings)
    for _ in range(2):
        log.unlink()
        async with BenchWorker(kafka.bootstrap, topic_prefix, log, named) as worker:
            assert await asyncio.wait_for(worker.process.wait(), 180) == 1
        said = log.read_text()
        assert NEWER[make] in said
        assert f"topic {settings.topics.customers}, partition " in said
        assert "upgrade this worker" in said
        assert "Traceback" not in said
    assert await everything(settings) == before
