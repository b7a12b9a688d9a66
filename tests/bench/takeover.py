"""How long a partition stands still while a worker restarts, is killed, or leaves in order.

A steady flow of 500 events/s, each of which causes a change, on 4 partitions; gaps are between two changes of a
partition as a read_committed subscriber hears them.
"""

import asyncio
import contextlib
import itertools
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from rich.table import Table

from tests.bench.probes import PARTITIONS, PUBLISH_ALL, Flow, running_kafka, subscriber
from tests.bench.worker import BenchWorker
from tests.kit.topics import create_topics

HELP = "Longest gap of a partition when a worker restarts, is killed, or is told to stop."

_RATE = 500.0
_PREFIX = "flow-"
_SESSION_SECONDS = 6.0
"""The product's default for `session_timeout`."""
_CALM_SECONDS = 2.0
_POLL = 0.05
_DEADLINE = 60.0
_ALL = frozenset(range(PARTITIONS))

Say = Callable[[str], None]


class Arrivals:
    """When changes of each partition arrived."""

    def __init__(self) -> None:
        self._times: dict[int, list[float]] = {number: [] for number in _ALL}

    def heard(self, partition: int, _customer: bytes, when: float) -> None:
        """A change arrived."""
        self._times[partition].append(when)

    async def all_after(self, when: float) -> None:
        """Return once a change of every partition arrived after `when`. Raises TimeoutError after a minute."""
        async with asyncio.timeout(_DEADLINE):
            while not all(times and times[-1] > when for times in self._times.values()):
                await asyncio.sleep(0.01)

    async def first_after(self, when: float) -> float:
        """The first arrival after `when`, of any partition. Raises TimeoutError after a minute."""
        async with asyncio.timeout(_DEADLINE):
            while True:
                later = [each for times in self._times.values() for each in times if each > when]
                if later:
                    return min(later)
                await asyncio.sleep(0.01)

    def longest_gap(self, partitions: Collection[int], since: float) -> float:
        """The longest gap of any of `partitions` that ended after `since`, in seconds; 0 without partitions."""
        gaps = [
            after - before
            for number in partitions
            for before, after in itertools.pairwise(self._times[number])
            if after > since
        ]
        return max(gaps, default=0.0)


