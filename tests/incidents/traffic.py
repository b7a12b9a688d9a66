"""Customers of a small shop: they look, some of them buy, and all fall asleep after two seconds."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.codec.partitioners import home_of
from stream.codec.records import Outgoing
from stream.kafka.embedded.process import HOST
from tests.incidents.site import KEY, PARTITIONS, Site

_EVERY: Final = 0.2
_CUSTOMERS: Final = 3
"""New ones at each turn, of whom two come over HTTP."""


def interaction(customer: str, kind: str = "page", **properties: object) -> dict[str, object]:
    """One of now."""
    now = int(time.time() * 1_000)
    return {"type": kind, "customer_id": customer, "time": now, "properties": properties}


def record(item: dict[str, object]) -> Outgoing:
    """As producers write it."""
    return Outgoing(str(item["customer_id"]).encode(), orjson.dumps(item))


def visit(customer: str) -> list[dict[str, object]]:
    """What one customer does."""
    return [interaction(customer), interaction(customer, "Order Completed", total=19.9)]


class Traffic:
    """Goes on until it is paused; what Kafka or the collector does not take is not repeated."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._flows = asyncio.Event()
        self._flows.set()
        self._numbers = random.Random(1)

    def pause(self) -> None:
        self._flows.clear()

    def resume(self) -> None:
        self._flows.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            producer: AIOKafkaProducer | None = None
            posting: set[asyncio.Task[int]] = set()
            try:
                while True:
                    await self._flows.wait()
                    if producer is None:
                        producer = await _started(self._site)
                    *posted, direct = [f"c-{self._numbers.getrandbits(40):x}" for _ in range(_CUSTOMERS)]
                    task = asyncio.create_task(self.post(session, [each for one in posted for each in visit(one)]))
                    posting.add(task)
                    task.add_done_callback(posting.discard)
                    if producer is not None:
                        try:
                            for item in visit(direct):
                                made = record(item)
                                await producer.send(self._site.settings.topics.interactions, made.value, key=made.key)
                        except (KafkaError, TimeoutError):
                            await _stop(producer)
                            producer = None
                    await asyncio.sleep(_EVERY)
            finally:
                for task in posting:
                    task.cancel()
                if producer is not None:
                    await _stop(producer)

    async def post(self, session: aiohttp.ClientSession, items: object, key: str = KEY) -> int:
        """To the collector: the status of its answer; 0 where there is none."""
        body = items if isinstance(items, bytes) else orjson.dumps(items)
        url = f"http://{HOST}:{self._site.collector.port}/v1/interactions"
        try:
            async with session.post(url, data=body, headers={"X-Write-Key": key}) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


@asynccontextmanager
async def flowing(site: Site) -> AsyncIterator[Traffic]:
    """Traffic while the block lasts."""
    made = Traffic(site)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def write(site: Site, records: Iterable[Outgoing], partition: int | None = None) -> None:
    """Write to the topic of interactions, each customer's on its partition unless another one is told."""
    topic = site.settings.topics.interactions
    async with AIOKafkaProducer(bootstrap_servers=site.kafka.bootstrap, linger_ms=20) as producer:
        sent = []
        for each in records:
            sent.append(await producer.send(topic, each.value, key=each.key, partition=partition))
            await asyncio.sleep(0)  # the second worker's way to Kafka is in this process
        await asyncio.gather(*sent)


def home(customer: str) -> int:
    """The partition of a customer."""
    return home_of("murmur2", customer.encode(), PARTITIONS)


async def _started(site: Site) -> AIOKafkaProducer | None:
    producer = AIOKafkaProducer(bootstrap_servers=site.kafka.bootstrap, linger_ms=5, request_timeout_ms=5_000)
    try:
        await asyncio.wait_for(producer.start(), 5)
    except (KafkaError, TimeoutError):
        await _stop(producer)
        return None
    return producer


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError):
        await asyncio.wait_for(producer.stop(), 5)
