"""Fixtures for every test: a real Apache Kafka, and names that no other test uses."""

import asyncio
from collections.abc import Iterator
from itertools import chain, count

import pytest
from hypothesis import HealthCheck, settings

from tests.kit.acls import grant
from tests.kit.cluster import KafkaCluster
from tests.kit.kafka import KafkaBroker
from tests.kit.roles import CREATOR, PASSWORDS, ROLES, caller_of
from tests.kit.secured import SecuredKafka

_numbers = count(1)

# The same examples every time, so that a change that did not touch a law cannot fail it; `deep` looks for new ones:
# pytest --hypothesis-profile=deep tests/properties
_ANY_SPEED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("quick", max_examples=60, derandomize=True, database=None, **_ANY_SPEED)
settings.register_profile("smoke", max_examples=15, derandomize=True, database=None, **_ANY_SPEED)
settings.register_profile("deep", max_examples=1_000, **_ANY_SPEED)
settings.load_profile("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with a fixture that starts Apache Kafka, so that no mark can be forgotten.

    Those on the embedded broker are slow, a group takes seconds to join there, and so are those that run whole
    commands in processes of their own.
    """
    for item in items:
        if any("kafka" in name for name in getattr(item, "fixturenames", ())) or "[kafka" in item.name:
            item.add_marker(pytest.mark.kafka)
        if "embedded" in item.name or item.path.parent.name == "cli":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """One Apache Kafka for the whole session; a test that harms its broker starts one of its own."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three nodes for the whole session; a test that stops one starts it again."""
    with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[SecuredKafka]:
    """A Kafka that asks who comes, with the topics, and each role with its rights; who changes any gives them back."""
    with SecuredKafka(PASSWORDS) as kafka:
        asyncio.run(_prepare(kafka))
        yield kafka


async def _prepare(kafka: SecuredKafka) -> None:
    await grant(kafka.bootstrap, chain.from_iterable(ROLES))
    code, said = await caller_of(kafka, CREATOR).run("topics")
    assert (code, said.count("created")) == (0, 5), said


@pytest.fixture
def topic_prefix() -> str:
    """The beginning of topic and group names that belong to this test alone."""
    return f"test{next(_numbers)}-"
