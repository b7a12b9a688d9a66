"""How speed and cost change with workers, partitions, customers and lifecycles; and what many quiet partitions cost."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from tests.bench.probes import running_kafka
from tests.bench.report import table, whole
from tests.bench.scale_runs import Bench, Scenario

HELP = "events/s and processor time by workers, partitions, customers and lifecycles; the cost of quiet partitions"

Say = Callable[[str], None]


class Plan(NamedTuple):
    """How much is measured; the first of each list is what all other curves keep."""

    events: int
    """Waiting when a run begins to be measured."""
    workers: Sequence[int]
    partitions: Sequence[int]
    customers: Sequence[int]
    lifecycles: Sequence[int]
    quiet_seconds: int


FULL = Plan(250_000, (1, 2), (4, 16, 64), (100_000, 10_000, 500_000, 2_000_000), (1, 2, 3, 4), 20)
QUICK = Plan(40_000, (1, 2), (4, 64), (10_000, 50_000), (1, 4), 8)
QUIET_RATE = 100
"""Events a second, over all of the most partitions."""
CURVES = ("workers", "partitions", "customers", "lifecycles")


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """A list of points for each curve; each with what it has of everything, its rate and its costs."""
    plan = QUICK if quick else FULL
    base = Scenario(plan.workers[0], plan.partitions[0], plan.customers[0], plan.lifecycles[0])
    result: dict[str, Any] = {"events": plan.events, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
        async with running_kafka() as kafka:
            bench = Bench(kafka, Path(folder))
            known: dict[Scenario, dict[str, Any]] = {}
            for curve in CURVES:
                scenarios = [base._replace(**{curve: each}) for each in sorted(getattr(plan, curve))]
                for scenario in scenarios:
                    if scenario not in known:
                        say(", ".join(f"{number:,} {name}" for name, number in scenario._asdict().items()))
                        quiet = plan.quiet_seconds if scenario.partitions == max(plan.partitions) else 0
                        known[scenario] = await _point(bench, scenario, plan.events, quiet)
                        result.update(known[scenario].pop("besides"))
                result[curve] = [known[each] for each in scenarios]
    return result


async def _point(bench: Bench, scenario: Scenario, events: int, quiet: int) -> dict[str, Any]:
    """One point; `besides` is what a quiet time of so many seconds after it gave, if any."""
    async with bench.run(scenario) as run:
        await run.backlog(events // 4)  # the broker's code is compiled as it runs
        figures = await run.backlog(events)
        besides = {}
        if quiet:
            idle = await run.idle(quiet // 2)
            besides["quiet"] = {"partitions": scenario.partitions, **idle, **await run.quiet(QUIET_RATE, quiet)}
        return {**scenario._asdict(), **figures, "besides": besides}


def tables(result: dict[str, Any]) -> list[Table]:
    """One table for each curve, and two for the quiet partitions."""
    return [*(_curve_table(curve, result) for curve in CURVES), *_quiet_tables(result["quiet"])]


def _curve_table(curve: str, result: dict[str, Any]) -> Table:
    made = table(
        f"By {curve}",
        curve,
        "events/s",
        "worker us/event",
        "broker us/event",
        caption=f"{result['events']:,} waiting events; {result['cores']} cores, shared with the broker",
    )
    for point in result[curve]:
        made.add_row(
            whole(point[curve]), whole(point["rate"]), f"{point['worker_us']:.1f}", f"{point['broker_us']:.1f}"
        )
    return made


def _quiet_tables(quiet: dict[str, Any]) -> list[Table]:
    costs = table(
        f"One worker with {quiet['partitions']} quiet partitions",
        "events/s",
        "worker, cores",
        "broker, cores",
        "transactions/s",
    )
    for prefix, rate, transactions in (("idle_", 0.0, 0.0), ("", quiet["rate"], quiet["transactions_per_second"])):
        cores = (quiet[f"{prefix}{name}_cores"] for name in ("worker", "broker"))
        costs.add_row(f"{rate:.0f}", *(f"{each:.3f}" for each in cores), f"{transactions:.0f}")
    written = table(
        f"What is written for one event at {quiet['rate']:.0f} events/s, bytes",
        "topic",
        "all",
        "of it transaction markers",
        caption=f"Of lifecycle-customers, {quiet['position_bytes_per_event']:.0f} are positions",
    )
    rows = quiet["bytes_per_event"]
    for name, each in rows.items():
        written.add_row(name, whole(each["total"]), whole(each["markers"]))
    total, markers = (sum(each[name] for each in rows.values()) for name in ("total", "markers"))
    written.add_row("together", whole(total), whole(markers), style="bold")
    return [costs, written]
