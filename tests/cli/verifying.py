"""What tests of `lifecycle verify` share: short-timed lifecycles, traffic, real workers, and topics that are copied."""

import asyncio
import json
import os
import random
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream.codec.controls import tick
from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.positions import decode_position
from stream.core.interaction import Interaction
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.faults.fleet import Fleet
from tests.kit.lifecycles import QUICK
from tests.kit.times import DAY
from tests.kit.topics import create_topics, produce, read_all

Verify = Callable[..., Any]

PARTITIONS = 2
T = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def settings_of(bootstrap: str, prefix: str, folder: Path) -> Settings:
    file = folder / "quick.yaml"
    file.write_text(QUICK, encoding="utf-8")
    return Settings(
        bootstrap=bootstrap,
        topic_prefix=prefix,
        app=f"{prefix}app",
        partitions=PARTITIONS,
        lifecycles=(str(file),),
        clock="wall",
        forget_after=3_000,
        session_timeout=2_000,
        web_port=0,
        max_records=50,
    )


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    return {
        "LIFECYCLE_BOOTSTRAP": settings.bootstrap,
        "LIFECYCLE_TOPIC_PREFIX": settings.topic_prefix,
        "LIFECYCLE_APP": settings.app,
        "LIFECYCLE_INTERACTIONS": settings.interactions,
        "LIFECYCLE_PARTITIONS": str(settings.partitions),
        "LIFECYCLE_LIFECYCLES": ",".join(settings.lifecycles),
        "LIFECYCLE_CLOCK": settings.clock,
        "LIFECYCLE_FORGET_AFTER": f"{settings.forget_after}ms",
        "LIFECYCLE_SESSION_TIMEOUT": f"{settings.session_timeout}ms",
        "LIFECYCLE_WEB_PORT": "0",
        "LIFECYCLE_MAX_RECORDS": str(settings.max_records),
        **more,
    }


def record_of(interaction: Interaction) -> Outgoing:
    return Outgoing(interaction.subject.encode(), encode_native(interaction))


def history(count: int, seed: int, customers: int = 40) -> Iterable[Outgoing]:
    """Interactions over some minutes of the past, nearly in order: duplicates, late ones and rubbish among them."""
    chance = random.Random(seed)
    moment = T
    for number in range(count):
        moment += chance.randrange(120)
        who = chance.randrange(customers)
        repeated = chance.random() < 0.05
        if chance.random() < 0.02:
            yield Outgoing(b"rubbish", b"{")
            continue
        yield record_of(
            Interaction(
                f"c{who}" if who % 2 else None,
                f"a{who}",
                f"e-{number - 3 if repeated else number}",
                chance.choice(["page", "page", "Order Completed", "other"]),
                moment - (chance.randrange(3_000) if chance.random() < 0.1 else 0),
                {"total": chance.choice([10, 0.1, "free"])},
                {},
            )
        )


async def send(settings: Settings, records: Iterable[Outgoing]) -> None:
    await produce(settings.bootstrap, settings.topics.interactions, records)


