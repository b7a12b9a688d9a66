"""Topics that are compressed: by the producer, by the topic, by the broker; in each codec of Kafka."""

import asyncio
from collections.abc import Iterator
from importlib.metadata import requires

import aiokafka.codec
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from stream.engine import partition as partitions
from stream.engine.status import PartitionState as State
from stream.errors import StateError
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.topic_plan import plan_topics
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.batches import SIZE, call, machine, orders, positions, settings_in_batches, states, until, write_bad
from tests.cli.batches import write_batches as write
from tests.cli.commands import Run
from tests.engine.rig import Rig
from tests.kit.damage import codecs
from tests.kit.kafka import KafkaBroker, SharedKafka

CODECS = ("gzip", "snappy", "lz4", "zstd")
"""In the order of their numbers, from 1 on."""


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_in_batches(kafka.bootstrap, topic_prefix)


@pytest.fixture(scope="module")
def kafka_with_lz4() -> Iterator[KafkaBroker]:
    with KafkaBroker({"compression.type": "lz4"}) as broker:
        yield broker


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


async def compress(settings: Settings, codec: str) -> None:
    """Let the broker compress what is written to our own topics from now on."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    try:
        await admin.alter_configs(
            [
                # What is not named goes back to its default.
                ConfigResource(ConfigResourceType.TOPIC, each.name, configs={**each.configs, "compression.type": codec})
                for each in plan_topics(settings, {})
                if each.name != settings.topics.interactions
            ]
        )
    finally:
        await admin.close()


async def process(settings: Settings, *ends: int) -> None:
    """Recover, process everything up to these offsets of the two partitions, and stop."""
    async with Rig(settings, machine(settings)) as rig:
        await until(lambda: positions(rig) == list(ends))
        assert (rig.recorder.failures, states(rig)) == ([], [State.RUNNING] * 2)


async def look(run: Run, settings: Settings, customers: int) -> None:
    """Everything that reads topics: `verify`, `tail`, `dead-letters`."""
    code, said = await call(run, settings, "verify")
    assert (code, f"customers verified {customers}" in said, "differences 0" in said) == (0, True, True), said
    code, said = await call(run, settings, "tail", "--from-beginning", "--final", "--count", str(customers))
    assert (code, said.count("→ purchase")) == (0, customers), said[:1_000]
    code, said = await call(run, settings, "dead-letters", "list", "--count")
    assert code == 0, said
    assert "not_json" in said


def test_who_installs_the_product_can_read_every_codec() -> None:
    """Nothing else in an environment of tests may have brought the library."""
    assert any(each.startswith("cramjam") for each in requires("customer-lifecycle") or ())
    assert aiokafka.codec.has_snappy()
    assert aiokafka.codec.has_lz4()
    assert aiokafka.codec.has_zstd()


async def test_everything_reads_topics_in_every_codec(kafka: SharedKafka, settings: Settings, lifecycle: Run) -> None:
    """Producers compress interactions; the broker our own topics, at each start in another codec than before."""
    await ensure_topics(settings)
    topics = settings.topics
    for number, codec in enumerate(CODECS, 1):
        await compress(settings, codec)
        for partition in range(2):
            start = (2 * number + partition) * SIZE
            await write(settings, partition, orders(range(start, start + SIZE)), codec=codec)
        await write_bad(settings, codec)
        await process(settings, (SIZE + 1) * number, SIZE * number)
    every = {1, 2, 3, 4}
    assert codecs(kafka, topics.interactions, 1) == every
    for topic in (topics.customers, topics.stage_changes, topics.current_stages, topics.dead_letters):
        assert codecs(kafka, topic, 0) | codecs(kafka, topic, 1) == every
    await look(lifecycle, settings, 8 * SIZE)


async def test_a_broker_that_compresses_everything_is_read(
    kafka_with_lz4: KafkaBroker, topic_prefix: str, lifecycle: Run
) -> None:
    """Our producers compress nothing, so the state is stored as the broker likes it, and recovered from that."""
    settings = settings_in_batches(kafka_with_lz4.bootstrap, topic_prefix)
    await ensure_topics(settings)
    for number in (1, 2):
        for partition in range(2):
            start = (2 * number + partition) * SIZE
            await write(settings, partition, orders(range(start, start + SIZE)))
        await write_bad(settings)
        await process(settings, (SIZE + 1) * number, SIZE * number)
    assert {*codecs(kafka_with_lz4, settings.topics.customers, 0)} == {3}
    await look(lifecycle, settings, 4 * SIZE)


async def test_the_embedded_broker_keeps_what_producers_compress(embedded: EmbeddedBroker, topic_prefix: str) -> None:
    settings = settings_in_batches(embedded.bootstrap, topic_prefix)
    await ensure_topics(settings)
    for number, codec in enumerate(CODECS):
        await write(settings, 0, orders(range(number * SIZE, (number + 1) * SIZE)), codec=codec)
    async with Rig(settings, machine(settings)) as rig:
        await until(lambda: rig.recorder.inputs >= 4 * SIZE)
        assert rig.recorder.failures == []
        assert positions(rig)[0] == 4 * SIZE


async def test_a_codec_whose_library_is_missing_is_named_with_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Interactions block their partition until there is a worker that can read them; without its state none goes on."""
    await ensure_topics(settings)
    await write(settings, 0, orders(range(SIZE)))
    await write(settings, 0, orders(range(SIZE, 2 * SIZE)), codec="zstd")
    await write(settings, 1, orders(range(1_000, 1_000 + SIZE)), codec="gzip")
    monkeypatch.setattr(partitions, "_READ_AGAIN", 0.1)
    with monkeypatch.context() as missing:
        missing.setattr(aiokafka.codec, "cramjam", None)
        async with Rig(settings, machine(settings)) as rig:
            await until(lambda: states(rig) == [State.BLOCKED, State.RUNNING] and positions(rig) == [SIZE, SIZE])
            assert "compressed with zstd, for which a library is missing here: pip install 'cramjam" in caplog.text
            assert "waits for Kafka" not in caplog.text
            assert rig.recorder.failures == []
    await compress(settings, "snappy")
    await process(settings, 2 * SIZE, SIZE)
    monkeypatch.setattr(aiokafka.codec, "cramjam", None)
    async with Rig(settings, machine(settings)) as rig:
        await asyncio.wait_for(rig.supervisor.wait_failed(), 180)
        assert isinstance(rig.supervisor.failure, StateError)
        assert "compressed with snappy, for which a library is missing" in str(rig.supervisor.failure)
        assert f"topic {settings.topics.customers}, partition 0, " in str(rig.supervisor.failure)
