"""Figures of real workers on Apache Kafka: alike at every one, as on the topic, never too few while one is gone."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.settings import Settings
from tests.kit.http_contract import hold
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all
from tests.kit.workers import PARTITIONS, Start, Worker, has_read, running_pair, worker_processes
from tests.web.figure_oracle import ALL, LIFECYCLE, ORACLE, TOLD
from tests.web.figure_workers import MARCH, check, days, named

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=PARTITIONS)


@pytest.fixture
async def start(settings: Settings, tmp_path: Path) -> AsyncIterator[Start]:
    """Start workers of one group; whatever still runs at the end is killed."""
    (tmp_path / "shop.yaml").write_text(LIFECYCLE, encoding="utf-8")
    around = {
        "bootstrap": settings.bootstrap,
        "topic_prefix": settings.topic_prefix,
        "partitions": str(PARTITIONS),
        "lifecycles": f"{tmp_path}/shop.yaml",
        "clock": "stream",
        "session_timeout": "2s",
    }
    async with worker_processes(around, tmp_path) as start_worker:
        yield start_worker


async def test_every_worker_has_the_figures_of_all_partitions_and_so_has_the_topic(
    settings: Settings, start: Start
) -> None:
    one, two = await running_pair(start)
    records = [Outgoing(each.subject.encode(), encode_native(each)) for each in TOLD]
    landed = await produce(settings.bootstrap, settings.topics.interactions, records)
    for each in (one, two):
        await each.until("/readyz", has_read(landed))
    await one.until(f"{MARCH}&by=country", has_all)
    bodies = [(await each.ask(f"{MARCH}&by=country"))[1] for each in (one, two)]
    hold("GET", MARCH, 200, "application/json", orjson.dumps(bodies[0]))
    assert bodies[0] == bodies[1]
    check(bodies[0], ORACLE)
    rows = await read_all(settings.bootstrap, settings.topics.figures)
    latest: dict[bytes, dict[str, Any]] = {}
    for partition in rows.values():
        latest |= {each.key or b"": orjson.loads(each.value or b"{}") for each in partition}
    first, last = (each.isoformat() for each in days(bodies[0]))
    for name, figure in named(bodies[0], "figure").items():
        for series in figure["series"]:
            named_so = name, None if series["kind"] == "all" else "country", series["kind"], series["segment"]
            found = [
                Decimal(row["exact"])
                for row in latest.values()
                if (row["figure"], row["by"], row["kind"], row["segment"]) == named_so and first <= row["day"] <= last
            ]
            assert sum(found) == Decimal(series["total_exact"])
    await dies(two, one, bodies[0])


async def dies(gone: Worker, asked: Worker, expected: dict[str, Any]) -> None:
    """One worker is killed: until the other has its partitions it answers 503, or everything, and then everything."""
    gone.process.kill()
    seen = set[int]()

    def is_whole(answer: tuple[int, dict[str, Any]]) -> bool:
        seen.add(answer[0])
        if answer[0] == 200:
            assert answer[1] == expected
        return answer[0] == 200

    await asked.until(f"{MARCH}&by=country", is_whole)
    assert seen == {503, 200}


def has_all(answer: tuple[int, dict[str, Any]]) -> bool:
    """All that was sent is in it."""
    return answer[0] == 200 and answer[1]["figures"][2]["series"][0]["total"] == ORACLE.of(
        "orders", ALL, *days(answer[1])
    )
