"""Which topic a name stands for now, and whether its partitions can be written to.

A topic that was deleted and created anew has the same name and another id, and positions in the old one mean
nothing there. aiokafka asks for metadata in a version without ids, so the request is spelled out here
(Kafka's protocol guide, `Metadata` version 10). Brokers that do not know it are asked in aiokafka's own way.
"""

import uuid
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

_METADATA = 3
_NO_ID = uuid.UUID(int=0)


class TopicMetadata(NamedTuple):
    """A topic as a broker has it now."""

    id: str | None
    """Kafka's own, for good; None where the broker gives none."""
    partitions: int
    writable: bool
    """Each partition has a leader, and most of its replicas are in sync."""


class _Uuid:
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))

    @classmethod
    def repr(cls, value: uuid.UUID) -> str:
        return str(value)


_TEXT: Any = CompactString("utf-8")
_UUID: Any = _Uuid


class _Answer(Response):
    API_KEY = _METADATA
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields)),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _TEXT),
                ("topic_id", _UUID),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = 10
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _UUID), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Request(Request[_Question]):
    API_KEY = _METADATA

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics: list[tuple[uuid.UUID, str, dict[int, bytes]]] = [(_NO_ID, topic, {}) for topic in topics]

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class(self._topics, False, False, False, {})


async def look_up(client: AIOKafkaClient, topics: Sequence[str]) -> dict[str, TopicMetadata]:
    """Those of `topics` that exist and that we may see; none is created.

    `client` must have been bootstrapped. Raises KafkaError where no broker answers.
    """
    try:
        answer = await _ask(client, _Request(topics))
    except NotImplementedError:  # the broker does not know this version
        answer = await _ask(client, MetadataRequest(list(topics), allow_auto_topic_creation=False))
    found = {}
    for topic in answer.to_object()["topics"]:
        if topic["error_code"]:
            continue
        known = topic.get("topic_id", _NO_ID)
        found[topic.get("name", topic.get("topic"))] = TopicMetadata(
            None if known == _NO_ID else str(known),
            len(topic["partitions"]),
            all(_is_writable(each) for each in topic["partitions"]),
        )
    return found


async def _ask(client: AIOKafkaClient, request: Request[Any]) -> Response:
    node = client.get_random_node()
    if node is None:
        raise KafkaConnectionError("no broker is known")
    answer: Response = await client.send(node, request)
    return answer


def _is_writable(partition: Mapping[str, Any]) -> bool:
    return bool(partition["leader"] >= 0 and 2 * len(partition["isr"]) > len(partition["replicas"]))
