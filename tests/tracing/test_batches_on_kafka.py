"""Spans of batches, from partitions on Apache Kafka to an endpoint that takes them."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.structs import RecordMetadata

from stream.codec.records import Headers, Outgoing
from stream.engine.delivery import Route, Transactional
from stream.kafka.topic_monitor import SourceTopic
from stream.logs import configure_logs
from stream.machine.batch import Machine
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from stream.tracing.tracing import start
from tests.engine.rig import Rig
from tests.engine.toy import Toy
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import buy, shop
from tests.kit.machines import records_of
from tests.kit.otlp import Endpoint, SeenSpan, otlp_endpoint
from tests.kit.times import T0
from tests.kit.topics import produce, read_all


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with otlp_endpoint() as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(
        bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=1, clock="stream"
    )


def parent(number: int, *, sampled: bool = True) -> Headers:
    return [("traceparent", f"00-{number:032x}-{number:016x}-0{int(sampled)}".encode())]


def orders(first: int, count: int, *headers: Headers) -> list[Outgoing]:
    """Orders of as many customers, with these headers in turn."""
    made = records_of([buy(f"canary-{number}", T0 + number) for number in range(first, first + count)])
    return [Outgoing(each.key, each.value, headers[number % len(headers)]) for number, each in enumerate(made)]


def real(settings: Settings) -> "type[Machine] | object":
    def make(partition: int, topic: SourceTopic) -> Machine:
        return PartitionMachine(
            shop(), settings, SourcePartition(settings.topics.interactions, partition, topic.partitions)
        )

    return make


@asynccontextmanager
async def traced(settings: Settings, make_machine: object) -> AsyncIterator[Rig]:
    """An engine whose spans are all sent when it ends."""
    tracing = start("worker")
    batches = tracing.batches(settings.topics.interactions, settings.group)
    try:
        async with Rig(settings, make_machine, tracing=batches, fenced_wait=0.2) as rig:  # type: ignore[arg-type]
            yield rig
    finally:
        tracing.end()


async def send(settings: Settings, records: list[Outgoing]) -> list[RecordMetadata]:
    return await produce(settings.bootstrap, settings.topics.interactions, records)


async def traces(settings: Settings) -> dict[int, str | None]:
    """By offset of the interaction, the context of the changes that it caused, which all have the same."""
    found: dict[int, set[str | None]] = {}
    for each in (await read_all(settings.bootstrap, settings.topics.stage_changes))[0]:
        said = dict(each.headers).get("traceparent")
        offset = json.loads(each.value or b"")["source"]["offset"]
        found.setdefault(offset, set()).add(None if said is None else said.decode())
    assert all(len(each) == 1 for each in found.values())
    return {offset: each.pop() for offset, each in found.items()}


def of_records(spans: Endpoint) -> list[SeenSpan]:
    return [each for each in spans.of(name="process") if each.attributes.get("messaging.batch.message_count")]


async def test_a_batch_is_linked_once_to_each_sampled_context_and_to_a_bounded_number(
    settings: Settings, spans: Endpoint
) -> None:
    async with traced(settings, real(settings)) as rig:
        await rig.recorder.until(lambda: rig.recorder.recovered_partitions == [0])
        await send(settings, orders(0, 30, parent(7), parent(7), parent(8, sampled=False), []))
        await rig.recorder.until(lambda: rig.recorder.inputs >= 30)
    assert {link for each in of_records(spans) for link in each.links} == {(f"{7:032x}", f"{7:016x}")}
    assert all(len(each.links) <= 1 for each in of_records(spans))
    counted = [each.attributes["messaging.batch.message_count"] for each in of_records(spans)]
    assert sum(counted) == 30
    carried = await traces(settings)
    assert [carried[offset] and carried[offset][-2:] for offset in range(4)] == ["01", "01", "00", None]  # type: ignore[index]

    many = [parent(number) for number in range(100, 400)]
    await send(settings, orders(100, 300, *many))
    async with traced(settings, real(settings)) as rig:
        await rig.recorder.until(lambda: rig.recorder.inputs >= 300)
    linked = [len(each.links) for each in of_records(spans)]
    assert max(linked) == 128
    carried = await traces(settings)
    assert [carried[30 + number] for number in range(300)] == [many[number][0][1].decode() for number in range(300)]
    assert "canary" not in "".join(each.text for each in spans.of())


async def test_what_another_owner_keeps_from_being_written_fails_in_its_span_and_is_carried_by_the_next_batch(
    settings: Settings, spans: Endpoint
) -> None:
    async with traced(settings, real(settings)) as rig:
        await rig.recorder.until(lambda: rig.recorder.batches >= 1)
        rival = Transactional(Route.of_worker(settings, 0))
        await rival.start()
        await rival.discard()
        await send(settings, orders(0, 5, parent(7)))
        await rig.recorder.until(lambda: rig.recorder.inputs >= 5)
    assert rig.recorder.failures == ["fenced"]
    [failed] = [each for each in spans.of(name="process") if each.failed]
    [commit] = [each for each in spans.of(name="commit") if each.failed]
    assert commit.parent == failed.id
    assert commit.attributes["error.type"] == failed.attributes["error.type"] == "ProducerFenced"
    assert set((await traces(settings)).values()) == {parent(7)[0][1].decode()}


async def test_an_error_of_ours_is_told_by_its_kind_without_its_words(settings: Settings, spans: Endpoint) -> None:
    async with traced(settings, lambda *_: Toy()) as rig:
        await send(settings, [Outgoing(b"k", b"visit"), Outgoing(b"k", b"fail", parent(7)), Outgoing(b"k", b"visit")])
        await rig.recorder.until(lambda: rig.recorder.inputs >= 3)
    failed = [each for each in spans.of(name="process") if each.failed]
    assert {each.attributes["error.type"] for each in failed} == {"RecordFailed"}
    assert "our code failed" not in "".join(each.text for each in failed)


async def test_a_partition_with_nothing_to_do_makes_no_span(settings: Settings, spans: Endpoint) -> None:
    async with traced(settings, real(settings)) as rig:
        await rig.recorder.until(lambda: rig.recorder.batches >= 1 and rig.recorder.fetches >= 5)
        written = rig.recorder.batches
    assert len(spans.of(name="process")) == written == 1


async def test_a_line_that_is_written_in_a_batch_names_the_trace_of_its_span(
    settings: Settings, spans: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    two = Settings(
        bootstrap=settings.bootstrap, app=settings.app, topic_prefix=settings.topic_prefix, partitions=2, clock="stream"
    )
    configure_logs(Settings(log_format="json", tracing=True))
    try:
        async with traced(two, real(two)) as rig:
            await rig.recorder.until(lambda: len(rig.recorder.recovered_partitions) == 2)
            # By a key that is not the customer's id, so that some are on another partition than they belong.
            await send(two, [Outgoing(b"same", each.value) for each in orders(0, 20, [])])
            await rig.recorder.until(lambda: rig.recorder.inputs >= 20)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [misplaced] = [each for each in said if each["event"] == "interactions_misplaced"]
    assert misplaced["trace_id"] in {each.trace for each in of_records(spans)}
    assert [each["event"] for each in said if "trace_id" in each and each["event"] == "partitions_assigned"] == []
