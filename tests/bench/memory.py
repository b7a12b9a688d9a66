"""How much memory customers take: one record, a process with a million of them, and whether it stays so."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.table import Table

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.state.keys import CUSTOMER
from stream.core.model import model_of
from stream.settings import Settings
from tests.bench import children
from tests.bench.builds import THIS, Build
from tests.bench.report import table, whole
from tests.bench.workload import UNTIL, workload
from tests.kit import machines
from tests.kit.datasets import cdnow, complete_journey

HELP = "bytes of a customer record, memory of a process with a million customers, and whether it stays flat"
LIFECYCLES = {"trivial": str(Path(__file__).with_name("lifecycles") / "trivial.yaml"), "metrics": "metrics"}
RECORD_AIM = 400
"""Bytes of a typical record."""
MEMORY_AIM = 1_000_000_000
"""Bytes resident with 1,000,000 customers."""
_MB = 1_000_000
_TASK_SECONDS = 1_800

Say = Callable[[str], None]


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """All figures in bytes."""
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
        return {
            "records": [each async for each in _records(quick, Path(folder), say)],
            "resident": [await _resident(name, quick, Path(folder), say) for name in LIFECYCLES],
            "forgetting": await _forgetting(quick, say),
        }


async def _records(quick: bool, folder: Path, say: Say) -> AsyncIterator[dict[str, Any]]:
    """Sizes of records per data set and lifecycle; quick: of fewer interactions, without Complete Journey."""
    most = 20_000 if quick else 200_000
    sources: dict[str, Sequence[bytes]] = {"bench, two weeks": [each.value for each in workload(most, most // 20)]}
    for name, convert in (("CDNOW", cdnow), ("Complete Journey", complete_journey)):
        if quick and convert is complete_journey:
            continue
        say(f"reading {name}")
        convert(folder / "interactions.jsonl")
        with (folder / "interactions.jsonl").open("rb") as file:
            sources[name] = [line.rstrip() for line in islice(file, most)]
    for source, values in sources.items():
        for name, lifecycle in LIFECYCLES.items():
            say(f"records of {source} with {name}")
            yield {"data": source, "lifecycle": name, **_sizes(await _record_lengths(lifecycle, values))}


async def _record_lengths(lifecycle: str, values: Sequence[bytes]) -> list[int]:
    """Bytes of each customer's record after all these interactions, ascending; keys are not counted."""
    model = model_of([file.lifecycle for file in load_all([lifecycle])])
    machine = machines.machine(model, Settings(clock="stream"))
    latest: dict[bytes, int] = {}
    for first in range(0, len(values), 8_000):
        share = machines.records_of(values[first : first + 8_000], broker_time=UNTIL, first=first)
        for batch in machines.run_all(machine, share):
            latest.update({each.key or b"": len(each.value or b"") for each in batch.state})
        await asyncio.sleep(0)  # Ctrl-C is heard
    return sorted(length for key, length in latest.items() if key[:1] == CUSTOMER)


def _sizes(ascending: Sequence[int]) -> dict[str, float]:
    count = len(ascending)
    return {
        "customers": count,
        "mean": fmean(ascending),
        "p50": ascending[count // 2],
        "p99": ascending[count * 99 // 100],
        "max": ascending[-1],
    }


async def _resident(name: str, quick: bool, folder: Path, say: Say) -> dict[str, Any]:
    customers = 100_000 if quick else 1_000_000
    say(f"memory with {customers:,} customers and {name}")
    path = str(folder / f"{name}.records")
    await resident_task("templates", lifecycle=LIFECYCLES[name], path=path)
    every = 10_000 if quick else 100_000
    result = await resident_task(
        "resident", lifecycle=LIFECYCLES[name], path=path, customers=customers, days=2, every=every
    )
    return {"lifecycle": name, **result}


async def _forgetting(quick: bool, say: Say) -> dict[str, Any]:
    customers = 10_000 if quick else 100_000
    say(f"memory while {customers:,} anonymous customers come and are forgotten, three times")
    return await resident_task("forgetting", lifecycle="metrics", customers=customers, cycles=3)


async def resident_task(name: str, build: Build = THIS, **arguments: object) -> dict[str, Any]:
    """What a task of a build's own resident.py gives in a process of its own. Raises RuntimeError where it fails."""
    task = json.dumps({"task": name, **arguments})
    command = (build.python, "-m", "tests.bench.resident", task)
    ended = await children.run(command, build.folder, build.environment, seconds=_TASK_SECONDS)
    if ended.code:
        raise RuntimeError(f"the process for {name} ended with {ended.code}: {ended.why}\n{ended.errors[-2_000:]}")
    result: dict[str, Any] = json.loads(ended.output)
    return result


def tables(result: dict[str, Any]) -> list[Table]:
    """Records; memory with all customers; the first against the last quarter of the traffic; forgetting."""
    return [
        _records_table(result["records"]),
        _resident_table(result["resident"]),
        *(_flat_table(each) for each in result["resident"]),
        _forgetting_table(result["forgetting"]),
    ]


def _records_table(rows: Iterable[dict[str, Any]]) -> Table:
    columns = ("customers", "mean", "p50", "p99", "max")
    made = table(f"Bytes of a customer record (aim: {RECORD_AIM})", "data, lifecycle", *columns)
    for each in rows:
        made.add_row(f"{each['data']}, {each['lifecycle']}", *(whole(each[name]) for name in columns))
    return made


def _resident_table(rows: Iterable[dict[str, Any]]) -> Table:
    made = table(
        f"Resident memory (aim: {whole(MEMORY_AIM / _MB)} MB at 1,000,000 customers)",
        "lifecycle",
        *("customers", "MB, empty", "MB, restored", "bytes a customer", "MB after traffic", "bytes a customer"),
    )
    for each in rows:
        figures: list[str] = []
        for rss in (each["restored"], each["samples"][-1]["rss"]):
            figures += [whole(rss / _MB), whole((rss - each["before"]) / each["customers"])]
        made.add_row(each["lifecycle"], whole(each["customers"]), whole(each["before"] / _MB), *figures)
    return made


def quarters(samples: Sequence[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Means over the first and the last quarter of the samples: of resident memory and of each container's length.

    Containers that are empty in both are left out.
    """
    size = max(1, len(samples) // 4)
    rows = [{"resident bytes": each["rss"], **each["lengths"]} for each in samples]
    means = {
        name: (fmean(row[name] for row in rows[:size]), fmean(row[name] for row in rows[-size:])) for name in rows[0]
    }
    return {name: pair for name, pair in means.items() if any(pair)}


def _flat_table(each: dict[str, Any]) -> Table:
    made = table(
        f"A day of traffic from the same {whole(each['customers'])} customers, {each['lifecycle']}",
        "mean of",
        *("first quarter", "last quarter", "ratio"),
    )
    for name, (first, last) in quarters(each["samples"]).items():
        made.add_row(name, whole(first), whole(last), f"{last / first:.3f}" if first else "")
    return made


def _forgetting_table(result: dict[str, Any]) -> Table:
    made = table(
        f"Anonymous customers come, and are forgotten 91 days later; {whole(result['before'] / _MB)} MB before",
        "time",
        *("customers", "MB with them", "left", "MB without"),
        last="longest container left",
    )
    for number, each in enumerate(result["cycles"], start=1):
        name, length = max(each["lengths_empty"].items(), key=lambda pair: pair[1])
        sizes = (each["customers"], each["full"] / _MB, each["left"], each["empty"] / _MB)
        made.add_row(str(number), *map(whole, sizes), f"{name}: {length:,}")
    return made
