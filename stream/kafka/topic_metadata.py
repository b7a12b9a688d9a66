"""Which topic a name stands for now, and whether its partitions can be written to.

A topic that was deleted and created again has the same name and another id, and positions in the old one mean
nothing there. aiokafka asks for metadata in a version without ids, so we ask with a request of our own; brokers that do
not know it are asked in aiokafka's way.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request, Response
from aiokafka.protocol.metadata import MetadataRequest

from stream.kafka.protocol import NO_ID, MetadataWithIds


class TopicMetadata(NamedTuple):
    """A topic as a broker has it now."""

    id: str | None
    """Kafka's own, for good; None where the broker gives none."""
    partitions: int
    writable: bool
    """Each partition has a leader, and most of its replicas are in sync."""


async def look_up(client: AIOKafkaClient, topics: Sequence[str]) -> dict[str, TopicMetadata]:
    """Those of `topics` that exist and that we may see; none is created.

    `client` must have been bootstrapped. Raises KafkaError where no broker answers.
    """
    try:
        answer = await _ask(client, MetadataWithIds(topics))
    except NotImplementedError:  # the broker does not know this version
        answer = await _ask(client, MetadataRequest(list(topics), allow_auto_topic_creation=False))
    found = {}
    for topic in answer.to_object()["topics"]:
        if topic["error_code"]:
            continue
        known = topic.get("topic_id", NO_ID)
        found[topic.get("name", topic.get("topic"))] = TopicMetadata(
            None if known == NO_ID else str(known),
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
