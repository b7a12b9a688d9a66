"""What is measured by micro.py: each case a piece of work that is prepared again before it is timed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from stream.codec import stage_changes
from stream.codec.fields import Reading
from stream.codec.interactions import InteractionDecoder
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.partitioners import home_of
from stream.codec.stage_changes import ChangeSource
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.deadlines import schedule
from stream.core.inputs import Arrival
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.bench.generated import lifecycle_of
from tests.bench.workload import UNTIL, workload

LIFECYCLES = Path(__file__).with_name("lifecycles")
TRIVIAL, DENSE = str(LIFECYCLES / "trivial.yaml"), str(LIFECYCLES / "dense.yaml")
SIGNALS = (1, 5, 20, 60)
TRANSITIONS = (1, 5, 20)
_EACH = 20
"""Interactions that a customer has behind it before anything is measured: two weeks of the workload."""
_SOURCE = ChangeSource("interactions", 0, 0)

Work = Callable[[], None]


class Case(NamedTuple):
    """One thing to measure."""

    name: str
    operations: int
    """How many times the work does it."""
    prepare: Callable[[], Work]
    """Makes the work with all that it needs; not timed."""


def cases(operations: int) -> list[Case]:
    """All of them, each of about so many operations."""
    found = [*decoding(operations), finding_homes(operations)]
    found += [stepping(f"step, {count} signals", lifecycle_of(count, 5), operations) for count in SIGNALS]
    found += [stepping(f"step, {count} transitions", lifecycle_of(5, count), operations) for count in TRANSITIONS]
    for file, name in zip(load_all([TRIVIAL, "metrics", DENSE]), ("trivial", "metrics", "dense"), strict=True):
        found += [
            stepping(f"step, {name}", file.lifecycle, operations),
            *coding(name, file.lifecycle, operations),
        ]
    return found


def decoding(operations: int) -> list[Case]:
    native = [record.value for record in workload(operations, operations)]
    segment = [_as_segment(value) for value in native]
    return [
        Case("decode, native", operations, lambda: lambda: _decode_all(native)),
        Case("decode, Segment", operations, lambda: lambda: _decode_all(segment)),
    ]


def finding_homes(operations: int) -> Case:
    """The partition that a customer's interactions belong on, found for each of them."""
    keys = [b"c" + (record.key or b"") for record in workload(operations, operations)]

    def find() -> None:
        for key in keys:
            home_of("murmur2", key, 16, 1)

    return Case("find home, murmur2", len(keys), lambda: find)


def _decode_all(values: Sequence[bytes]) -> None:
    decoder = InteractionDecoder()
    for value in values:
        decoder.decode(value, UNTIL)


def _as_segment(value: bytes) -> bytes:
    """The same interaction as a Segment library sends it."""
    record = orjson.loads(value)
    return orjson.dumps(
        {
            "type": "track",
            "event": record["type"],
            "messageId": record["id"],
            "userId": record["customer_id"],
            "anonymousId": "507f191e-810c-4972-9de8-60ea2f2c3d4f",
            "originalTimestamp": "2026-01-01T00:00:00.250Z",
            "sentAt": "2026-01-01T00:00:01.000Z",
            "receivedAt": "2026-01-01T00:00:01.100Z",
            "properties": record["properties"],
            "context": {"library": {"name": "analytics.js", "version": "2.11.1"}, "ip": "203.0.113.7"},
        }
    )


class _Past(NamedTuple):
    """Customers after two weeks, and what comes next."""

    records: dict[bytes, bytes]
    """By changelog key."""
    changes: list[StageChange]
    """Everything that happened so far."""
    coming: list[Interaction]


def _past(lifecycle: Lifecycle, coming: int) -> _Past:
    model, step_counts = model_of([lifecycle]), StepCounts()
    customers: dict[bytes, Customer] = {}
    changes: list[StageChange] = []
    count = max(10, coming // 5)
    interactions: list[Interaction] = []
    decoder = InteractionDecoder(Reading(frozenset()))
    for record in workload(count * _EACH + coming, count):
        interaction = decoder.decode(record.value, UNTIL)
        assert isinstance(interaction, Interaction)
        interactions.append(interaction)
    for number, interaction in enumerate(interactions[: count * _EACH]):
        key = customer_key(interaction.kind, interaction.subject)
        after, happened = step(model, customers.get(key), Arrival(interaction, 0, number), step_counts)
        assert after is not None
        customers[key] = after
        changes += happened
    codec = CustomerCodec(model)
    return _Past({key: codec.encode(each) for key, each in customers.items()}, changes, interactions[count * _EACH :])


def stepping(name: str, lifecycle: Lifecycle, operations: int) -> Case:
    """The interactions that come next, each applied to its customer."""
    past, model = _past(lifecycle, operations), model_of([lifecycle])
    codec = CustomerCodec(model)
    keys = [customer_key(each.kind, each.subject) for each in past.coming]
    arrivals = [Arrival(each, 0, 0) for each in past.coming]

    def prepare() -> Work:
        # `step` changes the customers that it is handed, so each repeat has its own.
        customers: dict[bytes, Customer | None] = {key: codec.decode(key, value) for key, value in past.records.items()}
        step_counts = StepCounts()

        def work() -> None:
            for key, arrival in zip(keys, arrivals, strict=True):
                customers[key], _ = step(model, customers.get(key), arrival, step_counts)

        return work

    return Case(name, len(arrivals), prepare)


def coding(name: str, lifecycle: Lifecycle, operations: int) -> list[Case]:
    """Customer records, stage changes and deadlines of the customers as they are after two weeks."""
    past = _past(lifecycle, operations)
    codec = CustomerCodec(model_of([lifecycle]))
    records = list(past.records.items())
    customers = [codec.decode(key, value) for key, value in records]
    lives = [each.lives[lifecycle.id] for each in customers]
    changes = past.changes[-operations:]

    def encode() -> None:
        for customer in customers:
            codec.encode(customer)

    def decode_records() -> None:
        for key, value in records:
            codec.decode(key, value)

    def encode_changes() -> None:
        for change in changes:
            stage_changes.encode(change, _SOURCE)

    def find_deadlines() -> None:
        for life in lives:
            schedule(lifecycle, life)

    return [
        Case(f"encode customer, {name}", len(customers), lambda: encode),
        Case(f"decode customer, {name}", len(customers), lambda: decode_records),
        Case(f"encode stage change, {name}", len(changes), lambda: encode_changes),
        Case(f"find deadline, {name}", len(lives), lambda: find_deadlines),
    ]
