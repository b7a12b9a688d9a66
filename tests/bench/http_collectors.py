"""One collector under load: ours, and what others would write in its place, in one run and on the same broker.

Interactions a second are as the sender counts them, all of them acknowledged by Kafka. Processor time is that of the
one process that takes them, and Kafka's apart.
"""

import os
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table

from tests.bench import peer_runs
from tests.bench.builds import ROOT
from tests.bench.http_load import Load, write_requests
from tests.bench.http_programs import Program, Server, generate, until_ready
from tests.bench.http_requests import BATCH, WRITE_KEY, batches, singles
from tests.bench.peer_runs import PLAIN_PYTHON, PROGRAMS, PeerFailed
from tests.bench.probes import PARTITIONS
from tests.bench.report import table, times, whole
from tests.bench.worker import cpu_seconds
from tests.bench.workload import workload
from tests.kit.kafka import KafkaBroker
from tests.kit.topics import create_topics

OURS, BARE = "ours", "bare aiohttp and aiokafka"
FASTAPI, MODELS = "FastAPI, items of a batch unread", "FastAPI, each item a model"
_FASTAPIS = {FASTAPI: "fastapi_collector", MODELS: "fastapi_models_collector"}
"""On uvicorn, with aiokafka; ours reads each item, too."""
_AIMS = {"batches": {BARE: 0.7, FASTAPI: 3.0, MODELS: 3.0}, "singles": {BARE: 0.8, FASTAPI: 1.5, MODELS: 1.5}}
_ITEMS = {"batches": BATCH, "singles": 1}
_DIFFERENT = {"batches": 100, "singles": 5_000}
"""So many different requests are sent over and over."""
_CONNECTIONS = {"batches": 8, "singles": 64}
_TITLES = {"batches": f"batches of {BATCH} calls of track", "singles": "single native interactions"}
_FIGURES = ("rate", "per_cpu_second", "broker_us", "sender_share", "p50_ms", "p99_ms")

Say = Callable[[str], None]


class Plan(NamedTuple):
    """Seconds of warming up and of measuring, and how often all systems are measured in turn."""

    warm_up: float
    seconds: float
    rounds: int


FULL, QUICK = Plan(3, 6, 3), Plan(1, 2, 1)


async def measure(kafka: KafkaBroker, folder: Path, quick: bool, say: Say) -> dict[str, Any]:
    """Rates of every system by kind of request, and how ours compares; a peer that cannot run says why instead."""
    plan = QUICK if quick else FULL
    await create_topics(kafka.bootstrap, "bare-interactions", "fastapi-interactions", partitions=PARTITIONS)
    write_requests(folder / "batches", batches(_DIFFERENT["batches"]))
    count = _DIFFERENT["singles"]
    write_requests(folder / "singles", singles(workload(count, 100_000), count))
    systems: dict[str, Program] = {
        OURS: _ours(kafka.bootstrap, folder),
        BARE: Program(
            (sys.executable, "bare_collector.py"),
            {**PLAIN_PYTHON, "BROKER": kafka.bootstrap, "TOPIC": "bare-interactions"},
            PROGRAMS,
            folder / "bare.log",
        ),
    }
    failed: dict[str, str] = {}
    versions: dict[str, str] = {}
    for name, module in _FASTAPIS.items():
        peer = peer_runs.fastapi(module)
        versions["fastapi"] = peer.version
        try:
            await peer_runs.install(peer, say)
        except PeerFailed as why:
            failed[name] = str(why)
            continue
        environment = {**PLAIN_PYTHON, "BROKER": kafka.bootstrap, "TOPIC": "fastapi-interactions"}
        systems[name] = Program(peer.commands[-1], environment, PROGRAMS, folder / f"{module}.log", ends_with_port=True)
    rows: list[dict[str, Any]] = []
    for turn in range(plan.rounds):
        order = list(systems.items())
        for name, system in order if turn % 2 == 0 else reversed(order):
            say(f"round {turn + 1} of {plan.rounds}: {name}")
            async with system.running() as server:
                await until_ready(server, "/readyz")
                for kind in _TITLES:
                    rows.append({"system": name, "kind": kind, **await _under(server, kafka, folder, kind, plan)})
                    say(f"    {kind}: {rows[-1]['rate']:,.0f}/s, {rows[-1]['per_cpu_second']:,.0f} a CPU second")
    return {"runs": rows, "failed": failed, "versions": versions, "conditions": _conditions(rows)}


