"""`stream.subscribe` on real Kafka: what is given, from where on, and what is told."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

import stream
from stream.codec.records import Outgoing
from stream.core.stage_change import Contribution, StageChange
from stream.errors import SettingsError
from stream.settings import Settings
from stream.subscription import subscription as subscriptions
from stream.subscription.subscription import Subscription
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import T, change, outgoing, write
from tests.kit.topics import create_topics, produce


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    """One partition, so that all changes have an order."""
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=1)
    return settings


def subscribed(settings: Settings, group: str | None = "crm", **more: object) -> Subscription:
    return stream.subscribe(
        settings.bootstrap,
        group=group,
        topic_prefix=settings.topic_prefix,
        session_timeout="1s",
        **more,  # type: ignore[arg-type]
    )


async def take(subscription: Subscription, count: int) -> list[stream.SubscribedChange]:
    """So many changes, processed in order."""
    taken: list[stream.SubscribedChange] = []
    async with asyncio.timeout(120), subscription as changes:
        async for each in changes:
            taken.append(each)
            if len(taken) == count:
                break
    return taken


def moves(*sequences: int, subject: str = "ann", born: str = "0-0") -> list[StageChange]:
    return [change(subject, sequence=each, born=born) for each in sequences]


def sequences(changes: Iterable[stream.SubscribedChange]) -> list[int]:
    return [each.sequence for each in changes]


def test_to_import_the_package_costs_nothing() -> None:
    code = "import stream, sys; assert not {'aiokafka', 'msgspec', 'asyncio'} & set(sys.modules), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_setting_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(SettingsError, match="security-protocol"):
        stream.subscribe("localhost:9092", security_protocol="tls")


async def test_a_change_has_all_that_its_record_says(settings: Settings) -> None:
    made = change(
        "ann",
        contributions={"value": (Contribution("spent", 19.9, 1),)},
        facts={"orders": 1, "last_order": T, "grade": "A", "new": True},
        actions=("cross_sell",),
    )
    await write(settings, [made])
    [got] = await take(subscribed(settings), 1)
    assert (got.customer_id, got.subject, got.kind, got.identified, got.version) == ("ann", "ann", "customer", True, 1)
    assert (got.from_stage, got.to_stage, got.at, got.entered) == ("lead", "customer", T, T - 1)
    assert (got.channels, got.actions, got.facts) == (("email",), ("cross_sell",), dict(made.facts))
    assert [(each.signal, each.points, each.count) for each in got.contributions["value"]] == [("spent", 19.9, 1)]
    assert (got.trigger.id, got.event_id, got.generation) == ("i1", "shop:customer:ann:0-0:2", 1)
    assert (got.partition, got.offset, got.value) == (0, 0, outgoing(made).value)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({"lifecycle": "b2b"}, {1}),
        ({"to": ["vip", "gone"]}, {2}),
        ({"to": ""}, {3}),
        ({"from_": ""}, {4}),
        ({"customer": {"bob", "cem"}}, {5, 6}),
        ({"final": True}, {6}),
        ({"to": "customer", "from_": "lead", "lifecycle": ["shop", "b2b"]}, {0, 1, 5, 6}),
    ],
)
async def test_only_what_is_wanted_is_given(settings: Settings, wanted: dict[str, object], kept: set[int]) -> None:
    changes = [
        change("c0", final=False),
        change("c1", final=False, lifecycle="b2b"),
        change("c2", final=False, to_stage="vip"),
        change("c3", final=False, to_stage=None),
        change("c4", final=False, from_stage=None, to_stage="new"),
        change("bob", final=False, kind="anonymous"),
        change("cem"),
    ]
    await write(settings, changes)
    got = await take(subscribed(settings, **wanted), len(kept))
    assert {each.subject for each in got} == {changes[place].subject for place in kept}


async def test_a_group_goes_on_where_it_committed_and_shares_nothing_with_another(settings: Settings) -> None:
    await write(settings, moves(1, 2, 3, 4))
    assert sequences(await take(subscribed(settings), 2)) == [1, 2]
    assert sequences(await take(subscribed(settings), 2)) == [3, 4]
    assert sequences(await take(subscribed(settings, "mail"), 3)) == [1, 2, 3]


async def test_a_change_whose_processing_fails_comes_again(settings: Settings) -> None:
    await write(settings, moves(1, 2))
    with pytest.raises(ZeroDivisionError):
        async with subscribed(settings) as changes:
            async for each in changes:
                assert each.sequence / (each.sequence - 1)
    assert sequences(await take(subscribed(settings), 2)) == [1, 2]


async def test_a_loop_that_is_cancelled_ends_at_once_and_leaves_the_group(settings: Settings) -> None:
    """The next one gets the partition without waiting for the session to end."""
    await write(settings, moves(1, 2))
    begun = asyncio.Event()

    async def work() -> None:
        changes = stream.subscribe(
            settings.bootstrap, group="crm", topic_prefix=settings.topic_prefix, session_timeout="60s"
        )
        async for _ in changes:
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):
        assert sequences(await take(subscribed(settings), 2)) == [1, 2]


@pytest.mark.parametrize("group", [None, "crm"])
async def test_from_the_end_only_what_comes_is_given(settings: Settings, group: str | None) -> None:
    await write(settings, moves(1, 2))
    got = asyncio.create_task(take(subscribed(settings, group, start="end"), 1))
    for number in range(3, 1_000):  # it does not say when it listens, and need not
        await write(settings, moves(number))
        if (await asyncio.wait([got], timeout=0.1))[0]:
            break
    assert sequences(await got)[0] > 2


async def test_a_group_that_began_at_the_end_loses_nothing_when_it_crashes_before_its_first_change(
    settings: Settings,
) -> None:
    await write(settings, moves(1, 2))
    waiting = asyncio.create_task(take(subscribed(settings, start="end"), 1))
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    async with asyncio.timeout(60):
        while not (await admin.list_consumer_group_offsets(settings.topic_prefix + "crm")):
            await asyncio.sleep(0.05)
    await admin.close()
    waiting.cancel()
    await asyncio.wait([waiting])
    await write(settings, moves(3))
    assert sequences(await take(subscribed(settings, start="end"), 1)) == [3]


async def test_without_a_group_one_goes_on_from_offsets_that_one_kept(settings: Settings) -> None:
    await write(settings, moves(1, 2, 3, 4))
    first = await take(subscribed(settings, None, start="beginning"), 2)
    kept = {first[-1].partition: first[-1].offset + 1}
    assert sequences(await take(subscribed(settings, None, start=kept), 2)) == [3, 4]


async def test_what_was_given_before_a_crash_is_known_after_it(settings: Settings) -> None:
    """A worker without transactions writes again what it had written; the group, in another process now, had it."""
    await write(settings, moves(1, 2, 3))
    assert sequences(await take(subscribed(settings), 3)) == [1, 2, 3]
    await write(settings, moves(2, 3, 4))
    assert sequences(await take(subscribed(settings), 1)) == [4]


async def test_a_gap_in_a_life_is_told_before_the_change_behind_it(settings: Settings) -> None:
    """Over a restart, too; and where the change itself is not wanted."""
    gaps: list[stream.Gap] = []

    async def note(gap: stream.Gap) -> None:
        await asyncio.sleep(0)
        gaps.append(gap)

    await write(settings, moves(1))
    await take(subscribed(settings, on_gap=note), 1)
    await write(settings, [*moves(4), change("bob", to_stage="vip")])
    await take(subscribed(settings, to="vip", on_gap=note), 1)
    [gap] = gaps
    assert gap.change is not None
    assert (gap.partition, gap.offset, gap.missing, gap.change.sequence) == (0, 1, 2, 4)


async def test_what_retention_took_before_it_was_read_is_told(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """By the log, to who did not say who is to hear of it."""
    await write(settings, moves(1))
    await take(subscribed(settings), 1)
    await write(settings, moves(2, 3, 4))
    await _delete_before(settings, 3)
    with caplog.at_level(logging.WARNING, subscriptions.__name__):
        assert sequences(await take(subscribed(settings), 1)) == [4]
    told = [str(each.msg) for each in caplog.records if each.name == subscriptions.__name__]
    assert told == ["partition 0, offset 3: up to 2 changes were deleted by retention before they were read"]


async def _delete_before(settings: Settings, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(settings.topics.stage_changes, 0): RecordsToDelete(offset)})
    finally:
        await admin.close()


async def test_what_retention_takes_while_it_is_read_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that is slower than retention."""
    monkeypatch.setattr("stream.kafka.change_consumer._AT_ONCE", 1)
    await write(settings, moves(*range(1, 4)))
    gaps: list[stream.Gap] = []
    got: list[int] = []
    async with asyncio.timeout(120), subscribed(settings, None, start="beginning", on_gap=gaps.append) as changes:
        async for each in changes:
            got.append(each.sequence)
            if each.sequence == 3:
                await _fill(settings)
                await _delete_before(settings, 2_000)
            if each.sequence >= 2_003:
                break
    assert [each.missing for each in gaps if each.change is not None] == [2_003 - len(got)]
    assert gaps[0].change is None
    assert got == sorted(set(got))


