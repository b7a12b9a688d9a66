"""Ten times what a worker can take, for a minute: `python -m tests.faults.overload`.

First the rate that one worker sustains on this machine is measured, then ten times as many interactions a second are
written, and then it may catch up. Its memory and the lag that it tells are watched all the time; before and after,
single new customers come by, and what it takes until their first change is written is their latency.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaProducer
from rich.console import Console

from stream.codec.interactions import encode_native
from stream.core.interaction import Interaction
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.bench.probes import quantile, running_kafka
from tests.bench.worker import BenchWorker
from tests.faults.flood import LIFECYCLE, Flood
from tests.kit.topics import read_all

PARTITIONS = 4
TIMES = 10
"""Overload: so many times the sustainable rate."""
CUSTOMERS = 20_000
_POLL = 0.25
_PROBE_SECONDS = 0.05
_PROBES = 200
_READ_SECONDS = 600.0

Say = Callable[[str], None]


class Sample(NamedTuple):
    """What was seen at one moment."""

    at: float
    """Seconds since the flood began."""
    written: int
    """Interactions written since then."""
    taken: int
    """Interactions processed since then, by the positions."""
    lag: int
    """Of all partitions, from /metrics."""
    lag_of_health: int
    """The same, from /readyz."""
    resident: int
    """Bytes."""


@dataclass
class Outcome:
    """What came of it."""

    sustained: float
    """Interactions a second that a worker takes from a backlog."""
    reached: float = 0.0
    """Interactions a second at which the flood was written."""
    written: int = 0
    """By the flood."""
    seconds: float = 0.0
    """From the flood's begin until nothing was left."""
    resident_before: int = 0
    resident_after: int = 0
    samples: list[Sample] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    """Seconds from sending a probe to the writing of its change, ascending."""
    after: list[float] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def most_resident(self) -> int:
        """Bytes."""
        return max(each.resident for each in self.samples)

    @property
    def most_lag(self) -> int:
        """From /metrics."""
        return max(each.lag for each in self.samples)


@dataclass
class Load:
    """How much."""

    measured: int
    """Interactions in the backlog from which the sustainable rate is measured."""
    seconds: float | None
    """How long the flood is to last; None: `count` interactions as fast as they can be written."""
    count: int = 0
    customers: int = CUSTOMERS


async def overload(bootstrap: str, folder: Path, load: Load, prefix: str, say: Say) -> Outcome:
    """One run, on topics of its own."""
    settings = Settings(
        bootstrap=bootstrap, topic_prefix=prefix, app=f"{prefix}app", partitions=PARTITIONS, lifecycles=(LIFECYCLE,)
    )
    await ensure_topics(settings)
    flood = Flood(settings, load.customers)
    await flood.write(load.measured, None)
    named = {
        "LIFECYCLES": LIFECYCLE,
        "PARTITIONS": str(PARTITIONS),
        "CLOCK": "wall",
        "LIVE_FROM": "2000-01-01T00:00:00Z",
    }
    async with BenchWorker(bootstrap, prefix, folder / f"{prefix}.log", named) as worker:
        outcome = Outcome(await _sustained(worker, flood.written))
        say(f"a backlog is taken at {outcome.sustained:,.0f} interactions a second")
        before = await _probe(settings, "before")
        await worker.until_taken(flood.written + len(before))
        outcome.resident_before = worker.resident_bytes
        first = flood.written
        async with _watched(worker, flood, outcome.samples):
            rate = outcome.sustained * TIMES if load.seconds is not None else None
            count = int(outcome.sustained * TIMES * load.seconds) if load.seconds is not None else load.count
            began = time.perf_counter()
            outcome.reached = await flood.write(count, rate)
            outcome.written = flood.written - first
            say(f"{outcome.written:,} written, {outcome.reached:,.0f} a second; now it catches up")
            await worker.until_taken(flood.written + len(before), every=_POLL, seconds=3_600)
            outcome.seconds = time.perf_counter() - began
            while outcome.samples[-1].lag:
                await asyncio.sleep(_POLL)
        say(f"nothing is left after {outcome.seconds:.1f} s")
        after = await _probe(settings, "after")
        await worker.until_taken(flood.written + len(before) + len(after))
        outcome.resident_after = worker.resident_bytes
    say("reading what came of it")
    outcome.differences = await flood.differences()
    await _latencies(settings, before, outcome.before, outcome.differences)
    await _latencies(settings, after, outcome.after, outcome.differences)
    return outcome


