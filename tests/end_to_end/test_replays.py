"""The whole job on real brokers, held against `simulate` change by change."""

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.codec.interactions import encode_native
from stream.demo.shop import shop_interactions
from stream.kafka.embedded.broker import EmbeddedBroker
from tests.kit.kafka import SharedKafka
from tests.kit.replays import Replay, Worker, differences, end_of, replay_all
from tests.kit.times import DAY
from tests.kit.topics import read_all

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "stream" / "demo"
LIFECYCLES = ("metrics", "journey", "nurture")


@pytest.fixture
def interactions(tmp_path: Path) -> Path:
    """The demonstration's purchases, and then what some people do at its shop, in one file, in time order."""
    out = tmp_path / "interactions.jsonl"
    with out.open("wb") as written:
        written.write(gzip.decompress((DEMO / "purchases.jsonl.gz").read_bytes()))
        written.writelines(encode_native(each) + b"\n" for each in shop_interactions(people=20))
    return out


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    """One embedded broker."""
    with EmbeddedBroker() as broker:
        yield broker


async def ids_of(replay: Replay) -> Counter[bytes]:
    """How often each CloudEvents id stands on the topic of stage changes."""
    topic = await read_all(replay.bootstrap, replay.settings.topics.stage_changes)
    return Counter(dict(record.headers)["ce_id"] for records in topic.values() for record in records)


async def test_on_kafka_the_changes_are_those_of_simulate_though_workers_are_killed(
    kafka: SharedKafka, topic_prefix: str, interactions: Path, tmp_path: Path
) -> None:
    """`kill -9` twice in the middle of a replay: a read_committed subscriber finds each change once, in order."""
    replay = Replay(kafka.bootstrap, topic_prefix, interactions, end_of(interactions), LIFECYCLES)
    found, _seconds = await replay_all(replay, tmp_path, kills=[1, 4_000])
    expected = await replay.expected(tmp_path)
    assert sum(map(len, expected.values())) > 10_000
    assert differences(found, expected) == []
    assert set((await ids_of(replay)).values()) == {1}


async def test_on_the_embedded_broker_they_are_too_and_a_crash_only_repeats(
    embedded: EmbeddedBroker, interactions: Path, tmp_path: Path, topic_prefix: str
) -> None:
    """At least once: after a `kill -9` the same change may stand there again with the same id, and none is missing."""
    replay = Replay(embedded.bootstrap, topic_prefix, interactions, end_of(interactions, DAY), ("metrics",))
    found, _seconds = await replay_all(replay, tmp_path, kills=[3_000])
    # Not by its sequence alone: that begins anew with a visitor who was forgotten and comes again.
    once = {
        life: list({(each["at"], each["sequence"]): each for each in changes}.values())
        for life, changes in found.items()
    }
    assert differences(once, await replay.expected(tmp_path)) == []


async def test_current_stages_holds_the_latest_change_of_every_customer(
    kafka: SharedKafka, topic_prefix: str, interactions: Path, tmp_path: Path
) -> None:
    """Compacted by key, the topic equals the last published change of each life; forgotten subjects are gone."""
    replay = Replay(kafka.bootstrap, topic_prefix, interactions, end_of(interactions), ("metrics",))
    found, _seconds = await replay_all(replay, tmp_path)
    current: dict[bytes, bytes | None] = {}
    topic = await read_all(kafka.bootstrap, replay.settings.topics.current_stages)
    for records in topic.values():
        for record in records:
            assert record.key is not None
            current[record.key] = record.value
    there = {key.decode() for key, value in current.items() if value is not None}
    expected = {
        f"{lifecycle}:{kind.removesuffix('_id')}:{subject}"
        for (kind, subject, lifecycle), changes in found.items()
        if changes[-1]["to"] is not None
    }
    assert there == expected
    assert any(value is None for value in current.values())


async def test_two_workers_share_the_partitions_and_lose_nothing(
    kafka: SharedKafka, topic_prefix: str, interactions: Path, tmp_path: Path
) -> None:
    """A second worker joins in the middle, the first is killed, the second takes over."""
    replay = Replay(kafka.bootstrap, topic_prefix, interactions, end_of(interactions), ("metrics",))
    await replay.load()
    second = Replay(kafka.bootstrap, topic_prefix, interactions, replay.until, ("metrics",))
    async with Worker(replay, tmp_path / "first.log") as one, Worker(second, tmp_path / "second.log") as two:
        await one.until(2_000)
        one.kill()
        await one.process.wait()
        await two.until_alone()
    assert differences(await replay.published(), await replay.expected(tmp_path)) == []
