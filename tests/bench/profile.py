"""Where a worker's processor time goes, by part.

The machine's parts are timed in this process, without Kafka. How much of the worker is machine, and what the rest
is, say samples of the running worker, where py-spy is installed and allowed to look (Linux: as root, or with
kernel.yama.ptrace_scope 0). Else the rest is one row: the worker's processor time less the machine's timed alone.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.machine_parts import machine_parts
from tests.bench.micro import build_kind
from tests.bench.probes import running_kafka
from tests.bench.report import table
from tests.bench.sampling import Sampler
from tests.bench.scale_runs import TRIVIAL, Bench, Scenario

HELP = "where a worker's processor time goes, by part"
LIFECYCLES = {"trivial": str(TRIVIAL), "metrics": "metrics"}
WORKER = {
    "fetch": "fetching and parsing records",
    "produce": "producing, transactions",
    "loop": "event loop, connections",
    "other": "garbage collection, metrics, other",
}
"""The parts of a worker beyond its machine."""

Say = Callable[[str], None]


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Microseconds per interaction of each part, for each lifecycle."""
    scenario = Scenario(customers=10_000 if quick else 100_000)
    events = 60_000 if quick else 400_000
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
        async with running_kafka() as kafka:
            bench = Bench(kafka, Path(folder))
            profiles = [await _profile(bench, scenario, name, events, say) for name in LIFECYCLES]
    return {"build": build_kind(), "events": events, "customers": scenario.customers, "profiles": profiles}


async def _profile(bench: Bench, scenario: Scenario, name: str, events: int, say: Say) -> dict[str, Any]:
    lifecycle = LIFECYCLES[name]
    say(f"{name}: the worker")
    async with bench.run(scenario, lifecycle) as run:
        await run.backlog(events // 4)  # the broker's code is compiled as it runs
        figures = await run.backlog(events)
        say(f"{name}: samples of the worker")
        async with Sampler(run.workers[0].process.pid, bench.folder / f"{name}.stacks") as sampler:
            await run.backlog(events, sampler.start)
        samples = sampler.samples
    say(f"{name}: the machine without Kafka")
    parts = await machine_parts(lifecycle, scenario.customers // scenario.partitions)
    return {"lifecycle": name, **figures, "samples": samples, "timed_alone": parts} | shared_out(
        figures["worker_us"], parts, samples
    )


def shared_out(total: float, parts: Mapping[str, float], samples: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """The worker's `total` by part: `machine` and `worker`, each a mapping of part to microseconds.

    The machine has its share of the samples, split as its `parts` timed alone; without samples it is those.
    """
    alone = sum(parts.values())
    if not samples:
        return {"machine": dict(parts), "worker": {"Kafka, event loop, other": total - alone}}
    each = total / sum(samples.values())
    machine = samples.get("machine", 0) * each
    return {
        "machine": {part: cost / alone * machine for part, cost in parts.items()},
        "worker": {title: samples.get(part, 0) * each for part, title in WORKER.items()},
    }


def tables(result: dict[str, Any]) -> list[Table]:
    """One table per lifecycle."""
    return [_table(each, result) for each in result["profiles"]]


def _table(profile: dict[str, Any], result: dict[str, Any]) -> Table:
    seen, alone = sum(profile["samples"].values()), sum(profile["timed_alone"].values())
    how = f"{seen:,} samples by py-spy" if seen else "py-spy could not look at the worker"
    made = table(
        f"Where the time goes: {profile['lifecycle']}, {result['build']} build",
        "part",
        "us/event",
        "share",
        caption=f"{profile['rate']:,.0f} events/s; {how}; the machine timed alone takes {alone:.1f} us",
    )
    total = profile["worker_us"]
    for title, parts in (("machine", profile["machine"]), ("worker beyond it", profile["worker"])):
        for part, cost in parts.items():
            made.add_row(part, f"{cost:.2f}", f"{100 * cost / total:.0f}%")
        together = sum(parts.values())
        made.add_row(title, f"{together:.2f}", f"{100 * together / total:.0f}%", style="bold", end_section=True)
    made.add_row("worker", f"{total:.2f}", "100%", style="bold")
    return made
