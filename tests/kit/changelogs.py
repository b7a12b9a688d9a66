"""The changelog of a state as a worker would have left it, written at once: a million customers in seconds."""

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.codec.records import Outgoing
from stream.codec.state.keys import CUSTOMER, LAYOUT, customer_key
from stream.codec.state.positions import KEY as POSITION_KEY
from stream.codec.state.positions import Position, encode_position
from stream.core.interaction import Interaction
from stream.core.model import Model
from stream.kafka.partitioner import partition_of
from stream.kafka.transactions import BATCH_BYTES
from stream.settings import Settings
from tests.kit import machines

_TRANSACTION = 20_000
"""Records in one transaction over all partitions: 5,000 a partition, as a busy worker writes them."""


def alike(
    model: Model, settings: Settings, history: Sequence[Interaction], names: Iterable[str]
) -> Iterator[tuple[int, Outgoing]]:
    """Partition and record: layouts, then a customer of each name, all with the same history before offset 0.

    `history` is that of one customer, who is a real one: our machine and codec make the record.
    """
    made = machines.machine(model, settings)
    source = machines.records_of(history, first=-len(history))
    batch = machines.finish(made.run(source, 0, wall=history[-1].time, caught_up=False))
    written = machines.compacted([batch])
    layouts = [Outgoing(*each) for each in written.items() if each[0][:1] == LAYOUT]
    (value,) = (value for key, value in written.items() if key[:1] == CUSTOMER)
    yield from ((partition, each) for partition in range(settings.partitions) for each in layouts)
    for name in names:
        yield partition_of(name.encode(), settings.partitions), Outgoing(customer_key("customer", name), value)


def at_the_beginning(model: Model, settings: Settings, clock: int) -> Outgoing:
    """The position of a partition whose source is still empty, and whose state was live at `clock`."""
    position = Position(
        offsets={settings.topics.interactions: 0},
        clock=clock,
        partitions=settings.partitions,
        live_from=clock,
        lifecycles={each.id: each.digest.hex() for each in model.lifecycles},
    )
    return Outgoing(POSITION_KEY, encode_position(position))


class Written(NamedTuple):
    """What was written: records, and bytes of their keys and values."""

    records: int
    size: int


async def write_changelog(
    bootstrap: str,
    topic: str,
    changelog: Iterable[tuple[int, Outgoing]],
    *,
    partitions: int = 4,
    closing: Outgoing | None,
) -> Written:
    """Write records to their partitions; with `closing` in transactions that end with it in every partition."""
    transactional_id = None if closing is None else f"{topic}-writer"
    count = size = 0
    left = iter(changelog)
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_batch_size=BATCH_BYTES, transactional_id=transactional_id
    ) as producer:
        while records := list(itertools.islice(left, _TRANSACTION)):
            if closing is not None:
                records += [(partition, closing) for partition in range(partitions)]
                await producer.begin_transaction()
            open_batches: dict[int, BatchBuilder] = {}
            sent: list[asyncio.Future[Any]] = []
            for partition, record in records:
                key, value = record.key, record.value
                batch = open_batches.get(partition)
                if batch is None or batch.append(timestamp=None, key=key, value=value, headers=[]) is None:
                    if batch is not None:
                        sent.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = open_batches[partition] = producer.create_batch()
                    batch.append(timestamp=None, key=key, value=value, headers=[])
                size += len(key or b"") + len(value or b"")
            count += len(records)
            for partition, batch in open_batches.items():
                sent.append(await producer.send_batch(batch, topic, partition=partition))
            await asyncio.gather(*sent)
            if closing is not None:
                await producer.commit_transaction()
    return Written(count, size)
