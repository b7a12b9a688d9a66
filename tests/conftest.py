"""Fixtures for every test: a real Apache Kafka, and names that no other test uses."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.kit.kafka import KafkaBroker

_numbers = count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that uses the `kafka` fixture, so that no mark can be forgotten."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """One Apache Kafka for the whole session; a test that harms its broker starts one of its own."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture
def topic_prefix() -> str:
    """The beginning of topic and group names that belong to this test alone."""
    return f"test{next(_numbers)}-"
