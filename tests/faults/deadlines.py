"""A million deadlines in the same millisecond, while interactions go on: `python -m tests.faults.deadlines`.

Customers are written to the changelog as a worker would have left them, all with the same last visit. A worker
recovers them; when wall time comes to their deadline it has to fire them all. Meanwhile there are visits: of new
customers, and of some whose deadline has just come.
"""

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer, ConsumerRecord
from rich.console import Console

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.kafka.topics import ensure_topics
from stream.machine.budget import MAX_BYTES
from stream.settings import Settings
from tests.bench.probes import quantile, running_kafka
from tests.bench.worker import BenchWorker
from tests.kit.changelogs import alike, at_the_beginning, write_changelog
from tests.kit.topics import read_all

LIFECYCLE = str(Path(__file__).with_name("lifecycles") / "idle.yaml")
PARTITIONS = 4
MONTH = 30 * 86_400_000
_READ_SECONDS = 600.0
_POLL = 0.1

Say = Callable[[str], None]
Log = Sequence[ConsumerRecord[bytes | None, bytes | None]]


@dataclass
class Storm:
    """What came of it. Bytes and seconds."""

    customers: int
    recovered_in_time: bool
    """The worker was ready before the deadlines came; else it came to them late."""
    seconds: float = 0.0
    """From the deadline's time until all were fired."""
    cpu_seconds: float = 0.0
    """Of the worker, in that time."""
    memory: dict[str, int] = field(default_factory=dict)
    """Resident bytes of the worker before, the most during, and after."""
    transactions: int = 0
    most_changes: int = 0
    """In one transaction."""
    most_bytes: int = 0
    """Of the largest transaction: stage changes twice, for they are on current-stages too, and customer records."""
    visits: int = 0
    between: int = 0
    """Visits applied after the first and before the last deadline of their partition."""
    latencies: list[float] = field(default_factory=list)
    """From a visit's sending to the writing of its change, during the storm, ascending."""
    calm: list[float] = field(default_factory=list)
    """The same before it."""
    differences: list[str] = field(default_factory=list)


async def storm(bootstrap: str, folder: Path, customers: int, *, ahead: float, every: float, say: Say) -> Storm:
    """Let the deadlines of so many customers come `ahead` seconds from now, with a visit `every` so many seconds."""
    model = model_of([load(LIFECYCLE).lifecycle])
    due = int((time.time() + ahead) * 1000)
    settings = Settings(
        bootstrap=bootstrap, topic_prefix="storm-", app="storm-app", partitions=PARTITIONS, live_from=due - MONTH
    )
    await ensure_topics(settings)
    names = [f"c-{number:07d}" for number in range(customers)]
    history = [Interaction(names[0], None, None, "page_view", due - MONTH, {}, {})]
    say(f"writing {customers:,} customers, all due in {ahead:.0f} s")
    state = alike(model, settings, history, names)
    await write_changelog(
        bootstrap, settings.topics.customers, state, closing=at_the_beginning(model, settings, due - MONTH)
    )
    named = {
        "LIFECYCLES": LIFECYCLE,
        "PARTITIONS": str(PARTITIONS),
        "CLOCK": "wall",
        "FORGET_AFTER": "3650d",
    }
    async with BenchWorker(bootstrap, "storm-", folder / "storm.log", named) as worker:
        await _until_ready(worker)
        outcome = Storm(customers, time.time() * 1000 < due)
        outcome.memory = {"before": worker.resident_bytes, "most": 0}
        say(f"recovered {due / 1000 - time.time():.1f} s before they are due")
        visits, cpu = _Visits(settings, names, due), worker.cpu_seconds
        visiting = asyncio.create_task(visits.run(every))
        watching = asyncio.create_task(_watch(worker, outcome.memory))
        try:
            while await _fired(worker) < customers:
                await asyncio.sleep(_POLL)
            outcome.seconds, outcome.cpu_seconds = time.time() - due / 1000, worker.cpu_seconds - cpu
            say(f"all fired after {outcome.seconds:.1f} s")
        finally:
            visiting.cancel()
            watching.cancel()
            await asyncio.wait([visiting, watching])
        await _until_taken(worker, visits)
        outcome.memory["after"] = worker.resident_bytes
    say("reading what was written")
    await _judge(settings, outcome, visits, due)
    return outcome


