"""Everything that a run writes is compressed: by producers of each codec one after the other, and by topics."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace

from aiokafka import AIOKafkaProducer

from stream.kafka.topic_plan import plan_topics
from stream.settings import Settings
from tests.faults.traffic import Sent
from tests.kit.topics import create_topics

CODECS = (None, "gzip", "snappy", "lz4", "zstd")
"""Of producers; None: as it is."""
_OF_TOPICS = ("gzip", "snappy", "lz4", "zstd")
_TURN_SECONDS = 3.0
"""How long one producer writes before the next one does, where nothing holds it up."""
_SLICE = 0.05
_MOST_WAITING = 20_000
_REPORT_SECONDS = 30.0

Say = Callable[[str], None]
Pace = Callable[[int], float]
"""Records a second, by how many there were."""


async def create_compressed_topics(settings: Settings, brokers: int, seed: int) -> dict[str, str]:
    """Create our topics, each of those that workers write with another codec; returns them by topic."""
    own = [each for each in settings.topics.own if each != settings.topics.interactions]
    chance = random.Random(seed)
    codecs = dict(zip(own, chance.sample(_OF_TOPICS, len(own)), strict=True))
    for plan in plan_topics(settings, {}, brokers):
        codec = codecs.get(plan.name)
        made = plan if codec is None else replace(plan, configs={**plan.configs, "compression.type": codec})
        await create_topics(
            settings.bootstrap,
            made.name,
            partitions=made.partitions,
            replication=made.replication,
            settings=made.configs,
        )
    return codecs


async def send(
    settings: Settings, records: Iterable[Sent], pace: Pace, counts: Counter[str], say: Say, *, idempotent: bool
) -> None:
    """Write records at a pace, each acknowledged; a broker that is away is waited for.

    Where there are several topics, each record goes to one that its number decides. Each producer has written all that
    it was given before the next one begins, so that the order stays. `counts` are the interactions by codec.
    """
    topics = settings.topics.sent_to
    async with AsyncExitStack() as stack:
        producers = [
            await stack.enter_async_context(
                AIOKafkaProducer(
                    bootstrap_servers=settings.bootstrap,
                    enable_idempotence=idempotent,
                    request_timeout_ms=120_000,
                    linger_ms=10,
                    compression_type=codec,
                )
            )
            for codec in CODECS
        ]
        due = reported = time.monotonic()
        turn = int(pace(0) * _TURN_SECONDS)
        waiting: set[asyncio.Future[object]] = set()
        for count, record in enumerate(records, 1):
            if count % turn == 0:
                await asyncio.gather(*waiting)
                waiting = set()
            at = count // turn % len(CODECS)
            topic = topics[count * count // 7 % len(topics)]
            waiting.add(await producers[at].send(topic, record.value, key=record.key, headers=list(record.headers)))
            counts[CODECS[at] or "none"] += 1
            due += 1 / pace(count)
            ahead = due - time.monotonic()
            if ahead > _SLICE:
                await asyncio.sleep(ahead)
            if len(waiting) > _MOST_WAITING:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.gather(*done)
            if time.monotonic() - reported > _REPORT_SECONDS:
                reported = time.monotonic()
                say(f"{count:,} interactions written")
        await asyncio.gather(*waiting)
