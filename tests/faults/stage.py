"""Where a run takes place: a broker or three, and the proxies through which workers reach them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.embedded.process import HOST, free_port
from tests.kit.cluster import NODES, KafkaCluster
from tests.kit.kafka import KafkaBroker
from tests.kit.proxy import Proxy

_WAYS = 2
"""To a broker: one can be held up while the other is not."""


@dataclass
class Stage:
    """Where a run takes place."""

    bootstrap: str
    """Of the broker itself."""
    for_workers: Sequence[str]
    """As workers reach it, one after the other in another of these ways."""
    kafka: KafkaBroker | KafkaCluster | None = None
    """Where it can be stopped and started."""
    proxies: Sequence[Proxy] = ()
    """What stands between it and the workers, if anything; one in each way, or all in the only one."""
    replication: int = 1


@asynccontextmanager
async def stage_of(bootstrap: str | None, *, embedded: bool, cluster: bool) -> AsyncIterator[Stage]:
    """A broker that others use, too, or one or several for this run alone."""
    if bootstrap is not None:
        yield Stage(bootstrap, [bootstrap])
        return
    async with _embedded() if embedded else _cluster() if cluster else _apache_kafka() as stage:
        yield stage


@asynccontextmanager
async def _apache_kafka() -> AsyncIterator[Stage]:
    """A broker, and two proxies through which workers reach it."""
    ports = [free_port() for _ in range(_WAYS)]
    broker = KafkaBroker(proxy_ports=ports)
    try:
        await asyncio.to_thread(broker.start)
        async with AsyncExitStack() as stack:
            proxies = [
                await stack.enter_async_context(Proxy(port, behind))
                for port, behind in zip(ports, broker.behind_proxies, strict=True)
            ]
            yield Stage(broker.bootstrap, [f"{HOST}:{port}" for port in ports], broker, proxies)
    finally:
        await asyncio.to_thread(broker.__exit__)


@asynccontextmanager
async def _cluster() -> AsyncIterator[Stage]:
    """Three brokers, and a proxy for each."""
    ports = [free_port() for _ in range(NODES)]
    cluster = KafkaCluster(ports)
    try:
        await asyncio.to_thread(cluster.start)
        async with AsyncExitStack() as stack:
            proxies = []
            for port, node in zip(ports, cluster.nodes, strict=True):
                proxies.append(await stack.enter_async_context(Proxy(port, node.behind_proxies[0])))
            for_workers = ",".join(f"{HOST}:{port}" for port in ports)
            yield Stage(cluster.bootstrap, [for_workers], cluster, proxies, NODES)
    finally:
        await asyncio.to_thread(cluster.__exit__)


@asynccontextmanager
async def _embedded() -> AsyncIterator[Stage]:
    """The embedded broker."""
    async with EmbeddedBroker() as broker:
        yield Stage(broker.bootstrap, [broker.bootstrap])
