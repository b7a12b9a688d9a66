"""Moves over HTTP, from real Kafka, against a count that is made apart."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream.codec.stage_changes import ChangeSource, encode
from stream.core.stage_change import StageChange
from stream.kafka.embedded.process import free_port
from stream.settings import Settings
from stream.web.lookup import moves
from stream.web.moves import follower
from stream.web.moves.counting import WITHIN, MoveCounts
from stream.web.moves.follower import MoveFollower
from stream.web.moves.lengths import ERROR
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import SHOP
from tests.kit.stage_changes import T, change, write
from tests.kit.times import DAY, HOUR
from tests.kit.topics import add_partitions, create_topics
from tests.web.rig import Rig, ask

PARTITIONS = 4
PATH = "/v1/lifecycles/shop/moves"
STAGES = ("lead", "customer", "dormant")


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, clock="stream")
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=PARTITIONS)
    return settings


@asynccontextmanager
async def worker(settings: Settings, folder: Path) -> AsyncIterator[Rig]:
    """What answers; it has no partition, as nobody needs one for this."""
    file = folder / "shop.yaml"
    file.write_text(SHOP, encoding="utf-8")
    rig = Rig(str(file), settings=settings)
    async with rig.serving():
        yield rig


def histories(chance: Random, count: int, last: int) -> list[StageChange]:
    """Of many customers and two lifecycles, over 120 days up to `last`, most in the order of time."""
    changes: list[StageChange] = []
    for number in range(count):
        at = last - 120 * DAY * (count - 1 - number) // count
        if chance.random() < 0.1:  # late
            at -= chance.randrange(20 * DAY)
        source = chance.choice([None, *STAGES])
        target = chance.choice([*STAGES, None] if source is not None else STAGES)
        changes.append(
            change(
                f"c{chance.randrange(500)}",
                lifecycle=chance.choice(["shop", "shop", "b2b"]),
                from_stage=source,
                to_stage=target,
                at=at,
                entered=None if source is None else at - int(10 ** chance.uniform(0, 10)),
            )
        )
    return changes


def expected(changes: Iterable[StageChange], since: int, until: int) -> dict[tuple[str | None, str | None], list[int]]:
    """By move, how long each who made it had stayed; 0 where the life began."""
    found: dict[tuple[str | None, str | None], list[int]] = {}
    for each in changes:
        if each.lifecycle == "shop" and since <= each.at <= until:
            stayed = 0 if each.entered is None else each.at - each.entered
            found.setdefault((each.from_stage, each.to_stage), []).append(stayed)
    return found


def require_equal(body: dict[str, Any], changes: list[StageChange]) -> None:
    """The answer says what these changes come to."""
    wanted = expected(changes, body["since"], body["until"])
    moved = {(each["from"], each["to"]): each for each in body["moves"]}
    assert {key: each["customers"] for key, each in moved.items()} == {key: len(each) for key, each in wanted.items()}
    for key, each in moved.items():
        assert (each["stayed"] is None) == (key[0] is None)
        if key[0] is not None:
            require_near(each["stayed"], wanted[key])
    for stage in body["stages"]:
        name = stage["stage"]
        left = [length for key, lengths in wanted.items() if key[0] == name for length in lengths]
        entered = sum(len(lengths) for key, lengths in wanted.items() if key[1] == name)
        assert (stage["left"], stage["entered"]) == (len(left), entered)
        assert (stage["stayed"] is None) == (not left)
        if left:
            require_near(stage["stayed"], left)


def require_near(stayed: dict[str, int], lengths: list[int]) -> None:
    for name, share in (("median", 0.5), ("p90", 0.9)):
        length = sorted(lengths)[math.ceil(share * len(lengths)) - 1]
        assert abs(stayed[name] - length) <= length * ERROR + 0.5


async def until(rig: Rig, query: str, customers: int) -> dict[str, Any]:
    """The answer once so many moved."""
    async with asyncio.timeout(30):
        while True:
            status, body = await ask(rig, f"{PATH}{query}")
            assert status == 200
            if sum(each["customers"] for each in body["moves"]) == customers:
                return dict(body)
            await asyncio.sleep(0.05)


async def test_moves_of_all_partitions_are_counted_and_those_that_come_then(settings: Settings, tmp_path: Path) -> None:
    """For each time that can be asked for; the other lifecycle's are its own."""
    changes = histories(Random(7), 3_000, T)
    await write(settings, changes)
    async with worker(settings, tmp_path) as rig:
        for name, within in WITHIN.items():
            status, body = await ask(rig, f"{PATH}?within={name}")
            assert (status, body["within"], body["until"], body["complete"]) == (200, name, T, True)
            assert body["since"] == body["counted_since"] <= T - within.length < body["since"] + within.bucket
            assert [each["stage"] for each in body["stages"]] == list(STAGES)
            require_equal(body, changes)
        assert len(body["moves"]) == 15  # three births, nine moves, three ends
        assert body["moves"][0]["from"] is None
        assert body["moves"][-1]["to"] is None
        assert (await ask(rig, PATH))[1]["within"] == "1d"
        later = histories(Random(8), 500, T + DAY)
        await write(settings, later)
        end = max(each.at for each in later if each.lifecycle == "shop")
        begin = (end - 90 * DAY) // DAY * DAY
        body = await until(rig, "?within=90d", sum(map(len, expected([*changes, *later], begin, end).values())))
        assert (body["since"], body["until"], body["complete"]) == (begin, end, True)
        require_equal(body, [*changes, *later])


