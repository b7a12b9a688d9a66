"""The new topics, which are as the old ones are but for their names and number of partitions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code

from stream.errors import BrokerError, TopicError
from stream.kafka.admin import admin_client
from stream.kafka.clients import client_options
from stream.kafka.topic_metadata import look_up
from stream.kafka.topic_plan import DEFAULT_MAX_MESSAGE, FoundTopic, Survey, TopicPlan, plan_topics
from stream.kafka.topics import create_missing, survey
from stream.settings import Settings

_KEPT: Final = (
    "cleanup.policy",
    "compression.type",
    "delete.retention.ms",
    "max.compaction.lag.ms",
    "max.message.bytes",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.ms",
)
"""Settings of a topic that somebody may have chosen."""
_WHILE_COPIED: Final = {"message.timestamp.type": "CreateTime"}
"""So that what is copied keeps the time at which it arrived."""
_ROOM: Final = 4 * DEFAULT_MAX_MESSAGE
"""For what was compressed by its sender, and is copied as it is."""


class Wanted:
    """The new topics of two settings, which differ in prefix and partitions."""

    def __init__(self, old: Settings, new: Settings, seen: Survey, *, figures: bool) -> None:
        """`seen` are the old and the new topics, as far as they exist. Raises TopicError where one lacks."""
        names = old.topics.named(figures=figures)
        lacking = [name for name in names if name not in seen.found]
        if lacking:
            raise TopicError(
                f"topic {lacking[0]} does not exist on {old.bootstrap}: there is nothing to carry over. "
                "Are bootstrap, topic_prefix and interactions as the workers have them?"
            )
        renamed = dict(zip(new.topics.named(figures=figures), names, strict=True))
        plans = plan_topics(new, {}, len(seen.brokers), figures=figures)
        self.plans = [_like(plan, seen.found[renamed[plan.name]]) for plan in plans]
        for plan in self.plans:
            found = seen.found.get(plan.name)
            if found is not None and found.partitions != plan.partitions:
                raise TopicError(
                    f"topic {plan.name} exists, with {found.partitions} partitions and not {plan.partitions}: choose "
                    "another --into, or delete what there is if nobody needs it"
                )
        [self._interactions] = [plan for plan in self.plans if plan.name == new.topics.interactions]
        self._settings, self._seen = new, seen

    @property
    def largest(self) -> int:
        """Bytes of a batch of interactions that the topic takes, once it is as the old one is."""
        return int(self._interactions.configs.get("max.message.bytes", DEFAULT_MAX_MESSAGE))

    async def create(self) -> None:
        """Those that are not there; one of interactions that is there gets the settings that copying needs.

        Raises BrokerError where Kafka does not let us.
        """
        configs = {**self._interactions.configs, **_WHILE_COPIED}
        configs["max.message.bytes"] = str(max(_ROOM, int(configs.get("max.message.bytes", 0))))
        plans = [replace(each, configs=configs) if each is self._interactions else each for each in self.plans]
        await create_missing(self._settings, plans, self._seen)
        if self._interactions.name in self._seen.found:
            await self._set(configs)

    async def finish(self) -> None:
        """From now on the topic of interactions is as the old one is. Raises BrokerError where Kafka refuses."""
        await self._set(self._interactions.configs)

    async def _set(self, configs: Mapping[str, str]) -> None:
        name = self._interactions.name
        wanted = ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(configs))
        async with admin_client(self._settings) as admin:
            [answer] = await admin.alter_configs([wanted])
        response: Any = answer
        for code, message, *_ in response.resources:
            if code:
                raise BrokerError(f"the settings of topic {name} could not be set: {for_code(code).__name__} {message}")


async def look(old: Settings, new: Settings) -> Survey:
    """The old and the new topics that exist, and the brokers."""
    return await survey(old, {*old.topics.named(figures=True), *new.topics.named(figures=True)})


async def id_of(settings: Settings, topic: str) -> str | None:
    """Kafka's own id of a topic: another one is another topic of the same name. None where the broker has no ids."""
    client = AIOKafkaClient(**client_options(settings))
    try:
        await client.bootstrap()
        return (await look_up(client, [topic]))[topic].id
    finally:
        await client.close()


def _like(plan: TopicPlan, found: FoundTopic) -> TopicPlan:
    kept: Mapping[str, str] = {name: found.configs[name] for name in _KEPT if name in found.configs}
    return replace(plan, configs={**plan.configs, **kept}, replication=found.replication or plan.replication)
