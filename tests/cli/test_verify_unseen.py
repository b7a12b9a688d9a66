"""`lifecycle verify` where not all that had arrived was applied: what it did not see, it does not call right."""

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.state import positions
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.verifying import (
    PARTITIONS,
    Verdict,
    Verify,
    copied,
    environment_of,
    history,
    send,
    settings_of,
    workers,
    write,
)
from tests.kit.kafka import SharedKafka


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str, tmp_path: Path) -> Settings:
    return replace(settings_of(kafka.bootstrap, topic_prefix, tmp_path), clock="stream")


async def test_interactions_that_wait_are_said_with_how_far_behind_each_partition_is(
    settings: Settings, verify: Verify, lifecycle: Run, tmp_path: Path
) -> None:
    topics = await copied(settings, tmp_path)
    await write(settings, topics)
    applied = {number: len(records) for number, records in topics["interactions"].items()}
    more = list(history(40, seed=11))
    await send(settings, more)

    verdict = await verify(settings, "--wait", "0")
    shown = await asyncio.to_thread(lifecycle, "verify", "--wait", "0.5", environment=environment_of(settings))

    assert (verdict.code, verdict.differences) == (2, []), verdict.stderr
    behind = verdict.report["behind"]
    assert {each["partition"]: each["position"] for each in behind} == applied
    assert sum(each["waiting"] for each in behind) == len(more)
    assert all(each["end"] == each["position"] + each["waiting"] for each in behind)
    assert verdict.report["customers"] > 0  # what was applied is verified
    for each in behind:
        words = (
            f"applied up to offset {each['position']:,}, its log ended at {each['end']:,}: {each['waiting']:,} waiting"
        )
        assert f"partition {each['partition']}: {words}" in shown.stderr
    assert shown.returncode == 2

    partition, again = next((number, records[-1]) for number, records in topics["stage_changes"].items() if records)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        await producer.send_and_wait(
            settings.topics.stage_changes, again.value, again.key, partition, None, again.headers
        )
    assert (await verify(settings, "--wait", "0")).code == 1  # a difference counts more


async def test_workers_that_catch_up_while_it_waits_are_verified_up_to_what_had_arrived(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    topics = await copied(settings, tmp_path)
    for records in topics["customers"].values():  # a worker refuses what was made from another topic
        for place, each in enumerate(records):
            if each.key == positions.KEY:
                records[place] = each._replace(value=orjson.dumps({**orjson.loads(each.value or b""), "topic_ids": {}}))
    await write(settings, topics)
    await send(settings, history(40, seed=11))

    waiting = asyncio.create_task(verify(settings, "--wait", "40"))
    async with workers(settings, tmp_path):
        verdict: Verdict = await waiting

    assert (verdict.code, verdict.differences, verdict.report["behind"]) == (0, [], []), verdict.stderr
    assert verdict.report["interactions"] == sum(map(len, topics["interactions"].values())) + 40


async def test_a_partition_that_never_ran_is_named(settings: Settings, verify: Verify, tmp_path: Path) -> None:
    topics = await copied(settings, tmp_path)
    for name in ("customers", "stage_changes", "dead_letters"):
        topics[name][1] = []
    for number, records in topics["current_stages"].items():
        ours = [each for each in records if not each.value or orjson.loads(each.value)["source"]["partition"] != 1]
        topics["current_stages"][number] = ours
    await write(settings, topics)

    verdict = await verify(settings, "--wait", "0")

    count = len(topics["interactions"][1])
    assert (verdict.code, verdict.differences) == (2, []), verdict.stderr
    assert verdict.report["behind"] == [
        {"partition": 1, "position": None, "end": count, "waiting": count, "open": False},
    ]
    assert f"partition 1: no worker began there yet, its log ended at {count}: {count} waiting" in verdict.stderr


async def test_what_stands_behind_an_open_transaction_waits_and_its_marker_alone_does_not(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    topics = await copied(settings, tmp_path)
    await write(settings, topics)
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.topic_prefix}shop"
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(settings.topics.interactions, b"{}", b"c1", 0)
        open_one = await verify(settings, "--wait", "0")
        await producer.abort_transaction()
        aborted = await verify(settings, "--wait", "0")

    at = len(topics["interactions"][0])
    assert (open_one.code, open_one.differences) == (2, []), open_one.stderr
    assert open_one.report["behind"] == [{"partition": 0, "position": at, "end": at + 1, "waiting": 1, "open": True}]
    assert "1 waiting, behind a transaction that is still open" in open_one.stderr
    assert (aborted.code, aborted.report["behind"]) == (0, []), aborted.stderr


async def test_where_no_worker_ever_ran_nothing_is_called_right(settings: Settings, verify: Verify) -> None:
    await ensure_topics(settings)
    await send(settings, history(20, seed=1))

    verdict = await verify(settings, "--wait", "0")

    assert verdict.report, verdict.stderr
    assert (verdict.code, verdict.report["customers"], verdict.report["changes"]) == (2, 0, 0), verdict.stderr
    assert [each["position"] for each in verdict.report["behind"]] == [None] * PARTITIONS
    assert sum(each["waiting"] for each in verdict.report["behind"]) == 20
