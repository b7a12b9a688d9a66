"""`lifecycle verify` on what real workers wrote, and on topics that were tampered with."""

import asyncio
import json
import random
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream.codec import positions
from stream.codec.customers import CUSTOMER, CustomerCodec
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_files import parse
from stream.codec.positions import decode_position
from stream.core.interaction import Interaction
from stream.core.step import model_of
from stream.engine.batch import Outgoing
from stream.engine.controls import tick
from stream.engine.embedded import EmbeddedBroker
from stream.engine.recovery import Progress, read_changelog
from stream.engine.topics import ensure_topics
from stream.settings import Settings
from tests.faults.fleet import Fleet
from tests.kit.kafka import KafkaBroker
from tests.kit.topics import create_topics, produce, read_all

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PARTITIONS = 2
DAY = 86_400_000
T = 1_767_225_600_000  # 2026-01-01T00:00:00Z

QUICK = """
lifecycle: quick
interactions: {visit: [page], buy: [Order Completed]}
scores: {heat: {half_life: 2s}, value: {}}
signals:
  visited: {each: visit, add: {heat: 1}}
  spent: {each: buy, add: {value: properties.total, heat: 3}}
facts: {orders: {count: buy}, lately: {count: visit, within: 2s}}
stages: {new: {}, warm: {}, buyer: {}, asleep: {}}
transitions:
  - {from: new, to: warm, when: heat >= 1.5}
  - {from: "*", to: buyer, when: event.type == "buy"}
  - {from: [warm, buyer], to: asleep, when: idle >= 700ms}
  - {from: asleep, to: warm, when: idle < 700ms}
  - {from: new, to: asleep, when: in_stage >= 1500ms}
"""
"""Deadlines within seconds: of idleness, of a score that decays and of time in a stage."""


@pytest.fixture
def settings(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix, tmp_path)


def settings_of(bootstrap: str, prefix: str, folder: Path) -> Settings:
    file = folder / "quick.yaml"
    file.write_text(QUICK, encoding="utf-8")
    return Settings(
        bootstrap=bootstrap,
        topic_prefix=prefix,
        app=f"{prefix}app",
        partitions=PARTITIONS,
        lifecycles=(str(file),),
        clock="wall",
        forget_after=3_000,
        session_timeout=2_000,
        web_port=0,
        max_records=50,
    )


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    return {
        "LIFECYCLE_BOOTSTRAP": settings.bootstrap,
        "LIFECYCLE_TOPIC_PREFIX": settings.topic_prefix,
        "LIFECYCLE_APP": settings.app,
        "LIFECYCLE_PARTITIONS": str(settings.partitions),
        "LIFECYCLE_LIFECYCLES": ",".join(settings.lifecycles),
        "LIFECYCLE_CLOCK": settings.clock,
        "LIFECYCLE_FORGET_AFTER": f"{settings.forget_after}ms",
        "LIFECYCLE_SESSION_TIMEOUT": f"{settings.session_timeout}ms",
        "LIFECYCLE_WEB_PORT": "0",
        "LIFECYCLE_MAX_RECORDS": str(settings.max_records),
        **more,
    }


def record_of(interaction: Interaction) -> Outgoing:
    return Outgoing(interaction.subject.encode(), encode_native(interaction))


def history(count: int, seed: int, customers: int = 40) -> Iterable[Outgoing]:
    """Interactions over some minutes of the past, nearly in order: duplicates, late ones and rubbish among them."""
    chance = random.Random(seed)
    moment = T
    for number in range(count):
        moment += chance.randrange(120)
        who = chance.randrange(customers)
        repeated = chance.random() < 0.05
        if chance.random() < 0.02:
            yield Outgoing(b"rubbish", b"{")
            continue
        yield record_of(
            Interaction(
                f"c{who}" if who % 2 else None,
                f"a{who}",
                f"e-{number - 3 if repeated else number}",
                chance.choice(["page", "page", "Order Completed", "other"]),
                moment - (chance.randrange(3_000) if chance.random() < 0.1 else 0),
                {"total": chance.choice([10, 0.1, "free"])},
                {},
            )
        )


async def send(settings: Settings, records: Iterable[Outgoing]) -> None:
    await produce(settings.bootstrap, settings.topics.interactions, records)


