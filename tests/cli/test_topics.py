"""`lifecycle topics`: what it shows and creates, and when it fails."""

import asyncio
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from stream.kafka.topic_plan import plan_topics
from stream.kafka.topics import find_topics
from stream.setting_types import UNLIMITED
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, settings_of
from tests.kit.kafka import SharedKafka
from tests.kit.topics import create_topics


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return replace(settings_of(kafka.bootstrap, topic_prefix), retention=UNLIMITED)


async def topics(run: Run, settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    around = environment_of(settings) | {"COLUMNS": "200"}  # so that nothing is folded
    if settings.retention == UNLIMITED:
        around |= {"LIFECYCLE_RETENTION": "unlimited"}
    return await asyncio.to_thread(run, "topics", *arguments, environment=around)


def states(printed: str, settings: Settings) -> dict[str, str]:
    """The third column of the table, by the topic's name without prefix."""
    rows = [line.split() for line in printed.splitlines() if line.startswith(settings.topic_prefix)]
    return {row[0].removeprefix(settings.topic_prefix): row[2] for row in rows if row[1].isdecimal()}


WITHOUT_FIGURES = ("interactions", "stage-changes", "current-stages", "lifecycle-customers", "lifecycle-dead-letters")
ALL = (*WITHOUT_FIGURES, "figures")


async def test_missing_topics_are_created_and_shown_as_good_from_then_on(lifecycle: Run, settings: Settings) -> None:
    first = await topics(lifecycle, settings)
    second = await topics(lifecycle, settings)

    assert (first.returncode, states(first.stdout, settings)) == (0, dict.fromkeys(ALL, "created"))
    assert (second.returncode, states(second.stdout, settings)) == (0, dict.fromkeys(ALL, "good"))
    assert "message.timestamp.type=LogAppendTime" in second.stdout
    found = await find_topics(settings, settings.topics.named(figures=True))
    assert {plan.name: plan.partitions for plan in plan_topics(settings, {}, figures=True)} == {
        name: topic.partitions for name, topic in found.items()
    }


async def test_lifecycles_without_figures_need_no_topic_for_them(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    """With figures, or without any lifecycle named, it is among them."""
    plain = tmp_path / "plain.yaml"
    plain.write_text("lifecycle: plain\nstages: {a: {}}\n", encoding="utf-8")
    without = await topics(lifecycle, settings, "--dry-run", "--lifecycles", str(plain))
    assert (without.returncode, states(without.stdout, settings)) == (0, dict.fromkeys(WITHOUT_FIGURES, "missing"))
    plain.write_text("lifecycle: plain\nfigures: {}\nstages: {a: {}}\n", encoding="utf-8")
    with_figures = await topics(lifecycle, settings, "--dry-run", "--lifecycles", str(plain))
    assert set(states(with_figures.stdout, settings)) == set(ALL)


async def test_a_dry_run_shows_the_command_for_each_missing_topic_and_creates_none(
    lifecycle: Run, settings: Settings
) -> None:
    done = await topics(lifecycle, settings, "--dry-run")

    assert (done.returncode, states(done.stdout, settings)) == (0, dict.fromkeys(ALL, "missing"))
    assert f"--create --topic {settings.topics.customers} --partitions {PARTITIONS}" in done.stdout
    assert await find_topics(settings) == {}


OF_WEBHOOKS = ("lifecycle-webhooks", "webhook-attempts", "lifecycle-webhook-dead-letters", "lifecycle-webhook-commands")


async def test_those_of_webhooks_are_shown_and_created_when_they_are_asked_for(
    lifecycle: Run, settings: Settings
) -> None:
    """Whether the worker's exist or not; with as many partitions as the stage changes have."""
    dry = await topics(lifecycle, settings, "--webhooks", "--dry-run")
    assert (dry.returncode, states(dry.stdout, settings)) == (0, dict.fromkeys((*ALL, *OF_WEBHOOKS), "missing"))
    assert f"--create --topic {settings.webhook_topics.state} --partitions {PARTITIONS}" in dry.stdout
    await topics(lifecycle, settings)
    first = await topics(lifecycle, replace(settings, partitions=PARTITIONS + 1), "--webhooks")
    second = await topics(lifecycle, settings, "--webhooks")

    created = dict.fromkeys(ALL, "good") | dict.fromkeys(OF_WEBHOOKS, "created")
    assert (first.returncode, states(first.stdout, settings)) == (0, created)
    assert states(second.stdout, settings) == dict.fromkeys((*ALL, *OF_WEBHOOKS), "good")
    assert set(states((await topics(lifecycle, settings)).stdout, settings)) == set(ALL)
    found = await find_topics(settings, settings.webhook_topics.beside_source)
    assert {name: topic.partitions for name, topic in found.items()} == dict.fromkeys(
        settings.webhook_topics.beside_source, PARTITIONS
    )


async def test_a_topic_of_webhooks_with_other_partitions_than_the_stage_changes_is_an_error(
    lifecycle: Run, settings: Settings
) -> None:
    state = settings.webhook_topics.state
    await create_topics(settings.bootstrap, state, partitions=PARTITIONS + 1, settings={"cleanup.policy": "compact"})

    done = await topics(lifecycle, settings, "--webhooks")

    assert (done.returncode, states(done.stdout, settings)["lifecycle-webhooks"]) == (1, "error")
    assert f"{state}: error: has {PARTITIONS + 1} partitions, but {settings.topics.stage_changes} has" in done.stdout
    assert f"--delete --topic {state}" in done.stdout
    assert set(await find_topics(settings)) == set()


async def test_an_error_is_shown_with_its_remedy_and_then_nothing_is_created(
    lifecycle: Run, settings: Settings
) -> None:
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=PARTITIONS)
    await create_topics(
        settings.bootstrap, settings.topics.customers, partitions=3, settings={"cleanup.policy": "compact"}
    )

    done = await topics(lifecycle, settings)

    assert done.returncode == 1
    assert states(done.stdout, settings)["lifecycle-customers"] == "error"
    assert f"{settings.topics.customers}: error: has 3 partitions" in done.stdout
    assert f"--delete --topic {settings.topics.customers}" in done.stdout
    assert set(await find_topics(settings)) == {settings.topics.interactions, settings.topics.customers}


async def test_a_warning_shows_the_setting_that_we_would_choose_and_does_not_fail(
    lifecycle: Run, settings: Settings
) -> None:
    await create_topics(
        settings.bootstrap,
        settings.topics.interactions,
        partitions=3,
        settings={"message.timestamp.type": "CreateTime"},
    )

    done = await topics(lifecycle, settings)

    assert done.returncode == 0
    assert states(done.stdout, settings)["interactions"] == "warning"
    assert states(done.stdout, settings)["stage-changes"] == "created"
    assert "message.timestamp.type=CreateTime (we would set LogAppendTime)" in done.stdout
    assert f"{settings.topics.interactions}: warning: " in done.stdout
    assert "--add-config message.timestamp.type=LogAppendTime" in done.stdout
    assert (await find_topics(settings))[settings.topics.customers].partitions == 3


async def test_what_was_not_chosen_and_what_a_small_cluster_lacks_is_said(lifecycle: Run, settings: Settings) -> None:
    """Also of topics that are about to be created, and again as long as it is so."""
    unset = replace(settings, retention=None)
    for first in (True, False):
        done = await topics(lifecycle, unset)
        assert done.returncode == 0
        assert states(done.stdout, unset)["interactions"] == ("created" if first else "warning")
        assert f"{unset.topics.interactions}: warning: interactions are kept for 7d" in done.stdout
        assert "from day 8 on it forgets" in done.stdout
        assert "LIFECYCLE_RETENTION" in done.stdout
        assert "the cluster has 1 broker: new topics get replication 1" in done.stdout


async def test_the_reassignment_is_printed_alone(lifecycle: Run, settings: Settings) -> None:
    """For Kafka's own tool; of a cluster of one broker nothing can be given."""
    await topics(lifecycle, settings)
    assert json.loads((await topics(lifecycle, settings, "--reassignment")).stdout) == {"version": 1, "partitions": []}


def test_a_broker_that_does_not_answer_is_named(lifecycle: Run) -> None:
    done = lifecycle("topics", "--bootstrap", "127.0.0.1:1")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "Kafka at 127.0.0.1:1: nobody answers\n")


@pytest.mark.parametrize("columns", ["60", "80"])
async def test_no_setting_is_cut_within_a_word_in_a_narrow_terminal(
    lifecycle: Run, settings: Settings, columns: str
) -> None:
    around = environment_of(settings) | {"COLUMNS": columns}
    done = await asyncio.to_thread(lifecycle, "topics", "--dry-run", environment=around)
    lines = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    for whole in ("message.timestamp.type=LogAppendTime", "max.compaction.lag.ms=86400000"):
        assert whole in lines


async def test_a_number_of_partitions_that_an_existing_topic_does_not_have_is_said(
    lifecycle: Run, settings: Settings
) -> None:
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=PARTITIONS)
    done = await topics(lifecycle, replace(settings, partitions=PARTITIONS + 4), "--dry-run")
    name = settings.topics.interactions
    assert f"partitions is set to {PARTITIONS + 4}, but {name} has {PARTITIONS}, and that counts" in done.stdout
    assert "partitions is set to" not in (await topics(lifecycle, settings, "--dry-run")).stdout
