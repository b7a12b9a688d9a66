"""A Kafka that asks who comes, for all tests that need one."""

import asyncio
from collections.abc import Iterator
from itertools import chain

import pytest

from tests.engine.secured import CREATOR, PASSWORDS, ROLES, caller_of
from tests.kit.acls import grant
from tests.kit.secured import SecuredKafka


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[SecuredKafka]:
    """With the topics, and each role with its rights; who changes any gives them back."""
    with SecuredKafka(PASSWORDS) as kafka:
        asyncio.run(prepare(kafka))
        yield kafka


async def prepare(kafka: SecuredKafka) -> None:
    await grant(kafka.bootstrap, chain.from_iterable(ROLES))
    code, said = await caller_of(kafka, CREATOR).run("topics")
    assert (code, said.count("created")) == (0, 5), said
