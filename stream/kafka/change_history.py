"""The latest stage changes of one customer, found on their topic without reading all of it.

The state knows when a customer entered its stage, and each change knows when the stage before it was entered. So one
change leads to the one before: by the broker's index of times to about where it stands, and then through some hundred
records. A change is written after it happened, mostly within milliseconds; one whose interaction came late, or told of
a later time than the broker had, stands elsewhere, and is looked for around that place as far as the budget goes.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, UnsupportedVersionError

from stream.codec.records import SourceRecord
from stream.kafka.log_reader import log_consumer
from stream.kafka.partition_reader import Fetched, PartitionReader, let_stop
from stream.kafka.partitioner import partition_of
from stream.settings import Settings

BUDGET: Final = 20_000
"""Records that one question may read."""
_SECONDS: Final = 2.0
_BYTES: Final = 128 << 10
"""In one fetch: a change mostly stands where its time says, and what a broker sends beside it is thrown away."""
_AT_ONCE: Final = 1_000
_NEAR: Final = 4_000
"""Records read behind the place where a change should stand before it is looked for elsewhere."""
_AHEAD_MS: Final = 5 * 60_000
"""So far ahead of the broker's time an interaction may be."""
_QUESTIONS: Final = 4
"""At once; each has a consumer of its own."""


class Home(NamedTuple):
    """The partition of the interactions topic on which a customer is."""

    partition: int
    partitions: int
    """How many that topic has."""


class LastChange(NamedTuple):
    """The latest change of a customer in one lifecycle, as the state knows it."""

    lifecycle: str
    born: str
    sequence: int
    at: int
    """Epoch milliseconds."""


class History(NamedTuple):
    """Changes that were found."""

    changes: list[bytes]
    """Their values, the latest first."""
    complete: bool
    """Nothing is missing: there are as many as were asked for, or the customer has no more in this life."""


class ChangeHistory:
    """Looks up changes on the topic of stage changes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(_QUESTIONS)

    async def latest(self, key: bytes, home: Home, lives: Iterable[LastChange], limit: int) -> History:
        """The latest changes of the subject with this key, at most `limit`, over its lives in several lifecycles.

        `home` is where its interactions are. Raises KafkaError, or TimeoutError where Kafka does not answer.
        """
        topic = self._settings.topics.stage_changes
        tp = TopicPartition(topic, home.partition)
        async with self._slots:
            consumer = log_consumer(self._settings, at_once=_BYTES)
            consumer.assign([tp])
            try:
                await asyncio.wait_for(consumer.start(), _SECONDS)
                count = len(consumer.partitions_for_topic(topic) or ())
                if count != home.partitions:  # then changes go by their key, as `stream.engine.delivery` sends them
                    tp = TopicPartition(topic, partition_of(key, count))
                    consumer.assign([tp])
                return await _Search(consumer, tp, key).latest(list(lives), limit)
            finally:
                await let_stop(consumer.stop(), consumer)


class _Search:
    """One question: what it found, and what is left of its budget."""

    def __init__(self, consumer: AIOKafkaConsumer, tp: TopicPartition, key: bytes) -> None:
        self._consumer, self._tp, self._key = consumer, tp, key
        self._reader = PartitionReader(consumer, tp)
        self._left = BUDGET
        self._begin = self._end = 0
        self._found: dict[tuple[str, str, int], tuple[bytes, int | None]] = {}
        """By lifecycle, birth and sequence: the value, and when the stage before was entered."""

    async def latest(self, lives: list[LastChange], limit: int) -> History:
        changes: list[bytes] = []
        complete = True
        self._begin = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        self._end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        try:
            async with asyncio.timeout(_SECONDS):
                while lives and len(changes) < limit:
                    lives.sort(key=lambda life: life.at)
                    life = lives.pop()
                    found = await self._look_for(life)
                    if found is None:
                        complete = False
                        continue
                    value, entered = found
                    changes.append(value)
                    if life.sequence > 1 and entered is not None:
                        lives.append(life._replace(sequence=life.sequence - 1, at=entered))
        except TimeoutError:
            complete = False
        return History(changes, complete)

    async def _look_for(self, life: LastChange) -> tuple[bytes, int | None] | None:
        wanted = (life.lifecycle, life.born, life.sequence)
        if wanted in self._found:
            return self._found[wanted]
        place = await self._offset_of(life.at)
        near = min(place + _NEAR, self._end)
        for begin, end in (
            (place, near),
            (await self._offset_of(life.at - _AHEAD_MS) if wanted not in self._found else place, place),
            (near, self._end),
        ):
            if await self._read(begin, end, wanted):
                return self._found[wanted]
        # What came since; and what stands in one batch with the last: the embedded broker names too early an end.
        self._see(await self._fetch(self._end, _AT_ONCE, 0.0))
        return self._found.get(wanted)

    async def _read(self, begin: int, end: int, wanted: tuple[str, str, int]) -> bool:
        """Read these offsets until the change that is wanted is found."""
        position = begin
        while position < end and self._left > 0 and wanted not in self._found:
            fetched = await self._fetch(position, min(_AT_ONCE, end - position), _SECONDS)
            if fetched.next_offset == position:
                break
            position = fetched.next_offset
            self._see(fetched)
        return wanted in self._found

    async def _fetch(self, position: int, most: int, wait: float) -> Fetched:
        fetched = await self._reader.fetch(position, max_records=most, wait=wait)
        if fetched is None:
            raise KafkaError("the partition is not ours to read")
        self._left -= len(fetched.records)
        return fetched

    def _see(self, fetched: Fetched) -> None:
        """Keep what is the customer's."""
        for value in _of(self._key, fetched.records):
            change = orjson.loads(value)
            self._found[change["lifecycle"], change["born"], change["sequence"]] = (value, change["entered"])

    async def _offset_of(self, time: int) -> int:
        """Where the records of this time begin, epoch milliseconds; the topic's begin where the broker cannot tell."""
        try:
            found = await self._consumer.offsets_for_times({self._tp: max(time, 0)})
        except UnsupportedVersionError:
            return self._begin
        return self._end if found[self._tp] is None else max(found[self._tp].offset, self._begin)


def _of(key: bytes, records: Iterable[SourceRecord]) -> Iterator[bytes]:
    for record in records:
        if record.key == key and record.value is not None:
            yield record.value
