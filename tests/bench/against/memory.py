"""Resident memory with many customers: each build's own process without Kafka, tests.bench.resident."""

from pathlib import Path

from tests.bench.against.pair import Figure, Pair, Rounds, Say
from tests.bench.memory import resident_task

LIFECYCLES = ("trivial", "metrics")
RESTORED, AFTER = "MB, restored", "MB, after traffic"
_DAYS = 0.25
"""Of traffic: 0.36 interactions of each customer, half of it before memory is read."""
_SAMPLES = 4


async def measure(pair: Pair, folder: Path, lifecycle: str, customers: int, say: Say) -> list[Figure]:
    """Memory of the whole process: once all records are there, and at the end of some traffic."""
    found = Rounds(pair, "memory", lifecycle, {RESTORED: False, AFTER: False})
    every = int(customers * 10 * _DAYS / 7) // _SAMPLES
    for _, name, build in pair.turns(1):
        say(f"memory, {lifecycle}: {customers:,} customers")
        path = folder / f"{name}-{lifecycle}.records"
        source = {"lifecycle": pair.lifecycle(lifecycle), "path": str(path)}
        await resident_task("templates", build, **source)
        got = await resident_task("resident", build, **source, customers=customers, days=_DAYS, every=every)
        path.unlink()
        if got["customers"] != customers:
            raise RuntimeError(f"{build.name} restored {got['customers']:,} customers of {customers:,}")
        say(found.add(name, *(rss / 1e6 for rss in (got["restored"], got["samples"][-1]["rss"]))))
    return found.figures()
