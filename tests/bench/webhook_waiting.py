"""What deliveries weigh that wait for an endpoint which is paused: the whole process, as they came and restored."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from rich.table import Table

from stream.codec.records import Outgoing
from stream.kafka.batch_sender import Part, send_batches
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.bench.probes import PARTITIONS, resident_bytes
from tests.bench.report import table, whole
from tests.bench.webhook_changes import by_partition, changes
from tests.bench.webhook_receiver import receiver
from tests.kit.kafka import KafkaBroker
from tests.kit.webhooks import WebhookProcess, endpoint

AIM_MB = 1_000
_FULL, _QUICK = 1_000_000, 50_000
_DIFFERENT = 10_000
"""Changes that our machine makes; the rest are the same of other customers."""
_SLICE = 20_000
_MB = 1_000_000
_SECONDS = 1_200

Say = Callable[[str], None]


async def measure(kafka: KafkaBroker, folder: Path, quick: bool, say: Say) -> dict[str, Any]:
    """Memory and seconds. Raises RuntimeError where some do not wait."""
    count = _QUICK if quick else _FULL
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix="wait-", app="wait-app", partitions=PARTITIONS)
    await ensure_webhook_topics(settings)
    made = await asyncio.to_thread(changes, _DIFFERENT)
    async with receiver() as hook:
        file = folder / "wait.yaml"
        file.write_text("endpoints:\n" + endpoint("shop", hook.url(), most_waiting=str(count)), encoding="utf-8")
        process = _process(settings, file, folder)
        async with process:
            await process.until_ready(PARTITIONS)
            code, said = await process.command("pause", "shop")
            if code:
                raise RuntimeError(said)
            empty = resident_bytes(process.process.pid)
            say(f"writing {count:,} stage changes")
            began = time.perf_counter()
            await _write(settings, made, count)
            await _until_waiting(process, count)
            came = time.perf_counter() - began
            full = resident_bytes(process.process.pid)
            say(f"all wait: {full / _MB:,.0f} MB; starting again")
            await process.end()
        again = _process(settings, file, folder)
        began = time.perf_counter()
        async with again:
            await _until_waiting(again, count)
            recovered = time.perf_counter() - began
            pid = again.process.pid
            restored, peak = resident_bytes(pid), _peak(pid)
            await again.end()
        if await hook.count():
            raise RuntimeError("a paused endpoint was sent something")
    return {
        "waiting": count,
        "empty": empty,
        "came_seconds": came,
        "came": full,
        "recovered_seconds": recovered,
        "restored": restored,
        "peak": peak,
        "conditions": [
            {"name": f"resident memory, MB, {name}", "seen": each / _MB, "aim": AIM_MB, "met": each <= AIM_MB * _MB}
            for name, each in (("as they came", full), ("restored", restored), ("peak of restoring", peak))
        ],
    }


def _process(settings: Settings, file: Path, folder: Path) -> WebhookProcess:
    process = WebhookProcess(settings, file, folder / "wait.log")
    process.environment |= {"LIFECYCLE_SESSION_TIMEOUT": "30s", "LIFECYCLE_LOG_LEVEL": "warning"}
    return process


def _many(made: Sequence[Outgoing], count: int) -> Iterator[Outgoing]:
    """So many changes, each of another customer."""
    for turn in itertools.count():
        for each in made[: count - turn * len(made)]:
            assert each.key is not None
            assert each.value is not None
            key = each.key + b"-%d" % turn
            yield Outgoing(key, each.value.replace(b'"%s"' % each.key, b'"%s"' % key), ())
        if (turn + 1) * len(made) >= count:
            return


async def _write(settings: Settings, made: Sequence[Outgoing], count: int) -> None:
    left = _many(made, count)
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, acks="all", max_batch_size=BATCH_BYTES
    ) as producer:
        while share := list(itertools.islice(left, _SLICE)):
            parts = [Part(settings.topics.stage_changes, number, each) for number, each in by_partition(share).items()]
            await send_batches(producer, parts)


async def _until_waiting(process: WebhookProcess, count: int) -> None:
    """Return once so many wait, all of them committed. Raises RuntimeError where it ended, TimeoutError."""
    async with asyncio.timeout(_SECONDS):
        while True:
            if process.process.returncode is not None:
                raise RuntimeError(f"it ended:\n{process.log[-4_000:]}")
            try:
                await process.until_ready(PARTITIONS)
            except TimeoutError:
                continue
            if f'lifecycle_webhook_waiting{{endpoint="shop"}} {float(count)!r}' in _plain(await process.metrics()):
                return
            await asyncio.sleep(0.5)


def _plain(metrics: str) -> str:
    """1e+06 is 1000000.0."""
    return metrics.replace("1e+06", "1000000.0")


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def tables(result: dict[str, Any]) -> list[Table]:
    """One table."""
    made = table(
        f"{result['waiting']:,} deliveries wait for an endpoint that is paused (aim: {AIM_MB:,} MB)",
        "",
        *("seconds", "a second", "MB", "bytes each"),
    )
    rows = (
        ("as they came from the topic", result["came_seconds"], result["came"]),
        ("restored, from the process's start", result["recovered_seconds"], result["restored"]),
        ("peak of restoring", None, result["peak"]),
    )
    for name, seconds, size in rows:
        figures = ["", ""] if seconds is None else [f"{seconds:.1f}", whole(result["waiting"] / seconds)]
        made.add_row(name, *figures, whole(size / _MB), whole((size - result["empty"]) / result["waiting"]))
    return [made]
