"""Dead letters as records: written, read again, distinguished from receipts; never too large for their topic."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import (
    MAX_BESIDE,
    MAX_VALUE_BYTES,
    Address,
    DeadLetter,
    Receipt,
    SourceAddress,
    dead_letter,
    read,
    receipt,
    replayed,
)
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.records import Headers, Outgoing
from stream.core.model import model_of
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka
from tests.kit.machines import Record
from tests.kit.topics import read_all

T = 1_767_225_600_000
SOURCE = SourceAddress("interactions", 3, 7, T)
BAD = Rejected(Reason.NOT_JSON, "no good")


PARTITION = 1
"""Of the topic of dead letters."""


def stored(record: Outgoing) -> Record:
    return Record(12, T + 5, record.key, record.value, tuple(record.headers))


def letter_of(value: bytes | None, *, key: bytes | None = b"ann", headers: Headers = ()) -> DeadLetter:
    source = Record(7, T, key, value, headers)
    letter = read(stored(dead_letter(source, BAD, "interactions", 3)), PARTITION)
    assert isinstance(letter, DeadLetter)
    return letter


def test_a_dead_letter_is_read_as_it_was_written() -> None:
    assert letter_of(b"{", headers=[("trace", b"1")]) == DeadLetter(
        Address(1, 12), T + 5, "not_json", "no good", SOURCE, b"ann", b"{", [("trace", b"1")], 1, 1, truncated=False
    )
    assert letter_of(None, key=None).value is None


def test_headers_of_the_sender_that_are_named_like_ours_stay_its_own() -> None:
    theirs = [("lifecycle_reason", b"mine"), ("lifecycle_offset", b"x"), ("lifecycle_control", b"replayed")]
    letter = letter_of(b"{", headers=theirs)
    assert (letter.reason, letter.source, letter.headers) == ("not_json", SOURCE, theirs)


def test_a_receipt_is_no_dead_letter_and_names_the_source_record() -> None:
    record = receipt(SOURCE)
    assert (record.key, record.value) == (None, None)
    assert "lifecycle_reason" not in dict(record.headers)
    assert read(stored(record), PARTITION) == Receipt(SOURCE, T + 5)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("lifecycle_control", b"tick")],
        [("lifecycle_reason", b"not_json")],
        [*receipt(SOURCE).headers[1:]],
        [("lifecycle_control", b"replayed"), ("lifecycle_topic", b"t"), ("lifecycle_partition", b"x")],
    ],
)
def test_what_is_neither_is_nothing(headers: Headers) -> None:
    assert read(stored(Outgoing(b"k", b"v", headers)), PARTITION) is None


def test_a_replayed_interaction_is_as_it_was_and_says_where_it_comes_from() -> None:
    letter = letter_of(b"{", headers=[("trace", b"1"), ("lifecycle_replay_of", b"0-1")])
    again = replayed(letter)
    assert (again.key, again.value) == (b"ann", b"{")
    assert again.headers == [("trace", b"1"), ("lifecycle_replay_of", b"1-12")]


def test_what_is_too_long_is_cut_off_and_says_so() -> None:
    long = letter_of(b"x" * (MAX_VALUE_BYTES + 1))
    assert (len(long.value or b""), long.whole, long.truncated) == (MAX_VALUE_BYTES, MAX_VALUE_BYTES + 1, True)
    assert not letter_of(b"x" * MAX_VALUE_BYTES).truncated
    for key, headers in ((b"k" * (MAX_BESIDE + 1), ()), (b"k", [("h", b"x" * MAX_BESIDE)])):
        letter = letter_of(b"{", key=key, headers=headers)
        assert (letter.value, letter.whole, letter.headers, letter.truncated) == (b"{", 1, [], True)
        assert len(letter.key or b"") < MAX_BESIDE


async def test_a_large_record_that_its_sender_compressed_does_not_stop_its_partition(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    """Kafka measures what is compressed; what we write is not."""
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, app=f"{topic_prefix}app", partitions=1)
    model, topics = model_of([load("journey").lifecycle]), settings.topics
    async with Rig(
        settings, lambda n, of: PartitionMachine(model, settings, SourcePartition(topics.interactions, n, *of))
    ) as rig:
        async with AIOKafkaProducer(
            bootstrap_servers=settings.bootstrap, compression_type="gzip", max_request_size=1 << 24
        ) as producer:
            for value, key, headers in (
                (b"x" * 3_000_000, b"k", []),
                (b"x", b"k" * 3_000_000, []),
                (b"x" * MAX_VALUE_BYTES, b"k", [("h", b"h" * 3_000_000)]),
                (b"x" * MAX_VALUE_BYTES, b"k" * MAX_BESIDE, []),
            ):
                await producer.send_and_wait(topics.interactions, value, key, headers=headers)
        await asyncio.wait_for(rig.recorder.until(lambda: rig.recorder.inputs >= 5), 180)
        assert rig.recorder.failures == []

    [records] = (await read_all(settings.bootstrap, topics.dead_letters)).values()
    found = [read(record, record.partition) for record in records]
    assert [letter.truncated for letter in found if isinstance(letter, DeadLetter)] == [True, True, True, False]
