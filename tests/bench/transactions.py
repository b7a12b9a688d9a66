"""How long a bare transaction by aiokafka takes, for whoever commits one for each batch by its producer.

Workers write theirs on connections of their own (`stream/kafka/exactly_once`). A transactional producer alone, on an
otherwise idle machine, writes what our smallest batch holds: its real records for stage-changes, current-stages and the
changelog, then the group offset, then commits.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from rich.table import Table

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.packed_records import PackedRecord, PackedRecords
from stream.core.model import model_of
from stream.kafka.topics import ensure_topics
from stream.machine.batch import Batch
from stream.settings import Settings
from tests.bench.probes import PARTITIONS, TRIVIAL, probe, quantile, running_kafka
from tests.kit import machines

HELP = "A bare transaction, by aiokafka's producer, of the records of our smallest batch."

_WARM_UP = 200
_PAUSE = 0.1


async def measure(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """p50 and p99 in milliseconds, one transaction right after the other and with a pause of 100 ms between."""
    async with running_kafka() as kafka:
        return await bare_transactions(kafka.bootstrap, quick=quick, say=say)


async def bare_transactions(bootstrap: str, *, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """As `measure`, on a running broker."""
    settings = Settings(bootstrap=bootstrap, topic_prefix="bare-", app="bare-app", partitions=PARTITIONS)
    await ensure_topics(settings)
    batch = _smallest_batch(settings)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", transactional_id="bare-app-0") as producer:
        say("bare transactions, one after the other")
        for _ in range(_WARM_UP):
            await _transaction(producer, settings, batch)
        dense = [await _transaction(producer, settings, batch) for _ in range(150 if quick else 500)]
        say("bare transactions, 100 ms apart")
        sparse: list[float] = []
        for _ in range(60 if quick else 200):
            await asyncio.sleep(_PAUSE)
            sparse.append(await _transaction(producer, settings, batch))
    return {"one_after_the_other": _summary(dense), "apart_100_ms": _summary(sparse)}


def tables(result: dict[str, Any]) -> list[Table]:
    """One table."""
    table = Table("", "p50 ms", "p99 ms", "transactions", title="Bare transaction: 3 topics, group offset, commit")
    for label, name in (("one after the other", "one_after_the_other"), ("100 ms apart", "apart_100_ms")):
        row = result[name]
        table.add_row(label, f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}", str(row["samples"]))
    return [table]


def _smallest_batch(settings: Settings) -> Batch:
    """What our machine writes for one new customer who crosses a threshold."""
    model = model_of([load(TRIVIAL).lifecycle], None, None)
    record = probe("bare-0000001")
    made = machines.machine(model, settings)
    machines.run_all(made, [machines.Record(0, 0, b"bare-0000000", probe("bare-0000000").value)])  # writes layouts, too
    return machines.run_all(made, [machines.Record(1, 0, record.key, record.value)])[0]


async def _transaction(producer: AIOKafkaProducer, settings: Settings, batch: Batch) -> float:
    """Seconds from begin to the answer to commit."""
    topics = settings.topics
    began = time.perf_counter()
    await producer.begin_transaction()
    sent = []
    parts: list[tuple[str, PackedRecords | list[PackedRecord]]] = [
        (topics.stage_changes, batch.events),
        (topics.current_stages, batch.latest),
        (topics.customers, batch.state),
    ]
    for topic, records in parts:
        builder = producer.create_batch()
        for record in records:
            builder.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
        sent.append(await producer.send_batch(builder, topic, partition=0))
    # The acknowledgements first: the broker's check of the batches would race with the offsets and cost 100 ms.
    await asyncio.gather(*sent)
    await producer.send_offsets_to_transaction({TopicPartition(topics.interactions, 0): 1}, settings.group)
    await producer.commit_transaction()
    return time.perf_counter() - began


def _summary(seconds: list[float]) -> dict[str, Any]:
    ordered = sorted(seconds)
    return {
        "p50_ms": 1000 * quantile(ordered, 0.5),
        "p99_ms": 1000 * quantile(ordered, 0.99),
        "samples": len(ordered),
    }
