"""Up to where our group has processed a topic, as Kafka keeps it: for a week after the last worker is gone.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata

from stream.kafka.admin import admin_client, when_ready_for_groups
from stream.settings import Settings

SEEN_EVERYWHERE: Final = 1.0
"""Seconds after which the records of a transaction can be read where its offsets can, and the other way round."""


async def group_offset(settings: Settings, tp: TopicPartition) -> int | None:
    """The offset from which our group would read on; None where it has none, or we may not ask.

    Raises KafkaError and the like where the broker does not answer.
    """
    return (await group_offsets(settings, [tp])).get(tp)


async def group_offsets(settings: Settings, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
    """The same of several partitions; those without one are left out."""
    async with admin_client(settings) as admin:
        try:
            found = await when_ready_for_groups(
                lambda: admin.list_consumer_group_offsets(settings.group, partitions=tps)
            )
        except GroupAuthorizationFailedError:
            return {}
    return {tp: int(each.offset) for tp, each in found.items() if each.offset >= 0}


async def committed(consumer: AIOKafkaConsumer, tps: list[TopicPartition]) -> dict[TopicPartition, OffsetAndMetadata]:
    """The offsets of a consumer's group with what was written beside them; those without one are left out."""
    private: Any = consumer
    found: dict[TopicPartition, OffsetAndMetadata] = await private._coordinator.fetch_committed_offsets(tps)
    return {tp: each for tp, each in found.items() if each.offset >= 0}


def lost_state(settings: Settings, state_topic: str, tp: TopicPartition, offset: int) -> str:
    """What to say where there is no state, though the group has processed interactions."""
    return (
        f"topic {state_topic} has no state of partition {tp.partition}, but group {settings.group} has processed "
        f"{tp.topic} up to offset {offset - 1}: the topic, or what it held, was deleted. Bring it back from a backup, "
        "or begin again with `lifecycle reset --to earliest`"
    )
