"""The topics that a worker needs: plan them, compare with what is there, create what is missing."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from stream.codec.dead_letters import LARGEST
from stream.errors import BrokerError, TopicError
from stream.events import Event, report
from stream.kafka.admin import admin_client
from stream.kafka.create_time import harms
from stream.kafka.durability import check_durability, durable_configs, few_brokers, replication_for
from stream.kafka.permissions import Grant, Operation, remedy
from stream.kafka.retention import differs, meaning, retention_ms
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
DEFAULT_MAX_MESSAGE = 1_048_588
_HEADROOM = 256 << 10
"""By how much a dead letter may be larger than an interaction."""
_LEADERS_DEADLINE = 30.0
_EXISTS = TopicAlreadyExistsError.errno


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as we would create it."""

    name: str
    purpose: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)
    replication: int = 1


class FoundTopic(NamedTuple):
    """A topic as the broker has it; a setting that the broker does not tell is left out."""

    partitions: int
    configs: Mapping[str, str]
    replicas: tuple[tuple[int, ...], ...] = ()
    """By partition, which brokers hold it; empty where that is not known."""

    @property
    def replication(self) -> int | None:
        """The least of its partitions; None where it is not known."""
        return min(map(len, self.replicas), default=None)


class Survey(NamedTuple):
    """What there is on the broker's side."""

    found: dict[str, FoundTopic]
    brokers: tuple[int, ...]
    """Their numbers, of those that are there."""


@dataclass(frozen=True, slots=True)
class TopicFinding:
    """Something about a topic, and what to do about it."""

    level: Literal["missing", "note", "warning", "error"]
    topic: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.problem}; {self.remedy}"


def plan_topics(settings: Settings, found: Mapping[str, FoundTopic], brokers: int = 1) -> list[TopicPlan]:
    """The topics of `settings` in a cluster of so many brokers.

    An existing interactions topic decides partitions and sizes of the others.
    """
    names = settings.topics
    source = found.get(names.interactions)
    partitions = source.partitions if source else settings.partitions
    largest = _whole(source, "max.message.bytes", DEFAULT_MAX_MESSAGE) if source else DEFAULT_MAX_MESSAGE
    month = str(30 * DAY_MS)
    kept = str(retention_ms(settings, source.configs.get("retention.ms") if source else None))
    plans = [
        TopicPlan(
            names.interactions,
            "what customers do",
            partitions,
            {"cleanup.policy": "delete", "retention.ms": kept, "message.timestamp.type": "LogAppendTime"},
        ),
        TopicPlan(
            names.stage_changes,
            "stage changes",
            partitions,
            {"cleanup.policy": "delete", "retention.ms": month},
        ),
        TopicPlan(names.current_stages, "the latest stage of everyone", partitions, {"cleanup.policy": "compact"}),
        TopicPlan(
            names.customers,
            "state of customers and positions (internal)",
            partitions,
            {
                "cleanup.policy": "compact",
                "segment.bytes": str(64 << 20),
                "min.cleanable.dirty.ratio": "0.1",
                "max.compaction.lag.ms": str(DAY_MS),
            },
        ),
        TopicPlan(
            names.dead_letters,
            "what could not be processed",
            partitions,
            {
                "cleanup.policy": "delete",
                "retention.ms": month,
                "max.message.bytes": str(max(largest + _HEADROOM, LARGEST)),
            },
        ),
    ]
    replication = replication_for(settings, brokers)
    durable = durable_configs(replication)
    return [replace(plan, replication=replication, configs={**plan.configs, **durable}) for plan in plans]


def compare(
    settings: Settings, plans: Iterable[TopicPlan], found: Mapping[str, FoundTopic], brokers: int = 1
) -> list[TopicFinding]:
    """What is missing, wrong or doubtful, in the order of the plan."""
    names, findings = settings.topics, []
    for plan in plans:
        topic = found.get(plan.name)
        if topic is None:
            remedy = "it will be created: " + _create_command(settings, plan)
            findings.append(TopicFinding("missing", plan.name, "does not exist", remedy))
        elif plan.name == names.interactions:
            findings += _check_source(settings, plan.name, topic)
        elif plan.name == names.dead_letters:
            findings += _check_dead_letters(settings, plan, topic)
        else:
            findings += _check_size(settings, plan.name, topic)
            findings += _check_cleanup(settings, plan, topic)
        if topic is not None and plan.name == names.customers and topic.partitions != plan.partitions:
            findings.append(_wrong_count(settings, plan, topic))
        if plan.name == names.interactions:
            findings += _check_retention(settings, plan.name, topic)
        if topic is not None:
            findings += _check_durability(settings, plan.name, topic, brokers)
    return findings


