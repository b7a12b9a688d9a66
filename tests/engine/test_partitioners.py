"""Where the clients of Kafka put a key, and what is said of records that are not on their customer's partition."""

import asyncio
import logging
import zlib
from collections.abc import Iterable

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.partitioners import fnv1a, home_of, likely_cause_of, murmur2
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.engine.misplaced import MisplacedWarnings
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch, Counts
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Partitioner, Settings
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka
from tests.kit.machines import TOPIC, Record, finish, run_all

UNSIGNED = 1 << 32
COUNT = 12
"""Not a power of two: there clients that differ in the sign bit alone would agree."""

JAVA = {
    b"": 275_646_681,
    b"21": -973_932_308,
    b"foobar": -790_332_482,
    b"a-little-bit-long-string": -985_981_536,
    b"a-little-bit-longer-string": -1_486_304_829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58_897_971,
    b"abc": 479_470_107,
    bytes([12, 42, 56, 24, 109, 111]): 274_204_207,
}
"""Hashes as Java's client computes them, signed."""
LIBRDKAFKA = {
    b"23456": {"crc32": 0xB1B451D7, "murmur2": 0x058D780F, "fnv1a": 0x27E6F469},
    b"this is another string with more length to it perhaps": {
        "crc32": 0xB0150DF7,
        "murmur2": 0x4F7703DA,
        "fnv1a": 0x155E3E5F,
    },
    b"hejsan": {"crc32": 0xD077037E, "murmur2": 0x5EC19395, "fnv1a": 0x17B1E27A},
}
"""What librdkafka's own tests divide by the number of partitions; those of fnv1a are from Go."""
CUSTOMER_42 = {"murmur2": 9, "crc32": 5, "fnv1a": 6, "murmur2_unsigned": 5, "fnv1a_reference": 2}
"""Where the clients put the key customer-42 among 12 partitions, measured: Java and its kin, librdkafka, Sarama,
@platformatic/kafka, and kafka-go's ReferenceHash."""

keys = st.binary(max_size=300)
counts = st.integers(1, 10_000)


@pytest.mark.parametrize(("key", "hashed"), JAVA.items())
def test_murmur2_is_that_of_java(key: bytes, hashed: int) -> None:
    assert murmur2(key) == hashed % UNSIGNED


@given(keys, st.binary(max_size=9))
def test_murmur2_is_that_of_aiokafka_wherever_the_key_begins(key: bytes, before: bytes) -> None:
    assert murmur2(before + key, len(before)) == murmur2_of_aiokafka(key) % UNSIGNED


@given(keys, st.binary(max_size=9), counts)
def test_every_partitioner_ignores_what_is_before_the_key(key: bytes, before: bytes, count: int) -> None:
    for partitioner in CUSTOMER_42:
        home = home_of(partitioner, before + key, count, len(before))
        assert home == home_of(partitioner, key, count)
        assert 0 <= home < count


@given(keys, counts)
def test_crc32_is_divided_as_an_unsigned_number(key: bytes, count: int) -> None:
    assert home_of("crc32", key, count) == zlib.crc32(key) % count


@given(keys, counts)
def test_fnv1a_is_divided_as_a_signed_number_and_its_sign_dropped_as_sarama_does(key: bytes, count: int) -> None:
    hashed = fnv1a(key)
    signed = hashed - UNSIGNED if hashed >= UNSIGNED // 2 else hashed
    remainder = abs(signed) % count  # Go's remainder has the sign of what is divided
    assert home_of("fnv1a", key, count) == remainder


@pytest.mark.parametrize("key", LIBRDKAFKA)
def test_the_three_partitioners_are_those_of_librdkafka(key: bytes) -> None:
    for partitioner, hashed in LIBRDKAFKA[key].items():
        assert home_of(partitioner, key, 17) == hashed % 17


def test_every_client_that_was_measured_puts_a_key_where_we_say() -> None:
    assert {name: home_of(name, b"customer-42", COUNT) for name in CUSTOMER_42} == CUSTOMER_42
    of_an_empty_key = {"murmur2": 9, "murmur2_unsigned": 9, "fnv1a": 3, "fnv1a_reference": 5}
    assert {name: home_of(name, b"", COUNT) for name in of_an_empty_key} == of_an_empty_key


def test_the_sign_bit_of_murmur2_is_dropped_before_the_division_and_counts_in_platformatics() -> None:
    """They differ for 94 of these keys, and for none where the number of partitions is a power of two."""
    names = [b"customer-%d" % number for number in range(200)]

    def differ(count: int) -> int:
        return sum(home_of("murmur2", key, count) != home_of("murmur2_unsigned", key, count) for key in names)

    assert (differ(12), differ(16)) == (94, 0)


