"""The latest dead letters, for the console: on Apache Kafka."""

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import SourceAddress, dead_letter, receipt
from stream.codec.records import Outgoing
from stream.operations.dead_letter_help import HELP
from stream.operations.dead_letter_tail import MOST, latest_dead_letters
from stream.settings import Settings
from tests.kit.kafka import SharedKafka
from tests.kit.machines import Record
from tests.kit.topics import create_topics

T = 1_767_225_600_000
PATIENT = 60.0
"""Seconds: what is looked at is to depend on no machine."""


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    found = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(kafka.bootstrap, found.topics.dead_letters, partitions=4)
    return found


def letter(
    offset: int, reason: Reason = Reason.NOT_JSON, value: bytes | None = b"{", key: bytes | None = b"42"
) -> Outgoing:
    record = Record(offset, T, key, value, [("trace", b"1")])
    return dead_letter(record, Rejected(reason, "no good"), "interactions", 3)


async def write(settings: Settings, *records: tuple[int, int, Outgoing]) -> None:
    """Partition, when, and what."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, max_request_size=1 << 24) as producer:
        for partition, when, each in records:
            batch = producer.create_batch()
            batch.append(key=each.key, value=each.value, timestamp=when, headers=list(each.headers))
            await producer.send_batch(batch, settings.topics.dead_letters, partition=partition)


async def test_the_newest_come_first_over_all_partitions_and_are_counted_by_reason(settings: Settings) -> None:
    await write(
        settings,
        (0, T + 1, letter(1)),
        (3, T + 3, letter(2, Reason.BAD_TIME)),
        (1, T + 2, letter(3)),
        (0, T + 4, letter(4)),
    )
    tail = await latest_dead_letters(settings, PATIENT)
    assert [(each.time, each.source.offset, str(each.address)) for each in tail.letters] == [
        (T + 4, 4, "0-1"),
        (T + 3, 2, "3-0"),
        (T + 2, 3, "1-0"),
        (T + 1, 1, "0-0"),
    ]
    assert tail.counts() == [("not_json", 3, T + 4), ("bad_time", 1, T + 3)]
    assert (tail.looked_at, tail.complete) == (4, True)


async def test_those_that_were_replayed_are_left_out_and_so_are_receipts_and_foreign_records(
    settings: Settings,
) -> None:
    await write(
        settings,
        (0, T, letter(1)),
        (0, T, letter(2)),
        (0, T + 1, receipt(SourceAddress("interactions", 3, 1, T))),
        (2, T, Outgoing(b"x", b"somebody else's")),
    )
    tail = await latest_dead_letters(settings, PATIENT)
    assert [each.source.offset for each in tail.letters] == [2]
    assert (tail.looked_at, tail.complete) == (4, True)


async def test_of_many_the_latest_are_looked_at(settings: Settings) -> None:
    await write(settings, *((number % 4, T + number, letter(number)) for number in range(MOST + 400)))
    tail = await latest_dead_letters(settings, PATIENT)
    assert (tail.looked_at, tail.complete) == (MOST, False)
    assert [each.source.offset for each in tail.letters] == list(range(MOST + 399, 399, -1))


async def test_little_is_kept_of_large_ones(settings: Settings) -> None:
    await write(settings, (0, T, letter(1, Reason.TOO_LARGE, b"x" * 1_000_000, b"k" * 10_000)))
    [found] = (await latest_dead_letters(settings, PATIENT)).letters
    assert (len(found.value or b""), len(found.key or b""), found.headers, found.whole) == (8_000, 8_000, (), 1_000_000)


def test_every_reason_has_words_that_say_what_to_do() -> None:
    assert HELP.keys() == set(Reason)
    assert all(text.endswith(".") for text in HELP.values())
