"""What every benchmark reads: interactions of a shop, the same for ours and for the peers.

Ten a customer and week, as people behave: at 1,000,000 interactions of 100,000 customers the times span seven
days and end at `until`. JSON in the native format, which the peers read too.
"""

import asyncio
import itertools
import random
from collections.abc import Iterator
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.kafka.partitioner import partition_of

WEEK = 7 * 86_400_000
UNTIL = 1_767_225_600_000
"""2026-01-01, in epoch milliseconds."""
NAMES = {
    "page_view": 55,
    "product_viewed": 15,
    "email_open": 12,
    "form_submit": 7,
    "add_to_cart": 6,
    "purchase": 5,
}
"""Event names by percent: the four that the peers' job knows, and two that only a full preset does."""
ZIPF = 1.1
"""The exponent of the skewed workload."""


class Record(NamedTuple):
    """One interaction, as it is on the topic."""

    key: bytes
    value: bytes


def workload(
    count: int, customers: int, *, skewed: bool = False, until: int = UNTIL, seed: int = 1, numbered_from: int = 0
) -> Iterator[Record]:
    """Interactions in the order of their times, the last of them at `until`.

    Customers come with equal chances, or with those of a Zipf distribution with exponent 1.1. Ids are numbers that
    begin with `numbered_from`. Called twice alike it gives the same interactions, which are duplicates where the same
    customers get both: `Continuing` gives new ones.
    """
    chance = random.Random(seed)
    names = list(itertools.chain.from_iterable([name] * percent for name, percent in NAMES.items()))
    weights = list(itertools.accumulate(1 / rank**ZIPF for rank in range(1, customers + 1))) if skewed else None
    whose = range(customers)
    apart = 10 * customers
    for first in range(0, count, 10_000):
        size = min(10_000, count - first)
        if weights is None:
            chosen = [int(chance.random() * customers) for _ in range(size)]
        else:
            chosen = chance.choices(whose, cum_weights=weights, k=size)
        for number, customer in enumerate(chosen, first):
            time = until - (count - 1 - number) * WEEK // apart
            name = names[int(chance.random() * 100)]
            if name == "purchase":
                properties = '"total":%d.%02d,"currency":"EUR"' % (chance.randrange(5, 200), chance.randrange(100))
            else:
                properties = '"path":"/products/%d","referrer":"newsletter"' % chance.randrange(500)
            key = b"c-%07d" % customer
            value = '{"id":"e-%09d","type":"%s","customer_id":"%s","time":%d,"properties":{%s}}' % (
                numbered_from + number, name, key.decode(), time, properties,
            )  # fmt: skip
            yield Record(key, value.encode())


class Continuing:
    """One workload in pieces: each has new ids and later times than the one before, and its own choice of customers."""

    def __init__(self, customers: int, *, since: int = UNTIL) -> None:
        self._customers, self._until = customers, since
        self._given = 0
        self._pieces = 0

    def next(self, count: int) -> Iterator[Record]:
        """The next so many interactions."""
        first, self._given = self._given, self._given + count
        self._pieces += 1
        self._until += count * WEEK // (10 * self._customers)
        return workload(count, self._customers, until=self._until, seed=100 + self._pieces, numbered_from=first)


async def produce(bootstrap: str, topic: str, partitions: int, records: Iterator[Record]) -> None:
    """Write records to a topic of so many partitions, in batches, each to the partition of its key."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_batch_size=512 << 10) as producer:
        open_batches: dict[int, BatchBuilder] = {}
        sent: set[asyncio.Future[object]] = set()
        for key, value in records:
            partition = partition_of(key, partitions)
            batch = open_batches.get(partition)
            if batch is None or batch.append(timestamp=None, key=key, value=value, headers=[]) is None:
                if batch is not None:
                    sent.add(await producer.send_batch(batch, topic, partition=partition))
                batch = open_batches[partition] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=[])
        for partition, batch in open_batches.items():
            sent.add(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)