def test_a_partitioner_that_is_not_known_is_named() -> None:
    with pytest.raises(ValueError, match="no partitioner is named 'murmur3'"):
        home_of("murmur3", b"a", 2)


@pytest.mark.parametrize(
    ("key", "partition", "partitioner", "cause"),
    [
        (b"customer-42", 9, "murmur2", None),
        (None, 9, "murmur2", None),  # where it lies counts, not how it got there
        (b"customer-42", 5, "crc32", None),
        (b"customer-42", 6, "fnv1a", None),
        (b"customer-42", 5, "murmur2", "keyed by another partitioner, such as librdkafka's crc32"),
        (b"customer-42", 6, "murmur2", "keyed by another partitioner, such as Sarama's fnv1a"),
        (b"customer-42", 2, "murmur2", "keyed by another partitioner, such as kafka-go's ReferenceHash"),
        (b"customer-42", 9, "crc32", "keyed by another partitioner, such as Java's murmur2"),
        (b"customer-42", 5, "fnv1a", "keyed by another partitioner, such as librdkafka's crc32"),
        (b"customer-42", 3, "murmur2", "keyed, but by a partitioner that does not look at the key"),
        (None, 3, "murmur2", "without a key"),
        (b"", 3, "murmur2", "with an empty key"),
        (b'"customer-42"', 7, "murmur2", "its key is the customer's id in quotes"),
        (b"\0\0\0\0\1customer-42", 3, "murmur2", "its key begins with a schema's id"),
        (b"session-7", 3, "murmur2", "its key is not the customer's id"),
    ],
)
def test_the_likely_cause_is_said(key: bytes | None, partition: int, partitioner: str, cause: str | None) -> None:
    strange = home_of(partitioner, b"customer-42", COUNT) != partition
    said = likely_cause_of([(key, b"customer-42")] if strange else [], partition, COUNT, partitioner)
    if cause is None:
        assert said is None
    else:
        assert said is not None
        assert said.startswith(cause)
        assert "42" not in said
        assert "session" not in said


def test_another_partitioner_is_named_only_where_it_explains_the_records_together() -> None:
    """By chance crc32 would put a twelfth of all keys on any partition."""
    misplaced = [key for key in (b"c%d" % number for number in range(400)) if home_of("murmur2", key, COUNT) != 5]
    by_crc32 = [(key, key) for key in misplaced if home_of("crc32", key, COUNT) == 5]
    at_random = [(key, key) for key in misplaced]
    by_key = "keyed by another partitioner, such as librdkafka's crc32"
    assert len(by_crc32) > 10
    for few in (by_crc32[:1], by_crc32, [*by_crc32, at_random[0]]):
        assert str(likely_cause_of(few, 5, COUNT, "murmur2")).startswith(by_key)
    assert str(likely_cause_of(at_random, 5, COUNT, "murmur2")).startswith("keyed, but by a partitioner that does not")
    keyless: list[tuple[bytes | None, bytes]] = [(None, key) for key, _ in at_random]
    assert str(likely_cause_of([*by_crc32, *keyless], 5, COUNT, "murmur2")).startswith("without a key")
    assert likely_cause_of([], 5, COUNT, "murmur2") is None


@pytest.fixture(scope="module")
def model() -> Model:
    return model_of([parse("lifecycle: shop\nstages: {visitor: {}}\ntransitions: []\n", "shop.yaml").lifecycle])


def murmur2_home(name: str) -> int:
    return home_of("murmur2", name.encode(), COUNT)


def view(offset: int, customer: str, key: bytes | None, own_id: str | None = None) -> Record:
    return Record(offset, 1_000, key, encode_native(Interaction(customer, None, own_id, "page", 1_000, {}, {})))


def batches_of(
    model: Model, records: Iterable[Record], partition: int = 5, partitioner: Partitioner = "murmur2"
) -> list[Batch]:
    made = PartitionMachine(
        model,
        Settings(clock="stream", partitioner=partitioner, earliest_time=None),
        SourcePartition(TOPIC, partition, COUNT),
    )
    finish(made.restore({}))
    return run_all(made, list(records))


def test_a_machine_counts_each_interaction_of_a_customer_whose_home_is_elsewhere(model: Model) -> None:
    """The customer decides, not the key of the record: at home are those that this partition is the home of."""
    at_home = next(name for name in (f"c{number}" for number in range(99)) if murmur2_home(name) == 5)
    records = [
        view(0, "customer-42", b"customer-42"),
        view(1, at_home, None),
        view(2, "customer-42", b"customer-42", "e-1"),
        view(3, "customer-42", b"customer-42", "e-1"),
        view(4, at_home, b"customer-42"),
        Record(5, 1_000, b"customer-42", b"{"),
    ]
    [batch] = batches_of(model, records)
    assert batch.counts.results == {"applied": 4, "duplicate": 1, "rejected": 1}
    assert batch.counts.misplaced == 3
    assert str(batch.counts.misplaced_cause).startswith("keyed by another partitioner, such as librdkafka's crc32")

    assert home_of("crc32", at_home.encode(), COUNT) != 5
    [batch] = batches_of(model, records, partitioner="crc32")
    assert batch.counts.misplaced == 2


