"""How fast a state comes back from its changelog: ours, and a stock Faust table beside it.

The changelog is what a worker would have left: five versions of every customer, records of our own machine and
codec, written in transactions that each end with a position, layouts first. Nothing of it is compacted.
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from rich.table import Table

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.records import Outgoing
from stream.codec.state.keys import CUSTOMER, LAYOUT, customer_key
from stream.codec.state.positions import KEY as POSITION_KEY
from stream.codec.state.positions import Position, encode_position
from stream.core.model import model_of
from stream.kafka.partitioner import partition_of
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.bench.peer_runs import PeerFailed, install, peers
from tests.bench.probes import PARTITIONS, TRIVIAL, program, resident_bytes, running_kafka, subscriber
from tests.bench.worker import BenchWorker
from tests.bench.workload import UNTIL, Record, produce, workload
from tests.kit import machines
from tests.kit.changelogs import write_changelog
from tests.kit.topics import create_topics

HELP = "Recovery of a million customers from a changelog with five versions of each."

VERSIONS = 5
_SAMPLE = 2_000
"""Customers whose records our machine makes; the others get theirs, under keys of their own."""
_AIM = 200_000
UNCOMPACTED = {"cleanup.policy": "compact", "segment.bytes": str(64 << 20), "min.compaction.lag.ms": str(86_400_000)}
_POLL = 0.02
_DEADLINE = 600.0

Say = Callable[[str], None]


class Sizes(NamedTuple):
    """Customers of our changelog and of Faust's."""

    ours: int
    faust: int


FULL, QUICK = Sizes(1_000_000, 100_000), Sizes(100_000, 10_000)


async def measure(quick: bool, say: Say) -> dict[str, Any]:
    """Seconds, records a second, and bytes of resident memory at the end."""
    sizes = QUICK if quick else FULL
    async with running_kafka() as kafka:
        with tempfile.TemporaryDirectory(prefix="lifecycle-recovery-") as folder:
            ours = await _ours(kafka.bootstrap, Path(folder), sizes.ours, say)
            try:
                faust = await _faust(kafka.bootstrap, Path(folder), sizes.faust, say)
            except PeerFailed as failure:
                faust = {"failed": str(failure)}
    met = ours["records_per_second"] >= _AIM
    condition = {"name": "records/s from fence to ready", "seen": ours["records_per_second"], "aim": _AIM, "met": met}
    return {"ours": ours, "faust": faust, "conditions": [condition]}


def tables(result: dict[str, Any]) -> list[Table]:
    """Ours and Faust's, and the condition."""
    ours, faust = result["ours"], result["faust"]
    table = Table("", "ours", "stock Faust table", title="Recovery from the changelog")
    rows: list[tuple[str, str, str]] = [
        ("customers", "customers", "{:,}"),
        ("changelog records", "records", "{:,}"),
        ("records/s", "records_per_second", "{:,.0f}"),
        ("process start to ready, s", "start_to_ready_s", "{:.2f}"),
        ("fence to ready, s", "fence_to_ready_s", "{:.2f}"),
        ("the same with an empty changelog, s", "empty_s", "{:.2f}"),
        ("resident memory, MiB", "resident_mib", "{:,.0f}"),
    ]
    for label, name, form in rows:
        table.add_row(label, *(form.format(each[name]) if name in each else "" for each in (ours, faust)))
    if "failed" in faust:
        table.add_row("could not run", "", faust["failed"])
    [condition] = result["conditions"]
    table.caption = f"aim: {condition['aim']:,} records/s; met: {'yes' if condition['met'] else 'no'}"
    return [table]


async def _ours(bootstrap: str, folder: Path, customers: int, say: Say) -> dict[str, Any]:
    settings = Settings(bootstrap=bootstrap, topic_prefix="ours-", app="ours-app", partitions=PARTITIONS)
    topics = settings.topics
    await create_topics(bootstrap, topics.customers, partitions=PARTITIONS, settings=UNCOMPACTED)
    await create_topics(bootstrap, topics.interactions, partitions=PARTITIONS)
    await ensure_topics(settings)
    say(f"writing {VERSIONS * customers:,} records of {customers:,} customers")
    written = await write_changelog(
        bootstrap, topics.customers, _our_changelog(settings, customers), closing=_position(settings)
    )
    say("a worker recovers them")
    began = time.perf_counter()
    async with BenchWorker(bootstrap, "ours-", folder / "ours.log", {"LIFECYCLES": TRIVIAL}) as worker:
        fenced, ready = await until_ready(worker)
        resident = worker.resident_bytes
        if (found := _counted(await worker.metrics())) != customers:
            raise RuntimeError(f"the worker recovered {found:,} customers of {customers:,}")
    return {
        "customers": customers,
        "records": written.records,
        "changelog_bytes": written.size,
        "start_to_ready_s": ready - began,
        "fence_to_ready_s": ready - fenced,
        "records_per_second": written.records / (ready - fenced),
        "resident_mib": resident / 2**20,
    }


async def until_ready(worker: BenchWorker) -> tuple[float, float]:
    """When the first partition was fenced, and when all were recovered."""
    fenced: float | None = None
    async with asyncio.timeout(_DEADLINE):
        while True:
            await worker.taken()  # raises where it ended
            health = await worker.health()
            now = time.perf_counter()
            partitions = health["partitions"] if health is not None else []
            if partitions and fenced is None:
                fenced = now
            if (
                fenced is not None
                and health is not None
                and health["status"] == "ready"
                and len(partitions) == PARTITIONS
            ):
                return fenced, now
            await asyncio.sleep(_POLL)


