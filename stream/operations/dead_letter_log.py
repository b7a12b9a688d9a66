"""Read the topic of dead letters, from exact offsets to an end that is known beforehand.

The end of a partition is its high watermark when the reading begins: an end that read_committed knows would stop
short of a transaction that a worker has open, and of all that was committed behind it, receipts among it.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from stream.codec.dead_letters import Address, DeadLetter, Receipt, SourceAddress, read
from stream.errors import BrokerError, TopicError
from stream.kafka.clients import client_options
from stream.kafka.topics import count_partitions
from stream.settings import Settings

_WAIT_MS = 100
_PATIENCE = 60.0
"""Seconds without anything new after which something is wrong; an open transaction of a worker that died is not."""


@dataclass(slots=True)
class ReadingProgress:
    """How far the reading has come, in offsets."""

    done: int = 0
    total: int = 0
    """Not known before the first answer: 0 until then."""


@dataclass(slots=True)
class Ledger:
    """What is known of the topic: which dead letters were replayed, and up to where that is known."""

    topic: str
    ends: dict[int, int]
    """By partition, where the topic ended when it was first read; what came since is not looked at."""
    replayed: dict[SourceAddress, int] = field(default_factory=dict)
    """When, epoch milliseconds, by source record."""


async def read_ledger(settings: Settings, progress: ReadingProgress) -> Ledger:
    """Read all receipts. Raises TopicError where there is no topic, and as `records_of`."""
    ledger = Ledger(settings.topics.dead_letters, {})
    await _note(settings, ledger, dict.fromkeys(range(await _partitions(settings))), ledger.ends, progress)
    return ledger


async def refresh(settings: Settings, ledger: Ledger) -> None:
    """Read the receipts that came since; raises as `records_of`."""
    await _note(settings, ledger, dict(ledger.ends), {}, ReadingProgress())


async def read_dead_letters(
    settings: Settings, ledger: Ledger, progress: ReadingProgress, *, partitions: Collection[int] | None = None
) -> AsyncIterator[DeadLetter]:
    """The dead letters that the ledger covers, replayed ones too; each partition from its oldest to its latest.

    Raises as `records_of`.
    """
    ends = {number: end for number, end in ledger.ends.items() if partitions is None or number in partitions}
    async for record in records_of(settings, ledger.topic, dict.fromkeys(ends), ends, progress):
        letter = read(record)
        if isinstance(letter, DeadLetter):
            yield letter


async def find_dead_letter(settings: Settings, address: Address) -> DeadLetter | Receipt | None:
    """What stands at an address; None where nothing does, or something else. Raises as `read_ledger`."""
    if address.partition >= await _partitions(settings):
        return None
    starts, ends = {address.partition: address.offset}, {address.partition: address.offset + 1}
    name = settings.topics.dead_letters
    async with aclosing(records_of(settings, name, starts, ends, ReadingProgress(), or_less=True)) as records:
        async for record in records:
            return read(record) if record.offset == address.offset else None
    return None


async def records_of(
    settings: Settings,
    topic: str,
    starts: Mapping[int, int | None],
    ends: dict[int, int],
    progress: ReadingProgress,
    *,
    or_less: bool = False,
) -> "AsyncGenerator[ConsumerRecord[bytes | None, bytes | None]]":
    """Committed records of the partitions in `starts`, from there (None: the beginning) to `ends`.

    Where `ends` names none for a partition, it is set to where the partition ends now. With `or_less` a partition
    that ends earlier is read as far as it goes. Raises BrokerError where nothing comes for a minute, and KafkaError.
    """
    async with AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # where retention was faster, with what is left
        fetch_max_wait_ms=_WAIT_MS,
    ) as consumer:
        unread = {TopicPartition(topic, number): start for number, start in starts.items()}
        consumer.assign(list(unread))
        for tp, start in unread.items():
            if start is not None:
                consumer.seek(tp, start)
        beginning = [tp for tp, start in unread.items() if start is None]
        if beginning:
            await consumer.seek_to_beginning(*beginning)
        firsts = {tp: await consumer.position(tp) for tp in unread}
        heard = time.monotonic()
        while unread:
            fetched = await consumer.getmany(*unread, timeout_ms=_WAIT_MS)
            for tp in unread:  # the end first: it must lie behind nothing that was there when we came
                highwater = consumer.highwater(tp)
                if highwater is not None:
                    end = ends.setdefault(tp.partition, highwater)
                    ends[tp.partition] = min(end, highwater) if or_less else end
            for tp, records in fetched.items():
                for record in records:
                    if record.offset < ends[tp.partition]:
                        yield record
            positions = {tp: await consumer.position(tp) for tp in firsts}
            progress.done = sum(min(at, ends.get(tp.partition, at)) - firsts[tp] for tp, at in positions.items())
            progress.total = sum(max(ends.get(tp.partition, 0) - first, 0) for tp, first in firsts.items())
            left = {tp: at for tp, at in positions.items() if tp.partition not in ends or at < ends[tp.partition]}
            if left != unread or fetched:
                heard = time.monotonic()
            elif time.monotonic() - heard > _PATIENCE:
                raise BrokerError(_stuck(settings, left, ends))
            unread = dict(left)


async def _partitions(settings: Settings) -> int:
    name = settings.topics.dead_letters
    found = (await count_partitions(settings, name)).get(name)
    if found is None:
        raise TopicError(
            f"topic {name} does not exist on {settings.bootstrap}: no worker ever ran there. "
            "Are bootstrap and topic_prefix as the workers have them?"
        )
    return found


async def _note(
    settings: Settings,
    ledger: Ledger,
    starts: Mapping[int, int | None],
    ends: dict[int, int],
    progress: ReadingProgress,
) -> None:
    async for record in records_of(settings, ledger.topic, starts, ends, progress):
        found = read(record)
        if isinstance(found, Receipt):
            ledger.replayed.setdefault(found.source, found.time)


def _stuck(settings: Settings, left: dict[TopicPartition, int], ends: dict[int, int]) -> str:
    tp, at = next(iter(left.items()))
    return (
        f"topic {tp.topic}, partition {tp.partition}: nothing came from offset {at} on for {_PATIENCE:g} s, though it "
        f"ends at {ends.get(tp.partition, '?')}. Kafka at {settings.bootstrap} is away, or a transaction open there"
    )
