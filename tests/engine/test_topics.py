"""What is planned, found and created; the comparison needs no broker."""

from dataclasses import replace

import pytest

from stream.engine.embedded import EmbeddedBroker
from stream.engine.topics import DAY_MS, FoundTopic, compare, ensure_topics, find_topics, plan_topics
from stream.errors import TopicError
from stream.settings import Settings
from tests.kit.kafka import KafkaBroker
from tests.kit.topics import create_topics

SETTINGS = Settings(partitions=4)
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
        "--partitions 4 --replication-factor 1 --config cleanup.policy=compact --config segment.bytes="
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


async def test_missing_topics_are_created_as_planned(kafka: KafkaBroker, topic_prefix: str) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    assert await ensure_topics(settings) == []
    found = await find_topics(settings)
    assert {topic.partitions for topic in found.values()} == {4}
    assert found[settings.topics.interactions].configs["message.timestamp.type"] == "LogAppendTime"
    assert found[settings.topics.interactions].configs["retention.ms"] == str(7 * DAY_MS)
    assert found[settings.topics.customers].configs["cleanup.policy"] == "compact"
    assert found[settings.topics.customers].configs["max.compaction.lag.ms"] == str(DAY_MS)
    assert await ensure_topics(settings) == []


async def test_a_users_own_topic_is_kept_and_decides_the_partitions(kafka: KafkaBroker, topic_prefix: str) -> None:
    settings = replace(SETTINGS, bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(kafka.bootstrap, settings.topics.interactions, partitions=3)
    (warning,) = await ensure_topics(settings)
    assert "CreateTime" in str(warning)
    assert {topic.partitions for topic in (await find_topics(settings)).values()} == {3}


async def test_topics_that_do_not_fit_are_refused_with_every_reason_and_nothing_is_created(
    kafka: KafkaBroker, topic_prefix: str
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
