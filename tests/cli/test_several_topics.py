"""Interactions of several topics, through real workers: all of it counts once, and is verified."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from stream.codec.records import Outgoing
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.verifying import Verify, environment_of, live, settings_of, until_caught_up, workers
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str, tmp_path: Path) -> Settings:
    return replace(settings_of(kafka.bootstrap, topic_prefix, tmp_path), interactions="web,crm")


async def until_gathered(settings: Settings, sent: int) -> None:
    """Return once all that was sent is applied."""
    async with asyncio.timeout(60):
        while sum(map(len, (await read_all(settings.bootstrap, settings.topics.interactions)).values())) < sent:
            await asyncio.sleep(0.1)
    await until_caught_up(settings)


async def test_what_killed_workers_made_of_two_topics_is_verified_and_each_interaction_counted_once(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await ensure_topics(settings)
    sent = 0
    async with workers(settings, tmp_path, 1) as fleet:
        await until_caught_up(settings)  # from then on all is live
        for turn in range(3):
            sent += await live(settings, 3, seed=turn)
            await fleet.kill(fleet.workers[0])
            sent += await live(settings, 1, seed=turn + 10)
            await fleet.size(1 + turn % 2)
        await until_gathered(settings, sent)

    verdict = await verify(settings)
    assert (verdict.code, verdict.report["differing"]) == (0, 0), verdict.differences or verdict.stderr
    assert verdict.report["interactions"] == sent
    gathered = (await read_all(settings.bootstrap, settings.topics.interactions)).values()
    ids = [json.loads(record.value or b"")["id"] for records in gathered for record in records]
    assert len(ids) == len(set(ids)) == sent


async def test_a_state_of_one_topic_goes_on_with_several_only_after_a_reset(
    settings: Settings, lifecycle: Run, verify: Verify, tmp_path: Path
) -> None:
    alone = replace(settings, interactions="web")
    await ensure_topics(alone)
    async with workers(alone, tmp_path):
        await until_caught_up(alone)
        sent = await live(alone, 2)
        await until_caught_up(alone)

    await ensure_topics(settings)
    refused = await asyncio.to_thread(lifecycle, "worker", environment=environment_of(settings))
    assert refused.returncode == 1
    assert (
        f"was made from topic {settings.topics.sources[0]}, and now {settings.topics.interactions} is" in refused.stderr
    )
    assert "lifecycle reset --to earliest" in refused.stderr

    reset = ("reset", "--to", "earliest", "--yes")
    done = await asyncio.to_thread(lifecycle, *reset, environment=environment_of(settings))
    assert done.returncode == 0, done.stderr
    async with workers(settings, tmp_path):
        sent += await live(settings, 2, seed=2)
        await until_gathered(settings, sent)
    verdict = await verify(settings)
    assert (verdict.code, verdict.report["differing"]) == (0, 0), verdict.differences or verdict.stderr
    assert verdict.report["interactions"] == sent


async def test_doctor_looks_at_each_topic_by_its_own_mapping(settings: Settings, lifecycle: Run) -> None:
    await ensure_topics(settings)
    web, crm = settings.topics.sources
    await send_values(settings, web, [{"customer_id": "ann", "type": "page"}])
    await send_values(settings, crm, [{"who": "ann", "what": "page"}, {"nobody": 1}])
    environment = environment_of(settings, LIFECYCLE_MAP="crm: customer_id=who, type=what")
    done = await asyncio.to_thread(lifecycle, "doctor", "--json", environment=environment)
    topics = {each["topic"]: each for each in json.loads(done.stdout)["topics"]}
    assert done.returncode == 1
    assert topics[web]["formats"] == {"native": 1}
    assert topics[crm]["formats"] == {"by the setting map": 1, "of no known format": 1}
    shown = await asyncio.to_thread(lifecycle, "doctor", environment=environment)
    assert web in shown.stdout
    assert crm in shown.stdout


async def send_values(settings: Settings, topic: str, values: list[dict[str, object]]) -> None:
    await produce(settings.bootstrap, topic, [Outgoing(b"ann", json.dumps(each).encode()) for each in values])
