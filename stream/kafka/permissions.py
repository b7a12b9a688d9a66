"""What Kafka lets us do, and which grant is missing.

A broker reports to each client what it may do. So all missing grants are named at once, and not found one by one while
interactions wait. Where clients do not sign in they all count as the same one, and nothing is checked.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError, for_code

from stream.errors import BrokerError
from stream.kafka.admin import admin_client, when_ready_for_groups
from stream.kafka.protocol import GroupWithOperations, MetadataWithIds
from stream.settings import Settings

_DENIED = 0


class Operation(IntEnum):
    """Kafka's numbers; an answer has the bit of each operation that is allowed."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10

    @property
    def word(self) -> str:
        """As `kafka-acls.sh` spells it."""
        return self.name.title().replace("_", "")


class Grant(NamedTuple):
    """Something that we must be allowed to do."""

    operation: Operation
    name: str
    resource: str = "topic"
    """As an option of `kafka-acls.sh`."""


def of_worker(settings: Settings, *, figures: bool = False) -> list[Grant]:
    """What a worker needs, and `lifecycle reset`; beside it `Write` on its transactional ids.

    `figures`: a lifecycle has some.
    """
    topics = settings.topics
    written: tuple[str, ...] = (topics.stage_changes, topics.current_stages, topics.customers, topics.dead_letters)
    if figures:
        written = (*written, topics.figures)
    return [
        *(Grant(Operation.READ, name) for name in (*topics.sources, topics.interactions, topics.customers)),
        *(Grant(Operation.WRITE, name) for name in ((topics.interactions, *written) if topics.sources else written)),
        *(Grant(Operation.DESCRIBE_CONFIGS, name) for name in (*topics.sources, topics.interactions, *written)),
        Grant(Operation.READ, settings.group, "group"),
    ]


def of_repartition(old: Settings, new: Settings, *, figures: bool = False) -> list[Grant]:
    """What `lifecycle repartition` needs, as a worker of both.

    Beside it `Create` and `AlterConfigs` on the new topics, and `Write` on its transactional ids. `figures`: a
    lifecycle has some.
    """
    read = (old.topics.current_stages, old.topics.figures) if figures else (old.topics.current_stages,)
    return [
        *of_worker(old, figures=figures),
        *of_worker(new, figures=figures),
        *(Grant(Operation.READ, name) for name in read),
        Grant(Operation.WRITE, new.topics.interactions),
        Grant(Operation.READ, copying_group(new), "group"),
    ]


def copying_group(new: Settings) -> str:
    """The consumer group whose offsets say up to where an old topic was copied to that of `new`."""
    return f"{new.group}-repartition"


def of_import(settings: Settings) -> list[Grant]:
    """What `lifecycle import` needs."""
    name = settings.topics.interactions
    return [Grant(Operation.WRITE, name), Grant(Operation.DESCRIBE_CONFIGS, name)]


def of_collector(settings: Settings) -> list[Grant]:
    """What `lifecycle collector` needs."""
    names = (*settings.topics.sent_to, settings.topics.dead_letters)
    return [Grant(operation, name) for name in names for operation in (Operation.WRITE, Operation.DESCRIBE_CONFIGS)]


def of_tail(settings: Settings) -> list[Grant]:
    """What `lifecycle tail` needs."""
    return [Grant(Operation.READ, settings.topics.stage_changes)]


def of_subscriber(settings: Settings, group: str | None) -> list[Grant]:
    """What a subscriber to stage changes needs, with a consumer group or without."""
    return [*of_tail(settings), *([] if group is None else [Grant(Operation.READ, group, "group")])]


def of_export(topics: Iterable[str]) -> list[Grant]:
    """What `lifecycle export` needs for these topics, whether they exist or not: nothing may be left out unsaid."""
    return [Grant(operation, name) for name in topics for operation in (Operation.READ, Operation.DESCRIBE_CONFIGS)]


def of_verify(settings: Settings) -> list[Grant]:
    """What `lifecycle verify` needs."""
    return [Grant(Operation.READ, name) for name in settings.topics.own]


def of_dead_letters(settings: Settings) -> list[Grant]:
    """What `lifecycle dead-letters list` and `show` need."""
    return [Grant(Operation.READ, settings.topics.dead_letters)]


def of_webhooks(settings: Settings) -> list[Grant]:
    """What `lifecycle webhooks` needs, with the settings of that role; beside it `Write` on its transactional ids."""
    topics = settings.webhook_topics
    read = (topics.source, topics.state, *_commands(settings))
    return [
        *(Grant(Operation.READ, name) for name in read),
        *(Grant(Operation.WRITE, name) for name in topics.beside_source),
        *(Grant(Operation.DESCRIBE_CONFIGS, name) for name in topics.beside_source),
        Grant(Operation.READ, settings.group, "group"),
    ]


