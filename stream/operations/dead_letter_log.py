"""Read the topic of dead letters, from exact offsets to where each partition ends when its reading begins.

That is the end of its log: the end that read_committed knows would stop short of a transaction that a worker has open,
and of all that was committed behind it, receipts among it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from stream.codec.dead_letters import Address, DeadLetter, Receipt, SourceAddress, read
from stream.codec.record_block import first_of
from stream.codec.records import SourceRecords
from stream.errors import PositionError
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import require_partitions
from stream.settings import Settings


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
    """Read all receipts.

    Raises TopicError where there is no topic, UnreadableError where a batch of it cannot be read, and KafkaError, also
    where nothing comes for a minute.
    """
    ledger = Ledger(settings.topics.dead_letters, {})
    begins = dict.fromkeys(range(await _partitions(settings)), 0)
    await _note(settings, ledger, begins, ledger.ends, progress)
    return ledger


async def refresh(settings: Settings, ledger: Ledger) -> None:
    """Read the receipts that came since; raises as `read_ledger`."""
    await _note(settings, ledger, ledger.ends, {}, ReadingProgress())


async def read_dead_letters(
    settings: Settings, ledger: Ledger, progress: ReadingProgress, *, partitions: Collection[int] | None = None
) -> AsyncIterator[DeadLetter]:
    """The dead letters that the ledger covers, replayed ones too; each partition from its oldest to its latest.

    Raises as `read_ledger`.
    """
    ends = {number: end for number, end in ledger.ends.items() if partitions is None or number in partitions}
    async for found in _read(settings, ledger.topic, dict.fromkeys(ends, 0), ends, progress):
        if isinstance(found, DeadLetter):
            yield found


async def find_dead_letter(settings: Settings, address: Address) -> DeadLetter | Receipt | None:
    """What stands at an address; None where nothing does, or something else. Raises as `read_ledger`."""
    if address.partition >= await _partitions(settings):
        return None
    tp = TopicPartition(settings.topics.dead_letters, address.partition)
    async with LogReader(settings, tp) as log, aclosing(log.read(tp, address.offset)) as batches:
        try:
            async for records in batches:
                if records:
                    found = first_of(records)
                    return read(found, tp.partition) if found.offset == address.offset else None
        except PositionError:  # retention deleted it, or the topic never came that far
            return None
    return None


async def _read(
    settings: Settings, topic: str, begins: Mapping[int, int], ends: dict[int, int], progress: ReadingProgress
) -> AsyncGenerator[DeadLetter | Receipt]:
    """What is committed in the partitions of `begins`, from these offsets to `ends`, one partition after another.

    Where `ends` names no offset for a partition, it is read to its present end, and that is noted in `ends`. What
    retention deleted is left out.
    """
    tps = [TopicPartition(topic, number) for number in begins]
    async with LogReader(settings, next(iter(tps), None)) as log:
        spans = {tp: (max(first, begins[tp.partition]), end) for tp, (first, end) in (await log.spans(tps)).items()}
        progress.total = sum(max(ends.get(tp.partition, end) - begin, 0) for tp, (begin, end) in spans.items())
        done = 0
        for tp, (begin, _) in spans.items():
            async for records in _kept(log, tp, begin, ends.get(tp.partition)):
                for record in records:
                    found = read(record, tp.partition)
                    if found is not None:
                        yield found
                progress.done = done + log.position - begin
            ends.setdefault(tp.partition, log.position)
            done += log.position - begin


async def _kept(log: LogReader, tp: TopicPartition, begin: int, end: int | None) -> AsyncIterator[SourceRecords]:
    """As LogReader.read; where retention is faster, with what is left."""
    while True:
        try:
            async for records in log.read(tp, begin, end):
                yield records
        except PositionError:
            begin = await log.first_offset(tp)
            if begin <= log.position:
                raise
        else:
            return


async def _partitions(settings: Settings) -> int:
    name = settings.topics.dead_letters
    return (await require_partitions(settings, [name], "no worker ever ran there"))[name]


async def _note(
    settings: Settings, ledger: Ledger, begins: Mapping[int, int], ends: dict[int, int], progress: ReadingProgress
) -> None:
    async for found in _read(settings, ledger.topic, begins, ends, progress):
        if isinstance(found, Receipt):
            ledger.replayed.setdefault(found.source, found.time)
