"""What a real machine left, for tests of `lifecycle repartition`, and what that makes of it."""

from collections.abc import Callable
from dataclasses import replace

from stream.codec.partitioners import home_of
from stream.codec.state.keys import kind_of
from stream.codec.state.spans import span_of
from stream.kafka.topics import ensure_topics
from stream.operations.repartition.carrier import Carrier
from stream.settings import Settings
from tests.cli.on_kafka import PARTITIONS, settings_of
from tests.cli.resetting import LIVE_FROM, MODEL, current_stages, order, work
from tests.kit.topics import Records, read_all

MORE = 7


async def prepared(bootstrap: str, prefix: str) -> Settings:
    """40 customers of whom an order was processed, and one of each that waits."""
    settings = settings_of(bootstrap, prefix)
    settings = replace(settings, live_from=LIVE_FROM, clock="stream", forget_after=None)
    await ensure_topics(settings)
    await order(settings, range(40))
    await work(settings, 40 + PARTITIONS, customers=40)
    await order(settings, range(40, 80))
    return settings


def renamed(old: Settings, name: str = "v2.", partitions: int = MORE) -> Settings:
    return replace(old, topic_prefix=old.topic_prefix + name, partitions=partitions)


def ignore(_what: str, _share: float) -> None:
    pass


async def carry(old: Settings, new: Settings, progress: Callable[[str, float], None] = ignore) -> Carrier:
    carrier = Carrier(old, new, MODEL, progress)
    await carrier.look()
    await carrier.carry()
    return carrier


async def customers(settings: Settings) -> dict[bytes, tuple[int, bytes]]:
    """By changelog key, in which partition the record is, and the record."""
    records = await read_all(settings.bootstrap, settings.topics.customers)
    latest = {(n, r.key): r.value for n, partition in records.items() for r in partition if r.key is not None}
    return {key: (n, value) for (n, key), value in latest.items() if value is not None and kind_of(key) is not None}


async def waiting(settings: Settings) -> Records:
    return await read_all(settings.bootstrap, settings.topics.interactions)


async def assert_carried(old: Settings, new: Settings) -> None:
    before, after = await customers(old), await customers(new)
    assert before.keys() == after.keys()
    assert len(after) == 40
    for key, (number, value) in after.items():
        assert number == home_of("murmur2", key, new.partitions, 1)
        assert span_of(value).last == -1
    assert await current_stages(new) == await current_stages(old)
    copies = [each for partition in (await waiting(new)).values() for each in partition]
    sent = [each for partition in (await waiting(old)).values() for each in partition[len(partition) // 2 :]]
    originals = sorted((each.key, each.value, each.timestamp) for each in sent)
    assert sorted((each.key, each.value, each.timestamp) for each in copies) == originals
    assert len(copies) == 40


async def of_all(settings: Settings) -> list[dict[bytes, bytes]]:
    records = await read_all(settings.bootstrap, settings.topics.customers)
    return [{r.key: r.value for r in partition if r.key and r.value} for partition in records.values()]