async def _fill(settings: Settings) -> None:
    """More than one fetch holds."""
    facts = {"text": "x" * 5_000}
    await write(settings, [change(sequence=each, facts=facts) for each in range(4, 2_004)])


async def test_what_a_reset_made_again_is_a_correction_over_restarts_and_may_be_left_out(settings: Settings) -> None:
    def made(*offsets: int, born: str) -> list[Outgoing]:
        pairs = enumerate(offsets, start=1)
        return [outgoing(change(sequence=number, born=born, at=T + offset), offset) for number, offset in pairs]

    await produce(settings.bootstrap, settings.topics.stage_changes, made(5, 6, born="0-5"))
    await take(subscribed(settings), 2)
    await take(subscribed(settings, "mail"), 2)
    await produce(settings.bootstrap, settings.topics.stage_changes, made(5, 6, 8, born="2.0-5"))
    again = await take(subscribed(settings), 3)
    assert [(each.generation, each.sequence, each.correction) for each in again] == [
        (2, 1, True),
        (2, 2, True),
        (2, 3, False),
    ]
    assert sequences(await take(subscribed(settings, "mail", corrections=False), 1)) == [3]


async def test_what_is_no_change_is_logged_and_passed_over(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    topic = settings.topics.stage_changes
    odd = (outgoing(change(born="nonsense")).value, b"{}", None)
    await produce(settings.bootstrap, topic, [Outgoing(b"ann", value) for value in odd])
    await write(settings, moves(1))
    assert sequences(await take(subscribed(settings), 1)) == [1]
    assert [str(each.msg) for each in caplog.records if each.name == subscriptions.__name__] == [
        f"{topic}, partition 0, offset {number}: not a stage change" for number in range(3)
    ]


async def test_fewer_commits_repeat_at_most_as_many_changes_as_they_leave_out(settings: Settings) -> None:
    await write(settings, moves(*range(1, 9)))
    with pytest.raises(ZeroDivisionError):
        async with subscribed(settings, commit_every=3) as changes:
            async for each in changes:
                assert 1 / (8 - each.sequence)
    assert sequences(await take(subscribed(settings, commit_every=3), 2)) == [7, 8]


async def test_in_a_partition_the_offsets_count_whatever_the_clocks_of_workers_say(settings: Settings) -> None:
    """Its new owner's clock may be behind."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for each in moves(*range(1, 6)):
            await producer.send_and_wait(
                settings.topics.stage_changes, outgoing(each).value, timestamp_ms=T - 1_000 * each.sequence
            )
    assert sequences(await take(subscribed(settings), 5)) == [1, 2, 3, 4, 5]


async def test_a_topic_that_is_not_there_yet_is_waited_for(
    kafka: SharedKafka, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    waiting = asyncio.create_task(take(subscribed(settings), 1))
    async with asyncio.timeout(60):
        while "waiting for topic" not in caplog.text:
            await asyncio.sleep(0.05)
    await create_topics(settings.bootstrap, settings.topics.stage_changes)
    await write(settings, moves(1))
    assert sequences(await waiting) == [1]
