"""What cannot be read or processed is isolated: it alone becomes a dead letter, and everything else goes on."""

from collections.abc import Callable

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from stream.codec.controls import tick
from stream.codec.dead_letter_reasons import Reason
from stream.codec.dead_letters import MAX_VALUE_BYTES
from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Life
from stream.core.exact import set_points
from stream.core.interaction import Interaction
from stream.core.model import Model
from stream.engine.error_policy import ErrorPolicy
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch, DeadlineFailed, EncodingFailed, RecordFailed
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import buy, shop
from tests.kit.machines import Record, compacted, machine, moves, published, records_of, run_all
from tests.kit.times import DAY, T0
from tests.kit.topics import produce, read_all

STREAM = Settings(clock="stream")
MOST = 2**63 - 1
"""The largest whole number that a record can hold: one more, and its customer cannot be encoded."""
EXAMPLES: dict[Reason, bytes | None] = {
    Reason.NULL_VALUE: None,
    Reason.TOO_LARGE: b" " * 1_048_577,
    Reason.NOT_UTF8: b'{"type":"\xff"}',
    Reason.NOT_JSON: b"{",
    Reason.TOO_DEEP: b"[" * 65 + b"]" * 65,
    Reason.NOT_AN_OBJECT: b"[]",
    Reason.NO_EVENT_NAME: b'{"customer_id":"a","time":1}',
    Reason.BAD_SUBJECT: b'{"type":"x","customer_id":{},"time":1}',
    Reason.ID_TOO_LONG: b'{"type":"x","customer_id":"' + b"a" * 257 + b'","time":1}',
    Reason.NO_SUBJECT: b'{"type":"x","time":1}',
    Reason.BLOCKED_SUBJECT: b'{"type":"x","customer_id":"NULL","time":1}',
    Reason.BAD_SHAPE: b'{"type":"x","customer_id":"a","time":1,"properties":[]}',
    Reason.BAD_TIME: b'{"type":"x","customer_id":"a","time":"yesterday"}',
    Reason.UNPROCESSABLE: b'{"type":"Order Completed","customer_id":"poison","time":1700000000000}',
}


@pytest.fixture
def model() -> Model:
    return shop()


def doctored(model: Model, customer: str, changelog: dict[bytes, bytes], change: Callable[[Life], None]) -> bytes:
    """The customer's record after a change to its life that no interaction could make."""
    key, codec = customer_key("customer", customer), CustomerCodec(model)
    kept = codec.decode(key, changelog[key])
    change(kept.lives["shop"])
    return codec.encode(kept)


def swell(life: Life) -> None:
    """More points than a double holds: reading the score raises."""
    set_points(life, 0, 10**400)


def fill(life: Life) -> None:
    """The next change of the stage cannot be counted in what a record holds."""
    life.sequence = MOST


def poisoned(model: Model, change: Callable[[Life], None], customer: str = "poison") -> dict[bytes, bytes]:
    """The changelog of one visitor, changed so that something raises later."""
    visit = Interaction(customer, None, None, "page", T0, {}, {})
    changelog = compacted(run_all(machine(model, STREAM), records_of([visit])))
    return {**changelog, customer_key("customer", customer): doctored(model, customer, changelog, change)}