async def find_topics(settings: Settings, names: Iterable[str] | None = None) -> dict[str, FoundTopic]:
    """Those of our topics, or of `names`, that exist.

    Raises BrokerError where Kafka refuses us, KafkaError and the like when the broker does not answer.
    """
    async with admin_client(settings) as admin:
        return await _find(admin, settings, set(settings.topics.all if names is None else names))


async def survey(settings: Settings) -> Survey:
    """Those of our topics that exist, and the brokers. Raises as `find_topics`."""
    async with admin_client(settings) as admin:
        return await _survey(admin, settings)


async def count_partitions(settings: Settings, *names: str) -> dict[str, int]:
    """How many partitions each of these topics has, where it exists. Raises as `find_topics`."""
    async with admin_client(settings) as admin:
        return await _counts(admin, set(names))


async def ensure_topics(settings: Settings) -> list[TopicFinding]:
    """Create what is missing; returns warnings.

    Raises TopicError with all that does not fit, and as `find_topics`.
    """
    async with admin_client(settings) as admin:
        found, brokers = await _survey(admin, settings)
        plans = plan_topics(settings, found, len(brokers))
        findings = compare(settings, plans, found, len(brokers))
        errors = [finding for finding in findings if finding.level == "error"]
        if errors:
            raise TopicError("\n".join(map(str, errors)))
        missing = [plan for plan in plans if plan.name not in found]
        if missing:
            await _create(admin, settings, missing)
            lacking = few_brokers(settings, len(brokers))
            if lacking is not None:
                report(log.info, Event.BROKERS_FEW, "{reason}", reason=lacking)
        return [finding for finding in findings if finding.level == "warning"]


async def _survey(admin: AIOKafkaAdminClient, settings: Settings) -> Survey:
    found = await _find(admin, settings, set(settings.topics.all))
    cluster = await admin.describe_cluster()
    return Survey(found, tuple(sorted(broker["node_id"] for broker in cluster["brokers"])))


