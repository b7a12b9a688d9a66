"""Systems under load, one after the other, and how long each took from an interaction to its stage change."""

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.builds import THIS, Build
from tests.bench.peer_runs import Peer, PeerFailed, install
from tests.bench.probes import PARTITIONS, PUBLISH_ALL, TRIVIAL, Flow, program, quantile, subscriber
from tests.bench.worker import BenchWorker
from tests.bench.workload import Record, produce, workload
from tests.kit.topics import create_topics

EVENTS_EACH = 10
"""Events of a customer in the backlog, as in the common workload."""
MET_BEFORE = 5
"""How often the warm-up meets each customer: what is measured is a running system, not its first sight of everyone."""
LOW_RATE = 10.0
_PROBES = 200.0
"""Measured events a second at the higher rates."""
_ANSWER_SECONDS = 5.0
"""How long a measured event may take before it counts as lost behind a backlog."""
_KEPT_UP_SECONDS = 1.0
_START_SECONDS = 60.0
SHARES = (("p50_ms", 0.5), ("p99_ms", 0.99), ("p99_9_ms", 0.999))
_TOPICS = ("interactions", "stage-changes")
LOW, QUARTER, HALF = "10/s", "a quarter", "half"

Say = Callable[[str], None]
Start = Callable[[str, Path, str, str], AbstractAsyncContextManager[None]]
"""Runs a system while its context lasts: bootstrap servers, a folder for its files, source topic, topic of changes."""


class System(NamedTuple):
    """What is put under load."""

    start: Start
    peer: Peer | None = None
    """To be installed first."""


class Plan(NamedTuple):
    """How long each part takes, in seconds; the events of the backlog that shows the maximal rate; and rounds.

    The second round runs the systems the other way round: a broker that has run for longer answers faster.
    """

    run_in: float
    """Of each system, before anything is measured: a broker that was just started takes three times as long for a
    transaction, and the first system would have all of that."""
    warm_up: float
    low: float
    high: float
    backlog: int
    rounds: int


class Load(NamedTuple):
    """A rate, in events a second, and for how many seconds."""

    name: str
    rate: float
    seconds: float


class Measured(NamedTuple):
    """One system under one load in one round."""

    latencies: list[float]
    """Seconds, in the order of sending."""
    sent_rate: float
    sustained: bool
    """It kept up: nothing was lost, and the last latencies are below a second."""


