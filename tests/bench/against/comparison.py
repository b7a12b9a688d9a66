"""The section that `--against COMMIT` runs: parts of the comparison, and their tables."""

import tempfile
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from stream.build import is_compiled
from stream.errors import LifecycleError
from tests.bench import checkouts
from tests.bench.against import cold, latency, memory, recovery, simulate, tables, warm
from tests.bench.against.pair import LIFECYCLES, Figure, Pair, Say
from tests.bench.builds import THIS
from tests.bench.probes import running_kafka
from tests.kit.kafka import KafkaBroker

PARTS = {
    "cold": "new customers: CPU and events/s",
    "peers": "this build and other engines at the peers' job, on one topic; includes cold, trivial",
    "warm": "known customers, new interactions: CPU and events/s",
    "latency": "p50, p99 at a quarter and at half of the other build's maximal rate; Kafka Streams, too",
    "recovery": "records/s from a changelog, which each build's worker wrote",
    "simulate": "CPU of lifecycle simulate",
    "memory": "resident memory with many customers",
    "throughput": "cold, peers, warm and simulate",
}
_THROUGHPUT = ("cold", "peers", "warm", "simulate")


class Plan(NamedTuple):
    """How much is measured."""

    cold_events: int
    cold_rounds: int
    warm_customers: int
    warm_events: int
    warm_rounds: int
    recovery_events: int
    recovery_rounds: int
    simulate_events: int
    simulate_rounds: int
    memory_customers: int


FULL = Plan(1_000_000, 3, 100_000, 250_000, 5, 1_500_000, 3, 500_000, 3, 1_000_000)
QUICK = Plan(120_000, 2, 20_000, 60_000, 4, 150_000, 2, 60_000, 2, 100_000)


class Comparison:
    """The section: the build that runs, against that of a commit."""

    HELP = "this build and that of another commit in turn, with the same interactions"

    def __init__(
        self, commit: str, parts: Sequence[str] = (), lifecycles: Sequence[str] = (), rounds: int | None = None
    ) -> None:
        """`parts` and `lifecycles`: those of PARTS and LIFECYCLES, all where none is named."""
        self._commit, self._rounds = commit, rounds
        named = {*(parts or PARTS)}
        self._parts = named | {*_THROUGHPUT} if "throughput" in named else named
        self._lifecycles = [each for each in LIFECYCLES if each in (lifecycles or LIFECYCLES)]

    async def measure(self, quick: bool, say: Say) -> dict[str, Any]:
        """All figures of both builds, and why parts failed, such as a build that did not do the job. Raises NoBuild."""
        if not is_compiled():
            raise checkouts.NoBuild("this build is not compiled: deploy/compiled.sh, or make bench")
        plan = QUICK if quick else FULL
        if self._rounds is not None:
            plan = plan._replace(**{each: self._rounds for each in Plan._fields if each.endswith("_rounds")})
        pair = Pair(THIS, await checkouts.checked_out(self._commit, say))
        if checkouts.optimised(THIS.folder) != "3":
            say("    this build is not optimised like the other: OPTIMISE=3 deploy/compiled.sh")
        measured = _Measured(say)
        with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
            await self._without_kafka(pair, plan, Path(folder), measured)
            if self._parts & {"cold", "peers", "warm"}:
                async with running_kafka() as kafka:
                    await self._events(pair, plan, kafka, Path(folder), measured)
            if self._parts & {"latency", "recovery"}:
                async with running_kafka() as kafka:
                    if "latency" in self._parts:
                        await measured.add(latency.measure(pair, kafka.bootstrap, Path(folder), say, quick=quick))
                    if "recovery" in self._parts:
                        counts = (plan.recovery_events, plan.recovery_rounds)
                        await measured.add(recovery.measure(pair, kafka.bootstrap, Path(folder), *counts, say))
        return {
            "against": self._commit,
            "quick": quick,
            "parts": [each for each in PARTS if each in self._parts],
            "lifecycles": self._lifecycles,
            "plan": plan._asdict(),
            "figures": [each.document() for each in measured.figures],
            "failed_parts": measured.failed,
        }

    async def _without_kafka(self, pair: Pair, plan: Plan, folder: Path, measured: "_Measured") -> None:
        say = measured.say
        if "simulate" in self._parts:
            await measured.add(simulate.measure(pair, folder, plan.simulate_events, plan.simulate_rounds, say))
        if "memory" in self._parts:
            for name in (each for each in memory.LIFECYCLES if each in self._lifecycles):
                await measured.add(memory.measure(pair, folder, name, plan.memory_customers, say))

    async def _events(self, pair: Pair, plan: Plan, kafka: KafkaBroker, folder: Path, measured: "_Measured") -> None:
        """Cold and warm, lifecycle by lifecycle; other engines do the job of the first."""
        say = measured.say
        for name in self._lifecycles:
            peers = "peers" in self._parts and name == "trivial"
            if peers or "cold" in self._parts:
                counts = (plan.cold_events, plan.cold_rounds)
                await measured.add(cold.measure(pair, kafka.bootstrap, folder, name, *counts, say, peers=peers))
            if "warm" in self._parts:
                each = (plan.warm_customers, plan.warm_events, plan.warm_rounds)
                await measured.add(warm.measure(pair, kafka, folder, name, *each, say))

    def tables(self, result: dict[str, Any]) -> list[Table]:
        """Every figure of both builds, those of other engines, and the targets."""
        return tables.tables(result)


class _Measured:
    """What the parts gave so far. Where one fails, the others are measured all the same."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.figures: list[Figure] = []
        self.failed: list[str] = []
        """Why, of each part that failed."""

    async def add(self, part: Awaitable[list[Figure]]) -> None:
        """Measure a part."""
        try:
            self.figures += await part
        except (LifecycleError, RuntimeError, TimeoutError) as error:
            self.failed.append(str(error) or type(error).__name__)
            self.say(f"    failed: {self.failed[-1]}")