class Fleet:
    """Workers of one application, under the flow."""

    def __init__(self, bootstrap: str, folder: Path, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.workers: list[BenchWorker] = []
        self._bootstrap, self._folder = bootstrap, folder
        self._started = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def add(self) -> BenchWorker:
        """Start one more."""
        self._started += 1
        log = self._folder / f"worker-{self._started}.log"
        worker = await self._stack.enter_async_context(BenchWorker(self._bootstrap, _PREFIX, log, PUBLISH_ALL))
        self.workers.append(worker)
        return worker

    async def end(self, worker: BenchWorker, number: signal.Signals) -> None:
        """Send a signal that ends a worker, and wait for its end."""
        self.workers.remove(worker)
        worker.process.send_signal(number)
        await asyncio.wait_for(worker.process.wait(), _DEADLINE)

    async def settled(self, *, calm: float) -> None:
        """Return once the workers share all partitions evenly, and did so for `calm` seconds, and changes flow."""
        share = PARTITIONS // len(self.workers)
        since: float | None = None
        async with asyncio.timeout(_DEADLINE):
            while since is None or time.perf_counter() - since < calm:
                owned = [await owned_by(worker) for worker in self.workers]
                even = all(len(each) == share for each in owned) and frozenset().union(*owned) == _ALL
                since = (since or time.perf_counter()) if even else None
                await asyncio.sleep(_POLL)
        await self.arrivals.all_after(time.perf_counter())


async def owned_by(worker: BenchWorker) -> frozenset[int]:
    """The partitions that a worker runs; none while it is not ready."""
    health = await worker.health()
    if health is None or health["status"] != "ready":
        return frozenset()
    return frozenset(each["partition"] for each in health["partitions"])


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Seconds: each run, and the least, the median and the largest."""
    restarts, stops, kills = (2, 2, 1) if quick else (5, 5, 4)
    async with running_kafka() as kafka:
        with tempfile.TemporaryDirectory(prefix="lifecycle-takeover-") as folder:
            async with _flowing(kafka.bootstrap, Path(folder)) as fleet:
                figures = {"restart": await _restarts(fleet, restarts, say)}
                figures.update(await _takeovers(fleet, "sigterm", signal.SIGTERM, stops, say))
                figures.update(await _takeovers(fleet, "kill", signal.SIGKILL, kills, say))
    aims = [
        ("clean restart to the first change, s", "restart", 5.0),
        ("takeover after SIGTERM, s", "sigterm", 1.0),
        ("takeover after kill -9, s: session timeout and a second", "kill", _SESSION_SECONDS + 1.0),
    ]
    seen = [(name, figures[key]["median"], aim) for name, key, aim in aims]
    conditions = [{"name": name, "seen": median, "aim": aim, "met": median <= aim} for name, median, aim in seen]
    return {**figures, "conditions": conditions}


def tables(result: dict[str, Any]) -> list[Table]:
    """The gaps, and the conditions."""
    gaps = Table("seconds", "least", "median", "largest", "runs", title=f"Gaps at {_RATE:.0f} events/s")
    for label, name in (
        ("clean restart: process start to first change", "restart"),
        ("SIGTERM: longest gap of a partition taken over", "sigterm"),
        ("SIGTERM: of a partition of the survivor", "sigterm_surviving"),
        ("kill -9: longest gap of a partition taken over", "kill"),
        ("kill -9: of a partition of the survivor", "kill_surviving"),
    ):
        row = result[name]
        figures = (f"{row[each]:.2f}" for each in ("min", "median", "max"))
        gaps.add_row(label, *figures, str(len(row["runs"])))
    conditions = Table("condition", "median", "aim, at most", "met", title="Conditions")
    for each in result["conditions"]:
        conditions.add_row(each["name"], f"{each['seen']:.2f}", f"{each['aim']:.1f}", "yes" if each["met"] else "no")
    return [gaps, conditions]


@asynccontextmanager
async def _flowing(bootstrap: str, folder: Path) -> AsyncIterator[Fleet]:
    """One worker that runs, under a flow that lasts as long as the context."""
    topic, output = f"{_PREFIX}interactions", f"{_PREFIX}stage-changes"
    await create_topics(bootstrap, topic, output, partitions=PARTITIONS)
    arrivals = Arrivals()
    async with (
        subscriber(bootstrap, output, arrivals.heard),
        Flow(bootstrap, topic, "flow", lambda _customer, _when: None) as flow,
        Fleet(bootstrap, folder, arrivals) as fleet,
    ):
        flowing = asyncio.create_task(flow.run(_RATE, float("inf")))
        try:
            await fleet.add()
            await fleet.settled(calm=_CALM_SECONDS)
            yield fleet
        finally:
            flowing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flowing


async def _restarts(fleet: Fleet, count: int, say: Say) -> dict[str, Any]:
    runs: list[float] = []
    for number in range(1, count + 1):
        say(f"clean restart, {number} of {count}")
        await fleet.end(fleet.workers[0], signal.SIGTERM)
        await asyncio.sleep(_POLL)  # what it committed last is heard by now
        began = time.perf_counter()
        await fleet.add()
        runs.append(await fleet.arrivals.first_after(began) - began)
        await fleet.settled(calm=_CALM_SECONDS)
    return _summary(runs)


async def _takeovers(fleet: Fleet, name: str, number: signal.Signals, count: int, say: Say) -> dict[str, Any]:
    """End one of two workers, again and again; a new one takes its place in between."""
    taken: list[float] = []
    surviving: list[float] = []
    for run in range(1, count + 1):
        await fleet.add()
        say(f"{name}, {run} of {count}: waiting for two workers to share the partitions")
        await fleet.settled(calm=_CALM_SECONDS)
        victim = fleet.workers[0]
        lost = await owned_by(victim)
        say(f"{name}, {run} of {count}")
        began = time.perf_counter()
        await fleet.end(victim, number)
        await fleet.settled(calm=0.5)
        taken.append(fleet.arrivals.longest_gap(lost, began))
        surviving.append(fleet.arrivals.longest_gap(_ALL - lost, began))
    return {name: _summary(taken), f"{name}_surviving": _summary(surviving)}


def _summary(runs: Sequence[float]) -> dict[str, Any]:
    return {"runs": list(runs), "min": min(runs), "median": statistics.median(runs), "max": max(runs)}
