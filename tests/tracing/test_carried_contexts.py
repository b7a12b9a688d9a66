"""Each change carries the context of exactly the interaction that caused it, wherever batches are cut."""

from collections.abc import Iterator, Sequence
from random import Random

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codec.records import Headers, Outgoing, SourceRecords
from stream.codec.trace_context import context_in
from stream.core.language.definition import define
from stream.core.model import Model, model_of
from stream.engine.carried_contexts import carry, contexts_of
from stream.kafka.block_reader import BlockReader
from stream.machine.batch import Batch
from stream.machine.machine import PartitionMachine
from stream.settings import Settings
from tests.kit.lifecycles import buy, shop
from tests.kit.machines import Record, compacted, finish, machine, records_of, run_all
from tests.kit.record_batches import Given, batch
from tests.kit.times import DAY, T0
from tests.properties.histories import Scenario, scenarios
from tests.properties.interactions import interaction_of

STREAM = Settings(clock="stream", forget_after=90 * DAY)
NAMES = ("traceparent", "tracestate")
FIRST = 1_000
"""Offset of the first record."""


def context(number: int) -> Headers:
    """The headers of the record with this number: mostly a context, at times none, or what is none."""
    if number % 5 == 3:
        return ()
    if number % 5 == 4:
        return [("traceparent", b"rubbish"), ("tracestate", b"a=1")]
    found = [("other", b"x"), ("traceparent", f"00-{number + 1:032x}-{number + 1:016x}-01".encode())]
    return [*found, ("tracestate", b"n=%d" % number)] if number % 2 else found


def traced(records: Sequence[Record]) -> list[Record]:
    """The same with headers."""
    return [each._replace(headers=context(each.offset - FIRST)) for each in records]


def as_block(records: Sequence[Record]) -> SourceRecords:
    """The records as bytes that a broker handed out."""
    given = [
        Given(each.offset - records[0].offset, each.timestamp, each.key, each.value, each.headers) for each in records
    ]
    data = batch(given, first=records[0].offset, broker_time=records[0].timestamp)
    return BlockReader(data, records[0].offset, None).read(len(records))


def carried(made: PartitionMachine, records: Sequence[Record], *, as_bytes: bool) -> list[Batch]:
    """The batches that a worker would write of one fetch."""
    found: list[Batch] = []
    end = records[-1].offset + 1
    while True:
        left = [each for each in records if each.offset >= (made.next_offset or 0)]
        given = as_block(left) if as_bytes and left else left
        made_of = finish(made.run(given, end, wall=0, caught_up=False))
        carry(contexts_of(given, made_of.next_offset), made_of)
        found.append(made_of)
        if not made_of.more:
            return found


def without_trace(each: Outgoing) -> tuple[bytes | None, bytes | None, Headers]:
    return each.key, each.value, [header for header in each.headers if header[0] not in NAMES]


def trace_of(each: Outgoing) -> Headers:
    return [header for header in each.headers if header[0] in NAMES]


def causes(model: Model, records: Sequence[Record]) -> Iterator[tuple[bytes | None, Headers]]:
    """Each change with the trace that it must carry, found by one record after the other."""
    made = machine(model, STREAM)
    for record in records:
        for part in run_all(made, [record]):
            for each in part.events:
                by_time = orjson.loads(each.value or b"")["trigger"]["kind"] != "interaction"
                found = None if by_time else context_in(record.headers)
                yield each.value, [] if found is None else found.headers


@settings(max_examples=60, deadline=None)
@given(scenario=scenarios(), random=st.randoms(use_true_random=False), as_bytes=st.booleans())
def test_a_change_carries_the_context_of_its_cause_wherever_batches_are_cut(
    scenario: Scenario, random: Random, as_bytes: bool
) -> None:
    """With a restart after every cut, and batches that are lost and made again; and nothing else is different."""
    model = model_of([define(each) for each in scenario.lifecycles], scenario.forget_after)
    interactions = [interaction_of(each) for each in scenario.interactions]
    records = traced(records_of(interactions, broker_time=2**48, first=FIRST))
    wanted = list(causes(model, records))
    changelog: dict[bytes, bytes] = {}
    found: list[Outgoing] = []
    left = records
    while left:
        size = random.randint(1, len(left))
        if random.random() < 0.3:
            carried(machine(model, STREAM, changelog), left[:size], as_bytes=as_bytes)
        batches = carried(machine(model, STREAM, changelog), left[:size], as_bytes=as_bytes)
        changelog = compacted(batches, changelog)
        found += [each for part in batches for each in part.events]
        left = left[size:]
    assert [(each.value, trace_of(each)) for each in found] == wanted
    whole = run_all(machine(model, STREAM), records)
    assert list(map(without_trace, found)) == [without_trace(each) for part in whole for each in part.events]
    assert changelog == compacted(whole)


def test_current_stages_carry_what_their_changes_carry_and_tombstones_nothing() -> None:
    """Also a change that is not published."""
    records = traced(records_of([buy("a", T0), buy("b", T0 + 1), buy("c", T0 + 40 * DAY)], first=FIRST))
    made = machine(shop(), Settings(clock="stream", live_from=T0 + 1))
    [part] = carried(made, records, as_bytes=False)
    latest = {each.key: dict(each.headers).get("traceparent") for each in part.latest}
    assert latest == {
        b"shop:customer:a": None,  # by time: the one that its order caused is not the latest
        b"shop:customer:b": None,
        b"shop:customer:c": f"00-{3:032x}-{3:016x}-01".encode(),
    }
    first = carried(machine(shop(), Settings(clock="stream", live_from=T0 + 1)), records[:1], as_bytes=True)[0]
    assert len(first.events) == 0
    assert [dict(each.headers)["traceparent"] for each in first.latest] == [f"00-{1:032x}-{1:016x}-01".encode()]


def test_a_batch_without_contexts_stays_the_object_that_it_was() -> None:
    records = records_of([buy("a", T0)])
    made_of = finish(machine(shop(), STREAM).run(records, 1, wall=0, caught_up=False))
    events, latest = made_of.events, [each.packed_headers for each in made_of.latest]
    carry(contexts_of(records, 1), made_of)
    assert made_of.events is events
    assert [each.packed_headers for each in made_of.latest] == latest
