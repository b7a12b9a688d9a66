"""One worker process on Apache Kafka, as an operator sees it: readiness, metrics, dead letters, its exit."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import orjson
import pytest
from aiokafka import ConsumerRecord
from prometheus_client.parser import text_string_to_metric_families

from stream.codec.records import Outgoing
from stream.web.live_changes import PATH
from tests.kit.kafka import SharedKafka
from tests.kit.replays import Replay, Worker
from tests.kit.times import DAY, T0
from tests.kit.topics import produce, read_all
from tests.web.live import reading

UNTIL = T0 + 400 * DAY
CUSTOMERS = 40
BAD: dict[bytes, bytes] = {
    b'{"type":"page","customer_id":"null","time":1700000000000}': b"blocked_subject",
    b'{"type":"page"': b"not_json",
}
"""Records that cannot be read, with the reason of each."""

Samples = dict[tuple[str, ...], float]
"""By name and label values, in the order of the labels' names."""


@pytest.fixture
def interactions(tmp_path: Path) -> Path:
    """Customers who look around and of whom every other one orders; every fourth is a visitor who is forgotten."""
    lines = []
    for number in range(CUSTOMERS):
        who = {"anonymous_id": f"v-{number}"} if number % 4 == 0 else {"customer_id": f"c-{number}"}
        names = ["page", "Product Viewed", *(["Product Added", "Order Completed"] if number % 2 else [])]
        lines += [
            {**who, "id": f"{number}-{name}", "type": name, "time": T0 + number * DAY + hour * 3_600_000}
            for hour, name in enumerate(names)
        ]
    lines.sort(key=lambda line: int(str(line["time"])))
    out = tmp_path / "interactions.jsonl"
    out.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return out


@pytest.fixture
async def worker(kafka: SharedKafka, topic_prefix: str, interactions: Path, tmp_path: Path) -> AsyncIterator[Worker]:
    """A worker that has taken all of them, and the ticks that ended their import."""
    replay = Replay(kafka.bootstrap, topic_prefix, interactions, UNTIL)
    await replay.load()
    async with Worker(replay, tmp_path / "worker.log") as started:
        await started.until_alone()
        yield started


def url(worker: Worker, path: str) -> str:
    return f"http://127.0.0.1:{worker.replay.settings.web_port}{path}"


