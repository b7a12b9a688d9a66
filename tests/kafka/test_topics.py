"""What is planned, found and created; the comparison needs no broker."""

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from stream.core.durations import DAY
from stream.errors import BrokerError, TopicError
from stream.kafka.admin import admin_client
from stream.kafka.durability import reassignment
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.permissions import Grant, Operation, of_worker
from stream.kafka.topic_plan import FoundTopic, compare, plan_topics
from stream.kafka.topics import ensure_topics, find_topics
from stream.setting_types import UNLIMITED
from stream.settings import Settings
from tests.kit.cluster import KafkaCluster
from tests.kit.kafka import SharedKafka
from tests.kit.topics import create_topics

SETTINGS = Settings(partitions=4, retention=UNLIMITED)
NAMES = SETTINGS.topics


def all_found(**changed: FoundTopic) -> dict[str, FoundTopic]:
    """Every topic as planned; `changed` by its field in TopicNames."""
    found = {plan.name: FoundTopic(plan.partitions, plan.configs) for plan in plan_topics(SETTINGS, {})}
    found.update({getattr(NAMES, field): topic for field, topic in changed.items()})
    return found


def findings(found: dict[str, FoundTopic]) -> list[tuple[str, str, str]]:
    compared = compare(SETTINGS, plan_topics(SETTINGS, found), found)
    return [(finding.level, finding.topic, finding.problem) for finding in compared]


def test_topics_as_planned_have_no_findings() -> None:
    assert findings(all_found()) == []


def test_everything_is_missing_at_first_and_each_finding_has_the_command() -> None:
    compared = compare(SETTINGS, plan_topics(SETTINGS, {}), {})
    assert [finding.level for finding in compared] == ["missing"] * 5
    assert (
        "kafka-topics.sh --bootstrap-server 127.0.0.1:9092 --create --topic lifecycle-customers "
        "--partitions 4 --replication-factor 1 --config cleanup.policy=compact --config max.compaction.lag.ms="
    ) in compared[3].remedy


def test_what_is_created_beside_an_existing_topic_takes_its_partitions_and_size() -> None:
    found = {NAMES.interactions: FoundTopic(12, {"max.message.bytes": "5000000"})}
    plans = plan_topics(SETTINGS, found)
    assert {plan.partitions for plan in plans} == {12}
    assert int(plans[-1].configs["max.message.bytes"]) > 5_000_000


def test_a_changelog_with_another_partition_count_is_an_error() -> None:
    ((level, topic, problem),) = findings(all_found(customers=FoundTopic(8, {"cleanup.policy": "compact"})))
    assert (level, topic) == ("error", "lifecycle-customers")
    assert problem.startswith("has 8 partitions, but interactions has 4")


@pytest.mark.parametrize("field", ["customers", "current_stages"])
@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
def test_a_state_that_would_be_deleted_by_age_is_an_error(field: str, policy: str) -> None:
    ((level, topic, problem),) = findings(all_found(**{field: FoundTopic(4, {"cleanup.policy": policy})}))
    assert (level, topic) == ("error", getattr(NAMES, field))
    assert problem.startswith(f"cleanup.policy is {policy}, not compact")


