"""From an interaction to its stage change at a read_committed subscriber: ours, and Kafka Streams beside it."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench import transactions
from tests.bench.builds import THIS
from tests.bench.latency_runs import (
    HALF,
    LOW,
    LOW_RATE,
    QUARTER,
    SHARES,
    Plan,
    System,
    maximal_rate,
    run_systems,
    streams,
    worker_of,
)
from tests.bench.peer_runs import peers
from tests.bench.probes import running_kafka

HELP = "Latency from interaction to stage change at 10 events/s, a quarter and half of the maximal rate."

_OURS, _EXACTLY, _AT_LEAST = "ours, exactly once", "Kafka Streams, exactly once", "Kafka Streams, at least once"

Say = Callable[[str], None]

FULL, QUICK = Plan(20, 4, 13, 6, 500_000, 2), Plan(10, 3, 6, 4, 150_000, 1)


async def measure(quick: bool, say: Say, *, maximum: float | None = None) -> dict[str, Any]:
    """Latencies in milliseconds by system and rate; `maximum` is the maximal rate where it is known already.

    The flow beside the measured events is the common workload, the same records for every system.
    """
    plan = QUICK if quick else FULL
    async with running_kafka() as kafka:
        with tempfile.TemporaryDirectory(prefix="lifecycle-latency-") as folder:
            if maximum is None:
                say(f"maximal rate, from a backlog of {plan.backlog:,} interactions")
                maximum = await maximal_rate(kafka.bootstrap, Path(folder), plan.backlog)
            bare = await transactions.bare_transactions(kafka.bootstrap, quick=quick, say=say)  # the broker is warm now
            systems = await run_systems(kafka.bootstrap, Path(folder), plan, maximum, _systems(), say)
    result = {"maximal_rate": maximum, "bare_transaction": bare, "systems": systems}
    return {**result, "conditions": _conditions(result)}


def _systems() -> dict[str, System]:
    by_name = {peer.name: peer for peer in peers()}
    return {
        _OURS: worker_of(THIS),
        _EXACTLY: streams(by_name["kafka-streams-eos"]),
        _AT_LEAST: streams(by_name["kafka-streams"]),
    }


def _conditions(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, what was seen, and whether they agree; None where there is nothing to compare."""
    ours, exactly = result["systems"][_OURS], result["systems"][_EXACTLY]
    floor = result["bare_transaction"]["apart_100_ms"]["p99_ms"]  # as far apart as ours are at that rate
    low, half = ours[LOW]["p99_ms"], ours[HALF]["p99_ms"]
    ratio = low / floor if low is not None else None
    conditions = [
        {"name": "p99 at 10/s over the bare transaction's", "seen": ratio, "aim": 3.0},
        {"name": "p99 at half of the maximal rate, ms", "seen": half, "aim": 50.0},
    ]
    for load in () if "failed" in exactly else (LOW, QUARTER, HALF):
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
                [f"{row[name]:.1f}" for name, _ in SHARES] if row["sustained"] else ["cannot", "hold", "this rate"]
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
