"""Look the product's topics up on the broker, and create those that are missing."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    KafkaConnectionError,
    NodeNotReadyError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream.errors import BrokerError, TopicError
from stream.events import Event, report
from stream.kafka.admin import admin_client
from stream.kafka.durability import few_brokers
from stream.kafka.permissions import Grant, Operation, remedy
from stream.kafka.topic_plan import FoundTopic, Survey, TopicFinding, TopicPlan, compare, plan_topics
from stream.settings import Settings

log = logging.getLogger(__name__)

_LEADERS_DEADLINE = 30.0
_AGREE_DEADLINE, _AGREE_PAUSE = 30.0, 0.1
_EXISTS = TopicAlreadyExistsError.errno


async def find_topics(settings: Settings, names: Iterable[str] | None = None) -> dict[str, FoundTopic]:
    """Those of our topics, or of `names`, that exist.

    Raises BrokerError where Kafka refuses us, KafkaError and the like when the broker does not answer.
    """
    async with admin_client(settings) as admin:
        return await _find(admin, settings, set(settings.topics.all if names is None else names))


async def survey(settings: Settings, names: Iterable[str] | None = None) -> Survey:
    """Those of our topics, or of `names`, that exist, and the brokers. Raises as `find_topics`."""
    async with admin_client(settings) as admin:
        return await _survey(admin, settings, names)


async def count_partitions(settings: Settings, *names: str) -> dict[str, int]:
    """How many partitions each of these topics has, where it exists. Raises as `find_topics`."""
    async with admin_client(settings) as admin:
        return await _counts(admin, set(names))


async def require_topic(settings: Settings, name: str, otherwise: str) -> FoundTopic:
    """A topic that must exist. Raises TopicError with what it means `otherwise`, and as `find_topics`."""
    found = (await find_topics(settings, [name])).get(name)
    if found is None:
        raise _absent(settings, name, otherwise)
    return found


async def require_partitions(settings: Settings, names: Iterable[str], otherwise: str) -> dict[str, int]:
    """How many partitions each of our topics has that exists; `names` must. Raises as `require_topic`."""
    names = list(names)
    counts = await count_partitions(settings, *settings.topics.all, *names)
    for name in names:
        if name not in counts:
            raise _absent(settings, name, otherwise)
    return counts


def _absent(settings: Settings, name: str, otherwise: str) -> TopicError:
    return TopicError(
        f"topic {name} does not exist on {settings.bootstrap}: {otherwise}. "
        "Are bootstrap, topic_prefix and interactions as the workers have them?"
    )


async def ensure_topics(settings: Settings, *, figures: bool = False) -> list[TopicFinding]:
    """Create what is missing; returns warnings. `figures`: a lifecycle has some.

    Raises TopicError with all that does not fit, and as `find_topics`.
    """
    async with admin_client(settings) as admin:
        seen = found, brokers = await _survey(admin, settings, settings.topics.named(figures=figures))
        plans = plan_topics(settings, found, len(brokers), figures=figures)
        warnings = without_errors(compare(settings, plans, found, len(brokers)))
        await _create_missing(admin, settings, plans, seen)
        return warnings


def without_errors(findings: Iterable[TopicFinding]) -> list[TopicFinding]:
    """The warnings. Raises TopicError with all errors, where there are any."""
    findings = list(findings)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        raise TopicError("\n".join(map(str, errors)))
    return [finding for finding in findings if finding.level == "warning"]


async def create_missing(settings: Settings, plans: Sequence[TopicPlan], seen: Survey) -> None:
    """Create those of these topics that a survey did not find. Raises as `find_topics`."""
    async with admin_client(settings) as admin:
        await _create_missing(admin, settings, plans, seen)


async def _create_missing(
    admin: AIOKafkaAdminClient, settings: Settings, plans: Sequence[TopicPlan], seen: Survey
) -> None:
    missing = [plan for plan in plans if plan.name not in seen.found]
    if missing:
        await _create(admin, settings, missing)
        lacking = few_brokers(settings, len(seen.brokers))
        if lacking is not None:
            report(log.info, Event.BROKERS_FEW, "{reason}", reason=lacking)


async def _survey(admin: AIOKafkaAdminClient, settings: Settings, names: Iterable[str] | None = None) -> Survey:
    found = await _find(admin, settings, set(settings.topics.all if names is None else names))
    cluster = await admin.describe_cluster()
    return Survey(found, tuple(sorted(broker["node_id"] for broker in cluster["brokers"])))


async def _find(admin: AIOKafkaAdminClient, settings: Settings, names: set[str]) -> dict[str, FoundTopic]:
    """Asked again where one broker knows a topic and another does not: it was created or deleted a moment ago."""
    async with asyncio.timeout(_AGREE_DEADLINE):
        while True:
            described = await _describe(admin, names)
            configs = await _configs(admin, settings, sorted(described))
            if configs.keys() >= described.keys():
                return {name: FoundTopic(len(each), configs[name], each) for name, each in described.items()}
            await asyncio.sleep(_AGREE_PAUSE)


async def _configs(admin: AIOKafkaAdminClient, settings: Settings, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """The settings of these topics, but of those that the broker which was asked does not know."""
    configs: dict[str, dict[str, str]] = {}
    if not names:
        return configs
    for response in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names]):
        answer: Any = response
        for code, message, _, name, entries in answer.resources:
            if for_code(code) is TopicAuthorizationFailedError:
                raise BrokerError(
                    f"Kafka does not let us read the settings of topic {name}; "
                    + remedy(settings, [Grant(Operation.DESCRIBE_CONFIGS, name)])
                )
            if for_code(code) is UnknownTopicOrPartitionError:
                continue
            if code:
                raise for_code(code)(f"settings of topic {name}: {message}")
            configs[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return configs


async def _counts(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, int]:
    return {name: len(replicas) for name, replicas in (await _describe(admin, names)).items()}


async def _describe(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, tuple[tuple[int, ...], ...]]:
    described = await admin.describe_topics()  # all: to name a topic may create it
    return {
        topic["topic"]: tuple(
            tuple(each["replicas"]) for each in sorted(topic["partitions"], key=itemgetter("partition"))
        )
        for topic in described
        if topic["topic"] in names
    }


async def _create(admin: AIOKafkaAdminClient, settings: Settings, plans: Sequence[TopicPlan]) -> None:
    response: Any = await admin.create_topics(
        [NewTopic(plan.name, plan.partitions, plan.replication, topic_configs=dict(plan.configs)) for plan in plans]
    )
    for name, code, *message in response.topic_errors:
        if for_code(code) in (TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
            command = (
                "lifecycle topics" if name in settings.topics.named(figures=True) else "lifecycle topics --webhooks"
            )
            raise BrokerError(
                f"topic {name} does not exist, and Kafka does not let us create it; have it created by who may, with "
                f"`{command}`, or {remedy(settings, [Grant(Operation.CREATE, name)])}"
            )
        if for_code(code) is InvalidReplicationFactorError:
            raise BrokerError(
                f"topic {name} could not be created: the cluster has fewer than {settings.replication} brokers "
                "(setting replication); start them, or set replication to auto or to fewer"
            )
        if code and code != _EXISTS:  # another worker was faster
            raise BrokerError(
                f"topic {name} could not be created: {for_code(code).__name__} {' '.join(map(str, message))}"
            )
    report(
        log.info,
        Event.TOPICS_CREATED,
        "created topics, with replication {replication}: {topics}",
        replication=plans[0].replication,
        topics=[plan.name for plan in plans],
    )
    async with asyncio.timeout(_LEADERS_DEADLINE):
        for broker in (await admin.describe_cluster())["brokers"]:
            await _until_told(admin, broker["node_id"], plans)


async def _until_told(admin: AIOKafkaAdminClient, broker: int, plans: Sequence[TopicPlan]) -> None:
    """Return once this broker knows our topics, or is away: each one hears of them on its own, a moment later."""
    while True:
        try:
            answer: Any = await admin._send_request(MetadataRequest(None), broker)
        except (KafkaConnectionError, NodeNotReadyError):
            return
        if _all_led(answer.to_object()["topics"], plans):
            return
        await asyncio.sleep(0.05)


def _all_led(described: Iterable[Any], plans: Iterable[TopicPlan]) -> bool:
    led = {
        topic["topic"]: sum(
            partition["leader"] >= 0 and not partition["error_code"] for partition in topic["partitions"]
        )
        for topic in described
    }
    return all(led.get(plan.name, 0) > 0 for plan in plans)
