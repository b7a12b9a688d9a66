"""Workers of one group with different lifecycles, or settings that decide, know of each other and say so."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor import PartitionAssignor
from faust.assignor.client_assignment import ClientMetadata
from yarl import URL

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.engine.assignor import EngineAssignor
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.group_members import members_of
from stream.kafka.topic_monitor import TopicMonitor
from stream.kafka.worker_versions import GroupVersions, LifecycleVersion, Member, WorkerVersions
from stream.settings import Settings
from tests.kit.roles import WORKER, Caller, caller_of, worker_of
from tests.kit.secured import SecuredKafka
from tests.kit.topics import create_topics

SHOP = LifecycleVersion(3, "a" * 16)
NEWER = LifecycleVersion(4, "b" * 16)
OURS = WorkerVersions("one:1", "1.0", {"shop": SHOP}, {"grace": "0ms"})
EDITED = WorkerVersions("two:2", "1.1", {"shop": NEWER, "more": SHOP}, {"grace": "1h"})
FIELDS = {"worker", "host", "product", "lifecycles", "differences"}


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(params=["kafka", "embedded"])
def broker(request: pytest.FixtureRequest) -> str:
    """The kind of it."""
    return str(request.param)


@pytest.fixture
def bootstrap(request: pytest.FixtureRequest, broker: str) -> str:
    """Where that one is."""
    return str(request.getfixturevalue(broker).bootstrap)


@pytest.fixture
def tells(broker: str) -> bool:
    """Whether it reports what members say of themselves."""
    return broker == "kafka"


def member(versions: WorkerVersions | None, name: str = "member-1") -> Member:
    return Member(name, "10.0.0.1", versions)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_worker_with_other_lifecycles_and_settings_is_warned_of_with_all_that_differs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    group = GroupVersions(OURS)
    group.heard([member(OURS), member(EDITED)])
    assert lines(caplog) == [
        (
            "WARNING",
            (
                "workers of this group differ, and what happens to a customer depends on who has the partition: "
                "two:2 at 10.0.0.1 (lifecycle more version 3 (digest aaaaaaaaaaaaaaaa), which is not here; "
                "lifecycle shop version 4 (digest bbbbbbbbbbbbbbbb), here version 3 (digest aaaaaaaaaaaaaaaa); "
                "grace 1h, here 0ms). That is right while workers are replaced one after the other; else give all of "
                "them the same lifecycle files and settings"
            ),
        )
    ]
    assert [each.worker for each in group.others or ()] == ["two:2"]


def test_it_is_warned_of_again_only_where_something_changes_and_said_when_all_agree(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A look every five seconds would be a flood."""
    caplog.set_level(logging.INFO)
    group = GroupVersions(OURS)
    for _ in range(2):
        group.heard([member(OURS)])
    for _ in range(3):
        group.heard([member(OURS), member(EDITED)])
    for order in (1, -1):
        group.heard([member(OURS), member(EDITED), member(replaced(EDITED))][::order])
    for _ in range(2):
        group.heard([member(OURS), member(replaced(OURS))])
    assert [level for level, _ in lines(caplog)] == ["WARNING", "WARNING", "INFO"]
    assert "the workers of this group (2) have the same" in caplog.messages[-1]
    assert group.others == []


def replaced(versions: WorkerVersions) -> WorkerVersions:
    """The same on another machine."""
    return WorkerVersions("three:3", versions.product, versions.lifecycles, versions.settings)


def test_an_earlier_release_that_says_nothing_of_itself_is_one_that_differs(caplog: pytest.LogCaptureFixture) -> None:
    """The broker reports who it is."""
    group = GroupVersions(OURS)
    group.heard([member(None, "faust-0.15.3-x")])
    assert "faust-0.15.3-x at 10.0.0.1 (a release that does not say which lifecycles)" in caplog.messages[0]
    assert group.distinct() == {"shop": 2}


def test_versions_in_the_group_are_counted_with_those_who_lack_one() -> None:
    """As long as the broker reported nothing, nothing is said."""
    group = GroupVersions(OURS)
    assert (group.distinct(), group.others) == ({}, None)
    group.heard([])
    assert group.distinct() == {"shop": 1}
    group.heard([member(OURS), member(EDITED)])
    assert group.distinct() == {"shop": 2, "more": 2}


def assignor(kind: type[PartitionAssignor], versions: WorkerVersions | None) -> PartitionAssignor:
    """As in a worker, without what it does not need to describe itself."""
    app: Any = SimpleNamespace(tables=None, versions=versions, conf=SimpleNamespace(canonical_url=URL("http://a")))
    return kind(app)


def described(metadata: bytes, state: str = "Stable", code: int = 0) -> list[Any]:
    """A coordinator's answer."""
    return [(code, "lifecycle", state, "consumer", "faust", [("member-1", "client", "/10.0.0.1", metadata, b"")])]


def test_what_a_worker_says_of_itself_reaches_the_others_and_faust_does_not_mind_it() -> None:
    """Faust of an earlier release reads it when it leads the group, as ours reads theirs."""
    ours = assignor(EngineAssignor, OURS).metadata({"interactions"})
    assert members_of(described(ours.encode())) == [member(OURS)._replace(url="http://a")]
    theirs = assignor(PartitionAssignor, None).metadata({"interactions"})
    assert members_of(described(theirs.encode())) == [member(None)._replace(url="http://a")]
    read, plain = (ClientMetadata.loads(each.user_data) for each in (ours, theirs))
    assert orjson.loads(read.dumps()) == orjson.loads(plain.dumps())