class _Visits:
    """Visits that go on until they are cancelled."""

    def __init__(self, settings: Settings, names: Sequence[str], due: int) -> None:
        self.sent: dict[str, int] = {}
        """When who visited, epoch milliseconds; each once."""
        self._settings, self._names, self._due = settings, names, due

    async def run(self, every: float) -> None:
        waiting: set[asyncio.Future[object]] = set()
        async with AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap) as producer:
            try:
                for name in self._who():
                    now = time.time_ns() // 1_000_000
                    visit = Interaction(name, None, f"v-{name}", "page_view", now, {}, {})
                    topic = self._settings.topics.interactions
                    waiting.add(await producer.send(topic, encode_native(visit), key=name.encode()))
                    self.sent[name] = now
                    await asyncio.sleep(every)
            finally:
                await asyncio.gather(*waiting)

    def _who(self) -> Iterator[str]:
        """New ones; once the deadline has come every other one of those whose turn to be fired comes last."""
        for number in itertools.count():
            late = time.time() * 1000 > self._due and number % 2 and number < len(self._names)
            yield self._names[-number] if late else f"new-{number}"


async def _watch(worker: BenchWorker, memory: dict[str, int]) -> None:
    while True:
        memory["most"] = max(memory["most"], worker.resident_bytes)
        await asyncio.sleep(_POLL / 2)


async def _until_ready(worker: BenchWorker) -> None:
    while True:
        await worker.taken()  # raises where it ended
        health = await worker.health()
        if health is not None and health["status"] == "ready" and len(health["partitions"]) == PARTITIONS:
            return
        await asyncio.sleep(_POLL / 2)


async def _until_taken(worker: BenchWorker, visits: _Visits) -> None:
    async with asyncio.timeout(180):
        while _sum(await worker.metrics(), 'lifecycle_interactions_total{result="applied"}') < len(visits.sent):
            await asyncio.sleep(_POLL)


async def _fired(worker: BenchWorker) -> int:
    await worker.taken()  # raises where it ended
    return _sum(await worker.metrics(), "lifecycle_deadlines_fired_total")


def _sum(metrics: str, name: str) -> int:
    return int(sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name)))


async def _judge(settings: Settings, outcome: Storm, visits: _Visits, due: int) -> None:
    """Read the log: each deadline once and at its time, each visit after its customer's own deadline."""
    published = await read_all(settings.bootstrap, settings.topics.stage_changes, seconds=_READ_SECONDS)
    kept = await read_all(settings.bootstrap, settings.topics.customers, seconds=_READ_SECONDS)
    deadlines: Counter[str] = Counter()
    stages: dict[str, str] = {}
    for records in published.values():
        told = [orjson.loads(record.value or b"") for record in records]
        outcome.between += _between(told)
        for record, change in zip(records, told, strict=True):
            name = change["customer_id"]
            if change["trigger"]["kind"] == "deadline":
                deadlines[name] += 1
                if (change["at"], change["to"]) != (due, "dormant"):
                    outcome.differences.append(f"{name}: {change}")
            else:
                latency = (record.timestamp - visits.sent[name]) / 1000
                (outcome.latencies if visits.sent[name] >= due else outcome.calm).append(latency)
                if not name.startswith("new-") and stages.get(name) != "dormant":
                    outcome.differences.append(f"{name} came back before it was dormant: {change}")
            stages[name] = change["to"]
    outcome.latencies.sort()
    outcome.calm.sort()
    outcome.visits = len(visits.sent)
    if len(deadlines) != outcome.customers or max(deadlines.values()) > 1:
        outcome.differences.append(f"{deadlines.total()} deadlines of {len(deadlines)} customers were fired")
    came_back = {name for name, stage in stages.items() if stage == "awake"}
    if came_back != visits.sent.keys():
        outcome.differences.append(f"{len(came_back)} are awake, {len(visits.sent)} visited")
    _measure(outcome, published, kept)


