"""The topics of deliveries: what waits, what was tried, what was given up, and commands."""

from collections.abc import Iterable, Mapping
from typing import Final

from stream.core.durations import DAY
from stream.kafka.durability import durable_configs, replication_for
from stream.kafka.topic_plan import CHANGELOG, FoundTopic, TopicFinding, TopicPlan, compare
from stream.kafka.topics import count_partitions, create_missing, ensure_topics, survey, without_errors
from stream.settings import Settings

_KEPT: Final = str(30 * DAY)


async def ensure_webhook_topics(settings: Settings) -> list[TopicFinding]:
    """Create those that are missing, and where there is no topic of stage changes all of a worker; returns warnings.

    Of a worker's topics none but that of stage changes is looked at: nobody has to let us. Raises as `ensure_topics`.
    """
    topics, warnings = settings.webhook_topics, []
    counts = await count_partitions(settings, topics.source)
    if topics.source not in counts:
        warnings = await ensure_topics(settings)
        counts = await count_partitions(settings, topics.source)
    seen = found, brokers = await survey(settings, topics.beside_source)
    plans = plan_webhook_topics(settings, counts[topics.source], len(brokers))
    warnings += without_errors(compare_webhook_topics(settings, plans, found, len(brokers)))
    await create_missing(settings, plans, seen)
    return warnings


def plan_webhook_topics(settings: Settings, partitions: int, brokers: int = 1) -> list[TopicPlan]:
    """As we would create them in a cluster of so many brokers; `partitions` are those of the stage changes."""
    topics, replication = settings.webhook_topics, replication_for(settings, brokers)
    durable = durable_configs(replication)
    assert topics.commands is not None
    kept = {"cleanup.policy": "delete", "retention.ms": _KEPT}
    return [
        TopicPlan(name, purpose, partitions, {**configs, **durable}, replication)
        for name, purpose, configs in (
            (topics.state, "deliveries that wait (internal)", CHANGELOG),
            (topics.events, "attempts to deliver", kept),
            (topics.dead_letters, "deliveries that were given up", kept),
            (topics.commands, "commands to deliveries (internal)", kept),
        )
    ]


def compare_webhook_topics(
    settings: Settings, plans: Iterable[TopicPlan], found: Mapping[str, FoundTopic], brokers: int = 1
) -> list[TopicFinding]:
    """What is missing, wrong or doubtful; as `compare` does it for a worker's topics."""
    plans = list(plans)
    wrong = [
        TopicFinding(
            "error",
            plan.name,
            f"has {topic.partitions} partitions, but {settings.webhook_topics.source} has {plan.partitions}: what "
            "waits for a customer would not be found where its stage changes are",
            "give both the same number; a topic that holds nothing yet may be deleted and is then created again: "
            f"kafka-topics.sh --bootstrap-server {settings.bootstrap} --delete --topic {plan.name}",
        )
        for plan in plans
        if (topic := found.get(plan.name)) is not None and topic.partitions != plan.partitions
    ]
    return [*compare(settings, plans, found, brokers), *wrong]
