"""A rehearsal beside production: a prefix of its own is all that it needs."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from stream.operations.replay import transactional_id
from stream.operations.workers_away import running_workers
from stream.settings import Settings
from tests.cli.on_kafka import settings_of, started
from tests.kit.kafka import SharedKafka

OPTIONS = ("--lifecycles", "journey", "--web-port", "0", "--session-timeout", "2s")


def test_group_and_transactional_ids_belong_to_the_prefix() -> None:
    """Without one they are what they always were; transactional ids are, with one, too, for topics have it."""
    assert Settings(app="shop").group == "shop"
    rehearsal = Settings(app="shop", topic_prefix="rehearsal-")
    assert rehearsal.group == "rehearsal-shop"
    assert transactional_id(rehearsal) == "shop-rehearsal-lifecycle-dead-letters"


async def test_a_rehearsal_with_a_prefix_of_its_own_does_not_join_productions_group(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    """Both have the same `app`; each has a group with one worker."""
    production, rehearsal = (settings_of(kafka.bootstrap, f"{topic_prefix}{name}-") for name in ("live", "rehearsal"))
    assert production.app == rehearsal.app
    async with started(production, "worker", *OPTIONS), started(rehearsal, "worker", *OPTIONS), asyncio.timeout(180):
        while [len(await running_workers(each)) for each in (production, rehearsal)] != [1, 1]:
            await asyncio.sleep(0.1)
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            groups = {group for group, _ in await admin.list_consumer_groups()}
        finally:
            await admin.close()
    assert {f"{each.topic_prefix}app" for each in (production, rehearsal)} <= groups
    assert "app" not in groups
