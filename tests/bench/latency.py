"""From an interaction to its stage change at a read_committed subscriber: ours, and Kafka Streams beside it."""

import asyncio
import contextlib
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from tests.bench import transactions
from tests.bench.peer_runs import Peer, PeerFailed, install, peers
from tests.bench.probes import PARTITIONS, PUBLISH_ALL, TRIVIAL, Flow, program, quantile, running_kafka, subscriber
from tests.bench.worker import BenchWorker
from tests.bench.workload import Record, produce, workload
from tests.kit.topics import create_topics

HELP = "Latency from interaction to stage change at 10 events/s, a quarter and half of the maximal rate."

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
_SHARES = (("p50_ms", 0.5), ("p99_ms", 0.99), ("p99_9_ms", 0.999))
_OURS, _EXACTLY, _AT_LEAST = "ours, exactly once", "Kafka Streams, exactly once", "Kafka Streams, at least once"
_TOPICS = ("interactions", "stage-changes")
_LOW, _QUARTER, _HALF = "10/s", "a quarter", "half"

Say = Callable[[str], None]
Start = Callable[[str, Path, str, str], AbstractAsyncContextManager[None]]
"""Runs a system while its context lasts: bootstrap servers, a folder for its files, source topic, topic of changes."""


class Plan(NamedTuple):
    """How long each part takes, in seconds; the events of the backlog that shows the maximal rate; and rounds.

    The second round runs the systems the other way round: a broker that has run for longer answers faster.
    """

    warm_up: float
    low: float
    high: float
    backlog: int
    rounds: int


FULL, QUICK = Plan(4, 13, 6, 500_000, 2), Plan(3, 6, 4, 150_000, 1)


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


async def measure(quick: bool, say: Say, *, maximum: float | None = None) -> dict[str, Any]:
    """Latencies in milliseconds by system and rate; `maximum` is the maximal rate where it is known already.

    The flow beside the measured events is the common workload, the same records for every system.
    """
    plan = QUICK if quick else FULL
    async with running_kafka() as kafka:
        with tempfile.TemporaryDirectory(prefix="lifecycle-latency-") as folder:
            if maximum is None:
                say(f"maximal rate, from a backlog of {plan.backlog:,} interactions")
                maximum = await _maximal_rate(kafka.bootstrap, Path(folder), plan.backlog)
            bare = await transactions.bare_transactions(kafka.bootstrap, quick=quick, say=say)  # the broker is warm now
            systems = await _systems(kafka.bootstrap, Path(folder), plan, maximum, say)
    result = {"maximal_rate": maximum, "bare_transaction": bare, "systems": systems}
    return {**result, "conditions": _conditions(result)}


async def _systems(bootstrap: str, folder: Path, plan: Plan, maximum: float, say: Say) -> dict[str, Any]:
    """Every system on topics of its own, one after the other; a peer that cannot run here says why instead."""
    loads = [
        Load(_LOW, LOW_RATE, plan.low),
        Load(_QUARTER, maximum / 4, plan.high),
        Load(_HALF, maximum / 2, plan.high),
    ]
    count = int(maximum / 4 * plan.warm_up + sum(load.rate * load.seconds for load in loads)) + 10_000
    say(f"maximal rate {maximum:,.0f} events/s; preparing {count:,} interactions")
    customers = int(maximum / 4 * plan.warm_up) // MET_BEFORE
    records = list(workload(count, customers, until=time.time_ns() // 1_000_000))
    streams = {peer.name: peer for peer in peers()}
    starts: list[tuple[str, Start, Peer | None]] = [(_OURS, _ours, None)]
    for name, other in ((_EXACTLY, streams["kafka-streams-eos"]), (_AT_LEAST, streams["kafka-streams"])):
        starts.append((name, _streams(other), other))
    measured: dict[str, dict[str, list[Measured]]] = {name: {} for name, _, _ in starts}
    failed: dict[str, str] = {}
    gc.collect()
    gc.freeze()  # else each search for cycles walks through all of them
    try:
        for turn in range(plan.rounds):
            for name, start, peer in starts if turn % 2 == 0 else reversed(starts):
                topic, output = (f"{turn}-{starts.index((name, start, peer))}-{each}" for each in _TOPICS)
                try:
                    if peer is not None:
                        await install(peer, say)
                    await create_topics(bootstrap, topic, output, partitions=PARTITIONS)
                    async with start(bootstrap, folder, topic, output):
                        runs = await _system(bootstrap, topic, output, plan, loads, records, name, say)
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
    plan: Plan,
    loads: Sequence[Load],
    records: Sequence[Record],
    name: str,
    say: Say,
) -> dict[str, Measured]:
    """One system that is starting, under one load after the other."""
    trips, background = Trips(), iter(records)
    runs: dict[str, Measured] = {}
    async with subscriber(bootstrap, output, trips.heard), Flow(bootstrap, topic, "probe", trips.sent) as flow:
        await _until_it_answers(flow, trips)
        say(f"{name}: warming up")
        await flow.run(loads[1].rate, plan.warm_up, background=background, probes=_PROBES)
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
        **{name: 1000 * quantile(ordered, share) if sustained else None for name, share in _SHARES},
    }


