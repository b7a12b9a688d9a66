"""What the members of a consumer group say of themselves, read from Kafka's answer to DescribeGroups."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from stream.kafka.worker_versions import Member, WorkerVersions

_STABLE = "Stable"
"""In every other state of a group its members' metadata is missing or old."""


class MemberData(msgspec.Struct):
    """What a worker adds to the metadata of Faust's assignor."""

    lifecycle_worker: WorkerVersions | None = None


def members_of(groups: Iterable[Sequence[Any]]) -> list[Member] | None:
    """The members in Kafka's answer to DescribeGroups for one group; None where it does not report them now.

    The embedded broker never does: with it, metadata are empty.
    """
    for code, _group, state, _protocol_type, _protocol, members, *_ in groups:
        if not code and state == _STABLE and all(metadata for _name, _client, _host, metadata, *_ in members):
            return [Member(name, host.lstrip("/"), _read(metadata)) for name, _client, host, metadata, *_ in members]
    return None


def _read(metadata: bytes) -> WorkerVersions | None:
    """What a member says of itself; None where it says nothing that can be read."""
    try:
        user_data = ConsumerProtocolMemberMetadata.decode(metadata).user_data
        return msgspec.json.decode(user_data, type=MemberData).lifecycle_worker
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None
