"""What a worker says of itself to its group: Faust's own, and beside it which lifecycles it has.

Faust's assignor describes a member as JSON, and neither it nor earlier releases of this product mind a field more. The
coordinator keeps that as the member's metadata, and tells it to whoever may see the group.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

import msgspec
import orjson
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor import PartitionAssignor

from stream.kafka.worker_versions import Member, WorkerVersions

_STABLE = "Stable"
"""In every other state of a group its members' metadata is not told, or old."""


class _Describes(Protocol):
    versions: WorkerVersions | None


class _UserData(msgspec.Struct):
    lifecycle_worker: WorkerVersions | None = None


class EngineAssignor(PartitionAssignor):
    """Faust's assignor, which also says which lifecycles the worker has."""

    # Not a class method, as it is not in Faust's.
    def metadata(  # type: ignore[override]
        self, topics: Iterable[str]
    ) -> ConsumerProtocolMemberMetadata:
        """What the group hears of this member."""
        described = super().metadata(set(topics))
        ours = cast("_Describes", self.app).versions
        if ours is None:
            return described
        user_data = orjson.loads(described.user_data) | msgspec.to_builtins(_UserData(ours))
        return ConsumerProtocolMemberMetadata(described.version, list(topics), orjson.dumps(user_data))


def members_of(groups: Iterable[Sequence[Any]]) -> list[Member] | None:
    """The members in Kafka's answer to DescribeGroups for one group; None where it does not tell of them now.

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
        return msgspec.json.decode(user_data, type=_UserData).lifecycle_worker
    except (msgspec.MsgspecError, ValueError, TypeError):
        return None
