"""A member of the group: who has which partitions, and as metadata, beside Faust's own, which lifecycles it has.

Faust's assignor describes a member as JSON, and neither it nor earlier releases of this product mind a field more. The
coordinator keeps that as the member's metadata, and shows it to everybody who may see the group.
"""

from collections.abc import Iterable
from typing import Protocol, cast

import msgspec
import orjson
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor import PartitionAssignor

from stream.engine.even_assignment import install
from stream.kafka.group_members import MemberData
from stream.kafka.worker_versions import WorkerVersions

install()


class _Describes(Protocol):
    versions: WorkerVersions | None


class EngineAssignor(PartitionAssignor):
    """Faust's assignor, which shares out evenly and also says which lifecycles the worker has."""

    # Not a class method, as it is not in Faust's.
    def metadata(  # type: ignore[override]
        self, topics: Iterable[str]
    ) -> ConsumerProtocolMemberMetadata:
        """The metadata with which this member joins."""
        described = super().metadata(set(topics))
        ours = cast("_Describes", self.app).versions
        if ours is None:
            return described
        user_data = orjson.loads(described.user_data) | msgspec.to_builtins(MemberData(ours))
        return ConsumerProtocolMemberMetadata(described.version, list(topics), orjson.dumps(user_data))