async def scrape(worker: Worker) -> Samples:
    """The samples of /metrics."""
    async with aiohttp.ClientSession() as session, session.get(url(worker, "/metrics")) as response:
        assert response.status == 200
        text = await response.text()
    return {
        (sample.name, *(value for _name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def standings(replay: Replay, folder: Path) -> Counter[tuple[str, str]]:
    """Customers by lifecycle and stage at the end, as `simulate` finds them."""
    out = folder / "customers.jsonl"
    await replay.command(
        *("simulate", "--lifecycle", "metrics", "--input", str(replay.data), "--until", str(replay.until)),
        *("--customers", str(out)),
    )
    return Counter((each["lifecycle"], each["stage"]) for each in map(orjson.loads, out.read_bytes().splitlines()))


async def dead_letters_of(replay: Replay) -> list[ConsumerRecord[bytes | None, bytes | None]]:
    """The dead letters, of all partitions."""
    topic = await read_all(replay.bootstrap, replay.settings.topics.dead_letters)
    return [record for records in topic.values() for record in records]


async def test_a_worker_is_ready_when_all_its_partitions_run(worker: Worker) -> None:
    """200, the delivery that the broker allows, and every partition with nothing left to take."""
    async with aiohttp.ClientSession() as session:
        async with session.get(url(worker, "/livez")) as response:
            assert response.status == 200
        async with session.get(url(worker, "/readyz")) as response:
            assert response.status == 200
            body = await response.json()
    assert (body["status"], body["phase"], body["delivery"]) == ("ready", "running", "exactly_once")
    assert [(each["partition"], each["state"], each["lag"]) for each in body["partitions"]] == [
        (number, "running", 0) for number in range(worker.replay.partitions)
    ]


async def test_metrics_tell_what_was_sent_and_where_customers_stand(worker: Worker, tmp_path: Path) -> None:
    """Each interaction applied once; customers by stage as `simulate` finds them; one published change a record."""
    replay = worker.replay
    found = await scrape(worker)
    assert found["lifecycle_interactions_total", "applied"] == len(replay.data.read_bytes().splitlines())
    assert found["lifecycle_interactions_total", "tick"] == replay.partitions
    assert {value for key, value in found.items() if key[0] == "lifecycle_dead_letters_total"} == {0}
    expected = await standings(replay, tmp_path)
    assert len(expected) > 1
    customers = {key[1:]: value for key, value in found.items() if key[0] == "lifecycle_customers"}
    assert {stage: count for stage, count in customers.items() if count} == expected
    published = sum(map(len, (await replay.published()).values()))
    assert found["lifecycle_stage_changes_published_total",] == published
    for number in map(str, range(replay.partitions)):
        assert found["lifecycle_lag_records", number] == 0
        assert found["lifecycle_recovery_ratio", number] == 1


async def test_a_record_that_cannot_be_read_is_a_dead_letter_and_counted(worker: Worker) -> None:
    """With bytes, key, headers, reason and source address; what follows it in its partition is applied."""
    replay = worker.replay
    before = (await scrape(worker))["lifecycle_interactions_total", "applied"]
    good = b'{"type":"page","customer_id":"c-1","time":%d}' % UNTIL
    sent = [*(Outgoing(b"c-1", bad, [("sender", b"shop")]) for bad in BAD), Outgoing(b"c-1", good)]
    places = await produce(replay.bootstrap, replay.settings.topics.interactions, sent)
    async with asyncio.timeout(180):
        while (found := await scrape(worker))["lifecycle_interactions_total", "applied"] == before:
            await asyncio.sleep(0.05)
    assert found["lifecycle_interactions_total", "applied"] == before + 1
    assert found["lifecycle_interactions_total", "rejected"] == len(BAD)
    for reason in BAD.values():
        assert found["lifecycle_dead_letters_total", reason.decode()] == 1
    by_value = {record.value: record for record in await dead_letters_of(replay)}
    assert by_value.keys() == BAD.keys()
    for (value, reason), place in zip(BAD.items(), places, strict=False):
        about = dict(by_value[value].headers)
        assert by_value[value].key == b"c-1"
        assert (about["sender"], about["lifecycle_reason"]) == (b"shop", reason)
        assert about["lifecycle_topic"] == replay.settings.topics.interactions.encode()
        assert (about["lifecycle_partition"], about["lifecycle_offset"]) == (
            b"%d" % place.partition,
            b"%d" % place.offset,
        )


async def test_a_worker_serves_every_stage_change_live_and_ends_the_stream_in_order_when_it_stops(
    worker: Worker,
) -> None:
    topic = worker.replay.settings.topics.stage_changes
    published = [
        each for records in (await read_all(worker.replay.settings.bootstrap, topic)).values() for each in records
    ]
    async with reading(url(worker, PATH), "?since=beginning") as reader:
        sent = await reader.take(len(published))
        worker.process.send_signal(signal.SIGTERM)
        with pytest.raises(EOFError):
            await reader.next()
    assert len(published) > CUSTOMERS
    assert {each.data["ce_id"] for each in sent} == {dict(each.headers)["ce_id"].decode() for each in published}


async def test_a_worker_told_to_stop_exits_with_0_and_goes_on_where_it_was(worker: Worker, tmp_path: Path) -> None:
    """Nothing is taken twice after SIGTERM: the next worker finds all customers and nothing to do."""
    stages = {key: value for key, value in (await scrape(worker)).items() if key[0] == "lifecycle_customers" and value}
    worker.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(180):
        assert await worker.process.wait() == 0, worker.log.read_text()[-4_000:]
    async with Worker(worker.replay, tmp_path / "next.log") as following:
        await following.until_alone()
        found = await scrape(following)
    assert {key: value for key, value in found.items() if key[0] == "lifecycle_customers" and value} == stages
    assert {value for key, value in found.items() if key[0] == "lifecycle_interactions_total"} == {0}
    assert found["lifecycle_recovered_records_total",] > 0
