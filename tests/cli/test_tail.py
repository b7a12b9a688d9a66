"""`lifecycle tail` on real stage changes, written as the worker writes them."""

import asyncio
import json

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.records import Outgoing
from stream.codec.stage_changes import ChangeSource, encode
from stream.core.stage_change import Trigger
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, interrupt, settings_of, started
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import T, change, write
from tests.kit.topics import create_topics, produce


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=PARTITIONS)
    return settings


async def tailed(run: Run, settings: Settings, *arguments: str, **environment: str) -> list[str]:
    """The lines that tail prints from the beginning."""
    done = await asyncio.to_thread(
        run, "tail", "--from-beginning", *arguments, environment=environment_of(settings) | environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


async def test_a_change_is_a_line_with_when_who_from_where_to_where_why_and_the_largest_scores(
    lifecycle: Run, settings: Settings
) -> None:
    await write(
        settings,
        [
            change(from_stage=None, to_stage="anonymous", final=False, transition=None, sequence=1, scores={}),
            change(),
            change(
                kind="anonymous",
                from_stage="customer",
                to_stage="dormant",
                at=T + 1,
                trigger=Trigger("deadline"),
                transition="since(last_purchase)\n  >= 90d",
                scores={},
            ),
            change(trigger=Trigger("interaction", None, "visit", late=True), scores={}),
            change(to_stage=None, trigger=Trigger("forgotten"), transition=None, scores={}),
        ],
    )

    scores = "value 1,200.0, fear -50.0, engagement 34.2"
    assert await tailed(lifecycle, settings, "--count", "5") == [
        "2026-01-01T00:00:00.000Z  ann  shop  (new) → anonymous  by purchase  …",
        f"2026-01-01T00:00:00.000Z  ann  shop  lead → customer  by purchase: orders >= 1  {scores}",
        "2026-01-01T00:00:00.001Z  ann  shop  customer → dormant  by time: since(last_purchase) >= 90d",
        "2026-01-01T00:00:00.000Z  ann  shop  lead → customer  by visit (late): orders >= 1",
        "2026-01-01T00:00:00.000Z  ann  shop  lead → (forgotten)",
    ]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--lifecycle", "b2b"], 1),
        (["--stage", "vip"], 2),
        (["--customer", "bob"], 3),
        (["--final"], 4),
    ],
)
async def test_only_the_changes_asked_for_are_shown(
    lifecycle: Run, settings: Settings, arguments: list[str], kept: int
) -> None:
    # One that fits nothing, one for each option, and one that fits all: to see that there was no other.
    changes = [
        change("ann", final=False),
        change("ann", final=False, lifecycle="b2b"),
        change("ann", final=False, to_stage="vip"),
        change("bob", final=False, kind="anonymous"),
        change("ann", final=True),
        change("bob", lifecycle="b2b", to_stage="vip", at=T + 1),
    ]
    for each in changes:  # one by one, so that they have an order over all partitions
        await write(settings, [each])

    lines = await tailed(lifecycle, settings, *arguments, "--json", "--count", "2")

    wanted = [encode(changes[place], ChangeSource("interactions", 0, 7)).decode() for place in (kept, 5)]
    assert sorted(lines) == sorted(wanted)


async def test_what_was_never_committed_is_not_shown(lifecycle: Run, settings: Settings) -> None:
    topic = settings.topics.stage_changes
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.app}-writer"
    ) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, encode(change("gone"), ChangeSource("", 0, 0)), partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, encode(change("here"), ChangeSource("", 0, 0)), partition=0)

    [line] = await tailed(lifecycle, settings, "--json", "--count", "1")

    assert json.loads(line)["customer_id"] == "here"


async def test_an_id_cannot_steer_the_terminal(lifecycle: Run, settings: Settings) -> None:
    await write(settings, [change("\x1b[2Jé")])

    [line] = await tailed(lifecycle, settings, "--count", "1", FORCE_COLOR="1")

    assert r"\x1b[2J\xe9" in line
    assert "\x1b[2J" not in line
    assert "\x1b[1m" in line  # it does have colours


async def test_a_record_that_is_no_stage_change_is_named_and_passed_over(lifecycle: Run, settings: Settings) -> None:
    await produce(settings.bootstrap, settings.topics.stage_changes, [Outgoing(b"ann", b"{}")])
    await write(settings, [change()])

    done = await asyncio.to_thread(
        lifecycle, "tail", "--from-beginning", "--count", "1", environment=environment_of(settings)
    )

    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert "offset 0: not a stage change" in done.stderr


async def test_only_what_comes_after_the_start_is_shown_until_ctrl_c(settings: Settings) -> None:
    await write(settings, [change("before")])
    async with started(settings, "tail") as command:
        assert command.stdout is not None
        line = asyncio.create_task(command.stdout.readline())
        for number in range(1000):  # it does not say when it listens, and need not
            await write(settings, [change(f"after{number}")])
            if (await asyncio.wait([line], timeout=0.1))[0]:
                break
        shown = (await line).decode()
        rest, notice = await interrupt(command)

    assert "  after" in shown
    assert "before" not in shown + rest
    assert (command.returncode, notice) == (130, "")


async def test_a_topic_that_is_not_there_yet_is_waited_for(kafka: SharedKafka, topic_prefix: str) -> None:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    async with started(settings, "tail", "--from-beginning", "--count", "1") as command:
        assert command.stderr is not None
        notice = (await asyncio.wait_for(command.stderr.readline(), 180)).decode()
        assert notice.startswith(f"waiting for topic {topic_prefix}stage-changes")
        await create_topics(settings.bootstrap, settings.topics.stage_changes)
        await write(settings, [change()])
        printed, _ = await asyncio.wait_for(command.communicate(), 180)

    assert (command.returncode, printed.decode().count("\n")) == (0, 1)


async def test_a_broker_that_is_not_there_yet_is_waited_for(topic_prefix: str) -> None:
    broker = EmbeddedBroker()
    settings = settings_of(broker.bootstrap, topic_prefix)
    async with started(settings, "tail", "--from-beginning", "--count", "1") as command:
        assert command.stderr is not None
        notice = (await asyncio.wait_for(command.stderr.readline(), 180)).decode()
        assert notice.startswith(f"waiting for Kafka at {broker.bootstrap}")
        async with broker:
            await create_topics(settings.bootstrap, settings.topics.stage_changes)
            await write(settings, [change()])
            printed, _ = await asyncio.wait_for(command.communicate(), 180)

    assert (command.returncode, printed.decode().count("\n")) == (0, 1)