def persist(
    model: Model, changelog: dict[bytes, bytes], records: list[Record]
) -> tuple[list[Batch], list[type[Exception]]]:
    """Run `records` as a partition does, which begins again after each failure; the batches, and what failed."""
    policy = ErrorPolicy()
    failures: list[type[Exception]] = []
    while True:
        made = machine(model, STREAM, changelog)
        made.isolate(offsets=policy.isolated_offsets, keys=policy.isolated_keys)
        if policy.closely_until is not None:
            made.look_closely(policy.closely_until)
        try:
            return run_all(made, records), failures
        except (RecordFailed, DeadlineFailed, EncodingFailed) as error:
            if policy.judge(error, records[0].offset, 0).fatal:
                raise
            failures.append(type(error))


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.UNREADABLE])
def test_what_cannot_be_used_is_kept_with_its_reason_and_the_partition_goes_on(model: Model, reason: Reason) -> None:
    """The dead letter has the bytes, key, headers, reason and place; the next record is applied."""
    bad = Record(1, T0, b"key", EXAMPLES[reason], [("sender", b"x")])
    batches, _failures = persist(model, poisoned(model, swell), [bad, *records_of([buy("a", T0)], first=2)])
    (dead_letter,) = batches[0].dead_letters
    about = dict(dead_letter.headers)
    assert (dead_letter.key, dead_letter.value) == (b"key", EXAMPLES[reason])
    assert about["sender"] == b"x"
    assert about["lifecycle_reason"] == reason.value.encode()
    assert (about["lifecycle_topic"], about["lifecycle_partition"], about["lifecycle_offset"]) == (
        b"interactions",
        b"0",
        b"1",
    )
    assert batches[0].counts.rejected == {reason.value: 1}
    assert moves(batches) == [(None, "lead", 0), ("lead", "customer", 0)]


def test_a_dead_letter_that_does_not_fit_is_cut_and_flagged(model: Model) -> None:
    """The header has the whole length."""
    made = machine(model, Settings(clock="stream"))
    batches = run_all(made, [Record(0, T0, None, b"x" * 2_000_000)])
    (dead_letter,) = batches[0].dead_letters
    assert dead_letter.value == b"x" * MAX_VALUE_BYTES
    assert dict(dead_letter.headers)["lifecycle_truncated"] == b"2000000"


def test_a_broken_control_record_is_a_dead_letter(model: Model) -> None:
    """A tick without a time says nothing."""
    made = machine(model, Settings(clock="stream"))
    batches = run_all(made, records_of([Outgoing(None, b"{}", [("lifecycle_control", b"tick")])]))
    assert batches[0].counts.rejected == {"bad_shape": 1}


def test_a_record_that_makes_our_code_fail_is_isolated(model: Model) -> None:
    """The failure names its offset; a machine that is to isolate it dead-letters that one and goes on."""
    changelog = poisoned(model, swell)
    records = records_of([buy("a", T0), buy("poison", T0), buy("b", T0)], first=1)
    with pytest.raises(RecordFailed) as failed:
        run_all(machine(model, STREAM, changelog), records)
    assert failed.value.offset == 2
    assert isinstance(failed.value.__cause__, OverflowError)
    made = machine(model, STREAM, changelog)
    made.isolate(offsets=[2])
    batches = run_all(made, records)
    assert batches[0].counts.rejected == {"unprocessable": 1}
    assert {each["customer_id"] for each in published(batches)} == {"a", "b"}


def test_a_deadline_that_makes_our_code_fail_quarantines_that_customer(model: Model) -> None:
    """Other customers' deadlines are fired; the quarantine is kept with the customer."""
    changelog = compacted(run_all(machine(model, STREAM), records_of([buy("a", T0), buy("b", T0)])))
    changelog[b"ca"] = doctored(model, "a", changelog, swell)
    later = records_of([tick(T0 + 31 * DAY)], broker_time=T0, first=2)
    with pytest.raises(DeadlineFailed) as failed:
        run_all(machine(model, STREAM, changelog), later)
    assert failed.value.key == b"ca"
    assert isinstance(failed.value.__cause__, OverflowError)
    made = machine(model, STREAM, changelog)
    made.isolate(keys=[b"ca"])
    batches = run_all(made, later)
    assert [each["customer_id"] for each in published(batches) if each["to"] == "dormant"] == ["b"]
    assert batches[0].counts.quarantined == 1
    restarted = machine(model, STREAM, compacted(batches, changelog))
    kept = restarted.customer(b"ca")
    assert kept is not None
    assert kept.quarantined