async def _find(admin: AIOKafkaAdminClient, settings: Settings, names: set[str]) -> dict[str, FoundTopic]:
    described = await _describe(admin, names)
    if not described:
        return {}
    configs: dict[str, dict[str, str]] = {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(described)]
    for response in await admin.describe_configs(resources):
        answer: Any = response
        for code, message, _, name, entries in answer.resources:
            if for_code(code) is TopicAuthorizationFailedError:
                raise BrokerError(
                    f"Kafka does not let us read the settings of topic {name}; "
                    + remedy(settings, [Grant(Operation.DESCRIBE_CONFIGS, name)])
                )
            if code:
                raise for_code(code)(f"settings of topic {name}: {message}")
            configs[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return {name: FoundTopic(len(replicas), configs.get(name, {}), replicas) for name, replicas in described.items()}


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
            raise BrokerError(
                f"topic {name} does not exist, and Kafka does not let us create it; have it created by who may, with "
                f"`lifecycle topics`, or {remedy(settings, [Grant(Operation.CREATE, name)])}"
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
        while not _all_led(await admin.describe_topics(), plans):  # noqa: ASYNC110 the broker sends no event
            await asyncio.sleep(0.05)


def _all_led(described: Iterable[Any], plans: Iterable[TopicPlan]) -> bool:
    led = {
        topic["topic"]: sum(
            partition["leader"] >= 0 and not partition["error_code"] for partition in topic["partitions"]
        )
        for topic in described
    }
    return all(led.get(plan.name, 0) > 0 for plan in plans)


def _check_source(settings: Settings, name: str, topic: FoundTopic) -> list[TopicFinding]:
    findings = []
    if topic.configs.get("message.timestamp.type") == "CreateTime":
        findings.append(
            TopicFinding(
                "warning",
                name,
                harms(topic.configs),
                _alter_command(settings, name, "message.timestamp.type=LogAppendTime"),
            )
        )
    if "compact" in topic.configs.get("cleanup.policy", ""):
        findings.append(
            TopicFinding(
                "warning",
                name,
                "compaction removes all but the latest interaction of a customer, perhaps before it was read",
                _alter_command(settings, name, "cleanup.policy=delete"),
            )
        )
    return findings


def _check_retention(settings: Settings, name: str, topic: FoundTopic | None) -> list[TopicFinding]:
    found = None if topic is None else topic.configs.get("retention.ms")
    if topic is not None and (found is None or "delete" not in topic.configs.get("cleanup.policy", "delete")):
        return []
    other = differs(settings, found)
    if other is not None:
        return [TopicFinding("warning", name, other.problem, _alter_command(settings, name, other.remedy))]
    meant = meaning(settings, found)
    level: Literal["note", "warning"] = "warning" if settings.retention is None else "note"
    return [] if meant is None else [TopicFinding(level, name, meant.problem, meant.remedy)]


def _check_durability(settings: Settings, name: str, topic: FoundTopic, brokers: int) -> list[TopicFinding]:
    advice = check_durability(settings, brokers, topic.replication, topic.configs)
    if advice is None:
        return []
    is_config = advice.remedy.startswith("min.insync.replicas=")
    remedy = _alter_command(settings, name, advice.remedy) if is_config else advice.remedy
    return [TopicFinding("warning", name, advice.problem, remedy)]


def _check_cleanup(settings: Settings, plan: TopicPlan, topic: FoundTopic) -> list[TopicFinding]:
    wanted, policy = plan.configs["cleanup.policy"], topic.configs.get("cleanup.policy")
    if policy is None or policy == wanted:
        return []
    loss = (
        "records would be deleted by age" if wanted == "compact" else "all but a customer's latest change would be lost"
    )
    level: Literal["warning", "error"] = "error" if wanted == "compact" else "warning"
    remedy = _alter_command(settings, plan.name, f"cleanup.policy={wanted}")
    return [TopicFinding(level, plan.name, f"cleanup.policy is {policy}, not {wanted}: {loss}", remedy)]


def _check_size(settings: Settings, name: str, topic: FoundTopic) -> list[TopicFinding]:
    largest = _whole(topic, "max.message.bytes", DEFAULT_MAX_MESSAGE)
    needed = BATCH_BYTES + (64 << 10)
    if largest >= needed:
        return []
    remedy = _alter_command(settings, name, f"max.message.bytes={DEFAULT_MAX_MESSAGE}")
    return [
        TopicFinding("error", name, f"max.message.bytes is {largest}, but we write batches of up to {needed}", remedy)
    ]


def _check_dead_letters(settings: Settings, plan: TopicPlan, topic: FoundTopic) -> list[TopicFinding]:
    largest = _whole(topic, "max.message.bytes", DEFAULT_MAX_MESSAGE)
    too_small = _check_size(settings, plan.name, topic)
    if too_small or "max.message.bytes" not in topic.configs or largest >= LARGEST:
        return too_small
    return [
        TopicFinding(
            "error",
            plan.name,
            f"max.message.bytes is {largest}: a dead letter has up to {LARGEST} bytes, and one that does not fit stops "
            "its partition",
            _alter_command(settings, plan.name, f"max.message.bytes={LARGEST}"),
        )
    ]


def _wrong_count(settings: Settings, plan: TopicPlan, topic: FoundTopic) -> TopicFinding:
    return TopicFinding(
        "error",
        plan.name,
        f"has {topic.partitions} partitions, but {settings.topics.interactions} has {plan.partitions}: "
        "a customer's state would not be found where its interactions are",
        "give both the same number; a state that holds nothing yet may be deleted and is then created anew: "
        f"kafka-topics.sh --bootstrap-server {settings.bootstrap} --delete --topic {plan.name}",
    )


def _whole(topic: FoundTopic, name: str, default: int) -> int:
    return int(topic.configs.get(name, default))


def _alter_command(settings: Settings, topic: str, config: str) -> str:
    return (
        f"kafka-configs.sh --bootstrap-server {settings.bootstrap} --alter --entity-type topics "
        f"--entity-name {topic} --add-config {config}"
    )


def _create_command(settings: Settings, plan: TopicPlan) -> str:
    configs = " ".join(f"--config {name}={value}" for name, value in plan.configs.items())
    return (
        f"kafka-topics.sh --bootstrap-server {settings.bootstrap} --create --topic {plan.name} "
        f"--partitions {plan.partitions} --replication-factor {plan.replication} {configs}"
    )