def test_an_anonymous_visitor_has_a_home_too_and_a_customer_is_not_at_the_home_of_the_visitor_it_was(
    model: Model,
) -> None:
    visitor = Interaction(None, "customer-42", None, "page", 1_000, {}, {})
    known = Interaction("c1", "customer-42", None, "page", 1_000, {}, {})
    records = [Record(each, 1_000, b"customer-42", encode_native(given)) for each, given in enumerate([visitor, known])]
    [batch] = batches_of(model, records, partition=9)
    assert home_of("murmur2", b"c1", COUNT) != 9
    assert batch.counts.misplaced == 1
    assert batch.counts.misplaced_cause == "its key is not the customer's id"


def test_misplaced_interactions_change_nothing_that_is_written(model: Model) -> None:
    records = [view(0, "customer-42", b"customer-42"), view(1, "customer-42", None)]
    [judged] = batches_of(model, records, partitioner="murmur2")
    [unjudged] = batches_of(model, records, partitioner="crc32")
    assert (judged.counts.misplaced, unjudged.counts.misplaced) == (2, 0)
    assert [*judged.state] == [*unjudged.state]
    assert [*judged.events] == [*unjudged.events]


def test_each_partition_is_warned_of_once_without_any_id(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    warnings, counts = MisplacedWarnings(), Counts()
    warnings.look(5, counts)
    assert caplog.records == []
    counts.misplaced, counts.misplaced_cause = 7, "without a key; it must be the customer's id"
    for partition in (5, 5, 6, 5):
        warnings.look(partition, counts)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert caplog.records[0].getMessage() == (
        "partition 5 has interactions (7 so far) of customers that belong on another partition; a customer on several "
        "partitions has a life on each. Likely cause: without a key; it must be the customer's id. "
        "The metric lifecycle_misplaced_interactions counts them"
    )


async def test_on_kafka_each_partition_with_misplaced_interactions_is_warned_of_once_though_it_starts_over(
    kafka: SharedKafka, topic_prefix: str, model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of the producers are as librdkafka's; what they write is applied and counted, batch after batch."""
    count = 3
    settings = Settings(
        bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=count
    )
    customers = [b"customer-%d" % number for number in range(60)]
    misplaced = sum(home_of("crc32", each, count) != home_of("murmur2", each, count) for each in customers)
    counted: list[Counts] = []

    def make(partition: int, topic: SourceTopic) -> PartitionMachine:
        place = SourcePartition(settings.topics.interactions, partition, topic.partitions, topic.id)
        return PartitionMachine(model, settings, place)

    async def send(partitioner: Partitioner, key: bytes) -> None:
        value = encode_native(Interaction(key.decode(), None, None, "page", 1_700_000_000_000, {}, {}))
        home = home_of(partitioner, key, count)
        await producer.send_and_wait(settings.topics.interactions, value, key=key, partition=home)

    def warnings() -> list[str]:
        return [each.getMessage() for each in caplog.records if "belong on another partition" in each.getMessage()]

    async with Rig(settings, make) as rig, AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        written = rig.recorder.batch_written

        def batch_written(partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
            counted.append(batch.counts)
            written(partition, batch, seconds, transaction_seconds)

        rig.recorder.batch_written = batch_written  # type: ignore[method-assign]  # only to see the counts as well

        async def applied(total: int) -> None:
            await rig.recorder.until(lambda: sum(each.applied for each in counted) == total)

        await asyncio.gather(*(send("murmur2", each) for each in customers))
        await applied(60)
        assert sum(each.misplaced for each in counted) == 0
        assert warnings() == []
        await asyncio.gather(*(send("crc32", each) for each in customers))
        await applied(120)
        assert sum(each.misplaced for each in counted) == misplaced
        await rig.supervisor.pause()
        rig.supervisor.assign([])
        rig.supervisor.assign(range(count))
        await asyncio.gather(*(send("crc32", each) for each in customers))
        await applied(180)
        assert sum(each.misplaced for each in counted) == 2 * misplaced
    assert misplaced > 10
    assert sorted(each.split(" has ")[0] for each in warnings()) == [f"partition {number}" for number in range(count)]
    for each in warnings():
        assert "another partitioner, such as librdkafka's crc32; set `partitioner` to crc32 if all producers" in each
        assert "customer-" not in each