def test_a_record_that_leaves_a_customer_that_cannot_be_encoded_is_isolated_and_no_other(model: Model) -> None:
    """Of the five that touched the customer in one batch only the order is to blame."""
    visits = [Interaction("poison", None, None, "page", T0 + number, {}, {}) for number in range(4)]
    given = [buy("a", T0), *visits[:2], buy("poison", T0 + 2), *visits[2:], buy("b", T0)]
    batches, failures = persist(model, poisoned(model, fill), records_of(given, first=1))
    assert failures == [EncodingFailed, RecordFailed, RecordFailed]
    (dead_letter,) = [each for batch in batches for each in batch.dead_letters]
    about = dict(dead_letter.headers)
    assert (about["lifecycle_reason"], about["lifecycle_offset"]) == (b"unprocessable", b"4")
    assert sum(batch.counts.applied for batch in batches) == 6
    assert {each["customer_id"] for each in published(batches)} == {"a", "b"}


def test_a_deadline_that_leaves_a_customer_that_cannot_be_encoded_quarantines_it(model: Model) -> None:
    """The other customer's deadline of that moment fires, and no record is lost."""
    changelog = compacted(run_all(machine(model, STREAM), records_of([buy("a", T0), buy("b", T0)])))

    def exhaust(life: Life) -> None:
        life.fired = MOST

    changelog[b"ca"] = doctored(model, "a", changelog, exhaust)
    records = records_of([tick(T0 + 30 * DAY), buy("c", T0 + 30 * DAY)], broker_time=T0 + 30 * DAY, first=2)
    batches, failures = persist(model, changelog, records)
    assert failures == [EncodingFailed, DeadlineFailed, DeadlineFailed]
    assert [each for batch in batches for each in batch.dead_letters] == []
    assert sum(batch.counts.quarantined for batch in batches) == 1
    assert [each["customer_id"] for each in published(batches) if each["to"] == "dormant"] == ["b"]
    assert {each["customer_id"] for each in published(batches)} == {"b", "c"}


def test_a_customer_whose_record_cannot_be_read_stops_no_deadlines_of_others(model: Model) -> None:
    """Its own is skipped, and its record stays as it is."""
    changelog = compacted(run_all(machine(model, STREAM), records_of([buy("a", T0), buy("b", T0)])))
    damaged = changelog[b"ca"] = changelog[b"ca"][:-3]
    batches, failures = persist(model, changelog, records_of([tick(T0 + 31 * DAY)], broker_time=T0, first=2))
    assert failures == [DeadlineFailed, DeadlineFailed]
    assert [each["customer_id"] for each in published(batches)] == ["b"]
    assert compacted(batches, changelog)[b"ca"] == damaged


def test_a_machine_looks_closely_only_as_long_as_it_has_to(model: Model) -> None:
    """Beyond the offset that is to be isolated, customers are encoded as before, and so is said what fails."""
    made = machine(model, STREAM, poisoned(model, fill))
    made.look_closely(3)
    run_all(made, records_of([buy("a", T0), buy("b", T0), buy("c", T0)], first=1))
    with pytest.raises(EncodingFailed):
        run_all(made, records_of([buy("poison", T0)], first=4))


