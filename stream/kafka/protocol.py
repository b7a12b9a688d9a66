"""Requests of Kafka's protocol that aiokafka does not have in the version that we need.

`Metadata` version 10 knows the ids of topics and what we may do with them; aiokafka has no more than 5. Brokers since
Kafka 2.8 know it; one that does not makes aiokafka raise NotImplementedError.
"""

import uuid
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_METADATA = 3
_DESCRIBE_GROUPS = 15
NO_ID = uuid.UUID(int=0)


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


class _MetadataResponse(Response):
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


class _MetadataStruct(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _UUID), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class MetadataWithIds(Request[_MetadataStruct]):
    """Topics by name with their ids; none is created. With `operations` also what we may do with each, as bits."""

    API_KEY = _METADATA

    def __init__(self, topics: Sequence[str], *, operations: bool = False) -> None:
        self._topics: list[tuple[uuid.UUID, str, dict[int, bytes]]] = [(NO_ID, topic, {}) for topic in topics]
        self._operations = operations

    def build(self, request_struct_class: type[_MetadataStruct]) -> _MetadataStruct:
        return request_struct_class(self._topics, False, False, self._operations, {})


class _DescribeGroupsStruct(RequestStruct):
    API_KEY = _DESCRIBE_GROUPS
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3  # that of aiokafka's own is 2, which leaves out what we ask for
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


class GroupWithOperations(Request[_DescribeGroupsStruct]):
    """A consumer group, with what we may do with it, as bits."""

    API_KEY = _DESCRIBE_GROUPS

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, request_struct_class: type[_DescribeGroupsStruct]) -> _DescribeGroupsStruct:
        return request_struct_class([self._name], True)
