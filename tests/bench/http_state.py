"""The state of a million customers, no two of them alike for long, as workers would have left it in the changelog."""

import itertools
import time
import tracemalloc
from collections.abc import Iterator
from typing import NamedTuple

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.records import Outgoing
from stream.codec.state.keys import CUSTOMER, LAYOUT, customer_key
from stream.core.model import Model, model_of
from stream.kafka.partitioner import partition_of
from stream.kafka.topics import ensure_topics
from stream.machine.customer_store import CustomerStore
from stream.settings import Settings
from tests.bench.workload import workload
from tests.kit import machines
from tests.kit.changelogs import at_the_beginning, write_changelog

EACH = 5
"""Interactions that every customer has behind it, on average."""
_AT_ONCE = 8_000
_DAY = 86_400_000


class State(NamedTuple):
    """What was written."""

    lifecycle: str
    stages: dict[str, int]
    """Customers by stage."""
    index_bytes: float
    """What the index of who is in which stage takes, for each customer, just made."""


async def write_state(settings: Settings, lifecycle: str, customers: int, samples: int) -> State:
    """Write the changelog of so many customers, c-0000000 and so on, whose histories are those of `samples` customers.

    `lifecycle` is a file or preset. They did something last a day ago, and the partitions were live then.
    """
    await ensure_topics(settings)
    model = _model(lifecycle, settings)
    until = time.time_ns() // 1_000_000 - _DAY
    layouts, records, stages = _sampled(model, settings, samples, until)
    await write_changelog(
        settings.bootstrap,
        settings.topics.customers,
        _changelog(settings, layouts, records, customers),
        partitions=settings.partitions,
        closing=at_the_beginning(model, settings, until),
    )
    counted: dict[str, int] = {}
    for stage in itertools.islice(itertools.cycle(stages), customers):
        counted[stage] = counted.get(stage, 0) + 1
    share = customers // settings.partitions
    return State(model.lifecycles[0].id, counted, _index_bytes(model, layouts, records, share))


def _model(lifecycle: str, settings: Settings) -> Model:
    lifecycles = [each.lifecycle for each in load_all([lifecycle])]
    return model_of(lifecycles, settings.forget_after, settings.forget_identified_after)


def _sampled(
    model: Model, settings: Settings, samples: int, until: int
) -> tuple[list[Outgoing], list[bytes], list[str]]:
    """Layouts, and for each sample its record, as the machine of a worker writes it, and its stage."""
    made = machines.machine(model, settings)
    changelog: dict[bytes, bytes] = {}
    given = workload(EACH * samples, samples, until=until)
    for first in range(0, EACH * samples, _AT_ONCE):
        values = [each.value for each in itertools.islice(given, _AT_ONCE)]
        source = machines.records_of(values, broker_time=until, first=first)
        changelog = machines.compacted(machines.run_all(made, source, wall=until), changelog)
    layouts = [Outgoing(*each) for each in changelog.items() if each[0][:1] == LAYOUT]
    found = {key: value for key, value in changelog.items() if key[:1] == CUSTOMER}
    stages: list[str] = []
    for key in found:
        customer = made.store.customer(key)
        assert customer is not None
        stages.append(next(iter(customer.lives.values())).stage)
    return layouts, list(found.values()), stages


def _index_bytes(model: Model, layouts: list[Outgoing], records: list[bytes], customers: int) -> float:
    """Bytes a customer that making the index of one partition's so many customers allocates and keeps."""
    store = CustomerStore(model)
    changelog = {each.key or b"": each.value or b"" for each in layouts}
    for number, value in enumerate(itertools.islice(itertools.cycle(records), customers)):
        changelog[customer_key("customer", f"c-{number:07d}")] = value
    machines.finish(store.restore(changelog))
    tracemalloc.start()
    try:
        machines.finish(store.index())
        return tracemalloc.get_traced_memory()[0] / customers
    finally:
        tracemalloc.stop()


def _changelog(
    settings: Settings, layouts: list[Outgoing], records: list[bytes], customers: int
) -> Iterator[tuple[int, Outgoing]]:
    yield from ((partition, layout) for partition in range(settings.partitions) for layout in layouts)
    for number, value in enumerate(itertools.islice(itertools.cycle(records), customers)):
        name = f"c-{number:07d}"
        yield partition_of(name.encode(), settings.partitions), Outgoing(customer_key("customer", name), value)
