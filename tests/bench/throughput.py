"""How many interactions a second: ours, exactly once, beside other engines that do a part of its job.

All read the same topic, one after the other, and every customer is new to them (cold). Rates are taken from the first
interaction seen to the last, so starting up counts for nobody; processor time is that of the one process that does the
work, not the broker's. Ours takes new interactions of customers that it knows, too (warm).
"""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from tests.bench import ours, peer_runs, peer_throughput, report
from tests.bench.ours import Measured, Source
from tests.bench.probes import running_kafka
from tests.bench.scale_runs import Bench, Scenario
from tests.bench.simulated import simulate
from tests.bench.workload import ZIPF

HELP = "events/s: ours, lifecycle simulate, Kafka Streams, Bytewax, Quix Streams and stock Faust"

INTERACTIONS, FEW_INTERACTIONS = 1_000_000, 200_000
WARM, FEW_WARM = (100_000, 250_000), (20_000, 60_000)
"""Customers that are known, and their new interactions."""
_CAPTION = (
    "ours / this: events/s of ours at the peers' job, divided by this system's; below 1, ours is slower. "
    "CPU seconds are those of the process that does the work, not the broker's."
)
_QUICK = (
    "\n[bold]Quick: this table does not rank engines.[/] It is too short for snapshots and checkpoints every 5 s "
    "(Bytewax, Quix) and for Java to warm up; a full run does."
)
KEYS = {"uniform": "uniform keys, new customers", "zipf": f"skewed keys, Zipf {ZIPF}, new customers"}
KNOWN = "known"
_TITLES = {**KEYS, KNOWN: "uniform keys, new interactions of known customers"}


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Run everything in turn; `say` is told what runs now and how far it is."""
    others = peer_runs.peers()
    missing = {peer.name: await peer_throughput.why_missing(peer, say) for peer in others}
    interactions = FEW_INTERACTIONS if quick else INTERACTIONS
    distributions = list(KEYS)[:1] if quick else list(KEYS)
    steps = itertools.count(1)
    last = len(distributions) * (2 + len(ours.RUNS) + len(others)) + 1 + len(ours.RUNS)

    def step(what: str) -> None:
        say(f"{next(steps)} of {last}: {what}")

    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
        async with running_kafka() as kafka:
            bootstrap = kafka.bootstrap
            for keys in distributions:
                source = Source(bootstrap, keys, interactions, Path(folder))
                step(f"{interactions:,} interactions of {ours.CUSTOMERS:,} customers are written, {KEYS[keys]}")
                await source.fill()
                step("what the peers' job must give, by lifecycle simulate")
                changes = (await simulate(source.file, interactions, ours.RUNS["trivial"][1])).changes
                for run, (title, _) in ours.RUNS.items():
                    step(title)
                    measured = await ours.take_all(source, run, say, changes=changes if run == "trivial" else None)
                    runs.append(_row(keys, run, title, "exactly once", measured))
                    say(f"    {runs[-1]['events_per_second']:,} events/s")
                if keys == "uniform":  # it knows no partitions, so that skew changes little
                    step("lifecycle simulate, preset metrics")
                    simulated = await simulate(source.file, interactions, "metrics")
                    runs.append(_row(keys, "simulate", "lifecycle simulate, metrics", "offline", simulated))
                    say(f"    {runs[-1]['events_per_second']:,} events/s")
                for peer in others:
                    events = min(peer.few_events if quick else peer.events, interactions)
                    step(f"{peer.title}, {events:,} interactions")
                    taken = await peer_throughput.take(source, peer, events, missing[peer.name])
                    runs.append(_row(keys, peer.name, peer.title, peer.guarantee, taken))
                    rate = runs[-1]["events_per_second"]
                    say(f"    missing: {runs[-1]['missing']}" if rate is None else f"    {rate:,} events/s")
            bench = Bench(kafka, Path(folder), prefix="known-")
            for run, (title, _) in ours.RUNS.items():
                step(f"{title}, customers that it knows")
                runs.append(await _warm(bench, run, *(FEW_WARM if quick else WARM)))
                say(f"    {runs[-1]['events_per_second']:,} events/s")
    return {
        "settings": {
            "quick": quick,
            "partitions": ours.PARTITIONS,
            "customers": ours.CUSTOMERS,
            "interactions": interactions,
            "zipf_exponent": ZIPF,
            "ours": ours.SETTINGS,
        },
        "peer_versions": {peer.name: peer.version for peer in others},
        "runs": [_compared(run, runs) for run in runs],
    }


def tables(result: dict[str, Any]) -> list[Table]:
    """One table: every run, by distribution of keys."""
    settings = result["settings"]
    made = report.table(
        f"Throughput: {settings['interactions']:,} interactions of {settings['customers']:,} customers",
        "system",
        "events/s",
        "per CPU second",
        "ours / this",
        last="guarantee",
        caption=_CAPTION + (_QUICK if settings["quick"] else ""),
    )
    for keys, runs in itertools.groupby(result["runs"], key=lambda run: str(run["keys"])):
        made.add_section()
        made.add_row(f"[bold]{_TITLES[keys]}")
        for run in runs:
            if run["missing"] is not None:
                made.add_row(run["title"], "missing", "", "", escape(run["missing"]))
                continue
            rates = (report.whole(run[name]) for name in ("events_per_second", "events_per_cpu_second"))
            made.add_row(run["title"], *rates, report.times(run["ours_times_as_fast"]), run["guarantee"])
    return [made]


async def _warm(bench: Bench, run: str, customers: int, events: int) -> dict[str, Any]:
    """A worker of ours that knows everyone takes a backlog of new interactions."""
    title, lifecycle = ours.RUNS[run]
    async with bench.run(Scenario(customers=customers), lifecycle) as worker:
        await worker.backlog(events // 4)  # what it does for the first time takes longer
        found = await worker.backlog(events)
        changes = await worker.changes()
    measured = Measured(events, events / found["rate"], found["worker_us"] * events / 1e6, changes)
    return _row(KNOWN, run, title, "exactly once", measured)


def _row(keys: str, system: str, title: str, guarantee: str, measured: Measured | str) -> dict[str, Any]:
    """One run as it is kept; for `measured` there may be the reason why it is missing."""
    row: dict[str, Any] = {"keys": keys, "system": system, "title": title, "guarantee": guarantee}
    if isinstance(measured, str):
        return {**row, "missing": measured, "events_per_second": None}
    return {
        **row,
        "missing": None,
        **measured._asdict(),
        "events_per_second": round(measured.interactions / measured.seconds),
        "events_per_cpu_second": round(measured.interactions / measured.cpu_seconds),
    }


def _compared(run: dict[str, Any], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A run, and how many times as fast ours did the peers' job on the same keys."""
    [reference] = (each for each in runs if each["system"] == "trivial" and each["keys"] == run["keys"])
    rate = run["events_per_second"]
    return {**run, "ours_times_as_fast": None if rate is None else round(reference["events_per_second"] / rate, 3)}
