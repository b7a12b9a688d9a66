"""Far more interactions than a worker takes: batches built once and written again and again, and what they come to.

To encode interactions takes as long as to apply them. So a batch is encoded before, holds one interaction of each of
many customers, and has no interaction ids, so that each time it is written counts: how often is known exactly.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import for_code
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.produce import ProduceRequest

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import CUSTOMER, LAYOUT
from stream.core.facts import value as value_of
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.kafka.partitioner import partition_of
from stream.settings import Settings
from tests.kit.topics import read_all

LIFECYCLE = "metrics"
NAMES = ("page_view",) * 12 + ("product_viewed",) * 4 + ("email_open",) * 3 + ("purchase",)
COUNTED = {"page_view": "touches", "product_viewed": "touches", "email_open": "touches", "purchase": "orders"}
"""The fact of the preset that counts each event."""
_PER_BATCH = 5_000
_VARIETY = 8
"""Different batches for each partition."""
_AT_ONCE = 4
"""Requests on their way."""
_TIMEOUT_MS = 60_000
_RETRY_SECONDS = 0.2
_READ_SECONDS = 600.0

Counts = Counter[tuple[str, str]]
"""By customer and fact."""


class _Encoded(NamedTuple):
    data: bytes
    size: int
    """Interactions."""
    counts: Counts


@dataclass
class Flood:
    """Interactions of so many customers, ready to be written to the partitions of a topic."""

    settings: Settings
    customers: int
    written: int = 0
    """Interactions so far."""
    _batches: dict[int, list[_Encoded]] = field(default_factory=dict)
    _times: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How often each batch was written, by partition and place."""

    def __post_init__(self) -> None:
        """Encode all batches."""
        chance, now = random.Random(1), time.time_ns() // 1_000_000
        homes: dict[int, list[str]] = {number: [] for number in range(self.settings.partitions)}
        for number in range(self.customers):
            name = f"c-{number:06d}"
            homes[partition_of(name.encode(), self.settings.partitions)].append(name)
        for partition, names in homes.items():
            self._batches[partition] = [_encode(names, now, chance) for _ in range(_VARIETY)]

    @property
    def expected(self) -> Counts:
        """What the facts of each customer must come to."""
        expected = Counts()
        for (partition, place), times in self._times.items():
            for name, count in self._batches[partition][place].counts.items():
                expected[name] += count * times
        return expected

    async def write(self, count: int, rate: float | None) -> float:
        """Write about so many more interactions, so many a second or as fast as it goes; returns the rate reached."""
        topic, began, first = self.settings.topics.interactions, time.perf_counter(), self.written
        async with AIOKafkaProducer(bootstrap_servers=self.settings.bootstrap) as producer:
            await producer.partitions_for(topic)
            waiting: set[asyncio.Task[None]] = set()
            asked = turn = 0
            while asked < count:
                asked += sum(each[turn % _VARIETY].size for each in self._batches.values())
                waiting.add(asyncio.create_task(self._send(producer, turn % _VARIETY)))
                turn += 1
                if rate is not None:
                    await asyncio.sleep(max(0.0, began + asked / rate - time.perf_counter()))
                if len(waiting) >= _AT_ONCE:
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    await asyncio.gather(*done)
            await asyncio.gather(*waiting)
        return (self.written - first) / (time.perf_counter() - began)

    async def _send(self, producer: AIOKafkaProducer, place: int) -> None:
        """Write one batch to each partition, the one at this place."""
        topic, client = self.settings.topics.interactions, producer.client
        left = {partition: each[place] for partition, each in self._batches.items()}
        while left:
            leader = client.cluster.leader_for_partition(TopicPartition(topic, 0))
            data = [(partition, each.data) for partition, each in left.items()]
            response = await client.send(leader, ProduceRequest(None, -1, _TIMEOUT_MS, [(topic, data)]))
            for _topic, partitions in response.topics:
                for partition, code, *_rest in partitions:
                    if code == 0:
                        self.written += left.pop(partition).size
                        self._times[partition, place] += 1
                    elif not for_code(code).retriable:
                        raise for_code(code)
            if left:  # the topic is so new that its broker does not know it yet
                await asyncio.sleep(_RETRY_SECONDS)

    async def differences(self) -> list[str]:
        """What was lost, or counted or published twice: a line each, from customer records and changes."""
        topics, bootstrap = self.settings.topics, self.settings.bootstrap
        lifecycle = load(LIFECYCLE).lifecycle
        kept = await read_all(bootstrap, topics.customers, seconds=_READ_SECONDS)
        found: Counts = Counter()
        sequences: dict[str, int] = {}
        for records in kept.values():
            latest = {record.key or b"": record.value for record in records}
            _read(lifecycle, latest, found, sequences)
        lines = [
            f"{name}: {fact} is {found[name, fact]}, must be {count}"
            for (name, fact), count in self.expected.items()
            if found[name, fact] != count
        ]
        published = await read_all(bootstrap, topics.stage_changes, seconds=_READ_SECONDS)
        told: dict[str, list[int]] = {}
        for records in published.values():
            for record in records:
                change: dict[str, Any] = orjson.loads(record.value or b"")
                told.setdefault(change["customer_id"], []).append(change["sequence"])
        lines += [
            f"{name}: changes {told.get(name)}, must be 1 to {count}"
            for name, count in sequences.items()
            if told.get(name) != list(range(1, count + 1))
        ]
        return lines


def _encode(names: list[str], now: int, chance: random.Random) -> _Encoded:
    builder, counts = BatchBuilder(1 << 20, 0), Counts()
    for name in chance.sample(names, min(len(names), _PER_BATCH)):
        event = chance.choice(NAMES)
        properties: dict[str, object] = {"total": 20, "path": "/products/1"}
        value = encode_native(Interaction(name, None, None, event, now, properties, {}))
        added = builder.append(timestamp=None, key=name.encode(), value=value, headers=[])
        assert added is not None, "a batch holds them all"
        counts[name, COUNTED[event]] += 1
    return _Encoded(bytes(builder._build()), builder.record_count(), counts)


def _read(lifecycle: Lifecycle, latest: Mapping[bytes, bytes | None], found: Counts, sequences: dict[str, int]) -> None:
    codec = CustomerCodec(model_of([lifecycle]))
    facts = {fact.name: fact for fact in lifecycle.facts}
    for key, value in latest.items():
        if key[:1] == LAYOUT and value is not None:
            codec.learn(value)
    for key, value in latest.items():
        if key[:1] == CUSTOMER and value is not None:
            customer = codec.decode(key, value)
            life = customer.lives[lifecycle.id]
            sequences[customer.id] = life.sequence
            for fact in set(COUNTED.values()):
                count = value_of(facts[fact], life, life.clock)
                assert isinstance(count, int)
                found[customer.id, fact] += count
