"""The pure machine of a partition, driven without Kafka: source records from interactions, batches run to their end."""

from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson

from stream.codec.interactions import encode_native
from stream.codec.records import Headers, Outgoing
from stream.core.interaction import Interaction
from stream.core.model import Model
from stream.machine.batch import Batch
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.kit.times import T0

T = TypeVar("T")
TOPIC = "interactions"


class Record(NamedTuple):
    """A source record as the fetcher hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_type: int = 1


def records_of(
    inputs: Iterable[Interaction | bytes | Outgoing | None], *, broker_time: int | None = None, first: int = 0
) -> list[Record]:
    """Source records of interactions, raw values or control records, offsets from `first`.

    Their broker time is `broker_time`, else each interaction's own time.
    """
    records: list[Record] = []
    for offset, given in enumerate(inputs, first):
        if isinstance(given, Interaction):
            time = given.time if broker_time is None else broker_time
            records.append(Record(offset, time, given.subject.encode(), encode_native(given)))
        elif isinstance(given, Outgoing):
            records.append(Record(offset, broker_time or 0, given.key, given.value, given.headers))
        else:
            records.append(Record(offset, broker_time or 0, None, given))
    return records


def finish(work: Generator[None, None, T]) -> T:
    """Run a machine's generator to its end."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result


def machine(model: Model, settings: Settings, changelog: dict[bytes, bytes] | None = None) -> PartitionMachine:
    """A restored machine of partition 0 of 1."""
    made = PartitionMachine(model, settings, SourcePartition(TOPIC, 0, 1))
    finish(made.restore(changelog or {}))
    return made


def run_all(
    made: PartitionMachine, records: Sequence[Record], *, wall: int = 0, caught_up: bool = False
) -> list[Batch]:
    """The batches that `records` make, run until no work is left."""
    batches: list[Batch] = []
    end = records[-1].offset + 1 if records else (made.next_offset or 0)
    while True:
        left = [each for each in records if each.offset >= (made.next_offset or 0)]
        batch = finish(made.run(left, end, wall=wall, caught_up=caught_up))
        batches.append(batch)
        if not batch.more:
            return batches


def compacted(batches: Iterable[Batch], before: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
    """The changelog that batches leave behind."""
    changelog = dict(before or {})
    for batch in batches:
        for each in batch.state:
            assert each.key is not None
            if each.value is None:
                changelog.pop(each.key, None)
            else:
                changelog[each.key] = each.value
    return changelog


def published(batches: list[Batch]) -> list[dict[str, Any]]:
    """The values on the topic of stage changes."""
    return [orjson.loads(each.value or b"") for batch in batches for each in batch.events]


def moves(batches: list[Batch]) -> list[tuple[str | None, str | None, int]]:
    """From, to and time of the published changes, relative to T0."""
    return [(each["from"], each["to"], each["at"] - T0) for each in published(batches)]