def _counted(metrics: str) -> int:
    """Customers in all stages."""
    lines = (line for line in metrics.splitlines() if line.startswith("lifecycle_customers{"))
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def _our_changelog(settings: Settings, customers: int) -> Iterator[tuple[int, Outgoing]]:
    """Partition and record: layouts, then version after version of every customer."""
    layouts, samples = _sampled(settings, min(_SAMPLE, customers))
    yield from ((partition, layout) for partition in range(PARTITIONS) for layout in layouts)
    ids = [b"c-%07d" % number for number in range(customers)]
    places = [partition_of(each, PARTITIONS) for each in ids]
    keys = [customer_key("customer", each.decode()) for each in ids]
    for values in samples:
        for partition, key, value in zip(places, keys, itertools.cycle(values), strict=False):
            yield partition, Outgoing(key, value)


def _sampled(settings: Settings, customers: int) -> tuple[list[Outgoing], list[list[bytes]]]:
    """Layout records, and the values of each version of some customers, as the machine of a worker writes them."""
    model = model_of([load(TRIVIAL).lifecycle], settings.forget_after, settings.forget_identified_after)
    made = machines.machine(model, settings)
    layouts: list[Outgoing] = []
    versions: list[list[bytes]] = []
    offset = 0
    given = workload(VERSIONS * customers, customers)
    for _ in range(VERSIONS):
        source: list[machines.Record] = []
        for number, interaction in enumerate(itertools.islice(given, customers)):
            body = {**orjson.loads(interaction.value), "customer_id": f"c-{number:07d}"}
            source.append(machines.Record(offset, body["time"], None, orjson.dumps(body)))
            offset += 1
        written = [each for batch in machines.run_all(made, source) for each in batch.state]
        layouts += [each for each in written if (each.key or b"").startswith(LAYOUT)]
        latest = {
            each.key: each.value
            for each in written
            if each.value is not None and (each.key or b"").startswith(CUSTOMER)
        }
        versions.append(list(latest.values()))
    return layouts, versions


def _position(settings: Settings) -> Outgoing:
    """The position at the begin of an empty source."""
    lifecycle = load(TRIVIAL).lifecycle
    position = Position(
        offsets={settings.topics.interactions: 0},
        clock=UNTIL,
        partitions=PARTITIONS,
        live_from=UNTIL,
        lifecycles={lifecycle.id: lifecycle.digest.hex()},
    )
    return Outgoing(POSITION_KEY, encode_position(position))


async def _faust(bootstrap: str, folder: Path, customers: int, say: Say) -> dict[str, Any]:
    """The peer `faust_agent.py`; its recovery ends with the first event that it handles, which comes after it.

    What a start takes with an empty changelog is taken off before records a second are told.
    """
    [peer] = [each for each in peers() if each.name == "faust"]
    await install(peer, say)
    say("Faust starts with an empty changelog")
    empty, _, _ = await _faust_start(bootstrap, folder, peer.commands[-1], 0)
    say(f"Faust recovers {VERSIONS * customers:,} records of {customers:,} customers")
    seconds, records, resident = await _faust_start(bootstrap, folder, peer.commands[-1], customers)
    return {
        "customers": customers,
        "records": records,
        "empty_s": empty,
        "start_to_ready_s": seconds,
        "records_per_second": records / max(seconds - empty, _POLL),
        "resident_mib": resident / 2**20,
    }


async def _faust_start(
    bootstrap: str, folder: Path, command: tuple[str, ...], customers: int
) -> tuple[float, int, int]:
    """Seconds from the start of the process to its first stage change; changelog records; resident bytes then."""
    group = f"faust-{customers}"
    source, output, changelog = f"{group}-interactions", f"{group}-stages", f"{group}-customers-changelog"
    await create_topics(bootstrap, source, output, partitions=PARTITIONS)
    await create_topics(bootstrap, changelog, partitions=PARTITIONS, settings=UNCOMPACTED)
    written = await write_changelog(bootstrap, changelog, _faust_changelog(customers), closing=None)
    # 40 points more take a new customer over the first threshold, and one who was recovered over the second.
    id_ = b"c-0000000"
    event = {"id": "e-last", "type": "purchase", "customer_id": id_.decode(), "time": UNTIL}
    await produce(bootstrap, source, PARTITIONS, iter([Record(id_, orjson.dumps(event))]))
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def hear(_partition: int, _customer: bytes, when: float) -> None:
        if not heard.done():
            heard.set_result(when)

    environment = {
        "BROKER": bootstrap,
        "TOPIC": source,
        "OUTPUT": output,
        "GROUP": group,
        "STATE_DIR": str(folder / group),
        "EVENTS": str(2**62),  # it is ended from outside
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = folder / f"{group}.log"
    async with subscriber(bootstrap, output, hear):
        began = time.perf_counter()
        async with program(command, environment, log) as process:
            ended = asyncio.create_task(process.wait())
            either: list[asyncio.Future[Any]] = [heard, ended]
            await asyncio.wait(either, timeout=_DEADLINE, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not heard.done():
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise PeerFailed(said[-1] if said else "no stage change came")
            return heard.result() - began, written.records, resident_bytes(process.pid)


def _faust_changelog(customers: int) -> Iterator[tuple[int, Outgoing]]:
    """Partition and record of a table of the peer: JSON keys and values, version after version of every customer."""
    ids = [f"c-{number:07d}" for number in range(customers)]
    places = [partition_of(each.encode(), PARTITIONS) for each in ids]
    for version in range(1, VERSIONS + 1):
        time = UNTIL - VERSIONS + version
        for number, (partition, customer) in enumerate(zip(places, ids, strict=True)):
            state = [10.0 + version + number % 1_000 / 1_000, time, 1, version, time]
            yield partition, Outgoing(orjson.dumps(customer), orjson.dumps(state))