@pytest.mark.parametrize("field", ["customers", "current_stages"])
def test_a_topic_that_may_keep_the_forgotten_for_longer_than_a_day_is_doubtful(field: str) -> None:
    at_ease = FoundTopic(4, {"cleanup.policy": "compact", "max.compaction.lag.ms": "9223372036854775807"})
    ((level, topic, problem),) = findings(all_found(**{field: at_ease}))
    assert (level, topic) == ("warning", getattr(NAMES, field))
    assert problem.startswith("max.compaction.lag.ms is 9223372036854775807")
    strict = FoundTopic(4, {"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY // 2)})
    assert findings(all_found(**{field: strict})) == []


def test_compacted_interactions_and_changes_are_doubtful() -> None:
    compacted = FoundTopic(4, {"cleanup.policy": "compact"})
    found = findings(all_found(interactions=compacted, stage_changes=compacted))
    assert [(level, topic) for level, topic, _ in found] == [
        ("warning", "interactions"),
        ("warning", "stage-changes"),
    ]


def test_producers_own_timestamps_are_doubtful() -> None:
    create_time = FoundTopic(4, {"message.timestamp.type": "CreateTime"})
    ((level, topic, problem),) = findings(all_found(interactions=create_time))
    assert (level, topic) == ("warning", "interactions")
    assert "CreateTime" in problem
    for harm in (
        "more than 1h ahead",
        "refuse its whole batch",
        "deleted at retention's next look",
        "ends as overtaken",
        "fires deadlines early",
    ):
        assert harm in problem
    others = {"message.timestamp.after.max.ms": "86400000", "retention.ms": "-1"}
    ((_, _, problem),) = findings(all_found(interactions=FoundTopic(4, {**create_time.configs, **others})))
    assert "more than 1d ahead" in problem
    assert "deleted" not in problem  # everything is kept there


def test_a_retention_that_nobody_chose_is_a_warning_with_what_it_means_for_a_reset_and_the_setting() -> None:
    unset = replace(SETTINGS, retention=None)
    for found in ({}, {NAMES.interactions: FoundTopic(4, {"retention.ms": str(7 * DAY)})}):
        plans = plan_topics(unset, found)
        (finding,) = [each for each in compare(unset, plans, found) if each.level == "warning"]
        assert finding.topic == "interactions"
        assert "kept for 7d" in finding.problem
        assert "`lifecycle reset`" in finding.problem
        assert "from day 8 on it forgets" in finding.problem
        assert "LIFECYCLE_RETENTION" in finding.remedy
        assert plans[0].configs["retention.ms"] == str(7 * DAY)


def test_a_retention_that_was_chosen_is_no_warning_but_says_what_it_means() -> None:
    chosen = replace(SETTINGS, retention=30 * DAY)
    found = {NAMES.interactions: FoundTopic(4, {"retention.ms": str(30 * DAY)})}
    (finding,) = [each for each in compare(chosen, plan_topics(chosen, found), found) if each.topic == "interactions"]
    assert (finding.level, "from day 31 on" in finding.problem) == ("note", True)


def test_nobody_is_to_set_a_retention_that_nobody_chose() -> None:
    found = {NAMES.interactions: FoundTopic(4, {"retention.ms": str(30 * DAY)})}
    assert plan_topics(replace(SETTINGS, retention=None), found)[0].configs["retention.ms"] == str(30 * DAY)


def test_a_topic_that_keeps_everything_needs_no_choice() -> None:
    unset = replace(SETTINGS, retention=None)
    found = all_found(interactions=FoundTopic(4, {"retention.ms": "-1"}))
    assert compare(unset, plan_topics(unset, found), found) == []


@pytest.mark.parametrize(("retention", "config"), [(400 * DAY, str(400 * DAY)), (UNLIMITED, "-1")])
def test_a_topic_with_another_retention_than_was_chosen_is_a_warning_with_the_command(
    retention: int, config: str
) -> None:
    chosen = replace(SETTINGS, retention=retention)
    found = all_found(interactions=FoundTopic(4, {"retention.ms": str(7 * DAY)}))
    (finding,) = compare(chosen, plan_topics(chosen, found), found)
    assert (finding.level, finding.topic) == ("warning", "interactions")
    assert "7d" in finding.problem
    assert finding.remedy.endswith(f"--entity-name interactions --add-config retention.ms={config}")


@pytest.mark.parametrize(
    ("brokers", "setting", "replication", "in_sync"),
    [(1, None, 1, None), (2, None, 2, None), (3, None, 3, "2"), (9, None, 3, "2"), (9, 1, 1, None), (9, 5, 5, "2")],
)
def test_a_topic_gets_three_replicas_where_there_are_three_brokers_unless_somebody_chose(
    brokers: int, setting: int | None, replication: int, in_sync: str | None
) -> None:
    plans = plan_topics(replace(SETTINGS, replication=setting), {}, brokers)
    assert {plan.replication for plan in plans} == {replication}
    assert {plan.configs.get("min.insync.replicas") for plan in plans} == {in_sync}


def test_a_topic_on_fewer_brokers_than_there_could_be_is_a_warning_with_the_command() -> None:
    one = FoundTopic(4, {"cleanup.policy": "compact"}, ((1,), (2,), (3,), (1, 2)))
    found = all_found(current_stages=one)
    (finding,) = compare(SETTINGS, plan_topics(SETTINGS, found, 3), found, 3)
    assert (finding.level, finding.topic) == ("warning", "current-stages")
    assert "on 1 broker of 3" in finding.problem
    assert "lifecycle topics --reassignment > replicas.json && kafka-reassign-partitions.sh" in finding.remedy
    for settings, brokers in ((SETTINGS, 1), (replace(SETTINGS, replication=1), 3)):
        assert compare(settings, plan_topics(settings, found, brokers), found, brokers) == []


def test_three_replicas_of_which_one_is_enough_are_a_warning_with_the_command() -> None:
    three = FoundTopic(4, {"cleanup.policy": "compact", "min.insync.replicas": "1"}, ((1, 2, 3),) * 4)
    found = all_found(customers=three)
    (finding,) = compare(SETTINGS, plan_topics(SETTINGS, found, 3), found, 3)
    assert (finding.level, finding.topic) == ("warning", "lifecycle-customers")
    assert finding.remedy.endswith("--entity-name lifecycle-customers --add-config min.insync.replicas=2")


def test_a_reassignment_adds_replicas_and_moves_none() -> None:
    held = {"few": ((3,), (1,), (2, 1)), "enough": ((1, 2, 3),), "none": ()}
    assert reassignment(SETTINGS, (1, 2, 3), held) == {
        "version": 1,
        "partitions": [
            {"topic": "few", "partition": 0, "replicas": [3, 1, 2]},
            {"topic": "few", "partition": 1, "replicas": [1, 2, 3]},
            {"topic": "few", "partition": 2, "replicas": [2, 1, 3]},
        ],
    }


def test_a_topic_too_small_for_our_batches_is_an_error() -> None:
    small = FoundTopic(4, {"cleanup.policy": "delete", "max.message.bytes": "500000"})
    ((level, topic, problem),) = findings(all_found(stage_changes=small))
    assert (level, topic) == ("error", "stage-changes")
    assert "500000" in problem


def test_a_topic_that_not_every_dead_letter_fits_is_an_error() -> None:
    small = FoundTopic(4, {"max.message.bytes": "1048588"})
    ((level, topic, problem),) = findings(all_found(dead_letters=small))
    assert (level, topic) == ("error", "lifecycle-dead-letters")
    assert "1310720" in problem


def test_a_topic_of_dead_letters_too_small_for_our_batches_is_an_error() -> None:
    small = FoundTopic(4, {"max.message.bytes": "500000"})
    ((level, topic, _),) = findings(all_found(dead_letters=small))
    assert (level, topic) == ("error", "lifecycle-dead-letters")


def test_a_broker_that_tells_no_settings_gives_no_findings() -> None:
    assert findings({name: FoundTopic(4, {}) for name in all_found()}) == []


async def test_missing_topics_are_created_as_planned(kafka: SharedKafka, topic_prefix: str) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    assert await ensure_topics(settings) == []
    found = await find_topics(settings)
    assert {topic.partitions for topic in found.values()} == {4}
    assert {topic.replication for topic in found.values()} == {1}
    assert found[settings.topics.interactions].configs["message.timestamp.type"] == "LogAppendTime"
    assert found[settings.topics.interactions].configs["retention.ms"] == "-1"
    for name in (settings.topics.customers, settings.topics.current_stages):
        assert found[name].configs["cleanup.policy"] == "compact"
        assert found[name].configs["max.compaction.lag.ms"] == str(DAY)
    assert await ensure_topics(settings) == []


async def test_a_users_own_topic_is_kept_and_decides_the_partitions(kafka: SharedKafka, topic_prefix: str) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, retention=7 * DAY)
    await create_topics(kafka.bootstrap, settings.topics.interactions, partitions=3)
    (warning,) = await ensure_topics(settings)
    assert "CreateTime" in str(warning)
    assert {topic.partitions for topic in (await find_topics(settings)).values()} == {3}


async def test_topics_that_do_not_fit_are_refused_with_every_reason_and_nothing_is_created(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    names = settings.topics
    await create_topics(kafka.bootstrap, names.interactions, names.current_stages, partitions=3)
    await create_topics(kafka.bootstrap, names.customers, partitions=2, settings={"cleanup.policy": "compact"})
    with pytest.raises(TopicError) as refused:
        await ensure_topics(settings)
    assert names.customers in str(refused.value)
    assert names.current_stages in str(refused.value)
    assert set(await find_topics(settings)) == {names.interactions, names.current_stages, names.customers}


async def test_the_embedded_broker_gets_its_topics_too() -> None:
    async with EmbeddedBroker() as broker:
        settings = replace(SETTINGS, bootstrap=broker.bootstrap)
        assert await ensure_topics(settings) == []
        assert {topic.partitions for topic in (await find_topics(settings)).values()} == {4}
        assert await ensure_topics(settings) == []


async def test_a_cluster_of_three_gets_three_replicas_of_which_two_have_what_is_acknowledged(
    kafka_cluster: KafkaCluster, topic_prefix: str
) -> None:
    settings = replace(SETTINGS, bootstrap=kafka_cluster.bootstrap, topic_prefix=topic_prefix)
    assert await ensure_topics(settings) == []
    found = await find_topics(settings)
    assert {topic.replication for topic in found.values()} == {3}
    assert {topic.configs["min.insync.replicas"] for topic in found.values()} == {"2"}
    assert await ensure_topics(settings) == []


async def test_topics_of_one_replica_in_a_cluster_of_three_are_warned_of_unless_that_was_chosen(
    kafka_cluster: KafkaCluster, topic_prefix: str
) -> None:
    alone = replace(SETTINGS, bootstrap=kafka_cluster.bootstrap, topic_prefix=topic_prefix, replication=1)
    assert await ensure_topics(alone) == []
    assert await ensure_topics(alone) == []
    warnings = await ensure_topics(replace(alone, replication=None))
    assert [each.topic for each in warnings] == list(alone.topics.all)
    assert {"on 1 broker of 3" in each.problem for each in warnings} == {True}


async def test_more_replicas_than_there_are_brokers_are_refused_with_what_would_do(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, replication=3)
    with pytest.raises(BrokerError, match=r"fewer than 3 brokers \(setting replication\).* set replication to auto"):
        await ensure_topics(settings)


async def test_a_topic_that_one_broker_knows_and_another_does_not_is_asked_for_again(
    kafka: SharedKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await ensure_topics(settings)
    gone = settings.topics.stage_changes
    async with admin_client(settings) as admin:
        stale = await admin.describe_topics()
        await admin.delete_topics([gone])
        while any(topic["topic"] == gone for topic in await admin.describe_topics()):
            await asyncio.sleep(0.05)
    answers = count()
    really = AIOKafkaAdminClient.describe_topics

    async def describe_topics(self: AIOKafkaAdminClient) -> Any:
        return stale if next(answers) < 2 else await really(self)

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_topics", describe_topics)
    assert sorted(await find_topics(settings)) == sorted({*settings.topics.all} - {gone})
    assert next(answers) > 2


SEVERAL = replace(SETTINGS, interactions="web,crm")


def several(**topics: FoundTopic) -> list[tuple[str, str, str]]:
    found = {name.replace("_", "-"): each for name, each in topics.items()}
    plans = plan_topics(SEVERAL, found)
    findings = [each for each in compare(SEVERAL, plans, found) if each.level == "error"]
    return [(each.topic, each.problem, each.remedy) for each in findings]


def test_of_several_topics_the_one_that_is_there_gives_the_others_its_partitions_and_the_gathered_one_room() -> None:
    plans = {each.name: each for each in plan_topics(SEVERAL, {"crm": FoundTopic(7, {"max.message.bytes": "3000000"})})}
    assert list(plans)[:3] == ["web", "crm", "lifecycle-interactions"]
    assert {each.partitions for each in plans.values()} == {7}
    gathered = plans["lifecycle-interactions"].configs
    assert int(gathered["max.message.bytes"]) > 3_000_000
    assert gathered["message.timestamp.type"] == "CreateTime"  # so that each record keeps its time
    assert plans["web"].configs["message.timestamp.type"] == "LogAppendTime"


def test_topics_that_cannot_be_gathered_are_an_error() -> None:
    [(topic, problem, _)] = several(web=FoundTopic(4, {}), crm=FoundTopic(3, {}))
    assert topic == "crm"
    assert problem.startswith("has 3 partitions, but lifecycle-interactions, into which it is gathered, has 4")
    room = {"max.message.bytes": "2000000"}
    [(topic, problem, remedy)] = several(web=FoundTopic(4, room), lifecycle_interactions=FoundTopic(4, room))
    assert topic == "lifecycle-interactions"
    assert problem.startswith(
        "takes messages of 2000000 bytes; one of web, which is gathered into it, may need 2262144"
    )
    assert remedy.endswith("--add-config max.message.bytes=2262144")


def test_a_worker_that_gathers_needs_to_read_what_it_gathers_and_to_write_what_it_processes() -> None:
    grants, alone = (set(of_worker(each)) for each in (SEVERAL, SETTINGS))
    assert {Grant(Operation.READ, "web"), Grant(Operation.READ, "crm")} <= grants
    assert {Grant(Operation.READ, "lifecycle-interactions"), Grant(Operation.WRITE, "lifecycle-interactions")} <= grants
    assert Grant(Operation.WRITE, "interactions") not in alone


def test_what_is_gathered_is_kept_as_long_as_where_it_comes_from() -> None:
    unset = replace(SEVERAL, retention=None)
    found = {"web": FoundTopic(4, {"retention.ms": "604800000"}), "crm": FoundTopic(4, {"retention.ms": "-1"})}
    plans = {each.name: each.configs["retention.ms"] for each in plan_topics(unset, found)[:3]}
    assert plans["lifecycle-interactions"] == "-1"
    room = {"max.message.bytes": "1310732"}
    target = FoundTopic(4, {"retention.ms": "604800000", **room})
    compared = compare(unset, plan_topics(unset, found), {**found, "lifecycle-interactions": target})
    [finding] = [each for each in compared if each.level == "warning" and "unprocessed" in each.problem]
    assert finding.topic == "lifecycle-interactions"
    assert finding.remedy.endswith("--add-config retention.ms=-1")
