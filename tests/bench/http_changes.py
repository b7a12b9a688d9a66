"""The latest changes of one customer, out of a topic of ten million: by HTTP, from a worker that knows the customer."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer
from rich.table import Table

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.records import Outgoing
from stream.codec.state.keys import POSITION
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.kafka.partitioner import partition_of
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.bench import report
from tests.bench.probes import PARTITIONS
from tests.bench.worker import BenchWorker
from tests.kit import machines
from tests.kit.changelogs import at_the_beginning, write_changelog
from tests.kit.kafka import KafkaBroker

FULL, QUICK = 10_000_000, 200_000
"""Changes on the topic."""
EACH = 20
"""Of the one customer."""
AIM_MS = 300
_LIFECYCLE = str(Path(__file__).parent / "lifecycles" / "switch.yaml")
_CUSTOMER = "c-asked-for"
_OTHERS = 500
"""Customers whose changes all others are, over and over."""
_SPAN = 5 * 86_400_000
"""Milliseconds over which the changes are spread."""
_LAG = 20
"""Milliseconds from a change to its record on the topic."""
_HOUR = 3_600_000
_TIMES = 15
_OPEN = 32
"""Batches that are sent and not acknowledged, at most."""
_BATCH_BYTES = 64 << 10

Say = Callable[[str], None]


class _Made(NamedTuple):
    """What our machine makes of one customer's interactions."""

    changes: list[tuple[int, Outgoing]]
    """When each happened, and its record."""
    changelog: dict[bytes, bytes]


async def measure(kafka: KafkaBroker, folder: Path, quick: bool, say: Say) -> dict[str, Any]:
    """Milliseconds of the answer, the first and the later ones. Raises RuntimeError where a change is missing."""
    count = QUICK if quick else FULL
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix="changes-", app="changes-app", partitions=PARTITIONS)
    await ensure_topics(settings)
    now = time.time_ns() // 1_000_000
    model = model_of([load(_LIFECYCLE).lifecycle])
    asked = _made(model, _CUSTOMER, EACH, now)
    others = [record for number in range(_OTHERS) for _, record in _made(model, f"c-{number:09d}", 4, now).changes]
    home = partition_of(_CUSTOMER.encode(), PARTITIONS)
    say(f"writing {count:,} stage changes, {EACH} of them one customer's")
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, acks="all", max_batch_size=_BATCH_BYTES
    ) as producer:
        for partition in range(PARTITIONS):
            own = asked.changes if partition == home else []
            await _fill(producer, settings.topics.stage_changes, partition, count // PARTITIONS, others, own, now)
    await write_changelog(
        settings.bootstrap,
        settings.topics.customers,
        [(home, Outgoing(key, value)) for key, value in asked.changelog.items() if key[:1] != POSITION],
        partitions=PARTITIONS,
        closing=at_the_beginning(model, settings, now),
    )
    options = {"LIFECYCLES": _LIFECYCLE, "PARTITIONS": str(PARTITIONS), "LOG_LEVEL": "warning"}
    async with BenchWorker(kafka.bootstrap, "changes-", folder / "changes.log", options) as worker:
        await worker.until_ready()
        say(f"asking for the latest {EACH}")
        took = [await _ask(worker) for _ in range(_TIMES)]
    median = statistics.median(took[1:])
    seen = (("the first", took[0]), ("the median of later ones", median), ("the longest of later ones", max(took[1:])))
    conditions = [
        {"name": f"changes?limit={EACH} of {count:,}, {name}, ms", "seen": each, "aim": AIM_MS, "met": each <= AIM_MS}
        for name, each in seen
    ]
    return {"changes": count, "first_ms": took[0], "took_ms": took[1:], "conditions": conditions}


def tables(result: dict[str, Any]) -> list[Table]:
    """The conditions: there is nothing else."""
    made = report.table(
        f"Latest changes of a customer, out of {result['changes']:,}", "condition", "seen", "aim, at most"
    )
    for each in result["conditions"]:
        made.add_row(each["name"], f"{each['seen']:.0f}", str(each["aim"]))
    return [made]


async def _ask(worker: BenchWorker) -> float:
    url = f"http://127.0.0.1:{worker.port}/v1/customers/{_CUSTOMER}/changes?limit={EACH}"
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        body = await response.json()
    took = time.perf_counter() - began
    if len(body.get("changes", ())) != EACH or not body["complete"]:
        raise RuntimeError(f"{EACH} changes were asked for, and {len(body.get('changes', ()))} found: {body}")
    return took * 1000


def _made(model: Model, customer: str, turns: int, now: int) -> _Made:
    """A customer who is turned on and off so many times, evenly over the span, and last an hour ago."""
    names = itertools.cycle(("turn_on", "turn_off"))
    first = now - _SPAN + _HOUR
    given = [
        Interaction(
            customer, None, f"{customer}-{turn}", next(names), first + turn * (_SPAN - 2 * _HOUR) // turns, {}, {}
        )
        for turn in range(turns)
    ]
    batches = machines.run_all(machines.machine(model, Settings(clock="stream")), machines.records_of(given))
    written = [each for batch in batches for each in batch.events]
    return _Made([(orjson.loads(each.value or b"")["at"], each) for each in written], machines.compacted(batches))


async def _fill(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    count: int,
    others: Sequence[Outgoing],
    own: Sequence[tuple[int, Outgoing]],
    now: int,
) -> None:
    """Write so many changes to a partition, evenly over the span, each of `own` a moment after its own time."""
    waiting = list(own)[::-1]
    writer = _Writer(producer, topic, partition)
    for number, each in enumerate(itertools.islice(itertools.cycle(others), count)):
        at = now - _SPAN + _SPAN * number // count
        while waiting and waiting[-1][0] + _LAG <= at:
            await writer.append(at, waiting.pop()[1])
        await writer.append(at, each)
    await writer.flush()


class _Writer:
    """Writes records in full batches, some of them at once."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partition: int) -> None:
        self._producer, self._topic, self._partition = producer, topic, partition
        self._batch = producer.create_batch()
        self._sent: list[asyncio.Future[Any]] = []

    async def append(self, at: int, record: Outgoing) -> None:
        headers = list(record.headers)
        if self._batch.append(timestamp=at, key=record.key, value=record.value, headers=headers) is None:
            await self._send()
            self._batch.append(timestamp=at, key=record.key, value=record.value, headers=headers)

    async def _send(self) -> None:
        if len(self._sent) == _OPEN:
            await asyncio.gather(*self._sent)
            self._sent.clear()
        self._sent.append(await self._producer.send_batch(self._batch, self._topic, partition=self._partition))
        self._batch = self._producer.create_batch()

    async def flush(self) -> None:
        await self._send()
        await asyncio.gather(*self._sent)
