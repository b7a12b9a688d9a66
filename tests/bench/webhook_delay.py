"""How soon after its commit a change arrives, at endpoints beside one that never answers."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.table import Table

from stream.codec.records import Outgoing
from stream.kafka.batch_sender import Part, send_batches
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.bench.probes import PARTITIONS, quantile
from tests.bench.report import table
from tests.bench.webhook_changes import by_partition, changes, id_of, of_shop
from tests.bench.webhook_receiver import Receiver, receiver
from tests.bench.worker import cpu_seconds
from tests.kit.kafka import KafkaBroker
from tests.kit.webhooks import WebhookProcess, endpoint

ENDPOINTS = 50
"""The last of them never answers."""
AIM_MS = 100
_WARM_UP = 10.0
_FULL, _QUICK = 30.0, 5.0
_LET_ARRIVE = 30.0

Say = Callable[[str], None]


class Plan(NamedTuple):
    """Who wants which change, and how many come."""

    name: str
    title: str
    rate: float
    """Changes a second."""
    is_for_all: bool
    """Each endpoint wants every change; else a fiftieth of its own."""


PLANS = (
    Plan("own", "each endpoint wants its own fiftieth", 200, is_for_all=False),
    Plan("all", "each endpoint wants every change", 20, is_for_all=True),
)


class Written(NamedTuple):
    """When a change was given to its transaction, and when that was known to be committed, by time.perf_counter()."""

    sent: float
    committed: float


async def measure(kafka: KafkaBroker, folder: Path, quick: bool, say: Say) -> list[dict[str, Any]]:
    """Milliseconds from sending a change, and from its commit, to its request. Raises RuntimeError where one lacks."""
    seconds = _WARM_UP + (_QUICK if quick else _FULL)
    found: list[dict[str, Any]] = []
    for plan in PLANS:
        say(f"{ENDPOINTS} endpoints, one of them dead, {plan.rate:g} changes/s: {plan.title}")
        made = await asyncio.to_thread(changes, int(plan.rate * seconds))
        found.append({**plan._asdict(), **await _measured(kafka, folder, plan, made)})
        say(f"    p99 {found[-1]['sent_p99_ms']:.0f} ms")
    return found


async def _measured(kafka: KafkaBroker, folder: Path, plan: Plan, made: Sequence[Outgoing]) -> dict[str, Any]:
    prefix = f"delay-{plan.name}-"
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=prefix, app=f"{prefix}app", partitions=PARTITIONS)
    await ensure_webhook_topics(settings)
    records = [of_shop(each, _name(number % ENDPOINTS)) for number, each in enumerate(made)]
    async with receiver() as hook:
        file = folder / f"{prefix}.yaml"
        file.write_text("endpoints:\n" + "".join(_endpoints(hook, plan)), encoding="utf-8")
        process = WebhookProcess(settings, file, folder / f"{prefix}.log")
        process.environment |= {"LIFECYCLE_SESSION_TIMEOUT": "30s", "LIFECYCLE_LOG_LEVEL": "warning"}
        async with process:
            await process.until_ready(PARTITIONS)
            cpu = cpu_seconds(process.process.pid)
            began = time.perf_counter()
            async with _subscriber(settings) as read:
                written = await _write(settings, records, plan.rate)
            took = time.perf_counter() - began
            cpu = cpu_seconds(process.process.pid) - cpu
            arrived = await _arrived(hook, written, records, plan)
    since = began + _WARM_UP
    floor = _quantiles({("", id_): at for id_, at in read.items()}, written, since)
    return {"cores": cpu / took, **_quantiles(arrived, written, since), "subscriber": floor}


@asynccontextmanager
async def _subscriber(settings: Settings) -> AsyncIterator[dict[str, float]]:
    """By id, when each change came to somebody who reads what is committed and does nothing: sooner is nobody told."""
    read: dict[str, float] = {}
    topic = settings.topics.stage_changes
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=settings.bootstrap, isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        await consumer.seek_to_end()
        for number in range(PARTITIONS):
            await consumer.position(TopicPartition(topic, number))

        async def listen() -> None:
            async for record in consumer:
                read.setdefault(dict(record.headers)["ce_id"].decode(), time.perf_counter())

        listening = asyncio.create_task(listen())
        try:
            yield read
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def _name(number: int) -> str:
    return f"s{number:02}"


_DEAD = _name(ENDPOINTS - 1)


def _endpoints(hook: Receiver, plan: Plan) -> Iterable[str]:
    for number in range(ENDPOINTS):
        name = _name(number)
        url = hook.url("/hang" if name == _DEAD else f"/{name}")
        yield endpoint(name, url, **({} if plan.is_for_all else {"when": f"'facts.shop == \"{name}\"'"}))


async def _write(settings: Settings, records: Sequence[Outgoing], rate: float) -> dict[str, Written]:
    """Write them at a rate, as a worker would: each partition has its own transactions, one after the other."""
    written: dict[str, Written] = {}
    topic, began = settings.topics.stage_changes, time.perf_counter() + 0.1
    due = {id_of(each): began + number / rate for number, each in enumerate(records)}

    async def partition(number: int, left: deque[Outgoing], producer: AIOKafkaProducer) -> None:
        while left:
            await asyncio.sleep(due[id_of(left[0])] - time.perf_counter())
            batch: list[Outgoing] = []
            while left and due[id_of(left[0])] <= time.perf_counter():
                batch.append(left.popleft())
            sent = time.perf_counter()
            await producer.begin_transaction()
            await send_batches(producer, [Part(topic, number, batch)])
            await producer.commit_transaction()
            committed = time.perf_counter()
            written.update((id_of(each), Written(sent, committed)) for each in batch)

    async with AsyncExitStack() as stack:
        tasks = []
        for number, share in by_partition(records).items():
            producer = AIOKafkaProducer(
                bootstrap_servers=settings.bootstrap,
                acks="all",
                max_batch_size=BATCH_BYTES,
                transactional_id=f"{settings.app}-writer-{number}",
            )
            tasks.append(partition(number, deque(share), await stack.enter_async_context(producer)))
        await asyncio.gather(*tasks)
    return written


async def _arrived(
    hook: Receiver, written: Mapping[str, Written], records: Sequence[Outgoing], plan: Plan
) -> dict[tuple[str, str], float]:
    """By path and id, when each came first at an endpoint that lives; waits until all did."""
    paths = [f"/{_name(number)}" for number in range(ENDPOINTS - 1)]
    wanted = {
        (path, id_of(each))
        for number, each in enumerate(records)
        for path in (paths if plan.is_for_all else [f"/{_name(number % ENDPOINTS)}"])
        if path[1:] != _DEAD
    }
    deadline = time.perf_counter() + _LET_ARRIVE
    while True:
        found: dict[tuple[str, str], float] = {}
        for each in await hook.requests():
            found.setdefault((each.path, each.id), each.at)
        if wanted <= found.keys():
            return {place: found[place] for place in wanted}
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{len(wanted - found.keys())} of {len(wanted)} deliveries did not arrive")
        await asyncio.sleep(0.5)


def _quantiles(
    arrived: Mapping[tuple[str, str], float], written: Mapping[str, Written], since: float
) -> dict[str, float | bool]:
    """Of what was sent from `since` on."""
    counted = [(at, written[id_]) for (_, id_), at in arrived.items() if written[id_].sent >= since]
    from_sent = sorted(1000 * (at - each.sent) for at, each in counted)
    from_commit = sorted(1000 * (at - each.committed) for at, each in counted)
    p99 = quantile(from_sent, 0.99)
    return {
        "deliveries": len(counted),
        "sent_p50_ms": quantile(from_sent, 0.5),
        "sent_p99_ms": p99,
        "commit_p50_ms": quantile(from_commit, 0.5),
        "commit_p99_ms": quantile(from_commit, 0.99),
        "met": quantile(from_commit, 0.99) <= AIM_MS,
    }


def tables(result: list[dict[str, Any]]) -> list[Table]:
    """Both plans."""
    made = table(
        f"{ENDPOINTS} endpoints, one never answers: ms to the request at the others (aim: p99 {AIM_MS} from commit)",
        "changes",
        *("changes/s", "deliveries", "from sending: p50", "p99", "from commit: p50", "p99", "cores", "met"),
    )
    for each in result:
        names = ("sent_p50_ms", "sent_p99_ms", "commit_p50_ms", "commit_p99_ms")
        figures = [f"{each['rate']:g}", f"{each['deliveries']:,}", *(f"{each[name]:.1f}" for name in names)]
        made.add_row(each["title"], *figures, f"{each['cores']:.2f}", "yes" if each["met"] else "no")
        floor = [f"{each['subscriber'][name]:.1f}" for name in names]
        made.add_row("    to a read_committed subscriber", "", "", *floor, "", "")
    return [made]
