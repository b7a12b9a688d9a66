"""`lifecycle repartition` between workers, with senders that go on: nobody is lost, and nothing counts twice."""

import asyncio
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pytest

from stream.codec.records import Outgoing
from stream.settings import Settings
from tests.cli.commands import Run
from tests.figures.comparing import differences
from tests.figures.product import Told
from tests.figures.reckoning import reckon
from tests.figures.shop import FIGURES, LIFECYCLE, WORDS, saved_shop, shop
from tests.kit.kafka import SharedKafka
from tests.kit.topics import Records, partition_count, produce, read_all
from tests.kit.workers import PARTITIONS, Start, has_read, worker_processes

pytestmark = pytest.mark.slow
ZONE = "Europe/Paris"
NEW = "v2."


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What 2,000 people of the simulated shop did."""
    file = tmp_path_factory.mktemp("shop") / "shop.jsonl.gz"
    subprocess.run([sys.executable, "-m", "stream.cli", "demo", "--save", str(file)], check=True, capture_output=True)
    return saved_shop(file)


@pytest.mark.parametrize("partitions", [12, 3])
async def test_everybody_is_carried_over_once_and_goes_on_as_if_nothing_had_been(
    lifecycle: Run, kafka: SharedKafka, topic_prefix: str, tmp_path: Path, saved: pd.DataFrame, partitions: int
) -> None:
    """A part is processed before, a part waits, a part comes to the old topic afterwards, and the last to the new."""
    old = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)
    new = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix + NEW, partitions=partitions)
    frame = shop(saved, 1)
    frame = frame[frame["type"].isin(set(WORDS.values()))].reset_index(drop=True)
    (tmp_path / "shop.yaml").write_text(LIFECYCLE.format(zone=ZONE).replace("by: [country, device]", "by: [country]"))
    records = [Outgoing(subject_of(line).encode(), orjson.dumps(line)) for line in frame["line"]]
    early, waiting, late, last = cut(records, 0.6, 0.8, 0.85)

    await work(old, tmp_path, early)
    before = await customers_of(old)
    await produce(old.bootstrap, old.topics.interactions, waiting)
    command = ["repartition", "--to", str(partitions), "--into", new.topic_prefix, "--yes"]
    done = await asyncio.to_thread(lifecycle, *command, environment=environment(old, tmp_path))
    assert done.returncode == 0, done.stderr
    assert f"{len(before):,} customers carried over to {partitions} partitions" in " ".join(done.stderr.split())
    for topic in new.topics.named(figures=True):
        assert await partition_count(new.bootstrap, topic) == partitions
    await refuses(old, tmp_path)

    await produce(old.bootstrap, old.topics.interactions, late)
    again = await asyncio.to_thread(lifecycle, *command, environment=environment(old, tmp_path))
    assert again.returncode == 0, again.stderr
    assert f"{len(late):,} interactions copied" in " ".join(again.stderr.split())
    await work(new, tmp_path, last)

    copied = await read_all(new.bootstrap, new.topics.interactions)
    assert sum(map(len, copied.values())) == len(records) - len(early)
    assert_in_order(copied, [*waiting, *late, *last])
    verified = await asyncio.to_thread(lifecycle, "verify", "--json", environment=environment(new, tmp_path))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    changes = [*await values(old, old.topics.stage_changes), *await values(new, new.topics.stage_changes)]
    assert_whole(changes)
    rows = list((await latest(new, new.topics.figures)).values())
    told = Told(rows, pd.DataFrame(changes))
    assert differences(told.sums(*FIGURES), reckon(frame, FIGURES, ZONE, ["country"])) == {}
    assert_customers_add_up(rows)


def subject_of(line: dict[str, str]) -> str:
    return line.get("customer_id") or line["anonymous_id"]


def cut(records: list[Outgoing], *shares: float) -> list[list[Outgoing]]:
    places = [0, *(round(share * len(records)) for share in shares), len(records)]
    return [records[begin:end] for begin, end in pairwise(places)]


def environment(settings: Settings, folder: Path) -> dict[str, str]:
    """Of the workers, and of the commands beside them."""
    return {f"LIFECYCLE_{name.upper()}": value for name, value in around(settings, folder).items()}


def around(settings: Settings, folder: Path) -> dict[str, str]:
    return {
        "bootstrap": settings.bootstrap,
        "topic_prefix": settings.topic_prefix,
        "partitions": str(settings.partitions),
        "lifecycles": f"{folder}/shop.yaml",
        "clock": "stream",
        "forget_after": "off",
        "session_timeout": "6s",
    }


async def work(settings: Settings, folder: Path, records: list[Outgoing]) -> None:
    """A worker takes all that is there, and these, and stops."""
    async with worker_processes(around(settings, folder), folder) as start:
        worker = await start()
        await worker.until("/readyz", lambda answer: answer[0] == 200)
        landed = await produce(settings.bootstrap, settings.topics.interactions, records)
        await worker.until("/readyz", has_read(landed), seconds=180)
        worker.process.terminate()
        assert await worker.process.wait() == 0


async def refuses(settings: Settings, folder: Path) -> None:
    """A worker that is started with the old topics by mistake says where the customers are, and ends."""
    start: Start
    async with worker_processes(around(settings, folder), folder) as start:
        worker = await start()
        async with asyncio.timeout(60):
            assert await worker.process.wait() != 0
    assert f"was carried over to {settings.topic_prefix}{NEW}interactions" in (folder / "worker0.log").read_text()


async def customers_of(settings: Settings) -> set[bytes | None]:
    records = await latest(settings, settings.topics.customers)
    return {key for key in records if key is not None and key[:1] in b"ca"}


async def latest(settings: Settings, topic: str) -> dict[bytes | None, Any]:
    """The latest value of each key, as a compacted topic would keep it."""
    records = await read_all(settings.bootstrap, topic, seconds=120)
    found = {each.key: each.value for partition in records.values() for each in partition if each.value is not None}
    return {key: orjson.loads(value) if value[:1] == b"{" else value for key, value in found.items()}


async def values(settings: Settings, topic: str) -> list[dict[str, Any]]:
    records = await read_all(settings.bootstrap, topic, seconds=120)
    return [orjson.loads(each.value or b"") for partition in records.values() for each in partition]


def assert_in_order(copied: Records, sent: list[Outgoing]) -> None:
    """Each customer's interactions are on one partition, in the order in which they were sent."""
    found: dict[bytes | None, list[bytes | None]] = {}
    where: dict[bytes | None, int] = {}
    for number, partition in copied.items():
        for each in partition:
            assert where.setdefault(each.key, number) == number
            found.setdefault(each.key, []).append(each.value)
    expected: dict[bytes | None, list[bytes | None]] = {}
    for record in sent:
        expected.setdefault(record.key, []).append(record.value)
    assert found == expected