async def _until_it_answers(flow: Flow, trips: Trips) -> None:
    """Raises TimeoutError where nothing comes for a minute."""
    async with asyncio.timeout(_START_SECONDS):
        while True:
            await flow.run(LOW_RATE, 0.5)
            latencies, _ = await trips.finish(0.5)
            if latencies:
                return


async def _maximal_rate(bootstrap: str, folder: Path, count: int) -> float:
    """Events a second while our worker works off a backlog that was there before it started."""
    await create_topics(bootstrap, "most-interactions", partitions=PARTITIONS)
    await produce(bootstrap, "most-interactions", PARTITIONS, workload(count, count // EVENTS_EACH))
    settings = {"LIFECYCLES": TRIVIAL, "PARTITIONS": str(PARTITIONS)}
    async with BenchWorker(bootstrap, "most-", folder / "most.log", settings) as worker:
        began = await worker.until_taken(1)
        first = await worker.taken()
        return (count - first) / (await worker.until_taken(count) - began)


def _conditions(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, what was seen, and whether they agree; None where there is nothing to compare."""
    ours, exactly = result["systems"][_OURS], result["systems"][_EXACTLY]
    floor = result["bare_transaction"]["apart_100_ms"]["p99_ms"]  # as far apart as ours are at that rate
    low, half = ours[_LOW]["p99_ms"], ours[_HALF]["p99_ms"]
    ratio = low / floor if low is not None else None
    conditions = [
        {"name": "p99 at 10/s over the bare transaction's", "seen": ratio, "aim": 3.0},
        {"name": "p99 at half of the maximal rate, ms", "seen": half, "aim": 50.0},
    ]
    for load in () if "failed" in exactly else (_LOW, _QUARTER, _HALF):
        name = f"p99 at {load}, ms, against Kafka Streams exactly once"
        conditions.append({"name": name, "seen": ours[load]["p99_ms"], "aim": exactly[load]["p99_ms"]})
    return [{**each, "met": _met(each["seen"], each["aim"])} for each in conditions]


def _met(seen: float | None, aim: float | None) -> bool:
    """A rate that we cannot hold meets nothing; one that only the other cannot hold is met."""
    return seen is not None and (aim is None or seen <= aim)


def tables(result: dict[str, Any]) -> list[Table]:
    """The bare transaction, the latencies, and the conditions."""
    title = f"Interaction to stage change, ms; maximal rate {result['maximal_rate']:,.0f} events/s"
    latencies = Table("", "events/s", "p50", "p99", "p99.9", "samples", title=title)
    for system, loads in result["systems"].items():
        if "failed" in loads:
            latencies.add_row(system, f"could not run: {loads['failed']}")
            continue
        for row in loads.values():
            figures = (
                [f"{row[name]:.1f}" for name, _ in _SHARES] if row["sustained"] else ["cannot", "hold", "this rate"]
            )
            sent = f"{row['rate']:,.0f}"
            if row["sent_rate"] < 0.95 * row["rate"] and row["rate"] > LOW_RATE:
                sent += f" (sent {row['sent_rate']:,.0f})"
            latencies.add_row(system, sent, *figures, str(row["samples"]))
    conditions = Table("condition", "seen", "aim, at most", "met", title="Conditions")
    for each in result["conditions"]:
        seen, aim = (f"{value:.1f}" if value is not None else "cannot hold" for value in (each["seen"], each["aim"]))
        conditions.add_row(each["name"], seen, aim, "yes" if each["met"] else "no")
    return [*transactions.tables(result["bare_transaction"]), latencies, conditions]


@asynccontextmanager
async def _ours(bootstrap: str, folder: Path, topic: str, _output: str) -> AsyncIterator[None]:
    async with BenchWorker(bootstrap, topic.removesuffix("interactions"), folder / "ours.log", PUBLISH_ALL):
        yield


def _streams(peer: Peer) -> Start:
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

    return start