async def live(settings: Settings, seconds: float, seed: int = 1) -> int:
    """Interactions of this moment, on any of the topics that they are sent to; returns how many."""
    chance, topics = random.Random(seed), settings.topics.sent_to
    end = time.monotonic() + seconds
    number = 0
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        while time.monotonic() < end:
            for _ in range(chance.randrange(6)):
                number += 1
                who = chance.randrange(60)
                now = time.time_ns() // 1_000_000
                late = chance.randrange(1_500) if chance.random() < 0.3 else 0
                record = record_of(
                    Interaction(
                        f"c{who}" if who % 2 else None,
                        f"a{who}",
                        f"l{seed}-{number}",
                        chance.choice(["page", "page", "page", "Order Completed"]),
                        now - late,
                        {"total": 10},
                        {},
                    )
                )
                topic = topics[number * number // 7 % len(topics)]
                await producer.send(topic, record.value, key=record.key)
            await asyncio.sleep(0.02)
    return number


async def send_ticks(settings: Settings, until: int) -> None:
    record = tick(until)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for number in range(PARTITIONS):
            await producer.send_and_wait(
                settings.topics.interactions, record.value, partition=number, headers=list(record.headers)
            )


async def changelog(settings: Settings, number: int) -> dict[bytes, bytes]:
    return await read_changelog(settings, TopicPartition(settings.topics.customers, number), ChangelogProgress())


async def until_caught_up(settings: Settings, seconds: float = 60) -> None:
    """Return once each partition's position is past its last interaction."""
    topic = settings.topics.interactions
    ends = {
        n: records[-1].offset + 1 if records else 0
        for n, records in (await read_all(settings.bootstrap, topic)).items()
    }
    async with asyncio.timeout(seconds):
        for number, end in ends.items():
            while True:
                value = (await changelog(settings, number)).get(positions.KEY)
                if value is not None and decode_position(value).offsets.get(topic, 0) >= end:
                    break
                await asyncio.sleep(0.1)


@asynccontextmanager
async def workers(settings: Settings, folder: Path, count: int = 1, **more: str) -> AsyncIterator[Fleet]:
    """Real workers, asked to end in order at the end of the block."""
    async with Fleet(environment_of(settings, **more), folder) as fleet:
        await fleet.size(count)
        yield fleet
        await fleet.stop()
        assert fleet.fallen == []


class Verdict:
    """How a verification ended, and its report."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code = done.returncode
        self.stderr = done.stderr
        self.report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}

    @property
    def differences(self) -> list[str]:
        return [
            f"{each['partition']}, {each['subject']}, {each['lifecycle']}: {each['problem']}"
            for each in self.report["differences"]
        ]


async def worked_stream(settings: Settings, folder: Path, *, count: int = 1_500, kills: int = 2) -> Settings:
    """A history that real workers went through in `stream` clock, one killed now and then."""
    settings = replace(settings, clock="stream")
    await ensure_topics(settings)
    await send(settings, history(count, seed=7))
    async with workers(settings, folder, 1, LIFECYCLE_MAX_RECORDS="20") as fleet:
        for _ in range(kills):
            await asyncio.sleep(1.5)
            await fleet.kill(fleet.workers[0])
            await fleet.size(1)
        await send_ticks(settings, T + 10 * DAY)
        await until_caught_up(settings)
    return settings


class Copied(NamedTuple):
    """A record that is written again, at the time at which it was first."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp: int | None = None


Topics = dict[str, dict[int, list[Copied]]]
"""By a topic's name in `TopicNames`, and partition: keys, values and headers."""
KEPT: dict[str, tuple[str, Topics]] = {}
"""What one run of workers wrote, so that many tests may tamper with it: the prefix, and the topics."""
NAMES = ("interactions", "stage_changes", "current_stages", "customers", "dead_letters")


async def copied(settings: Settings, folder: Path) -> Topics:
    """What workers wrote in `stream` clock, as if they had written it to this test's topics."""
    if settings.clock not in KEPT:
        worked = settings
        if settings.clock == "stream":
            own = replace(settings, topic_prefix=f"kept-s-{os.getpid()}-", app=f"kept-s-{os.getpid()}")
            worked = await worked_stream(own, folder, count=400, kills=0)
        else:
            worked = replace(settings, topic_prefix=f"kept-w-{os.getpid()}-", app=f"kept-w-{os.getpid()}")
            await ensure_topics(worked)
            async with workers(worked, folder):
                await until_caught_up(worked)  # from then on all is live
                await live(worked, 5)
                await until_caught_up(worked)
        topics = {name: await read_all(worked.bootstrap, getattr(worked.topics, name)) for name in NAMES}
        KEPT[settings.clock] = (
            worked.topic_prefix,
            {
                name: {
                    n: [Copied(each.key, each.value, list(each.headers), each.timestamp) for each in records]
                    for n, records in partitions.items()
                }
                for name, partitions in topics.items()
            },
        )
    prefix, kept = KEPT[settings.clock]
    old, new = prefix.encode() + b"interactions", settings.topics.interactions.encode()

    def ours(record: Copied) -> Copied:
        said = [(name, each.replace(old, new)) for name, each in record.headers]
        return record._replace(value=record.value and record.value.replace(old, new), headers=said)

    return {name: {n: list(map(ours, each)) for n, each in parts.items()} for name, parts in kept.items()}


async def write(settings: Settings, topics: Topics) -> None:
    own_times = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=PARTITIONS, settings=own_times)
    await ensure_topics(settings)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for name, partitions in topics.items():
            topic = getattr(settings.topics, name)
            for number, records in partitions.items():
                for key, value, headers, time_ms in records:
                    await producer.send(topic, value, key, number, time_ms, headers)
        await producer.flush()


async def delete_before(settings: Settings, topic: str, offsets: Mapping[int, int]) -> None:
    """As retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, n): RecordsToDelete(at) for n, at in offsets.items()})
    finally:
        await admin.close()


def verifying(lifecycle: Run) -> Verify:
    """Runs `lifecycle verify --json` with settings, further arguments and environment; workers may need their time."""

    async def run(settings: Settings, *arguments: str, **more: str) -> Verdict:
        if "--wait" not in arguments:
            arguments = (*arguments, "--wait", "40")
        done = await asyncio.to_thread(
            lifecycle, "verify", "--json", *arguments, environment=environment_of(settings, **more)
        )
        return Verdict(done)

    return run
