"""What Kafka lets us do, and which grant is missing.

A broker tells each client what it may do, so what is missing is said at once, all of it, and not found one by one
while interactions wait. Where nobody signs in nobody can be told apart, and nothing is asked.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from stream.errors import BrokerError
from stream.kafka.admin import admin_client, when_ready_for_groups
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
        """As `kafka-acls.sh` takes it."""
        return self.name.title().replace("_", "")


class Grant(NamedTuple):
    """Something that we must be allowed to do."""

    operation: Operation
    name: str
    resource: str = "topic"
    """As an option of `kafka-acls.sh`."""


def of_worker(settings: Settings) -> list[Grant]:
    """What a worker needs, and `lifecycle reset`; beside it `Write` on its transactional ids."""
    topics = settings.topics
    written = (topics.stage_changes, topics.current_stages, topics.customers, topics.dead_letters)
    return [
        *(Grant(Operation.READ, name) for name in (topics.interactions, topics.customers)),
        *(Grant(Operation.WRITE, name) for name in written),
        *(Grant(Operation.DESCRIBE_CONFIGS, name) for name in (topics.interactions, *written)),
        Grant(Operation.READ, settings.group, "group"),
    ]


def of_import(settings: Settings) -> list[Grant]:
    """What `lifecycle import` needs."""
    name = settings.topics.interactions
    return [Grant(Operation.WRITE, name), Grant(Operation.DESCRIBE_CONFIGS, name)]


def of_tail(settings: Settings) -> list[Grant]:
    """What `lifecycle tail` needs."""
    return [Grant(Operation.READ, settings.topics.stage_changes)]


def of_verify(settings: Settings) -> list[Grant]:
    """What `lifecycle verify` needs."""
    return [Grant(Operation.READ, name) for name in settings.topics.all]


def of_letters(settings: Settings) -> list[Grant]:
    """What `lifecycle dead-letters list` and `show` need."""
    return [Grant(Operation.READ, settings.topics.dead_letters)]


def of_replay(settings: Settings) -> list[Grant]:
    """What `lifecycle dead-letters replay` needs; beside it `Write` on its transactional id."""
    topics = settings.topics
    return [
        *of_letters(settings),
        Grant(Operation.WRITE, topics.dead_letters),
        Grant(Operation.WRITE, topics.interactions),
        Grant(Operation.DESCRIBE_CONFIGS, topics.interactions),
    ]


def of_topics(settings: Settings) -> list[Grant]:
    """What `lifecycle topics` needs; to create topics also that."""
    names = settings.topics.all
    return [Grant(operation, name) for name in names for operation in (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)]


async def require(settings: Settings, grants: Iterable[Grant]) -> None:
    """Return where all `grants` are given, or the broker is too old to tell.

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
    answer: Any = await admin._send_request(_AboutTopics(sorted(names)))
    allowed = {("topic", name): _DENIED for name in names}
    for code, name, _internal, _partitions, operations in answer.topics:
        if for_code(code) is not TopicAuthorizationFailedError:
            allowed["topic", name] = operations
    return allowed


async def _of_group(admin: AIOKafkaAdminClient, name: str) -> int:
    """As `_of_topics`, of a consumer group."""

    async def ask() -> int:
        coordinator = await admin.find_coordinator(name)
        answer: Any = await admin._send_request(_AboutGroup(name), coordinator)
        [(code, *_about, operations)] = answer.groups
        if code:
            raise for_code(code)(f"group {name}")
        return int(operations)

    try:
        return await when_ready_for_groups(ask)
    except GroupAuthorizationFailedError:
        return _DENIED


class _TopicsResponse(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", String()), ("port", Int32), ("rack", String()))),
        ("cluster_id", String()),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String()),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("allowed", Int32),
            ),
        ),
        ("allowed", Int32),
    )


class _TopicsRequest(RequestStruct):
    """Version 8, of which aiokafka has no more than 5: with what we may do."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsResponse
    SCHEMA = Schema(
        ("topics", Array(String())), ("create_them", Boolean), ("cluster_allowed", Boolean), ("topics_allowed", Boolean)
    )


class _AboutTopics(Request[_TopicsRequest]):
    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_TopicsRequest]) -> _TopicsRequest:
        return request_struct_class(self._names, False, False, True)


class _GroupRequest(RequestStruct):
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3  # that of aiokafka's own is 2, which leaves out what we ask for
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


class _AboutGroup(Request[_GroupRequest]):
    API_KEY = 15

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, request_struct_class: type[_GroupRequest]) -> _GroupRequest:
        return request_struct_class([self._name], True)
