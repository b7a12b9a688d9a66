"""The topics that a worker needs as we would create them, and how those that are there differ. Without I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from stream.codec.dead_letters import LARGEST
from stream.core.durations import DAY
from stream.kafka.create_time import harms
from stream.kafka.durability import check_durability, durable_configs, replication_for
from stream.kafka.retention import differs, meaning, retention_ms
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings
from stream.topic_names import TopicNames

DEFAULT_MAX_MESSAGE = 1_048_588
_HEADROOM = 256 << 10
"""By how much a dead letter may be larger than an interaction, and a record that is gathered."""
_ROOM_GATHERED = DEFAULT_MAX_MESSAGE + _HEADROOM

COMPACTED: Final = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY)}
"""Of a topic of the latest records. Without the lag Kafka keeps what was replaced or erased for as long as it likes."""
CHANGELOG: Final = {**COMPACTED, "segment.bytes": str(64 << 20), "min.cleanable.dirty.ratio": "0.1"}
"""Of a topic that is written with every batch, and read whole before a partition goes on: so it is kept small."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as we would create it."""

    name: str
    purpose: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)
    replication: int = 1


class FoundTopic(NamedTuple):
    """A topic as the broker has it; a setting that the broker does not report is left out."""

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


def plan_topics(
    settings: Settings, found: Mapping[str, FoundTopic], brokers: int = 1, *, figures: bool = False
) -> list[TopicPlan]:
    """The topics of `settings` in a cluster of so many brokers.

    An existing interactions topic decides partitions and sizes of the others; where interactions are gathered from
    several topics, and that which they are gathered into does not exist yet, the first of these that does.
    `figures`: a lifecycle has some.
    """
    names = settings.topics
    source = found.get(names.interactions) or next((found[name] for name in names.sources if name in found), None)
    partitions = source.partitions if source else settings.partitions
    largest = _whole(source, "max.message.bytes", DEFAULT_MAX_MESSAGE) if source else DEFAULT_MAX_MESSAGE
    month = str(30 * DAY)
    kept = str(retention_ms(settings, _longest_kept(found[name] for name in names.sent_to if name in found)))
    sent = {"cleanup.policy": "delete", "retention.ms": kept, "message.timestamp.type": "LogAppendTime"}
    plans = [TopicPlan(name, "what customers do, gathered from here", partitions, sent) for name in names.sources]
    plans += [
        TopicPlan(names.interactions, "what customers do", partitions, _gathered(names, found, sent)),
        TopicPlan(
            names.stage_changes,
            "stage changes",
            partitions,
            {"cleanup.policy": "delete", "retention.ms": month},
        ),
        TopicPlan(names.current_stages, "the latest stage of everyone", partitions, COMPACTED),
        TopicPlan(
            names.customers,
            "state of customers and positions (internal)",
            partitions,
            CHANGELOG,
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
    if figures:
        plans.append(TopicPlan(names.figures, "figures of each day, such as orders", partitions, COMPACTED))
    replication = replication_for(settings, brokers)
    durable = durable_configs(replication)
    return [replace(plan, replication=replication, configs={**plan.configs, **durable}) for plan in plans]


def _gathered(names: TopicNames, found: Mapping[str, FoundTopic], sent: Mapping[str, str]) -> dict[str, str]:
    """The settings of the topic that is processed: where it is gathered, records keep their times and have room."""
    if not names.sources:
        return dict(sent)
    largest = str(max(map(_room, (found[name] for name in names.sources if name in found)), default=_ROOM_GATHERED))
    return {**sent, "message.timestamp.type": "CreateTime", "max.message.bytes": largest}


def _longest_kept(topics: Iterable[FoundTopic]) -> str | None:
    """The longest `retention.ms` of these topics; -1 is the longest there is, None: none of them says."""
    kept = [int(each.configs["retention.ms"]) for each in topics if "retention.ms" in each.configs]
    return str(-1 if -1 in kept else max(kept)) if kept else None


def _room(source: FoundTopic) -> int:
    """What a topic needs to take each record of that one, with a header more; and a full batch of ours."""
    return max(_whole(source, "max.message.bytes", DEFAULT_MAX_MESSAGE) + _HEADROOM, _ROOM_GATHERED)


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
        elif plan.name in names.sources:
            findings += [*_check_source(settings, plan.name, topic), *_check_gathered(settings, plan, topic, found)]
        elif plan.name == names.interactions:
            findings += [] if names.sources else _check_source(settings, plan.name, topic)
        elif plan.name == names.dead_letters:
            findings += _check_dead_letters(settings, plan, topic)
        else:
            findings += _check_size(settings, plan.name, topic)
            findings += _check_cleanup(settings, plan, topic) or _check_lag(settings, plan, topic)
        if topic is not None and plan.name == names.customers and topic.partitions != plan.partitions:
            findings.append(_wrong_count(settings, plan, topic))
        if plan.name == names.interactions:
            findings += _check_retention(settings, plan.name, topic)
        if topic is not None:
            findings += _check_durability(settings, plan.name, topic, brokers)
    return findings


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


def _check_gathered(
    settings: Settings, plan: TopicPlan, topic: FoundTopic, found: Mapping[str, FoundTopic]
) -> list[TopicFinding]:
    """Whether each record of a topic can be gathered, into the partition where its customer's state is."""
    into = settings.topics.interactions
    findings = []
    if topic.partitions != plan.partitions:
        findings.append(
            TopicFinding(
                "error",
                plan.name,
                f"has {topic.partitions} partitions, but {into}, into which it is gathered, has {plan.partitions}: "
                "a customer's interactions would be looked for on several partitions",
                "give all topics of the setting interactions the same number of partitions",
            )
        )
    target = found.get(into)
    kept, wanted = (None if each is None else _longest_kept([each]) for each in (target, topic))
    if kept is not None and kept != "-1" and wanted is not None and (wanted == "-1" or int(wanted) > int(kept)):
        findings.append(
            TopicFinding(
                "warning",
                into,
                f"keeps interactions for {kept} ms, {plan.name}, which is gathered into it, for {wanted}: older ones, "
                "which keep their times, are deleted soon after they were gathered, perhaps unprocessed",
                _alter_command(settings, into, f"retention.ms={wanted}"),
            )
        )
    if target is not None and _whole(target, "max.message.bytes", DEFAULT_MAX_MESSAGE) < _room(topic):
        findings.append(
            TopicFinding(
                "error",
                into,
                f"takes messages of {_whole(target, 'max.message.bytes', DEFAULT_MAX_MESSAGE)} bytes; one of "
                f"{plan.name}, which is gathered into it, may need {_room(topic)}",
                _alter_command(settings, into, f"max.message.bytes={_room(topic)}"),
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


def _check_lag(settings: Settings, plan: TopicPlan, topic: FoundTopic) -> list[TopicFinding]:
    name = "max.compaction.lag.ms"
    wanted, found = plan.configs.get(name), topic.configs.get(name)
    if wanted is None or found is None or int(found) <= int(wanted):
        return []
    problem = f"{name} is {found}: what was replaced, also of customers who are forgotten, may stay for as long"
    return [TopicFinding("warning", plan.name, problem, _alter_command(settings, plan.name, f"{name}={wanted}"))]


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
        "give both the same number; a state that holds nothing yet may be deleted and is then created again: "
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
