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


class _Described(MemberData):
    """What such a member says in all, as far as it is read."""

    url: str = ""
    """Where it is reached; Faust's own field."""


def members_of(groups: Iterable[Sequence[Any]]) -> list[Member] | None:
    """The members in Kafka's answer to DescribeGroups for one group; None where it does not report them now.

    The embedded broker never does: with it, metadata are empty.
    """
    for code, _group, state, _protocol_type, _protocol, members, *_ in groups:
        if not code and state == _STABLE and all(metadata for _name, _client, _host, metadata, *_ in members):
            return [_member(name, host, metadata) for name, _client, host, metadata, *_ in members]
    return None


def _member(name: str, host: str, metadata: bytes) -> Member:
    """A member, with what it says of itself where that can be read."""
    try:
        user_data = ConsumerProtocolMemberMetadata.decode(metadata).user_data
        said = msgspec.json.decode(user_data, type=_Described)
    except (msgspec.MsgspecError, ValueError, TypeError):
        said = _Described()
    return Member(name, host.lstrip("/"), said.lifecycle_worker, said.url)