class OnKafka:
    """A broker, and a machine for its only partition."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.settings = Settings(
            bootstrap=bootstrap, app=f"{prefix}app", topic_prefix=prefix, partitions=1, clock="stream"
        )
        self.model = shop()

    def make(self, partition: int, topic: SourceTopic) -> PartitionMachine:
        return PartitionMachine(
            self.model, self.settings, SourcePartition(self.settings.topics.interactions, partition, *topic)
        )

    async def send(self, *interactions: Interaction) -> None:
        outgoing = [Outgoing(each.key, each.value) for each in records_of(interactions)]
        await produce(self.settings.bootstrap, self.settings.topics.interactions, outgoing)

    async def dead_letters(self) -> "list[ConsumerRecord[bytes, bytes]]":
        read = await read_all(self.settings.bootstrap, self.settings.topics.dead_letters)
        return [each for records in read.values() for each in records]


@pytest.fixture
def on_kafka(kafka: SharedKafka, topic_prefix: str) -> OnKafka:
    return OnKafka(kafka.bootstrap, topic_prefix)


async def test_a_worker_isolates_an_interaction_after_which_its_customer_cannot_be_encoded(
    on_kafka: OnKafka,
) -> None:
    """On Kafka: the order of the damaged customer is a dead letter, and everyone else's is applied, once."""
    settings, topics, make, send = on_kafka.settings, on_kafka.settings.topics, on_kafka.make, on_kafka.send
    async with Rig(settings, make) as rig:
        await send(Interaction("poison", None, None, "page", T0, {}, {}))
        await rig.recorder.until(lambda: rig.recorder.inputs >= 2)  # the first position counts as one
    ((_tp, written),) = (await read_all(settings.bootstrap, topics.customers)).items()
    changelog = {each.key: each.value for each in written if each.key is not None and each.value is not None}
    damaged = doctored(on_kafka.model, "poison", changelog, fill)
    await produce(settings.bootstrap, topics.customers, [Outgoing(b"cpoison", damaged)])
    async with Rig(settings, make) as rig:
        await send(buy("a", T0), buy("poison", T0), buy("b", T0))
        await rig.recorder.until(lambda: rig.recorder.inputs >= 3)
        assert rig.supervisor.failure is None
        assert rig.recorder.failures == ["record", "record", "record"]
    dead = await on_kafka.dead_letters()
    assert [(each.key, dict(each.headers)["lifecycle_reason"]) for each in dead] == [(b"poison", b"unprocessable")]
    published_records = await read_all(settings.bootstrap, topics.stage_changes)
    customers = [
        orjson.loads(each.value or b"")["customer_id"] for records in published_records.values() for each in records
    ]
    assert sorted(customers) == ["a", "a", "b", "b", "poison"]


async def test_a_record_larger_than_the_broker_s_limit_once_unpacked_is_a_dead_letter(on_kafka: OnKafka) -> None:
    """Compressed it was small; its dead letter, which is not compressed, fits all the same."""
    settings = on_kafka.settings
    async with Rig(settings, on_kafka.make) as rig:
        options = {"bootstrap_servers": settings.bootstrap, "compression_type": "gzip", "max_request_size": 20_000_000}
        async with AIOKafkaProducer(**options, max_batch_size=20_000_000) as producer:
            await producer.send_and_wait(
                settings.topics.interactions, b" " * 5_000_000, b"k" * 2_000_000, headers=[("h", b"x" * 3_000_000)]
            )
        await on_kafka.send(buy("a", T0))
        await rig.recorder.until(lambda: rig.recorder.inputs >= 3)  # the first position counts as one
        assert rig.recorder.failures == []
    (dead_letter,) = await on_kafka.dead_letters()
    assert len(dead_letter.value) == MAX_VALUE_BYTES
    assert dict(dead_letter.headers)["lifecycle_reason"] == b"too_large"


class _Latin1(str):
    """A header's name that is written as Latin-1, as clients in C do with what they are given."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return str(self).encode("latin-1")


async def test_a_header_s_name_that_is_no_utf8_stops_nothing(on_kafka: OnKafka) -> None:
    """The protocol calls it a text, no broker looks, and aiokafka raises on it for the whole batch."""
    settings = on_kafka.settings
    async with Rig(settings, on_kafka.make) as rig:
        await on_kafka.send(buy("a", T0))
        async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
            builder = producer.create_batch()
            builder._builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 1_000_000)
            for number, name in enumerate(["fine", _Latin1("gr\u00fc\u00df"), "fine"]):
                value = encode_native(buy(f"b{number}", T0))
                builder._builder.append(number, T0, b"b", value, [(name, b"x")])
                builder._relative_offset += 1
            await (await producer.send_batch(builder, settings.topics.interactions, partition=0))
        await on_kafka.send(buy("c", T0))
        await rig.recorder.until(lambda: rig.recorder.inputs >= 6)
        assert rig.recorder.failures == []
    assert await on_kafka.dead_letters() == []