class Trips:
    """What was sent and not heard of yet, and how long the rest took, in the order of sending."""

    def __init__(self) -> None:
        self._open: dict[bytes, float] = {}
        self._done: list[tuple[float, float]] = []

    def sent(self, customer: bytes, when: float) -> None:
        """A measured event is about to be sent."""
        self._open[customer] = when

    def heard(self, _partition: int, customer: bytes, when: float) -> None:
        """A change arrived; the first of a customer counts."""
        if (began := self._open.pop(customer, None)) is not None:
            self._done.append((began, when - began))

    def begin(self) -> None:
        """Forget everything so far."""
        self._open.clear()
        self._done.clear()

    async def finish(self, seconds: float) -> tuple[list[float], int]:
        """Wait up to `seconds` for what is still open; latencies in seconds as sent, and how many never came."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._open:
                    await asyncio.sleep(0.01)
        return [took for _, took in sorted(self._done)], len(self._open)


async def run_systems(
    bootstrap: str, folder: Path, plan: Plan, maximum: float, systems: Mapping[str, System], say: Say
) -> dict[str, Any]:
    """Latencies of each system by rate, on topics of its own, one after the other; why, where a peer cannot run here.

    `maximum` is the maximal rate. The flow beside the measured events is the same records for every system.
    """
    loads = [
        Load(LOW, LOW_RATE, plan.low),
        Load(QUARTER, maximum / 4, plan.high),
        Load(HALF, maximum / 2, plan.high),
    ]
    warm_up, run_in = Load(QUARTER, maximum / 4, plan.warm_up), Load(QUARTER, maximum / 4, plan.run_in)
    count = int(sum(load.rate * load.seconds for load in (*loads, max(warm_up, run_in)))) + 10_000
    say(f"maximal rate {maximum:,.0f} events/s; preparing {count:,} interactions")
    customers = int(warm_up.rate * warm_up.seconds) // MET_BEFORE
    records = list(workload(count, customers, until=time.time_ns() // 1_000_000))
    names = list(systems)
    measured: dict[str, dict[str, list[Measured]]] = {name: {} for name in names}
    failed: dict[str, str] = {}
    gc.collect()
    gc.freeze()  # else each search for cycles walks through all of them
    try:
        for turn in range(-1, plan.rounds):  # the first, of all, is the run-in
            for name in names if turn % 2 == 0 else reversed(names):
                start, peer = systems[name]
                topic, output = (f"{turn + 1}-{names.index(name)}-{each}" for each in _TOPICS)
                before, measuring = (run_in, []) if turn < 0 else (warm_up, loads)
                try:
                    if peer is not None:
                        await install(peer, say)
                    await create_topics(bootstrap, topic, output, partitions=PARTITIONS)
                    async with start(bootstrap, folder, topic, output):
                        runs = await _system(bootstrap, topic, output, before, measuring, records, name, say)
                except PeerFailed as failure:
                    failed[name] = str(failure)
                    continue
                for load, run in runs.items():
                    measured[name].setdefault(load, []).append(run)
    finally:
        gc.unfreeze()
    return {
        name: {"failed": failed[name]}
        if name in failed
        else {load.name: _summary(load, runs[load.name]) for load in loads}
        for name, runs in measured.items()
    }


async def _system(
    bootstrap: str,
    topic: str,
    output: str,
    warm_up: Load,
    loads: Sequence[Load],
    records: Sequence[Record],
    name: str,
    say: Say,
) -> dict[str, Measured]:
    """One system that is starting, under one load after the other, behind one that is not measured."""
    trips, background = Trips(), iter(records)
    runs: dict[str, Measured] = {}
    async with subscriber(bootstrap, output, trips.heard), Flow(bootstrap, topic, "probe", trips.sent) as flow:
        await _until_it_answers(flow, trips)
        say(f"{name}: {'warming up' if loads else 'running in'}")
        await flow.run(warm_up.rate, warm_up.seconds, background=background, probes=_PROBES)
        await trips.finish(_START_SECONDS)
        for load in loads:
            say(f"{name}: {load.rate:,.0f} events/s")
            runs[load.name] = await _under(load, flow, trips, background)
    return runs


async def _under(load: Load, flow: Flow, trips: Trips, background: Iterator[Record]) -> Measured:
    trips.begin()
    if load.rate <= _PROBES:
        sent = await flow.run(load.rate, load.seconds)
    else:
        sent = await flow.run(load.rate, load.seconds, background=background, probes=_PROBES)
    latencies, lost = await trips.finish(_ANSWER_SECONDS)
    last = sorted(latencies[-max(1, len(latencies) // 5) :])
    sustained = lost == 0 and bool(last) and quantile(last, 0.5) <= _KEPT_UP_SECONDS
    return Measured(latencies, sent.rate, sustained)


def _summary(load: Load, runs: Sequence[Measured]) -> dict[str, Any]:
    """The samples of all rounds together; without latencies where a round did not keep up."""
    ordered = sorted(each for run in runs for each in run.latencies)
    sustained = all(run.sustained for run in runs)
    return {
        "rate": load.rate,
        "sent_rate": min(run.sent_rate for run in runs),
        "sustained": sustained,
        "samples": len(ordered),
        **{name: 1000 * quantile(ordered, share) if sustained else None for name, share in SHARES},
    }


async def _until_it_answers(flow: Flow, trips: Trips) -> None:
    """Raises TimeoutError where nothing comes for a minute."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            await flow.run(LOW_RATE, 0.5)
            latencies, _ = await trips.finish(0.5)
            if latencies:
                return


async def maximal_rate(bootstrap: str, folder: Path, count: int, build: Build = THIS) -> float:
    """Events a second while a worker of a build works off a backlog that was there before it started."""
    await create_topics(bootstrap, "most-interactions", partitions=PARTITIONS)
    await produce(bootstrap, "most-interactions", PARTITIONS, workload(count, count // EVENTS_EACH))
    settings = {"LIFECYCLES": TRIVIAL, "PARTITIONS": str(PARTITIONS)}
    async with BenchWorker(bootstrap, "most-", folder / "most.log", settings, build) as worker:
        began = await worker.until_taken(1)
        first = await worker.taken()
        return (count - first) / (await worker.until_taken(count) - began)


def worker_of(build: Build) -> System:
    """Our worker, of a build."""

    @asynccontextmanager
    async def start(bootstrap: str, folder: Path, topic: str, _output: str) -> AsyncIterator[None]:
        prefix = topic.removesuffix("interactions")
        async with BenchWorker(bootstrap, prefix, folder / f"{prefix}worker.log", PUBLISH_ALL, build):
            yield

    return System(start)


def streams(peer: Peer) -> System:
    """Kafka Streams with its defaults and one of its guarantees."""

    @asynccontextmanager
    async def start(bootstrap: str, folder: Path, topic: str, output: str) -> AsyncIterator[None]:
        environment = {
            "BROKER": bootstrap,
            "TOPIC": topic,
            "OUTPUT": output,
            "GROUP": f"{topic}-peer",
            "STATE_DIR": str(folder / topic),
            "ROCKSDB_SHAREDLIB_DIR": str(folder),
            "EVENTS": str(2**62),  # it is ended from outside
        }
        async with program(peer.commands[-1], environment, folder / f"{topic}.log"):
            yield

    return System(start, peer)