async def live(settings: Settings, seconds: float, seed: int = 1) -> None:
    """Interactions of this moment."""
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    number = 0
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        while time.monotonic() < end:
            for _ in range(chance.randrange(6)):
                number += 1
                who = chance.randrange(60)
                now = time.time_ns() // 1_000_000
                late = chance.randrange(1_500) if chance.random() < 0.3 else 0
                record = record_of(
                    Interaction(
                        f"c{who}" if who % 2 else None,
                        f"a{who}",
                        f"l{seed}-{number}",
                        chance.choice(["page", "page", "page", "Order Completed"]),
                        now - late,
                        {"total": 10},
                        {},
                    )
                )
                await producer.send(settings.topics.interactions, record.value, key=record.key)
            await asyncio.sleep(0.02)


async def send_ticks(settings: Settings, until: int) -> None:
    record = tick(until)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for number in range(PARTITIONS):
            await producer.send_and_wait(
                settings.topics.interactions, record.value, partition=number, headers=list(record.headers)
            )


async def changelog(settings: Settings, number: int) -> dict[bytes, bytes]:
    return await read_changelog(settings, TopicPartition(settings.topics.customers, number), Progress())


async def until_caught_up(settings: Settings, seconds: float = 60) -> None:
    """Return once each partition's position is past its last interaction."""
    topic = settings.topics.interactions
    ends = {
        n: records[-1].offset + 1 if records else 0
        for n, records in (await read_all(settings.bootstrap, topic)).items()
    }
    async with asyncio.timeout(seconds):
        for number, end in ends.items():
            while True:
                value = (await changelog(settings, number)).get(positions.KEY)
                if value is not None and decode_position(value).offsets.get(topic, 0) >= end:
                    break
                await asyncio.sleep(0.1)


@asynccontextmanager
async def workers(settings: Settings, folder: Path, count: int = 1, **more: str) -> AsyncIterator[Fleet]:
    """Real workers, told to end in order with the block."""
    async with Fleet(environment_of(settings, **more), folder) as fleet:
        await fleet.size(count)
        yield fleet
        await fleet.stop()
        assert fleet.fallen == []


class Verdict:
    """What a verification said."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code = done.returncode
        self.stderr = done.stderr
        self.told: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}

    @property
    def differences(self) -> list[str]:
        return [
            f"{each['partition']}, {each['subject']}, {each['lifecycle']}: {each['problem']}"
            for each in self.told["differences"]
        ]


@pytest.fixture
def verify(lifecycle: Run) -> "Verify":
    async def run(settings: Settings, *arguments: str, **more: str) -> Verdict:
        done = await asyncio.to_thread(
            lifecycle, "verify", "--json", *arguments, environment=environment_of(settings, **more)
        )
        return Verdict(done)

    return run


Verify = Callable[..., Any]


async def worked_stream(settings: Settings, folder: Path, *, count: int = 1_500, kills: int = 2) -> Settings:
    """A history that real workers went through in `stream` clock, one killed now and then."""
    settings = replace(settings, clock="stream")
    await ensure_topics(settings)
    await send(settings, history(count, seed=7))
    async with workers(settings, folder, 1, LIFECYCLE_MAX_RECORDS="20") as fleet:
        for _ in range(kills):
            await asyncio.sleep(1.5)
            await fleet.kill(fleet.workers[0])
            await fleet.size(1)
        await send_ticks(settings, T + 10 * DAY)
        await until_caught_up(settings)
    return settings


async def test_a_history_in_stream_clock_that_killed_workers_went_through_is_verified_whole(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    settings = await worked_stream(settings, tmp_path)

    found = await verify(settings)

    assert (found.code, found.told["differing"]) == (0, 0), found.differences or found.stderr
    assert found.told["partitions"] == PARTITIONS
    assert found.told["interactions"] == 1_500 + PARTITIONS
    assert found.told["customers"] == 20  # those that were never identified are forgotten
    assert found.told["current_stages"] == 20
    assert found.told["changes"] > 500
    assert found.told["dead_letters"] > 5
    assert found.told["customers_not_verified"] == {}


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
        assert (running.code, running.told["differing"]) == (0, 0), running.differences or running.stderr

    found = await verify(settings)
    assert (found.code, found.told["differing"]) == (0, 0), found.differences or found.stderr
    changes = [
        orjson.loads(each.value or b"")
        for part in (await read_all(settings.bootstrap, settings.topics.stage_changes)).values()
        for each in part
    ]
    assert sum(each["trigger"]["kind"] == "deadline" for each in changes) > 50
    assert found.told["changes"] == len(changes)


async def test_while_workers_run_and_interactions_come_a_verification_is_of_one_moment(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await ensure_topics(settings)
    async with workers(settings, tmp_path, 2) as fleet:
        traffic = asyncio.create_task(live(settings, 25))
        await asyncio.sleep(3)
        verdicts = [await verify(settings) for _ in range(3)]
        await fleet.kill(fleet.workers[0])
        await fleet.size(2)
        verdicts += [await verify(settings) for _ in range(2)]
        await traffic
        await until_caught_up(settings)
    verdicts.append(await verify(settings))
    assert [(each.code, each.differences) for each in verdicts] == [(0, [])] * 6, [each.stderr for each in verdicts]
    assert verdicts[0].told["interactions"] < verdicts[2].told["interactions"] < verdicts[5].told["interactions"]


class Copied(NamedTuple):
    """A record that is written again, at the time at which it was first."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp: int | None = None


