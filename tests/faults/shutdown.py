"""How long a worker takes to end after SIGTERM, whatever it is doing: `python -m tests.faults.shutdown`.

Each situation has a group, topics and a worker of its own, and the worker is told to end in the middle of it.
"""

import argparse
import asyncio
import contextlib
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.kafka.embedded.process import HOST, free_port
from stream.kafka.topics import ensure_topics
from stream.operations.workers_away import running_workers
from stream.settings import Settings
from tests.bench.probes import running_kafka
from tests.bench.worker import BenchWorker
from tests.bench.workload import UNTIL, produce, workload
from tests.kit.changelogs import alike, at_the_beginning, write_changelog
from tests.kit.kafka import KafkaBroker

PARTITIONS = 4
AIM, AIM_REBALANCING = 3.0, 10.0
"""Seconds from SIGTERM to the end of the process; the second while the group rebalances."""
_PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """How a worker ended."""

    code: int | None
    seconds: float
    members: int | None
    """Of the group right afterwards, the other workers of the situation left out; None: no broker to ask."""


@dataclass
class Place:
    """Where one situation takes place."""

    settings: Settings
    folder: Path
    broker: KafkaBroker
    count: int = 600_000
    """Interactions in a backlog, customers in a state."""

    @asynccontextmanager
    async def worker(self, bootstrap: str | None = None, session: str = "6s") -> AsyncIterator[BenchWorker]:
        """A worker of this situation's application, until the block ends."""
        settings = self.settings
        number = len(list(self.folder.glob("*.log")))
        named = {
            "LIFECYCLES": ",".join(settings.lifecycles),
            "CLOCK": "stream",
            "PARTITIONS": str(settings.partitions),
            "SESSION_TIMEOUT": session,
        }
        log = self.folder / f"{settings.topic_prefix}{number}.log"
        async with BenchWorker(bootstrap or settings.bootstrap, settings.topic_prefix, log, named) as worker:
            yield worker

    async def backlog(self) -> None:
        """Interactions that nobody took yet."""
        await ensure_topics(self.settings)
        topic = self.settings.topics.interactions
        await produce(self.settings.bootstrap, topic, PARTITIONS, workload(self.count, self.count // 10))

    async def state(self) -> None:
        """Customers that a worker left."""
        await ensure_topics(self.settings)
        model = model_of([each.lifecycle for each in load_all(self.settings.lifecycles)])
        history = [Interaction("c", None, None, "page_view", UNTIL, {}, {})]
        customers = alike(model, self.settings, history, (f"c-{number}" for number in range(self.count)))
        closing = at_the_beginning(model, self.settings, UNTIL)
        await write_changelog(self.settings.bootstrap, self.settings.topics.customers, customers, closing=closing)

    async def end(self, worker: BenchWorker, *, others: int = 0, asks: bool = True) -> Ended:
        """SIGTERM, and how the worker took it."""
        began = time.perf_counter()
        worker.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(worker.process.wait(), _PATIENCE)
        seconds = time.perf_counter() - began
        members = len(await running_workers(self.settings)) - others if asks else None
        return Ended(code, seconds, members)


async def idle(place: Place) -> Ended:
    """Every partition runs and has nothing to do."""
    async with place.worker() as worker:
        await ready(worker)
        return await place.end(worker)


async def backlog(place: Place) -> Ended:
    """In the middle of a backlog."""
    await place.backlog()
    async with place.worker() as worker:
        await worker.until_taken(1, seconds=_PATIENCE)
        return await place.end(worker)


async def recovery(place: Place) -> Ended:
    """While the state is read from its changelog."""
    await place.state()
    async with place.worker() as worker:
        await until(worker, lambda health: any(each["state"] == "recovering" for each in health["partitions"]))
        return await place.end(worker)


async def starting(place: Place) -> Ended:
    """While it joins the group for the first time."""
    async with place.worker() as worker:
        await until(worker, lambda health: health["phase"] == "joining")
        return await place.end(worker)


async def rebalance(place: Place) -> Ended:
    """Another worker joins at that moment."""
    async with place.worker() as worker:
        await ready(worker, PARTITIONS)
        async with place.worker() as other:
            await until(worker, rebalances)
            ended = await place.end(worker, others=1)
            await ready(other, PARTITIONS)
            return ended


async def joining(place: Place) -> Ended:
    """It is the one that joins, and the others wait for it."""
    async with place.worker() as other:
        await ready(other, PARTITIONS)
        async with place.worker() as worker:
            await until(other, rebalances)
            ended = await place.end(worker, others=1)
            await ready(other, PARTITIONS)
            return ended


async def stuck(place: Place) -> Ended:
    """Another joins, and the rebalance waits for a third that stopped answering."""
    async with stuck_worker(place, "6s") as (worker, other):
        ended = await place.end(worker, asks=False)  # the frozen one may still count as a member
        await ready(other, PARTITIONS)
        return ended


async def stuck_for_long(place: Place) -> Ended:
    """The same, and the session of the one that stopped lasts longer than anybody would wait."""
    async with stuck_worker(place, "30s") as (worker, _other):
        return await place.end(worker, asks=False)


@asynccontextmanager
async def stuck_worker(place: Place, session: str) -> AsyncIterator[tuple[BenchWorker, BenchWorker]]:
    """A worker in a rebalance that cannot end, and the one that joins."""
    async with place.worker(session=session) as worker, place.worker(session=session) as frozen:
        await ready(worker)
        await ready(frozen)
        frozen.process.send_signal(signal.SIGSTOP)
        try:
            async with place.worker(session=session) as other:
                await until(worker, lambda health: health["phase"] == "rebalancing")
                yield worker, other
        finally:
            frozen.process.send_signal(signal.SIGKILL)


async def waiting(place: Place) -> Ended:
    """Kafka was never there: nothing listens."""
    async with place.worker(f"{HOST}:{free_port()}") as worker:
        await until(worker, lambda health: health["phase"] == "waiting for Kafka")
        await asyncio.sleep(1)
        return await place.end(worker, asks=False)


async def silent(place: Place) -> Ended:
    """Kafka was never there: something listens and never answers."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: connections.append(writer), HOST, 0)
    async with server, contextlib.AsyncExitStack() as stack:
        stack.callback(_close, connections)
        port = server.sockets[0].getsockname()[1]
        async with place.worker(f"{HOST}:{port}") as worker:
            await until(worker, lambda health: health["phase"] == "waiting for Kafka")
            await asyncio.sleep(1)
            return await place.end(worker, asks=False)


def _close(connections: Iterable[asyncio.StreamWriter]) -> None:
    for each in connections:
        each.close()


async def away(place: Place) -> Ended:
    """The broker goes away in the middle of a backlog, a second before."""
    return await _away(place, 1.0)


async def gone(place: Place) -> Ended:
    """The broker has been away for ten seconds, in the middle of a backlog."""
    return await _away(place, 10.0)


async def _away(place: Place, seconds: float) -> Ended:
    await place.backlog()
    async with place.worker() as worker:
        await worker.until_taken(1, seconds=_PATIENCE)
        await asyncio.to_thread(place.broker.kill)
        try:
            await asyncio.sleep(seconds)
            return await place.end(worker, asks=False)
        finally:
            await asyncio.to_thread(place.broker.restart)


async def mute(place: Place) -> Ended:
    """The broker keeps its connections and answers nothing, in the middle of a backlog."""
    async with mute_worker(place) as worker:
        return await place.end(worker, asks=False)


@asynccontextmanager
async def mute_worker(place: Place) -> AsyncIterator[BenchWorker]:
    """A worker whose broker stopped answering a second ago, until the block ends."""
    await place.backlog()
    async with place.worker() as worker:
        await worker.until_taken(1, seconds=_PATIENCE)
        place.broker.freeze()
        try:
            await asyncio.sleep(1)
            yield worker
        finally:
            place.broker.thaw()


async def ready(worker: BenchWorker, partitions: int = 1) -> None:
    """Return when it owns so many partitions at least, and all that it owns run."""
    await until(worker, lambda health: health["status"] == "ready" and len(health["partitions"]) >= partitions)


def rebalances(health: Mapping[str, Any]) -> bool:
    """It does so now, or has just done, for it is over in milliseconds: others have some of its partitions."""
    return health["phase"] == "rebalancing" or len(health["partitions"]) < PARTITIONS


async def until(worker: BenchWorker, holds: Callable[..., bool]) -> None:
    """Return when `holds` of the body of /readyz. Raises TimeoutError after a minute."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            await worker.taken()  # raises where it ended
            health = await worker.health()
            if health is not None and holds(health):
                return
            await asyncio.sleep(0.002)


SITUATIONS: dict[str, Callable[[Place], Awaitable[Ended]]] = {
    "idle": idle,
    "backlog": backlog,
    "recovery": recovery,
    "starting": starting,
    "rebalance": rebalance,
    "joining": joining,
    "stuck": stuck,
    "stuck_for_long": stuck_for_long,
    "waiting": waiting,
    "silent": silent,
    "away": away,
    "gone": gone,
    "mute": mute,
}
REBALANCING = frozenset({"rebalance", "joining", "starting", "stuck", "stuck_for_long"})


async def measure(names: Sequence[str], times: int, say: Callable[[str], None]) -> dict[str, list[Ended]]:
    """Every situation so many times."""
    found: dict[str, list[Ended]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="lifecycle-shutdown-") as folder:
        async with running_kafka() as broker:
            for run in range(times):
                for name in names:
                    prefix = f"{name}{run}-"
                    settings = Settings(
                        bootstrap=broker.bootstrap,
                        app=f"{prefix}app",
                        topic_prefix=prefix,
                        partitions=PARTITIONS,
                        lifecycles=("metrics",),
                        clock="stream",
                    )
                    ended = await SITUATIONS[name](Place(settings, Path(folder), broker))
                    say(f"{name}: exit code {ended.code} after {ended.seconds:.2f} s, members left: {ended.members}")
                    found[name].append(ended)
    return found


def _table(found: dict[str, list[Ended]]) -> Table:
    table = Table("situation", "aim, s", "least, s", "median, s", "most, s", "exit codes", "members left")
    for name, runs in found.items():
        seconds = [each.seconds for each in runs]
        table.add_row(
            f"{name}: {(SITUATIONS[name].__doc__ or '').rstrip('.')}",
            f"{_aim(name):.0f}",
            *(f"{each(seconds):.2f}" for each in (min, statistics.median, max)),
            " ".join(sorted({str(each.code) for each in runs})),
            " ".join(sorted({"-" if each.members is None else str(each.members) for each in runs})),
        )
    return table


def _aim(name: str) -> float:
    return AIM_REBALANCING if name in REBALANCING else AIM


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 1 where a worker did not end in order and in time."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.shutdown",
        description="SIGTERM to a worker in every situation, on Apache Kafka. The exit code is 1 where a worker did "
        "not end with 0, took longer than the aim, or was left in the group.",
    )
    parser.add_argument("--times", type=int, default=3, help="runs of each situation; else 3")
    parser.add_argument("situations", nargs="*", choices=[[], *SITUATIONS], help="else all")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    with contextlib.suppress(KeyboardInterrupt):
        found = asyncio.run(measure(asked.situations or list(SITUATIONS), asked.times, console.print))
        console.print(_table(found))
        good = all(
            each.code == 0 and each.seconds <= _aim(name) and not each.members
            for name, runs in found.items()
            for each in runs
        )
        return 0 if good else 1
    return 130


if __name__ == "__main__":
    sys.exit(main())
