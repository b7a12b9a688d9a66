"""The topics of deliveries: what waits, what was tried, what was given up, and commands."""

from typing import Final

from stream.core.durations import DAY
from stream.kafka.durability import durable_configs, replication_for
from stream.kafka.permissions import Grant, Operation
from stream.kafka.topic_plan import TopicFinding, TopicPlan
from stream.kafka.topics import ensure_planned, ensure_topics, survey
from stream.settings import Settings

_KEPT: Final = str(30 * DAY)


async def ensure_webhook_topics(settings: Settings) -> list[TopicFinding]:
    """Create those that are missing, the worker's too; returns warnings. Raises as `stream.kafka.topics`."""
    findings = await ensure_topics(settings)
    found = await survey(settings)
    source = found.found[settings.topics.stage_changes]
    replication = replication_for(settings, len(found.brokers))
    await ensure_planned(settings, plan_webhook_topics(settings, source.partitions, replication))
    return findings


def plan_webhook_topics(settings: Settings, partitions: int, replication: int) -> list[TopicPlan]:
    """As we would create them."""
    topics, durable = settings.webhook_topics, durable_configs(replication)
    assert topics.commands is not None
    kept = {"cleanup.policy": "delete", "retention.ms": _KEPT}
    compact = {
        "cleanup.policy": "compact",
        "segment.bytes": str(64 << 20),
        "min.cleanable.dirty.ratio": "0.1",
        "max.compaction.lag.ms": str(DAY),
    }
    return [
        TopicPlan(name, purpose, partitions, {**configs, **durable}, replication)
        for name, purpose, configs in (
            (topics.state, "deliveries that wait (internal)", compact),
            (topics.events, "attempts to deliver", kept),
            (topics.dead_letters, "deliveries that were given up", kept),
            (topics.commands, "commands to deliveries (internal)", kept),
        )
    ]


def grants_of_webhooks(settings: Settings, group: str) -> list[Grant]:
    """What `lifecycle webhooks run` needs; beside it `Write` on its transactional ids."""
    topics = settings.webhook_topics
    assert topics.commands is not None
    read = (topics.source, topics.state, topics.commands)
    written = (*topics.written, topics.commands)
    return [
        *(Grant(Operation.READ, name) for name in read),
        *(Grant(Operation.WRITE, name) for name in written),
        *(Grant(Operation.DESCRIBE_CONFIGS, name) for name in (topics.source, *written)),
        Grant(Operation.READ, group, "group"),
    ]
