"""How many interactions a second: ours, exactly once, beside other engines that do a part of its job.

All read the same topic, one after the other. Rates are taken from the first interaction seen to the last, so
starting up counts for nobody; processor time is that of the one process that does the work, not the broker's.
"""

import itertools
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from tests.bench import children, ours, peer_runs, report
from tests.bench.builds import ROOT
from tests.bench.ours import Measured, Source, WrongResult
from tests.bench.peer_runs import Peer, PeerFailed
from tests.bench.workload import ZIPF
from tests.kit.topics import create_topics

HELP = "events/s: ours, lifecycle simulate, Kafka Streams, Bytewax, Quix Streams and stock Faust"

INTERACTIONS, FEW_INTERACTIONS = 1_000_000, 200_000
_CAPTION = (
    "ours / this: events/s of ours at the peers' job, divided by this system's; below 1, ours is slower. "
    "CPU seconds are those of the process that does the work, not the broker's."
)
_QUICK = (
    "\nQuick: too short for snapshots and checkpoints every 5 s (Bytewax, Quix) and for Java to warm up; "
    "a full run compares."
)
KEYS = {"uniform": "uniform keys", "zipf": f"skewed keys, Zipf {ZIPF}"}


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Run everything in turn; `say` is told what runs now and how far it is."""
    others = peer_runs.peers()
    missing = {peer.name: await _missing(peer, say) for peer in others}
    interactions = FEW_INTERACTIONS if quick else INTERACTIONS
    distributions = list(KEYS)[:1] if quick else list(KEYS)
    steps = itertools.count(1)
    last = len(distributions) * (2 + len(ours.RUNS) + len(others)) + 1

    def step(what: str) -> None:
        say(f"{next(steps)} of {last}: {what}")

    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="lifecycle-bench-") as folder:
        async with ours.kafka() as bootstrap:
            for keys in distributions:
                source = Source(bootstrap, keys, interactions, Path(folder))
                step(f"{interactions:,} interactions of {ours.CUSTOMERS:,} customers are written, {KEYS[keys]}")
                await source.fill()
                step("what the peers' job must give, by lifecycle simulate")
                _, changes = await _simulated(source, ours.RUNS["trivial"][1])
                for run, (title, _) in ours.RUNS.items():
                    step(title)
                    measured = await ours.take_all(source, run, say, changes=changes if run == "trivial" else None)
                    runs.append(_row(keys, run, title, "exactly once", measured))
                    say(f"    {runs[-1]['events_per_second']:,} events/s")
                if keys == "uniform":  # it knows no partitions, so that skew changes little
                    step("lifecycle simulate, preset metrics")
                    runs.append(await _simulate_run(source))
                    say(f"    {runs[-1]['events_per_second']:,} events/s")
                for peer in others:
                    events = min(peer.few_events if quick else peer.events, interactions)
                    step(f"{peer.title}, {events:,} interactions")
                    runs.append(await _peer_run(source, peer, events, missing[peer.name]))
                    rate = runs[-1]["events_per_second"]
                    say(f"    missing: {runs[-1]['missing']}" if rate is None else f"    {rate:,} events/s")
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
        made.add_row(f"[bold]{KEYS[keys]}")
        for run in runs:
            if run["missing"] is not None:
                made.add_row(run["title"], "missing", "", "", escape(run["missing"]))
                continue
            rates = (report.whole(run[name]) for name in ("events_per_second", "events_per_cpu_second"))
            made.add_row(run["title"], *rates, report.times(run["ours_times_as_fast"]), run["guarantee"])
    return [made]


async def _missing(peer: Peer, say: Callable[[str], None]) -> str | None:
    """Install a peer; why that is impossible here, where it is."""
    try:
        await peer_runs.install(peer, say)
    except PeerFailed as why:
        say(f"    {peer.title} cannot be installed: {why}")
        return f"cannot be installed: {why}"
    return None


async def _peer_run(source: Source, peer: Peer, events: int, missing: str | None) -> dict[str, Any]:
    """One run of a peer with a group, an output topic and a folder of its own, unless it is missing."""
    measured: Measured | str
    if missing is not None:
        measured = missing
    else:
        name = f"{source.keys}-{peer.name}"
        output, state = f"{name}-stages", source.folder / name
        state.mkdir()
        await create_topics(source.bootstrap, output, partitions=ours.PARTITIONS)
        try:
            said = await peer_runs.run(
                peer, broker=source.bootstrap, topic=source.topic, output=output, group=name, state=state, events=events
            )
        except PeerFailed as why:
            measured = f"failed: {why}"
        else:
            changes = sum((await ours.end_offsets(source.bootstrap, output)).values())
            measured = Measured(said["events"], said["seconds"], said["cpu_seconds"], changes)
            if not changes:
                measured = "failed: it wrote no stage change"
    return _row(source.keys, peer.name, peer.title, peer.guarantee, measured)


async def _simulate_run(source: Source) -> dict[str, Any]:
    ended, changes = await _simulated(source, "metrics")
    measured = Measured(source.interactions, ended.seconds, ended.cpu_seconds, changes)
    return _row(source.keys, "simulate", "lifecycle simulate, metrics", "offline", measured)


async def _simulated(source: Source, lifecycle: str) -> tuple[children.Ended, int]:
    """Run `lifecycle simulate` on the file of interactions: the run, start and end of Python included, and changes."""
    written = source.folder / "changes.jsonl"
    command = (sys.executable, "-m", "stream.cli", "simulate", "--lifecycle", lifecycle, "--input", str(source.file))
    ended = await children.run([*command, "--changes", str(written)], ROOT)
    if ended.code:
        raise WrongResult(f"lifecycle simulate failed: {ended.why}")
    with written.open("rb") as lines:
        return ended, sum(1 for _ in lines)


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