async def test_the_first_question_on_an_empty_topic_is_answered_and_all_is_known(
    settings: Settings, tmp_path: Path
) -> None:
    async with worker(settings, tmp_path) as rig:
        status, body = await ask(rig, f"{PATH}?within=90d")
        assert (status, body["moves"], body["complete"]) == (200, [], True)
        assert body["stages"] == [{"stage": each, "entered": 0, "left": 0, "stayed": None} for each in STAGES]
        await write(settings, [change(at=T, entered=T - HOUR)])
        body = await until(rig, "?within=1m", 1)
        assert body["until"] == T
        require_near(body["moves"][0]["stayed"], [HOUR])


async def test_where_there_is_more_than_is_read_it_says_from_when_on_all_is_counted(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from then on it is all; asking for a shorter time, all of that."""
    changes = [
        change(f"c{number % 97}", at=T + number * HOUR, entered=T + (number - number % 13) * HOUR)
        for number in range(900)
    ]
    await write(settings, changes)
    monkeypatch.setattr(follower, "MOST_AT_FIRST", 400)
    async with worker(settings, tmp_path) as rig:
        body = (await ask(rig, f"{PATH}?within=30d"))[1]
        counted_since, last = body["counted_since"], changes[-1].at
        assert not body["complete"]
        assert last - 30 * DAY < body["since"] + DAY
        assert last - 400 * HOUR < counted_since < last - 150 * HOUR
        [move] = body["moves"]
        assert 150 <= len(expected(changes, counted_since, last)["lead", "customer"]) < move["customers"] <= 400
        body = (await ask(rig, f"{PATH}?within=1d"))[1]
        assert body["complete"]
        assert body["counted_since"] == body["since"]
        require_equal(body, changes)


async def test_what_retention_took_is_known_to_be_missing(settings: Settings, tmp_path: Path) -> None:
    changes = [change(f"c{number % 97}", at=T + number * HOUR, entered=T) for number in range(200)]
    await write(settings, changes)
    topic = settings.topics.stage_changes
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 1): RecordsToDelete(before_offset=20)})
    finally:
        await admin.close()
    async with worker(settings, tmp_path) as rig:
        body = (await ask(rig, f"{PATH}?within=30d"))[1]
        assert not body["complete"]
        assert T < body["counted_since"] <= T + 200 * HOUR


async def test_what_is_no_change_or_was_never_committed_is_not_counted(settings: Settings, tmp_path: Path) -> None:
    topic = settings.topics.stage_changes
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.topic_prefix}w"
    ) as producer:
        async with producer.transaction():
            for value in (
                b"no change",
                b"{}",
                b"\xff",
                b'{"lifecycle":"shop","from":null,"to":"lead","at":"soon"}',
                None,
            ):
                await producer.send(topic, value, key=b"k", partition=0)
            await producer.send(topic, encode(change("here"), ChangeSource("", 0, 0)), partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, encode(change("gone"), ChangeSource("", 0, 0)), partition=0)
        await producer.abort_transaction()
    async with worker(settings, tmp_path) as rig:
        body = (await ask(rig, PATH))[1]
        assert [(each["from"], each["to"], each["customers"]) for each in body["moves"]] == [("lead", "customer", 1)]


async def test_by_wall_time_the_time_ends_now_and_what_is_ahead_of_it_is_of_now(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=PARTITIONS)
    began = time.time_ns() // 1_000_000
    ages = {"a": 0, "b": 10_000, "c": 30 * 60_000, "d": 40 * DAY, "e": -3 * 60_000}
    await write(settings, [change(who, at=began - age, entered=began - age - HOUR) for who, age in ages.items()])
    async with worker(settings, tmp_path) as rig:
        for within, count in (("1m", 3), ("1h", 4), ("1d", 4), ("90d", 5)):
            body = (await ask(rig, f"{PATH}?within={within}"))[1]
            assert [each["customers"] for each in body["moves"]] == [count]
            assert began <= body["until"] <= time.time_ns() // 1_000_000
            assert body["complete"]


async def test_a_stage_that_an_edit_removed_comes_behind_the_others(settings: Settings, tmp_path: Path) -> None:
    await write(
        settings, [change("a", from_stage="vip", to_stage="lead"), change("b", from_stage="lead", to_stage="new")]
    )
    async with worker(settings, tmp_path) as rig:
        body = (await ask(rig, PATH))[1]
    assert [each["stage"] for each in body["stages"]] == [*STAGES, "new", "vip"]
    assert [(each["from"], each["to"]) for each in body["moves"]] == [("lead", "new"), ("vip", "lead")]


async def test_nothing_is_read_before_somebody_asks_nor_long_after(settings: Settings) -> None:
    await write(settings, [change()])
    following = MoveFollower(settings, ["shop"], linger=4)  # seconds, in which a busy machine reads one change
    assert not following.is_following
    for _ in range(2):
        known = await following.known(10)
        assert known.counts.within("1d", "shop", T).moves[("lead", "customer")].count == 1
        assert following.is_following
        async with asyncio.timeout(30):
            while following.is_following:
                await asyncio.sleep(0.05)
    await following.close()


async def test_what_our_code_fails_with_is_told_once_and_then_it_is_counted_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never what was counted before, for ever."""
    await write(settings, [change("a")])
    following = MoveFollower(settings, ["shop"])
    try:
        assert (await following.known(10)).counts.within("1d", "shop", T).moves[("lead", "customer")].count == 1
        with monkeypatch.context() as patched:
            patched.setattr(MoveCounts, "add", lambda *_: 1 / 0)
            await write(settings, [change("b")])
            async with asyncio.timeout(30):
                with pytest.raises(ZeroDivisionError):
                    while True:
                        await following.known(10)
                        await asyncio.sleep(0.05)
        assert (await following.known(10)).counts.within("1d", "shop", T).moves[("lead", "customer")].count == 2
    finally:
        await following.close()


async def test_when_the_topic_gets_partitions_they_are_counted_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metadata is looked at every five minutes, here more often."""
    await write(settings, [change("a")])
    make = follower.log_consumer

    def made(*args: Any, **options: Any) -> Any:
        consumer = make(*args, **options)
        consumer._client._metadata_max_age_ms = 200
        return consumer

    monkeypatch.setattr(follower, "log_consumer", made)
    following = MoveFollower(settings, ["shop"])
    await following.known(10)
    await add_partitions(settings.bootstrap, settings.topics.stage_changes, 2 * PARTITIONS)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        value = encode(change("b"), ChangeSource("", 0, 0))
        await producer.send_and_wait(settings.topics.stage_changes, value, partition=2 * PARTITIONS - 1)
    async with asyncio.timeout(30):
        while (await following.known(10)).counts.within("1d", "shop", T).moves["lead", "customer"].count < 2:
            await asyncio.sleep(0.05)
    await following.close()


async def test_without_kafka_it_says_so_and_answers_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "_PATIENCE", 0.3)
    async with worker(Settings(bootstrap=f"127.0.0.1:{free_port()}"), tmp_path) as rig:
        response, _ = await rig.get(PATH)
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert (await ask(rig, PATH))[1]["code"] == "kafka_away"


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/v1/lifecycles/shup/moves", 404, "no lifecycle 'shup' runs here; there are shop"),
        (f"{PATH}?within=2d", 400, "within='2d': one of 1d, 1m, 1h, 7d, 30d, 90d"),
        (f"{PATH}?since=1d", 400, "unknown parameter 'since'; known are within"),
    ],
)
async def test_what_cannot_be_answered_says_what_would_be_right(
    tmp_path: Path, path: str, status: int, part: str
) -> None:
    async with worker(Settings(), tmp_path) as rig:
        answer = await ask(rig, path)
    assert answer[0] == status
    assert part in answer[1]["message"]
