"""`lifecycle verify` on what real workers wrote, and on topics that were tampered with."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.topics import ensure_topics
from stream.operations.verification.reach import BEFORE_EDIT, OTHERS
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.tampering import IN_BOTH, IN_STREAM
from tests.cli.verifying import (
    PARTITIONS,
    T,
    Topics,
    Verdict,
    Verify,
    copied,
    delete_before,
    environment_of,
    history,
    live,
    send,
    send_ticks,
    settings_of,
    until_caught_up,
    worked_stream,
    workers,
    write,
)
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import QUICK
from tests.kit.times import DAY
from tests.kit.topics import create_topics, read_all


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str, tmp_path: Path) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix, tmp_path)


async def test_a_history_in_stream_clock_that_killed_workers_went_through_is_verified_whole(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    settings = await worked_stream(settings, tmp_path)

    verdict = await verify(settings)

    assert (verdict.code, verdict.report["differing"]) == (0, 0), verdict.differences or verdict.stderr
    assert verdict.report["partitions"] == PARTITIONS
    assert verdict.report["interactions"] == 1_500 + PARTITIONS
    assert verdict.report["customers"] == 20  # those that were never identified are forgotten
    assert verdict.report["current_stages"] == 20
    assert verdict.report["changes"] > 500
    assert verdict.report["dead_letters"] > 5
    assert verdict.report["customers_not_verified"] == {}


async def test_in_wall_clock_deadlines_that_raced_interactions_are_verified_too(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await ensure_topics(settings)
    async with workers(settings, tmp_path, 1) as fleet:
        await until_caught_up(settings)  # from then on all is live
        await live(settings, 4)
        await fleet.kill(fleet.workers[0])
        await fleet.size(1)
        await live(settings, 6, seed=2)
        await until_caught_up(settings)

        running = await verify(settings)
        assert (running.code, running.report["differing"]) == (0, 0), running.differences or running.stderr

    verdict = await verify(settings)
    assert (verdict.code, verdict.report["differing"]) == (0, 0), verdict.differences or verdict.stderr
    changes = [
        orjson.loads(each.value or b"")
        for part in (await read_all(settings.bootstrap, settings.topics.stage_changes)).values()
        for each in part
    ]
    assert sum(each["trigger"]["kind"] == "deadline" for each in changes) > 50
    assert verdict.report["changes"] == len(changes)


async def test_while_workers_run_and_interactions_come_a_verification_is_of_one_moment(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await ensure_topics(settings)
    async with workers(settings, tmp_path, 2) as fleet:
        traffic = asyncio.create_task(live(settings, 600))  # it ends with the last verification
        await asyncio.sleep(3)
        verdicts = [await verify(settings) for _ in range(3)]
        await fleet.kill(fleet.workers[0])
        await fleet.size(2)
        verdicts += [await verify(settings) for _ in range(2)]
        traffic.cancel()
        await asyncio.wait([traffic])
        await until_caught_up(settings)
    verdicts.append(await verify(settings))
    assert [(each.code, each.differences) for each in verdicts] == [(0, [])] * 6, [each.stderr for each in verdicts]
    assert verdicts[0].report["interactions"] < verdicts[2].report["interactions"] < verdicts[5].report["interactions"]


@pytest.mark.parametrize(
    ("clock", "tamper"),
    [*(("stream", each) for each in [*IN_BOTH, *IN_STREAM]), *(("wall", each) for each in IN_BOTH)],
    ids=lambda each: getattr(each, "__name__", each),
)
async def test_topics_that_were_tampered_with_are_found_out(
    settings: Settings, verify: Verify, tmp_path: Path, clock: Any, tamper: Callable[[Topics], list[str]]
) -> None:
    settings = replace(settings, clock=clock)
    topics = await copied(settings, tmp_path)
    said = tamper(topics)
    await write(settings, topics)

    verdict = await verify(settings)

    assert verdict.code == (1 if said else 0), verdict.differences or verdict.stderr
    for words in said:
        assert any(words in each for each in verdict.differences), (words, verdict.differences)
    assert len(verdict.differences) <= 2, verdict.differences


async def verified_before_and_after_retention(
    verify: Verify, settings: Settings, folder: Path, name: str
) -> tuple[Verdict, Verdict]:
    """The verdicts on what workers wrote, and on that without the older half of one topic."""
    topics = await copied(settings, folder)
    await write(settings, topics)
    whole = await verify(settings)
    middle = {number: len(records) // 2 for number, records in topics[name].items()}
    await delete_before(settings, getattr(settings.topics, name), middle)
    return whole, await verify(settings)


@pytest.mark.parametrize("clock", ["stream", "wall"])
async def test_where_retention_cut_the_interactions_those_who_came_later_are_verified_and_the_others_counted(
    settings: Settings, verify: Verify, tmp_path: Path, clock: Any
) -> None:
    whole, verdict = await verified_before_and_after_retention(
        verify, replace(settings, clock=clock), tmp_path, "interactions"
    )

    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    old = verdict.report["customers_not_verified"]
    assert list(old) == ["began before the oldest interaction that is kept"]
    assert verdict.report["customers"] + sum(old.values()) == whole.report["customers"]
    assert verdict.report["changes"] > 0
    assert verdict.report["changes"] + verdict.report["changes_out_of_reach"] <= whole.report["changes"]
    assert verdict.report["current_stages"] == whole.report["current_stages"]


@pytest.mark.parametrize("clock", ["stream", "wall"])
async def test_where_retention_cut_the_stage_changes_only_what_is_kept_is_held_against_them(
    settings: Settings, verify: Verify, tmp_path: Path, clock: Any
) -> None:
    whole, verdict = await verified_before_and_after_retention(
        verify, replace(settings, clock=clock), tmp_path, "stage_changes"
    )

    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    old = verdict.report["customers_not_verified"]
    if clock == "stream":  # there the changes are not needed to know when deadlines fired
        assert verdict.report["customers"] == whole.report["customers"]
        assert verdict.report["changes"] + verdict.report["changes_no_longer_kept"] == whole.report["changes"]
    else:
        assert list(old) == ["began before the oldest stage change that is kept"]
        assert verdict.report["customers"] + sum(old.values()) == whole.report["customers"]


async def test_a_change_that_is_missing_of_a_customer_out_of_reach_leaves_a_gap(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    settings = replace(settings, clock="stream")
    topics = await copied(settings, tmp_path)
    records, place = next(
        (records, place)
        for records in topics["stage_changes"].values()
        for place, each in enumerate(records)
        if "customer_id" in orjson.loads(each.value or b"") and orjson.loads(each.value or b"")["sequence"] == 2
    )
    gone = orjson.loads(records.pop(place).value or b"")
    await write(settings, topics)
    await delete_before(
        settings, settings.topics.interactions, {n: len(r) - 20 for n, r in topics["interactions"].items()}
    )

    verdict = await verify(settings)

    assert verdict.code == 1
    assert [each.partition(": ")[2] for each in verdict.differences] == [
        f"change 2 of {gone['born']} is missing from stage-changes"
    ]


async def test_after_an_edit_of_the_lifecycle_those_who_came_later_are_verified_and_the_others_counted(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    settings = replace(settings, clock="stream", forget_after=None)
    await ensure_topics(settings)
    await send(settings, history(200, seed=3, customers=20))
    environment = {"LIFECYCLE_FORGET_AFTER": "off"}
    async with workers(settings, tmp_path, **environment):
        await until_caught_up(settings)
    await send(settings, history(300, seed=4, customers=30))
    edited = tmp_path / "edited.yaml"
    edited.write_text(QUICK.replace("heat: 3", "heat: 4"), encoding="utf-8")
    new = replace(settings, lifecycles=(str(edited),))
    async with workers(new, tmp_path, **environment):
        await until_caught_up(new)

    verdict = await verify(new, **environment)
    with_the_old_file = await verify(settings, **environment)
    with_other_settings = await verify(new, "--grace", "1s", **environment)

    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    assert verdict.report["customers_not_verified"] == {BEFORE_EDIT: 20}
    assert verdict.report["customers"] == 10
    assert with_the_old_file.code == 2
    assert with_the_old_file.differences == []
    assert with_the_old_file.report["customers_not_verified"] == {OTHERS: 30}
    assert "lifecycle quick is another version" in with_the_old_file.stderr
    assert with_other_settings.code == 2
    assert "grace is 1s, was 0ms" in " ".join(with_other_settings.stderr.split())

    edited.write_text(QUICK.replace("heat: 3", "heat: 5"), encoding="utf-8")
    async with workers(new, tmp_path, **environment):
        while (nobody_later := await verify(new, **environment)).code == 2:
            pass  # the worker has not begun yet
    of_one = await verify(new, "--customer", "c1", **environment)

    assert (nobody_later.code, nobody_later.differences) == (0, []), nobody_later.stderr
    assert nobody_later.report["customers_not_verified"] == {BEFORE_EDIT: 30}
    assert (nobody_later.report["customers"], nobody_later.report["current_stages"]) == (0, 30)
    assert (of_one.code, of_one.report["recomputed"]) == (0, []), of_one.stderr
    [customer] = of_one.report["from_records"]
    quick = customer["lifecycles"]["quick"]
    assert sum(part["points"] for part in quick["contributions"]["value"]) == pytest.approx(quick["scores"]["value"])
    assert quick["contributions"]["heat"]


async def test_after_a_reset_only_what_came_of_the_new_state_counts(
    settings: Settings, verify: Verify, lifecycle: Run, tmp_path: Path
) -> None:
    settings = await worked_stream(settings, tmp_path, count=200, kills=0)
    environment = environment_of(settings)
    done = await asyncio.to_thread(lifecycle, "reset", "--to", "earliest", "--yes", environment=environment)
    assert done.returncode == 0, done.stderr

    before_any_worker = await verify(settings, "--wait", "0")
    async with workers(settings, tmp_path):
        await until_caught_up(settings)
    verdict = await verify(settings)

    assert (before_any_worker.code, before_any_worker.differences) == (2, []), before_any_worker.stderr
    assert {each["position"] for each in before_any_worker.report["behind"]} == {None}
    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    assert verdict.report["customers"] > 10
    assert verdict.report["changes_repeated"] == 0


async def test_a_history_that_is_loaded_before_going_live_is_verified_though_not_published(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await ensure_topics(settings)
    await send(settings, history(300, seed=5))
    async with workers(settings, tmp_path):
        await until_caught_up(settings)
        loading = await verify(settings)
        await send_ticks(settings, T)
        await live(settings, 3)
        await until_caught_up(settings)
    verdict = await verify(settings)

    assert (loading.code, loading.differences) == (0, []), loading.stderr
    assert loading.report["changes"] == 0
    assert loading.report["changes_not_to_be_published"] > 100
    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    assert verdict.report["changes"] > 50


async def test_one_customer_is_recomputed_alone_and_its_scores_are_derived(
    settings: Settings, verify: Verify, lifecycle: Run, tmp_path: Path
) -> None:
    settings = replace(settings, clock="stream")
    await write(settings, await copied(settings, tmp_path))

    verdict = await verify(settings, "--customer", "c1")
    nobody = await verify(settings, "--customer", "nobody")
    one_partition = await verify(settings, "--partition", "1")
    shown = await asyncio.to_thread(lifecycle, "verify", "--customer", "c1", environment=environment_of(settings))

    assert (verdict.code, verdict.report["customers"], verdict.report["current_stages"]) == (0, 1, 1), (
        verdict.differences
    )
    [customer] = verdict.report["recomputed"]
    quick = customer["lifecycles"]["quick"]
    assert sum(part["points"] for part in quick["contributions"]["heat"]) == pytest.approx(quick["scores"]["heat"])
    assert (nobody.code, nobody.report["customers"]) == (2, 0)
    assert "no customer 'nobody' is known" in nobody.stderr
    assert (one_partition.code, one_partition.report["partitions"]) == (0, 1), one_partition.differences
    assert f"customer c1, partition {customer['partition']}, recomputed" in shown.stdout
    assert "customers verified" in shown.stdout


async def test_where_stage_changes_has_another_number_of_partitions_its_changes_are_found_too(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=3)
    settings = await worked_stream(settings, tmp_path, count=300, kills=0)

    verdict = await verify(settings)

    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    assert verdict.report["changes"] > 100


async def test_where_nothing_can_be_verified_it_says_why_and_ends_with_2(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    no_topics = await verify(settings)
    assert no_topics.code == 2
    assert f"topic {settings.topics.interactions} does not exist" in no_topics.stderr

    await ensure_topics(settings)
    no_partition = await verify(settings, "--partition", "7")
    assert no_partition.code == 2
    assert "has no partition 7" in no_partition.stderr

    nothing_yet = await verify(settings)
    assert (nothing_yet.code, nothing_yet.report["customers"]) == (2, 0), nothing_yet.stderr
    assert "nothing was applied yet" in nothing_yet.stderr

    no_lifecycle = await verify(settings, "--lifecycles", "absent.yaml")
    assert no_lifecycle.code == 2


async def test_a_topic_of_interactions_that_ends_before_the_state_does_is_named(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    settings = replace(settings, clock="stream")
    topics = await copied(settings, tmp_path)
    topics["interactions"] = {number: records[:20] for number, records in topics["interactions"].items()}
    await write(settings, topics)

    verdict = await verify(settings)

    assert verdict.code == 2
    words = " ".join(verdict.stderr.split())
    assert f"topic {settings.topics.interactions}, partition 0, ends at 20, but was read up to offset" in words
    assert "the topic was deleted and created again, or shortened" in words


@pytest.mark.parametrize("clock", ["stream", "wall"])
async def test_on_the_embedded_broker_too_where_a_crash_only_repeats(
    topic_prefix: str, verify: Verify, tmp_path: Path, clock: Any
) -> None:
    async with EmbeddedBroker() as broker:
        settings = replace(settings_of(broker.bootstrap, topic_prefix, tmp_path), clock=clock)
        await ensure_topics(settings)
        async with workers(settings, tmp_path, LIFECYCLE_MAX_RECORDS="20") as fleet:
            await until_caught_up(settings)
            if clock == "stream":
                await send(settings, history(1_500, seed=6))
            else:
                await live(settings, 5)
            running = await verify(settings)
            await fleet.kill(fleet.workers[0])
            await fleet.size(1)
            await send_ticks(settings, T + DAY)
            await until_caught_up(settings)
        verdict = await verify(settings)

    assert (running.code, running.differences) == (0, []), running.stderr
    assert (verdict.code, verdict.differences) == (0, []), verdict.stderr
    assert verdict.report["changes"] > 50