def of_webhook_commands(settings: Settings) -> list[Grant]:
    """What `lifecycle webhooks pause` and `resume` need."""
    return [Grant(Operation.WRITE, name) for name in _commands(settings)]


def of_webhook_replay(settings: Settings) -> list[Grant]:
    """What `lifecycle webhooks replay` needs."""
    read = (settings.webhook_topics.dead_letters, *_commands(settings))
    return [*(Grant(Operation.READ, name) for name in read), *of_webhook_commands(settings)]


def of_webhook_attempts(settings: Settings) -> list[Grant]:
    """What `lifecycle webhooks deliveries` needs."""
    return [Grant(Operation.READ, settings.webhook_topics.events)]


def _commands(settings: Settings) -> tuple[str, ...]:
    name = settings.webhook_topics.commands
    return () if name is None else (name,)


def of_latest_changes(settings: Settings) -> list[Grant]:
    """What `lifecycle webhooks test --customer` needs."""
    return [Grant(Operation.READ, settings.topics.current_stages)]


def of_replay(settings: Settings) -> list[Grant]:
    """What `lifecycle dead-letters replay` needs; beside it `Write` on its transactional id."""
    topics = settings.topics
    return [
        *of_dead_letters(settings),
        Grant(Operation.WRITE, topics.dead_letters),
        Grant(Operation.WRITE, topics.interactions),
        Grant(Operation.DESCRIBE_CONFIGS, topics.interactions),
    ]


def of_topics(settings: Settings, names: Iterable[str] | None = None) -> list[Grant]:
    """What `lifecycle topics` needs for `names`, else for those of a worker; to create topics also that."""
    names = settings.topics.all if names is None else names
    return [Grant(operation, name) for name in names for operation in (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)]


async def require(settings: Settings, grants: Iterable[Grant]) -> None:
    """Return where all `grants` are given, or the broker is too old to report them.

    Raises BrokerError with all that are missing, KafkaError and the like where the broker does not answer.
    """
    if settings.security_protocol == "plaintext":
        return
    wanted = list(grants)
    async with admin_client(settings) as admin:
        try:
            allowed = await _of_topics(admin, {each.name for each in wanted if each.resource == "topic"})
            for each in wanted:
                if each.resource == "group":
                    allowed[each.resource, each.name] = await _of_group(admin, each.name)
        except NotImplementedError:
            return
    missing = [each for each in wanted if not allowed[each.resource, each.name] >> each.operation & 1]
    if missing:
        raise BrokerError(
            f"Kafka at {settings.bootstrap} does not let us do all that we have to; {remedy(settings, missing)}"
        )


def remedy(settings: Settings, missing: Iterable[Grant]) -> str:
    """The commands for who administers Kafka, one for each resource."""
    operations: dict[tuple[str, str], list[str]] = {}
    for each in missing:
        operations.setdefault((each.resource, each.name), []).append(f"--operation {each.operation.word}")
    user = settings.sasl_username if settings.uses_sasl else "<as our certificate says>"
    command = f"kafka-acls.sh --bootstrap-server {settings.bootstrap} --command-config <admin.properties>"
    lines = (
        f"  {command} --add --allow-principal User:{user} {' '.join(words)} --{resource} {name}"
        for (resource, name), words in operations.items()
    )
    return "\n".join(("who administers Kafka grants it with", *lines))


async def _of_topics(admin: AIOKafkaAdminClient, names: set[str]) -> dict[tuple[str, str], int]:
    """What we may do with each topic, whether it exists or not, as bits by operation."""
    if not names:
        return {}
    answer: Any = await admin._send_request(MetadataWithIds(sorted(names), operations=True))
    allowed = {("topic", name): _DENIED for name in names}
    for code, name, _id, _internal, _partitions, operations, _tags in answer.topics:
        if for_code(code) is not TopicAuthorizationFailedError:
            allowed["topic", name] = operations
    return allowed


async def _of_group(admin: AIOKafkaAdminClient, name: str) -> int:
    """As `_of_topics`, of a consumer group."""

    async def ask() -> int:
        coordinator = await admin.find_coordinator(name)
        answer: Any = await admin._send_request(GroupWithOperations(name), coordinator)
        [(code, *_about, operations)] = answer.groups
        if code:
            raise for_code(code)(f"group {name}")
        return int(operations)

    try:
        return await when_ready_for_groups(ask)
    except GroupAuthorizationFailedError:
        return _DENIED
