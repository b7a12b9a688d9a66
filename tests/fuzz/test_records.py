"""Whatever lies on the interactions topic: it is applied, ignored or a dead letter, and the next one is applied."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.interactions import DEFAULT_BLOCKED, encode_native
from stream.codec.records import Headers
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import MAX_TIME, MIN_TIME, Interaction
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.machine.batch import Batch
from stream.settings import Settings
from tests.fuzz import nasty, world
from tests.kit.decoding import decode
from tests.kit.machines import Record, compacted, machine, run_all
from tests.kit.times import T0

CODEC = CustomerCodec(world.model())
BROKER_TIMES = st.sampled_from([T0, T0, T0 + 86_400_000, 0, -1, MAX_TIME, 2**62])
NAMES = st.sampled_from(["lifecycle_control", "ce_type", "", "x"]) | st.text(max_size=5)
VALUES = st.sampled_from([b"tick", b"tock", b"", None, b"\xff" * 100])
TICKS = nasty.anything([{"time": T0}, {"time": T0 + 5 * 86_400_000}, {"time": MAX_TIME}, {"time": MAX_TIME + 1}])


@st.composite
def records(draw: st.DrawFn) -> tuple[bytes | None, Headers]:
    """Value and headers of one record."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(TICKS | st.none()), [("lifecycle_control", draw(VALUES))]
    headers = draw(st.lists(st.tuples(NAMES, VALUES), max_size=2)) if kind == 1 else []
    return draw(nasty.interactions() | st.none()), headers


@given(nasty.interactions(), st.none() | BROKER_TIMES)
def test_whatever_the_bytes_an_interaction_or_a_reason_comes_out(value: bytes, received: int | None) -> None:
    """And what came out is whole: a subject, a name, a time within the calendar, ids that fit a key."""
    result = decode(value, received, DEFAULT_BLOCKED)
    if isinstance(result, Rejected):
        assert result.reason is not Reason.UNPROCESSABLE
        assert 0 < len(result.detail) < 1_000
        return
    assert MIN_TIME <= result.time <= MAX_TIME
    for each in (result.subject, result.name):
        assert 0 < len(each.encode()) <= 256
    again = decode(encode_native(result), None, frozenset())
    assert isinstance(again, Interaction)
    assert (again.subject, again.kind, again.id, again.name, again.time) == (
        (result.subject, result.kind, result.id, result.name, result.time)
    )


@given(st.lists(nasty.interactions(), max_size=8), st.integers(0, 10**11))
def test_after_every_step_a_customer_comes_back_from_its_bytes_as_it_was(values: list[bytes], later: int) -> None:
    """Decode, step, encode, decode: the same customer, whatever was in the interactions, and after time has passed."""
    customer = None
    for offset, value in enumerate(values):
        found = decode(value, T0 + offset, DEFAULT_BLOCKED)
        if isinstance(found, Rejected):
            continue
        found.customer_id, found.anonymous_id = (found.customer_id and "c"), "a"
        customer, _changes = step(world.model(), customer, Arrival(found, 0, offset), StepCounts())
        customer = _again(customer)
    if customer is not None:
        kind = customer.kind
        customer, _changes = step(
            world.model(), customer, Passing(min(customer.latest + later, MAX_TIME)), StepCounts()
        )
        assert customer is None or customer.kind == kind
        _again(customer)


def _again(customer: Customer | None) -> Customer | None:
    if customer is None:
        return None
    value = CODEC.encode(customer)
    found = CODEC.decode(customer_key(customer.kind, customer.id), value)
    assert found == customer
    assert CODEC.encode(found) == value
    return found


@given(st.lists(st.tuples(records(), BROKER_TIMES), max_size=8), st.sampled_from(["wall", "stream"]), st.booleans())
def test_the_machine_takes_any_record_and_applies_the_next_one(given_records, clock, log_append_time) -> None:
    """Each counts as applied, a duplicate, a tick or a dead letter; so it does after a restart, to the byte."""
    settings = Settings(clock=clock, live_from=T0, grace=1_000)
    made = machine(world.model(), settings)
    taken = [
        Record(offset, time, b"k", value, headers, int(log_append_time))
        for offset, ((value, headers), time) in enumerate(given_records)
    ]
    good = encode_native(Interaction("good", None, None, "Order Completed", T0, {"total": 1}, {}))
    taken.append(Record(len(taken), T0, b"good", good))
    batches = run_all(made, taken, wall=T0 + 86_400_000, caught_up=True)
    results = sum((_results(batch) for batch in batches), start=_results(Batch()))
    assert results.total() == len(taken)
    assert b"everything:customer:good" in {each.key for batch in batches for each in batch.latest}
    assert sum(len(batch.dead_letters) for batch in batches) == results["rejected"]
    again = machine(world.model(), settings, compacted(batches))
    assert again.customers == made.customers
    assert +Counter(again.stages) == +Counter(made.stages)


def _results(batch: Batch) -> Counter[str]:
    return Counter(batch.counts.results)