@pytest.mark.parametrize(
    "user_data",
    [b"", b"{", b"[]", b'{"lifecycle_worker":7}', b'{"lifecycle_worker":{"worker":"a","product":"1","lifecycles":[]}}'],
)
def test_a_member_that_says_what_nobody_understands_is_one_that_does_not_say(user_data: bytes) -> None:
    metadata = ConsumerProtocolMemberMetadata(4, ["interactions"], user_data).encode()
    assert members_of(described(metadata)) == [member(None)]


@pytest.mark.parametrize("metadata", [b"\x00", b"\xff" * 40])
def test_metadata_that_are_not_those_of_a_consumer_say_nothing(metadata: bytes) -> None:
    assert members_of(described(metadata)) == [member(None)]


def test_a_group_that_is_in_a_rebalance_or_without_coordinator_tells_nothing() -> None:
    """Kafka leaves the members' metadata out then, which would look like an earlier release."""
    assert members_of(described(b"", state="PreparingRebalance")) is None
    assert members_of(described(b"", code=15)) is None


async def test_a_broker_that_keeps_what_members_say_to_itself_is_no_sign_that_they_differ(
    bootstrap: str, tells: bool, topic_prefix: str
) -> None:
    """Apache Kafka reports it; the embedded broker reports who the members are, and leaves out what they say."""
    settings = Settings(bootstrap=bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix)
    topic = settings.topics.interactions
    await create_topics(bootstrap, topic, partitions=1)
    heard: list[list[Member]] = []
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=settings.group) as consumer:
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=100)
        monitor = TopicMonitor(settings, hear=heard.append)
        looking = asyncio.create_task(monitor.run())
        try:
            async with asyncio.timeout(180):
                while not monitor.serves:
                    await asyncio.sleep(0.05)
        finally:
            looking.cancel()
            await asyncio.wait([looking])
    assert [[each.versions for each in members] for members in heard] == ([[None]] if tells else [])


@pytest.mark.kafka
async def test_workers_with_different_files_warn_each_other_with_the_least_rights_until_they_agree(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """In the log, in `/readyz`, which stays ready, and in metrics."""
    edited = tmp_path / "metrics.yaml"
    preset = files("stream.presets").joinpath("metrics.yaml")
    edited.write_text(preset.read_text().replace("version: 2", "version: 3", 1))
    before, after = (load(each).lifecycle.digest.hex() for each in ("metrics", str(edited)))
    one = caller_of(secured_kafka, WORKER)
    two = replace(caller_of(secured_kafka, WORKER), extra={"LIFECYCLES": str(edited), "LOG_FORMAT": "json"})
    async with worker_of(one, tmp_path / "one.log") as first:
        await first.until_logged("recovered")
        async with worker_of(two, tmp_path / "two.log") as second:
            await asyncio.gather(first.until_logged("workers of this"), second.until_logged("workers_differ"))
            ready, metrics = await get(one, "/readyz"), await get(one, "/metrics")
            seen = json.loads(ready)
        await first.until_logged("the workers of this group (1) have the same")
    assert seen["status"] in ("ready", "not ready")
    assert seen["lifecycles"] == {"metrics": {"version": 2, "digest": before}}
    [other] = seen["others"]
    assert other.keys() == FIELDS
    assert other["lifecycles"] == {"metrics": {"version": 3, "digest": after}}
    assert f'lifecycle_info{{digest="{before}",lifecycle="metrics",version="2"}} 1.0' in metrics
    assert 'lifecycle_group_versions{lifecycle="metrics"} 2.0' in metrics
    assert first.log.count("workers of this group differ") == 1
    said = {line["event"]: line for line in map(json.loads, second.log.splitlines())}
    assert said["workers_differ"]["others"][0]["lifecycles"] == {"metrics": {"version": 2, "digest": before}}
    assert_introduced(said, two, after)


def assert_introduced(said: dict[str, dict[str, Any]], caller: Caller, digest: str) -> None:
    """The first lines name all that ran there, and no secret; the others, which partitions came and went."""
    assert said["worker_started"]["build"] in ("compiled", "not compiled")
    loaded = said["lifecycle_loaded"]
    assert (loaded["lifecycle"], loaded["version"], loaded["digest"]) == ("metrics", 3, digest)
    assert loaded["file"].endswith("metrics.yaml")
    chosen = said["kafka_chosen"]
    assert (chosen["bootstrap"], chosen["group"]) == (caller.bootstrap, "lifecycle")
    assert "interactions" in chosen["topics"]
    changed = said["settings_changed"]["settings"]
    assert (changed["session_timeout"], changed["sasl_password"]) == ("2s", "(set)")
    assert caller.password not in json.dumps(said)
    assert said["partitions_assigned"].keys() >= {"partitions", "added", "given_up"}
    assert len(said["partitions_given_up"]["partitions"]) == 1


async def get(caller: Caller, path: str) -> str:
    url = f"http://127.0.0.1:{caller.web_port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status in (200, 503)
        return await response.text()
