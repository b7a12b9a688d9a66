"""Damaged state: a customer record, layout or position is read as it was written or refused, and harms nobody else."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from stream.codec.controls import tick
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.positions import KEY, Position, decode_position, encode_position
from stream.core.customer import Customer
from stream.core.interaction import Interaction
from stream.engine.error_policy import ErrorPolicy
from stream.errors import PositionError, StateError
from stream.machine.batch import DeadlineFailed, EncodingFailed, RecordFailed
from stream.settings import Settings
from tests.fuzz import nasty, world
from tests.kit.machines import compacted, machine, records_of, run_all
from tests.kit.times import T0

STREAM = Settings(clock="stream")
POSITION = Position(offsets={"interactions": 5}, clock=T0, partitions=1, live_from=T0, lifecycles={"a": "00ff"})


@cache
def changelog() -> dict[bytes, bytes]:
    """Layouts, two customers with a past, and the position."""
    given = [
        Interaction(
            *("c1", None, str(number), name, T0 + number * 40_000_000),
            {"total": number * 1.5, "country": "DE", "path": "/"},
            {"device": {"type": "tv"}, "traits": {"plan": "é"}},
        )
        for number, name in enumerate(["page", "order", "identify", "Order Refunded", "page", "nothing"] * 3)
    ]
    visit = Interaction(None, "a1", None, "page", given[-1].time, {}, {})
    return compacted(run_all(machine(world.model(), STREAM), records_of([*given, visit])))


def customer_values() -> st.SearchStrategy[bytes]:
    """Customer records, damaged, and noise with the right first byte."""
    kept = changelog()
    return nasty.damaged([kept[b"cc1"], kept[b"aa1"]]) | st.binary(max_size=60).map(lambda data: b"\x01" + data)


@given(customer_values())
def test_a_customer_record_is_read_or_refused(value: bytes) -> None:
    """StateError and nothing else; what is read has as many values as the lifecycle, or did not come from it."""
    codec = CustomerCodec(world.model())
    found: list[Customer] = []
    nasty.raised_by(lambda: found.append(codec.decode(b"cc1", value)), documented=[StateError])
    nasty.raised_by(lambda: codec.header(value), documented=[StateError])
    for customer in found:
        assert len(customer.id_hashes) <= len(value)
        assert sum(len(life.facts) for life in customer.lives.values()) <= len(value)


@given(nasty.damaged([value for key, value in changelog().items() if key[:1] == b"t"]) | st.binary(max_size=60))
def test_a_layout_is_learned_or_refused(value: bytes) -> None:
    codec = CustomerCodec(world.model())
    nasty.raised_by(lambda: codec.learn(value), documented=[StateError])


POSITIONS = [{"format": 1, "offsets": {"a": 1}, "clock": 5, "partitions": 1, "live_from": 2, "lifecycles": {"a": "b"}}]


@given(nasty.anything(POSITIONS) | nasty.damaged([encode_position(POSITION)]))
def test_a_position_is_read_or_refused(value: bytes) -> None:
    found = nasty.raised_by(lambda: decode_position(value), documented=[StateError])
    if found is None:
        assert decode_position(encode_position(decode_position(value))) == decode_position(value)


@given(st.sampled_from([b"cc1", b"aa1"]), customer_values(), st.integers(0, 10**10))
def test_a_damaged_customer_costs_others_nothing(key: bytes, value: bytes, later: int) -> None:
    """The machine is refused at the start, or applies another customer's order within a few attempts."""
    kept = {**changelog(), key: value}
    last = decode_position(kept[KEY])
    assert last.clock is not None
    given = [
        Interaction("c1", None, "x", "page", last.clock, {"country": "FR"}, {}),
        Interaction("good", None, None, "order", last.clock, {"total": 1}, {}),
        tick(last.clock + later),
    ]
    records = records_of(given, broker_time=last.clock, first=last.offsets["interactions"])
    policy = ErrorPolicy()
    for _attempt in range(12):
        try:
            made = machine(world.model(), STREAM, kept)
        except (StateError, PositionError):
            return
        made.isolate(offsets=policy.isolated_offsets, keys=policy.isolated_keys)
        if policy.closely_until is not None:
            made.look_closely(policy.closely_until)
        try:
            batches = run_all(made, records)
        except (RecordFailed, DeadlineFailed, EncodingFailed) as error:
            assert not policy.judge(error, records[0].offset, 0).fatal  # noqa: PT017
            continue
        assert b"cgood" in compacted(batches)
        return
    raise AssertionError("still not isolated")