async def _under(server: Server, kafka: KafkaBroker, folder: Path, kind: str, plan: Plan) -> dict[str, float]:
    """One kind of requests to a collector that runs."""
    load = Load(server.port, str(folder / kind), _CONNECTIONS[kind], plan.seconds)
    await generate(load._replace(seconds=plan.warm_up))
    cpu, broker = server.cpu_seconds, cpu_seconds(kafka.pid)
    answers = await generate(load)
    cpu, broker = server.cpu_seconds - cpu, cpu_seconds(kafka.pid) - broker
    interactions = answers.answered * _ITEMS[kind]
    return {
        "rate": interactions / answers.seconds,
        "per_cpu_second": interactions / cpu,
        "broker_us": broker / interactions * 1e6,
        "sender_share": answers.cpu_seconds / answers.seconds,
        "p50_ms": answers.quantile(0.5) * 1000,
        "p99_ms": answers.quantile(0.99) * 1000,
    }


def _ours(bootstrap: str, folder: Path) -> Program:
    keys = folder / "keys.toml"
    keys.write_text(f'[[key]]\nkey = "{WRITE_KEY}"\nsource = "shop"\n', encoding="utf-8")
    settings: Mapping[str, str] = {
        "BOOTSTRAP": bootstrap,
        "TOPIC_PREFIX": "ours-",
        "PARTITIONS": str(PARTITIONS),
        "WRITE_KEYS": str(keys),
        "LOG_LEVEL": "warning",
    }
    named = {f"LIFECYCLE_{name}": value for name, value in settings.items()}
    kept = {name: "" for name in os.environ if name.startswith("LIFECYCLE_")}
    command = (sys.executable, "-m", "stream.cli", "collector")
    return Program(command, {**kept, **named}, ROOT, folder / "ours.log", port_variable="LIFECYCLE_COLLECTOR_PORT")


def _median(rows: list[dict[str, Any]], system: str, kind: str, figure: str) -> float | None:
    found = [row[figure] for row in rows if row["system"] == system and row["kind"] == kind]
    return statistics.median(found) if found else None


def _conditions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of all rounds: what ours does for one of another's, of interactions a second and a CPU second."""
    made: list[dict[str, Any]] = []
    for kind, aims in _AIMS.items():
        for other, aim in aims.items():
            for figure, what in (("rate", "a second"), ("per_cpu_second", "a CPU second")):
                ours, theirs = (_median(rows, name, kind, figure) for name in (OURS, other))
                seen = ours / theirs if ours and theirs else None
                name = f"{kind}: interactions {what}, ours / {other}"
                made.append({"name": name, "seen": seen, "aim": aim, "met": seen is not None and seen >= aim})
    return made


def tables(result: dict[str, Any]) -> list[Table]:
    """Medians by kind of request and system, and the conditions."""
    made: list[Table] = []
    rows = result["runs"]
    for kind, name in _TITLES.items():
        title = f"Collector, one process: {name}, {_CONNECTIONS[kind]} connections"
        columns = ("interactions/s", "per CPU second", "Kafka us each", "sender's cores", "p50 ms", "p99 ms")
        each = table(title, "system", *columns)
        for system in (OURS, BARE, *_FASTAPIS):
            if system in result["failed"]:
                each.add_row(system, f"cannot run: {result['failed'][system]}")
                continue
            found = [_median(rows, system, kind, figure) or 0 for figure in _FIGURES]
            each.add_row(system, *map(whole, found[:2]), *(f"{value:.2f}" for value in found[2:]))
        made.append(each)
    conditions = Table("condition", "seen", "aim, at least", "met", title="Conditions")
    for condition in result["conditions"]:
        seen = condition["seen"]
        conditions.add_row(
            condition["name"],
            "missing" if seen is None else times(seen),
            str(condition["aim"]),
            "yes" if condition["met"] else "no",
        )
    return [*made, conditions]
