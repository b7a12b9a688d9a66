"""Apache Kafka of three nodes, of which one may be lost: replication 3, and two must have what is acknowledged."""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream.kafka.embedded.process import HOST
from tests.kit.kafka import KafkaBroker

NODES = 3
_REPLICATED = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "replica.lag.time.max.ms": "5000",
}


class KafkaCluster:
    """Three nodes that are brokers and controllers, on free ports of 127.0.0.1.

    As with a single node all methods but `until_whole` block, and `bootstrap` stays the same.
    """

    def __init__(self, proxy_ports: Iterable[int] = (), settings: Mapping[str, str] | None = None) -> None:
        """With `proxy_ports`, one for each node, a proxy for its `behind_proxies` must stand there.

        `settings` add to those of every node, or replace them.
        """
        ports: list[list[int]] = [[port] for port in proxy_ports] or [[]] * NODES
        self.nodes = [
            KafkaBroker({**_REPLICATED, **(settings or {}), "node.id": str(number)}, proxy_ports=own)
            for number, own in enumerate(ports, start=1)
        ]
        voters = ",".join(f"{node.settings['node.id']}@{HOST}:{node.controller_port}" for node in self.nodes)
        for node in self.nodes:
            node.settings["controller.quorum.voters"] = voters
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Start all at once, since none answers before most of them are there."""
        with ThreadPoolExecutor(NODES) as pool:
            list(pool.map(KafkaBroker.start, self.nodes))

    async def until_whole(self, seconds: float = 60.0) -> None:
        """Return when every replica of every partition is in sync. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not await _is_whole(self.bootstrap):
                await asyncio.sleep(0.2)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.__exit__()


async def _is_whole(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        topics = await admin.describe_topics()
    except KafkaError:
        return False
    finally:
        await admin.close()
    return all(
        partition["leader"] >= 0 and set(partition["isr"]) == set(partition["replicas"])
        for topic in topics
        for partition in topic["partitions"]
    )
