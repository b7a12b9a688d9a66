"""Stage changes for webhooks: made by the worker's own machine, and written to their topic as it writes them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import orjson
from aiokafka import AIOKafkaProducer

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.records import Outgoing
from stream.core.model import model_of
from stream.kafka.batch_sender import Part, send_batches
from stream.kafka.partitioner import partition_of
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings
from tests.bench.probes import PARTITIONS
from tests.bench.workload import UNTIL, workload
from tests.kit import machines

LIFECYCLE = "metrics"
_SLICE = 10_000
_EACH = 4
"""Interactions of a customer, about: enough for changes that are not the first one."""


def changes(count: int, *, seed: int = 1) -> list[Outgoing]:
    """So many changes of half as many customers or more, in the order in which a worker writes them."""
    machine = machines.machine(model_of([each.lifecycle for each in load_all([LIFECYCLE])]), Settings(clock="stream"))
    source = workload(_EACH * count, count, seed=seed)
    found: list[Outgoing] = []
    for first in itertools.count(0, _SLICE):
        some = enumerate(itertools.islice(source, _SLICE), first)
        share = [machines.Record(offset, UNTIL, *each) for offset, each in some]
        if not share:
            raise RuntimeError(f"{_EACH * count} interactions make only {len(found)} changes")
        found += [each for batch in machines.run_all(machine, share) for each in batch.events]
        if len(found) >= count:
            return found[:count]
    raise AssertionError


def of_shop(change: Outgoing, shop: str) -> Outgoing:
    """The same change with one more fact, `shop`."""
    value = orjson.loads(change.value or b"")
    value["facts"]["shop"] = shop
    return Outgoing(change.key, orjson.dumps(value), change.headers)


def id_of(change: Outgoing) -> str:
    """Its CloudEvents id."""
    return dict(change.headers)["ce_id"].decode()


def by_partition(records: Iterable[Outgoing]) -> Mapping[int, Sequence[Outgoing]]:
    """Records by the partition of their key."""
    found: dict[int, list[Outgoing]] = {}
    for each in records:
        found.setdefault(partition_of(each.key or b"", PARTITIONS), []).append(each)
    return found


async def write_at_once(settings: Settings, records: Iterable[Outgoing]) -> None:
    """Write records in one transaction: whoever reads what is committed finds all of them there at one moment."""
    parts = [Part(settings.topics.stage_changes, number, each) for number, each in by_partition(records).items()]
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap,
        acks="all",
        max_batch_size=BATCH_BYTES,
        transactional_id=f"{settings.app}-writer",
    ) as producer:
        await producer.begin_transaction()
        await send_batches(producer, parts)
        await producer.commit_transaction()
