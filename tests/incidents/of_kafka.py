"""Incidents of Kafka: away, slow, sparing, with what cannot be read, or hardly reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.incidents.incident import again_and_again, incident
from tests.incidents.site import PARTITIONS, Site
from tests.incidents.traffic import Traffic, interaction, record
from tests.kit.damage import Damage, damage


@incident("broker-away", "the broker is stopped", *("KafkaDown", "LagUnknown", "CollectorRefuses"), within=150)
async def broker_away(site: Site, _: Traffic) -> AsyncIterator[None]:
    await asyncio.to_thread(site.kafka.stop)
    yield
    await asyncio.to_thread(site.kafka.start)


@incident(
    "broker-slow", "the broker stands still for two of three seconds", "TransactionsSlow", "CollectorSlow", within=120
)
async def broker_slow(site: Site, _: Traffic) -> AsyncIterator[None]:
    async def hold() -> None:
        site.kafka.freeze()
        await asyncio.sleep(2.0)
        site.kafka.thaw()

    try:
        async with again_and_again(hold, 1.0):
            yield
    finally:
        site.kafka.thaw()


@incident("recovery", "a worker comes back while Kafka's quota holds up reading", "RecoveryLong", within=120)
async def recovery(site: Site, _: Traffic) -> AsyncIterator[None]:
    await site.limit_reading(20_000)
    await site.workers[0].end()
    await site.workers[0].start()
    yield
    await site.limit_reading(None)


@incident("open-transaction", "a producer does not end its transaction", "OpenTransaction")
async def open_transaction(site: Site, _: Traffic) -> AsyncIterator[None]:
    producer = AIOKafkaProducer(bootstrap_servers=site.kafka.bootstrap, transactional_id="somebody-else")
    await producer.start()
    try:
        await producer.begin_transaction()
        made = record(interaction("c-open"))
        await producer.send_and_wait(site.settings.topics.interactions, made.value, key=made.key)
        yield
        await producer.abort_transaction()
    finally:
        await producer.stop()


@incident("unreadable", "a batch on the broker's disk is damaged", "PartitionBlocked")
async def unreadable(site: Site, traffic: Traffic) -> AsyncIterator[None]:
    topic = site.settings.topics.interactions
    traffic.pause()
    for each in site.workers:
        await each.end()
    async with AIOKafkaProducer(bootstrap_servers=site.kafka.bootstrap) as producer:
        made = record(interaction("c-damaged"))
        landed = await producer.send_and_wait(topic, made.value, key=made.key)
    damage(site.kafka, topic, landed.partition, landed.offset, Damage.BIT)
    for each in site.workers:
        await each.start()
    traffic.resume()
    yield
    await site.command("skip", str(landed.partition), str(landed.offset), "--yes")


@incident("resets", "a worker's connections to Kafka are reset again and again", "TransactionsFail", within=120)
async def resets(site: Site, _: Traffic) -> AsyncIterator[None]:
    async def reset() -> None:
        site.proxy.reset()

    async with again_and_again(reset, 0.7):
        yield


@incident("fenced", "another application writes in the workers' name", "PartitionsFenced", within=120)
async def fenced(site: Site, _: Traffic) -> AsyncIterator[None]:
    settings = site.settings

    async def rival() -> None:
        for partition in range(PARTITIONS):
            name = f"{settings.app}-{settings.topics.interactions}-{partition}"
            producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, transactional_id=name)
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.start(), 5.0)
            await producer.stop()

    async with again_and_again(rival, 1.0):
        yield


NOT_BROUGHT_ABOUT: dict[str, str] = {
    "LifecycleChangelogLarge": "a changelog of a million records a partition that is not compacted takes hours to make",
    "LifecycleChangelogDisk": "needs KMinion beside Kafka, and 10 GB",
    "LifecycleKafkaDiskFull": "needs a volume of its own, and Kubernetes or Prometheus' node exporter",
}
"""Alerts that no incident here makes fire, and why."""