Topics = dict[str, dict[int, list[Copied]]]
"""By a topic's name in `TopicNames`, and partition: keys, values and headers."""
KEPT: dict[str, tuple[str, Topics]] = {}
"""What one run of workers wrote, so that many tests may tamper with it: the prefix, and the topics."""
NAMES = ("interactions", "stage_changes", "current_stages", "customers", "dead_letters")


async def copied(settings: Settings, folder: Path) -> Topics:
    """What workers wrote in `stream` clock, as if they had written it to this test's topics."""
    if settings.clock not in KEPT:
        worked = settings
        if settings.clock == "stream":
            worked = await worked_stream(
                replace(settings, topic_prefix="kept-s-", app="kept-s"), folder, count=400, kills=0
            )
        else:
            worked = replace(settings, topic_prefix="kept-w-", app="kept-w")
            await ensure_topics(worked)
            async with workers(worked, folder):
                await until_caught_up(worked)  # from then on all is live
                await live(worked, 5)
                await until_caught_up(worked)
        topics = {name: await read_all(worked.bootstrap, getattr(worked.topics, name)) for name in NAMES}
        KEPT[settings.clock] = (
            worked.topic_prefix,
            {
                name: {
                    n: [Copied(each.key, each.value, list(each.headers), each.timestamp) for each in records]
                    for n, records in partitions.items()
                }
                for name, partitions in topics.items()
            },
        )
    prefix, kept = KEPT[settings.clock]
    old, new = prefix.encode() + b"interactions", settings.topics.interactions.encode()

    def ours(record: Copied) -> Copied:
        said = [(name, each.replace(old, new)) for name, each in record.headers]
        return record._replace(value=record.value and record.value.replace(old, new), headers=said)

    return {name: {n: list(map(ours, each)) for n, each in parts.items()} for name, parts in kept.items()}


async def write(settings: Settings, topics: Topics) -> None:
    own_times = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=PARTITIONS, settings=own_times)
    await ensure_topics(settings)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for name, partitions in topics.items():
            topic = getattr(settings.topics, name)
            for number, records in partitions.items():
                for key, value, headers, time_ms in records:
                    await producer.send(topic, value, key, number, time_ms, headers)
        await producer.flush()


def find(topics: Topics, name: str, holds: Callable[[dict[str, Any]], bool]) -> tuple[list[Copied], int]:
    """The last change for which that holds: the partition's records, and its place."""
    for records in topics[name].values():
        for place in range(len(records) - 1, -1, -1):
            value = records[place][1]
            if value is not None and holds(orjson.loads(value)):
                return records, place
    raise LookupError(name)


def alter(record: Copied, **fields: object) -> Copied:
    return record._replace(value=orjson.dumps({**orjson.loads(record.value or b""), **fields}))


def is_deadline(change: Mapping[str, Any]) -> bool:
    return change["trigger"]["kind"] == "deadline" and "customer_id" in change


