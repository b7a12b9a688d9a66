"""`lifecycle verify` where producers do not agree on the partition of a customer."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.partitioners import home_of
from stream.core.interaction import Interaction
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.verifying import (
    PARTITIONS,
    T,
    Verify,
    record_of,
    settings_of,
    until_caught_up,
    workers,
)
from tests.kit.kafka import SharedKafka


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str, tmp_path: Path) -> Settings:
    return replace(settings_of(kafka.bootstrap, topic_prefix, tmp_path), clock="stream")


async def visit(settings: Settings, customers: Iterable[str], partitioner: str) -> None:
    """One visit each, as a producer with that partitioner sends it."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for customer in customers:
            record = record_of(Interaction(customer, None, f"{partitioner}-{customer}", "page", T, {}, {}))
            home = home_of(partitioner, customer.encode(), PARTITIONS)
            await producer.send_and_wait(settings.topics.interactions, record.value, record.key, home)


async def test_a_customer_in_two_partitions_is_a_difference_and_one_in_a_strange_partition_is_said(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    everybody = [f"c{number}" for number in range(30)]
    torn = [each for each in everybody if home_of("crc32", each.encode(), 2) != home_of("murmur2", each.encode(), 2)]
    await ensure_topics(settings)
    async with workers(settings, tmp_path):
        await visit(settings, everybody, "crc32")
        await until_caught_up(settings)
        strange = await verify(settings)
        at_home = await verify(settings, "--partitioner", "crc32")
        await visit(settings, everybody, "murmur2")
        await until_caught_up(settings)
        verdict = await verify(settings, "--show", "100")
        one = await verify(settings, "--customer", torn[0])

    assert len(torn) > 10
    assert (strange.code, strange.differences) == (0, []), strange.stderr
    assert (strange.report["customers"], strange.report["misplaced_customers"]) == (len(everybody), len(torn))
    assert (at_home.code, at_home.report["misplaced_customers"]) == (0, 0), at_home.stderr
    for number in range(PARTITIONS):
        count = sum(home_of("crc32", each.encode(), PARTITIONS) == number for each in torn)
        words = f"partition {number}: {count} customers belong in another partition. Likely cause: keyed by another "
        assert f"{words}partitioner, such as librdkafka's crc32" in " ".join(strange.stderr.split())

    assert (verdict.code, verdict.report["differing"]) == (1, len(torn)), verdict.differences
    problem = "has records in partitions 0 and 1: two lives, since its interactions are keyed by another partitioner"
    for customer in torn:
        assert any(
            f"customer {customer}, : {problem}, such as librdkafka's crc32" in each for each in verdict.differences
        )

    assert one.code == 1
    assert [each["partition"] for each in one.report["recomputed"]] == [0, 1]