def _between(changes: Sequence[dict[str, Any]]) -> int:
    kinds = [change["trigger"]["kind"] for change in changes]
    fired = [place for place, kind in enumerate(kinds) if kind == "deadline"]
    return sum(kind == "interaction" and fired[0] < place < fired[-1] for place, kind in enumerate(kinds))


def _measure(outcome: Storm, published: dict[int, Any], kept: dict[int, Any]) -> None:
    """The transactions, distinguished by the offset that each one's marker takes."""
    for number, records in published.items():
        ours = [each for each in transactions(kept[number]) if each[-1].key == b"p" and _is_ours(each)]
        theirs = list(transactions(records))
        outcome.transactions += len(ours)
        outcome.most_changes = max(outcome.most_changes, *map(len, theirs))
        largest = max(map(_size, theirs)) * 2 + max(map(_size, ours))
        outcome.most_bytes = max(outcome.most_bytes, largest)


def _is_ours(transaction: Log) -> bool:
    """Written by the worker, and not by the one that wrote the state."""
    position = orjson.loads(transaction[-1].value or b"")
    return bool(position["clock"] != position["live_from"])


def transactions(records: Log) -> Iterator[Log]:
    """Records of a partition by transaction: a marker's offset is between each two."""
    begin = 0
    for place in range(1, len(records) + 1):
        if place == len(records) or records[place].offset != records[place - 1].offset + 1:
            yield records[begin:place]
            begin = place


def _size(records: Iterable[ConsumerRecord[bytes | None, bytes | None]]) -> int:
    return sum(len(record.value or b"") for record in records)


def _report(outcome: Storm, console: Console) -> None:
    mib = {name: f"{size / 2**20:,.0f}" for name, size in outcome.memory.items()}
    rate = outcome.customers / outcome.seconds
    console.print(
        f"deadlines: {outcome.customers:,} in {outcome.seconds:.1f} s, {rate:,.0f} a second; "
        f"processor {outcome.cpu_seconds:.1f} s"
    )
    console.print(
        f"transactions: {outcome.transactions:,}, at most {outcome.most_changes:,} changes and "
        f"{outcome.most_bytes / 2**20:.2f} MiB in one"
    )
    console.print(f"resident MiB: {mib['before']} before, {mib['most']} at most, {mib['after']} after")
    console.print(
        f"visits: {outcome.visits:,}, {outcome.between:,} of them applied between deadlines of their partition"
    )
    for name, values in (("before", outcome.calm), ("during", outcome.latencies)):
        if values:
            p50, p99 = statistics.median(values) * 1000, quantile(values, 0.99) * 1000
            console.print(f"visit to the writing of its change, {name}: p50 {p50:,.0f} ms, p99 {p99:,.0f} ms")
    console.print(f"differences: {len(outcome.differences)}", style="red" if outcome.differences else "green")
    for line in outcome.differences[:5]:
        console.print(line[:300], markup=False)


async def _run(customers: int, ahead: float, say: Say) -> Storm:
    with tempfile.TemporaryDirectory(prefix="lifecycle-deadlines-") as folder:
        async with running_kafka() as broker:
            return await storm(broker.bootstrap, Path(folder), customers, ahead=ahead, every=0.05, say=say)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report; 1 where something is missing, extra, or larger than a transaction may be."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.deadlines",
        description="Customers whose deadlines come in the same millisecond, on Apache Kafka, while there are visits. "
        "The exit code is 1 where a deadline or visit is lost, doubled or out of order, or a transaction too large.",
    )
    parser.add_argument("--customers", type=int, default=1_000_000, help="how many are due; else 1,000,000")
    parser.add_argument("--ahead", type=float, default=60.0, help="seconds until they are, to get ready; else 60")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        outcome = asyncio.run(_run(asked.customers, asked.ahead, console.print))
    except KeyboardInterrupt:
        return 130
    _report(outcome, console)
    return 1 if outcome.differences or outcome.most_bytes > MAX_BYTES * 1.1 else 0


if __name__ == "__main__":
    sys.exit(main())
