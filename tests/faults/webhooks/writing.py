"""Stage changes of a run, written to the topic at a rate; those of a customer in their order."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator

from aiokafka import AIOKafkaProducer

from stream.codec.records import Outgoing
from stream.settings import Settings
from tests.kit.stage_changes import change, outgoing

_STAGES = ("customer", "vip")


def changes(seed: int, customers: int) -> Iterator[Outgoing]:
    """Changes of random customers without an end, each the customer's next one."""
    chance = random.Random(seed)
    sequence: Counter[str] = Counter()
    while True:
        subject = f"c{chance.randrange(customers)}"
        sequence[subject] += 1
        yield outgoing(change(subject, sequence=1 + sequence[subject], to_stage=chance.choice(_STAGES)))


async def write_changes(settings: Settings, records: Iterator[Outgoing], rate: float, over: asyncio.Event) -> None:
    """Write `rate` a second until it is over, each acknowledged; a broker that is away is waited for."""
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, enable_idempotence=True, request_timeout_ms=120_000, linger_ms=5
    ) as producer:
        sent: list[asyncio.Future[object]] = []
        began = time.monotonic()
        for number, record in enumerate(records):
            if over.is_set():
                break
            topic = settings.topics.stage_changes
            sent.append(await producer.send(topic, record.value, key=record.key, headers=list(record.headers)))
            ahead = number / rate - (time.monotonic() - began)
            if ahead > 0:
                await asyncio.sleep(ahead)
        await asyncio.gather(*sent)