def assert_whole(changes: list[dict[str, Any]]) -> None:
    """Of each life every change once, without a gap, over the old topic and the new."""
    lives: dict[tuple[str, str, str], list[int]] = {}
    for each in changes:
        subject = str(each.get("customer_id") or each["anonymous_id"])
        lives.setdefault((subject, each["lifecycle"], each["born"]), []).append(each["sequence"])
    for life, sequences in lives.items():
        assert sorted(sequences) == list(range(1, len(sequences) + 1)), life


def assert_customers_add_up(rows: list[dict[str, Any]]) -> None:
    """At the end of each day as many are in a stage as entered it and did not leave it, over all partitions."""
    moved: Counter[tuple[str, str]] = Counter()
    said: dict[tuple[int, str], dict[str, int]] = {}
    for row in rows:
        if row["kind"] == "all" and row["figure"] in ("entered", "left"):
            stage, sign = (row["to"], 1) if row["figure"] == "entered" else (row["from"], -1)
            moved[stage, row["day"]] += sign * int(row["exact"])
        if row["figure"] == "customers":
            said.setdefault((row["partition"], row["to"]), {})[row["day"]] = int(row["exact"])
    inside: Counter[str] = Counter()
    for day in sorted({day for _, day in moved}):
        for stage in ("visitor", "customer", "dormant"):
            inside[stage] += moved[stage, day]
            told = [days[max(known)] for (_, of), days in said.items() if of == stage and (known := upto(days, day))]
            assert sum(told) == inside[stage], (day, stage)
    assert sum(inside.values()) > 0


def upto(days: dict[str, int], day: str) -> list[str]:
    return [each for each in days if each <= day]