def missing_change(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer")
    change = orjson.loads(records.pop(place)[1] or b"")
    return [f"change {change['sequence']} of {change['born']} (", "is missing from stage-changes"]


def missing_deadline(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", is_deadline)
    change = orjson.loads(records.pop(place)[1] or b"")
    return [f"customer {change['customer_id']}", "(", "is missing from stage-changes"]


def deadline_a_millisecond_early(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", is_deadline)
    at = orjson.loads(records[place][1] or b"")["at"]
    records[place] = alter(records[place], at=at - 1)
    return [f"at is {at - 1}, must be {at}"]


def other_score(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["scores"].get("heat", 0) > 1)
    scores = orjson.loads(records[place][1] or b"")["scores"]
    records[place] = alter(records[place], scores={**scores, "heat": scores["heat"] + 2**-40})
    return [f"scores.heat is {scores['heat'] + 2**-40}, must be {scores['heat']}"]


def extra_change(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: "customer_id" in each and each["to"] is not None)
    change = orjson.loads(records[place][1] or b"")
    forged = alter(records[place], sequence=change["sequence"] + 90)
    name = f"quick:customer:{change['customer_id']}:{change['born']}:{change['sequence'] + 90}"
    headers = [(key, name.encode() if key == "ce_id" else value) for key, value in forged[2]]
    records.append(forged._replace(headers=headers))
    return [f"change {change['sequence'] + 90} of {change['born']} at ", "nothing leads to it"]


def extra_change_of_nobody(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer" and "customer_id" in each)
    forged = alter(records[place], customer_id="nobody", born="0-0", sequence=1)
    headers = [(key, b"quick:customer:nobody:0-0:1" if key == "ce_id" else value) for key, value in forged[2]]
    records.append(forged._replace(key=b"nobody", headers=headers))
    return ["customer nobody, quick: change 1 of 0-0", "no interaction or deadline leads to it"]


def duplicate(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer")
    records.append(records[place])
    return ["stands twice"]


def other_id(topics: Topics) -> list[str]:
    records, place = find(topics, "stage_changes", lambda each: each["to"] == "buyer")
    headers = [(name, b"x" if name == "ce_id" else each) for name, each in records[place].headers]
    records[place] = records[place]._replace(headers=headers)
    return ["key or headers of stage-changes, partition", "do not fit its value"]


def no_change_at_all(topics: Topics) -> list[str]:
    topics["stage_changes"][0].append(Copied(b"c1", b"hello", []))
    return ["is no stage change"]


def altered_record(topics: Topics) -> list[str]:
    """One more millionth of value."""
    codec = CustomerCodec(model_of([load_quick()], 3_000))
    for number, records in topics["customers"].items():
        for key, value, *_ in reversed(records):
            if key is not None and key[:1] == CUSTOMER and value is not None:
                customer = codec.decode(key, value)
                life = customer.lives["quick"]
                if any(life.millionths):
                    slot = max(range(len(life.millionths)), key=lambda each: life.millionths[each])
                    was = life.millionths[slot] / 1e6
                    life.millionths[slot] += 1
                    topics["customers"][number].append(Copied(key, codec.encode(customer), []))
                    return [
                        f"{number}, customer {key[1:].decode()}, : record",
                        f"value is {life.millionths[slot] / 1e6}, must be {was}",
                    ]
    raise LookupError


def record_of_nobody(topics: Topics) -> list[str]:
    for records in topics["customers"].values():
        for key, value, *_ in records:
            if key is not None and key[:1] == CUSTOMER and value is not None:
                records.append(Copied(b"cnobody", value, []))
                return ["customer nobody", "has a record in lifecycle-customers, but no interaction led to it"]
    raise LookupError


def record_gone(topics: Topics) -> list[str]:
    records, place = next(
        (records, place)
        for records in topics["customers"].values()
        for place, (key, value, *_) in enumerate(records)
        if key is not None and key[:1] == CUSTOMER and value is not None
    )
    key = records[place][0] or b""
    records.append(Copied(key, None, []))
    return [f"customer {key[1:].decode()}", "has no record in lifecycle-customers, must have one"]


def current_stage_altered(topics: Topics) -> list[str]:
    records, place = find(topics, "current_stages", lambda each: "customer_id" in each)
    who = orjson.loads(records[place][1] or b"")["customer_id"]
    records.append(alter(records[place], to="buyer", final=False))
    return [f"customer {who}, quick: the current stage is another than the latest stage change"]


def current_stage_missing(topics: Topics) -> list[str]:
    records, place = find(topics, "current_stages", lambda each: "customer_id" in each)
    who = orjson.loads(records[place][1] or b"")["customer_id"]
    records.append(Copied(records[place].key, None, []))
    return [f"customer {who}, quick: the current stage is missing"]


def current_stage_of_nobody(topics: Topics) -> list[str]:
    records, place = find(topics, "current_stages", lambda each: "customer_id" in each)
    records.append(records[place]._replace(key=b"quick:customer:nobody"))
    return ["customer nobody, quick: the current stage must be gone"]


def dead_letter_missing(topics: Topics) -> list[str]:
    records = next(records for records in topics["dead_letters"].values() if records)
    offset = dict(records.pop()[2])["lifecycle_offset"].decode()
    return [f"the interaction at offset {offset} has no dead letter, must have one: not_json"]


def dead_letter_of_a_good_one(topics: Topics) -> list[str]:
    records = next(records for records in topics["dead_letters"].values() if records)
    letters = {dict(each.headers)["lifecycle_offset"] for each in records}
    number = int(dict(records[-1].headers)["lifecycle_partition"])
    offset = next(n for n in range(len(topics["interactions"][number])) if str(n).encode() not in letters)
    headers = [(n, str(offset).encode() if n == "lifecycle_offset" else each) for n, each in records[-1].headers]
    records.append(records[-1]._replace(headers=headers))
    return [f"the interaction at offset {offset} has a dead letter, but can be read"]


def nothing(_: Topics) -> list[str]:
    return []


def load_quick() -> Any:
    return parse(QUICK, "quick.yaml").lifecycle


IN_BOTH = [nothing, missing_change, missing_deadline, deadline_a_millisecond_early, other_score, extra_change]
IN_STREAM = [
    *(extra_change_of_nobody, duplicate, other_id, no_change_at_all, altered_record, record_of_nobody, record_gone),
    *(current_stage_altered, current_stage_missing, current_stage_of_nobody, dead_letter_missing),
    dead_letter_of_a_good_one,
]


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

    found = await verify(settings)

    assert found.code == (1 if said else 0), found.differences or found.stderr
    for words in said:
        assert any(words in each for each in found.differences), (words, found.differences)
    assert len(found.differences) <= 2, found.differences


async def delete_before(settings: Settings, topic: str, offsets: Mapping[int, int]) -> None:
    """As retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, n): RecordsToDelete(at) for n, at in offsets.items()})
    finally:
        await admin.close()


@pytest.mark.parametrize("clock", ["stream", "wall"])
async def test_where_retention_cut_the_interactions_those_who_came_later_are_verified_and_the_others_counted(
    settings: Settings, verify: Verify, tmp_path: Path, clock: Any
) -> None:
    settings = replace(settings, clock=clock)
    topics = await copied(settings, tmp_path)
    await write(settings, topics)
    whole = await verify(settings)
    cut = {number: len(records) // 2 for number, records in topics["interactions"].items()}
    await delete_before(settings, settings.topics.interactions, cut)

    found = await verify(settings)

    assert (found.code, found.differences) == (0, []), found.stderr
    old = found.told["customers_not_verified"]
    assert list(old) == ["further back than the interactions that are kept"]
    assert found.told["customers"] + sum(old.values()) == whole.told["customers"]
    assert found.told["changes"] > 0
    assert found.told["changes"] + found.told["changes_out_of_reach"] <= whole.told["changes"]
    assert found.told["current_stages"] == whole.told["current_stages"]


@pytest.mark.parametrize("clock", ["stream", "wall"])
async def test_where_retention_cut_the_stage_changes_only_what_is_kept_is_held_against_them(
    settings: Settings, verify: Verify, tmp_path: Path, clock: Any
) -> None:
    settings = replace(settings, clock=clock)
    topics = await copied(settings, tmp_path)
    await write(settings, topics)
    whole = await verify(settings)
    cut = {number: len(records) // 2 for number, records in topics["stage_changes"].items()}
    await delete_before(settings, settings.topics.stage_changes, cut)

    found = await verify(settings)

    assert (found.code, found.differences) == (0, []), found.stderr
    old = found.told["customers_not_verified"]
    if clock == "stream":  # there the changes are not needed to know when deadlines fired
        assert found.told["customers"] == whole.told["customers"]
        assert found.told["changes"] + found.told["changes_no_longer_kept"] == whole.told["changes"]
    else:
        assert list(old) == ["further back than the stage changes that are kept"]
        assert found.told["customers"] + sum(old.values()) == whole.told["customers"]


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

    found = await verify(settings)

    assert found.code == 1
    assert [each.partition(": ")[2] for each in found.differences] == [
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

    found = await verify(new, **environment)
    with_the_old_file = await verify(settings, **environment)
    with_other_settings = await verify(new, "--grace", "1s", **environment)

    assert (found.code, found.differences) == (0, []), found.stderr
    other = "made by another version of the lifecycles or settings"
    assert found.told["customers_not_verified"] == {other: 20}
    assert found.told["customers"] == 10
    assert with_the_old_file.code == 2
    assert with_the_old_file.told["customers_not_verified"] == {other: 30}
    assert "lifecycle quick is another version" in with_the_old_file.stderr
    assert with_other_settings.code == 2
    assert "grace is 1s, was 0ms" in " ".join(with_other_settings.stderr.split())


async def test_after_a_reset_only_what_came_of_the_new_state_counts(
    settings: Settings, verify: Verify, lifecycle: Run, tmp_path: Path
) -> None:
    settings = await worked_stream(settings, tmp_path, count=200, kills=0)
    environment = environment_of(settings)
    done = await asyncio.to_thread(lifecycle, "reset", "--to", "earliest", "--yes", environment=environment)
    assert done.returncode == 0, done.stderr

    before_any_worker = await verify(settings)
    async with workers(settings, tmp_path):
        await until_caught_up(settings)
    found = await verify(settings)

    assert (before_any_worker.code, before_any_worker.differences) == (0, []), before_any_worker.stderr
    assert before_any_worker.told["customers"] == 0
    assert (found.code, found.differences) == (0, []), found.stderr
    assert found.told["customers"] > 10
    assert found.told["changes_repeated"] == 0


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
    found = await verify(settings)

    assert (loading.code, loading.differences) == (0, []), loading.stderr
    assert loading.told["changes"] == 0
    assert loading.told["changes_not_to_be_published"] > 100
    assert (found.code, found.differences) == (0, []), found.stderr
    assert found.told["changes"] > 50


async def test_one_customer_is_recomputed_alone_and_its_scores_are_derived(
    settings: Settings, verify: Verify, lifecycle: Run, tmp_path: Path
) -> None:
    settings = replace(settings, clock="stream")
    await write(settings, await copied(settings, tmp_path))

    found = await verify(settings, "--customer", "c1")
    nobody = await verify(settings, "--customer", "nobody")
    one_partition = await verify(settings, "--partition", "1")
    shown = await asyncio.to_thread(lifecycle, "verify", "--customer", "c1", environment=environment_of(settings))

    assert (found.code, found.told["customers"], found.told["current_stages"]) == (0, 1, 1), found.differences
    [customer] = found.told["recomputed"]
    told = customer["lifecycles"]["quick"]
    assert sum(part["points"] for part in told["contributions"]["heat"]) == pytest.approx(told["scores"]["heat"])
    assert (nobody.code, nobody.told["customers"]) == (0, 0)
    assert "no customer 'nobody' could be recomputed" in nobody.stderr
    assert (one_partition.code, one_partition.told["partitions"]) == (0, 1), one_partition.differences
    assert "customer c1, recomputed" in shown.stdout
    assert "customers verified" in shown.stdout


async def test_where_stage_changes_has_another_number_of_partitions_its_changes_are_found_too(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    await create_topics(settings.bootstrap, settings.topics.stage_changes, partitions=3)
    settings = await worked_stream(settings, tmp_path, count=300, kills=0)

    found = await verify(settings)

    assert (found.code, found.differences) == (0, []), found.stderr
    assert found.told["changes"] > 100


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
    assert (nothing_yet.code, nothing_yet.told["customers"]) == (0, 0), nothing_yet.stderr

    no_lifecycle = await verify(settings, "--lifecycles", "absent.yaml")
    assert no_lifecycle.code == 2


async def test_a_topic_of_interactions_that_ends_before_the_state_does_is_named(
    settings: Settings, verify: Verify, tmp_path: Path
) -> None:
    settings = replace(settings, clock="stream")
    topics = await copied(settings, tmp_path)
    topics["interactions"] = {number: records[:20] for number, records in topics["interactions"].items()}
    await write(settings, topics)

    found = await verify(settings)

    assert found.code == 2
    assert f"but {settings.topics.interactions} ends at 20: the topic was deleted and created anew" in " ".join(
        found.stderr.split()
    )


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
        found = await verify(settings)

    assert (running.code, running.differences) == (0, []), running.stderr
    assert (found.code, found.differences) == (0, []), found.stderr
    assert found.told["changes"] > 50