async def _sustained(worker: BenchWorker, count: int) -> float:
    """Interactions a second, over all but the first fifth."""
    first = count // 5
    began = await worker.until_taken(first)
    start = await worker.taken()
    ended = await worker.until_taken(count)
    return (count - start) / (ended - began)


@asynccontextmanager
async def _watched(worker: BenchWorker, flood: Flood, samples: list[Sample]) -> AsyncIterator[None]:
    began, written, taken = time.perf_counter(), flood.written, await worker.taken()

    async def watch() -> None:
        while True:
            health = await worker.health()
            partitions = health["partitions"] if health is not None else []
            sample = Sample(
                time.perf_counter() - began,
                flood.written - written,
                sum(each["position"] or 0 for each in partitions) - taken,
                _lag(await worker.metrics()),
                sum(each["lag"] or 0 for each in partitions),
                worker.resident_bytes,
            )
            samples.append(sample)
            await asyncio.sleep(_POLL)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def _lag(metrics: str) -> int:
    lines = (line for line in metrics.splitlines() if line.startswith("lifecycle_lag_records{"))
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


async def _probe(settings: Settings, name: str) -> dict[str, int]:
    """New customers come by, one after the other; when each was sent, epoch milliseconds."""
    sent: dict[str, int] = {}
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        await producer.partitions_for(settings.topics.interactions)
        for number in range(_PROBES):
            who = f"{name}-{number}"
            sent[who] = now = time.time_ns() // 1_000_000
            value = encode_native(Interaction(who, None, None, "page_view", now, {}, {}))
            await producer.send_and_wait(settings.topics.interactions, value, key=who.encode())
            await asyncio.sleep(_PROBE_SECONDS)
    return sent


async def _latencies(settings: Settings, sent: dict[str, int], found: list[float], differences: list[str]) -> None:
    published = await read_all(settings.bootstrap, settings.topics.stage_changes, seconds=_READ_SECONDS)
    heard: dict[str, int] = {}
    for records in published.values():
        for record in records:
            name = orjson.loads(record.value or b"")["customer_id"]
            if name in sent:
                heard.setdefault(name, record.timestamp)
    found.extend(sorted((heard[name] - at) / 1000 for name, at in sent.items() if name in heard))
    differences.extend(f"{name} has no change" for name in sent.keys() - heard.keys())


def _report(outcome: Outcome, console: Console) -> None:
    mib = [f"{each / 2**20:,.0f}" for each in (outcome.resident_before, outcome.most_resident, outcome.resident_after)]
    console.print(
        f"sustained: {outcome.sustained:,.0f}/s; written: {outcome.written:,} at {outcome.reached:,.0f}/s, "
        f"{outcome.reached / outcome.sustained:.1f} times as many"
    )
    console.print(f"all taken {outcome.seconds:,.0f} s after the first of them")
    console.print(f"resident MiB: {mib[0]} before, {mib[1]} at most, {mib[2]} after")
    truly = max(each.written - each.taken for each in outcome.samples)
    of_health = max(each.lag_of_health for each in outcome.samples)
    console.print(
        f"lag at most: {outcome.most_lag:,} by /metrics, {of_health:,} by /readyz, {truly:,} in truth; "
        f"{outcome.samples[-1].lag:,} at the end"
    )
    for name, values in (("before", outcome.before), ("after", outcome.after)):
        p50, p99 = statistics.median(values) * 1000, quantile(values, 0.99) * 1000
        console.print(f"probe to the writing of its change, {name}: p50 {p50:,.0f} ms, p99 {p99:,.0f} ms")
    console.print(f"differences: {len(outcome.differences)}", style="red" if outcome.differences else "green")
    for line in outcome.differences[:5]:
        console.print(line, markup=False)


async def _run(load: Load, say: Say) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="lifecycle-overload-") as folder:
        async with running_kafka() as broker:
            return await overload(broker.bootstrap, Path(folder), load, "overload-", say)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report; 1 where anything was lost or came twice."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.overload",
        description=f"{TIMES} times what one worker can take, on Apache Kafka, and then time to catch up: about "
        f"{TIMES} times as long. The exit code is 1 where anything was lost or came twice.",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the overload lasts; else 60")
    parser.add_argument("--measured", type=int, default=500_000, help="the backlog to measure with; else 500,000")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        outcome = asyncio.run(_run(Load(asked.measured, asked.seconds), console.print))
    except KeyboardInterrupt:
        return 130
    _report(outcome, console)
    return 1 if outcome.differences else 0


if __name__ == "__main__":
    sys.exit(main())
