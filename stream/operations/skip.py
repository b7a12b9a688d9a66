"""Skip a batch of interactions that cannot be read: the partition's position moves behind it, the batch is kept.

It is written as a worker writes, in one transaction: the position record, and a dead letter with the batch's bytes.
Before that it fences the worker that has the partition, and looks whether that has gone on meanwhile; a worker that
stands before the batch writes a transaction every few seconds, finds itself fenced, and begins again at the new
position. On a broker without transactions such a worker reads the position again instead, and writes nothing before.
So workers may run, and nobody has to be stopped.
"""

import time
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import dead_letter
from stream.codec.record_block import first_of
from stream.codec.records import Headers, Outgoing
from stream.codec.state import positions
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.engine.delivery import AtLeastOnce, Delivery, Route, Transactional
from stream.errors import BrokerError, PositionError, UnreadableError
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.kafka.log_reader import log_consumer
from stream.kafka.partition_reader import PartitionReader, let_stop
from stream.kafka.refused_reads import damaged, undamaged_from
from stream.kafka.unreadable import time_of
from stream.machine.batch import Batch
from stream.settings import Settings

_TIMEOUT = 30.0


class Block(NamedTuple):
    """What a partition stands before."""

    error: UnreadableError
    after: int
    """Where it would go on."""
    partitions: int
    """Of the interactions topic."""
    position: bytes | None
    """The position record; None where the partition never wrote one."""
    seen: int
    """The offset of the changelog from which on it was not looked at."""

    @property
    def time(self) -> int | None:
        """The latest time that the batch names, epoch ms; it may be damaged. None: it names none."""
        return time_of(self.error.data)


class _Batch(NamedTuple):
    """A batch as if it were a record."""

    offset: int
    timestamp: int
    value: bytes
    key: None = None
    headers: Headers = ()
    timestamp_type: int | None = None


async def find_block(settings: Settings, partition: int, partitions: int, offset: int) -> Block:
    """What cannot be read at `offset`, once everything before it is processed; nothing is written.

    Raises PositionError where the partition does not stand before `offset`, or that can be read, KafkaError, and
    StateError where the position cannot be read.
    """
    progress = ChangelogProgress()
    changelog = await read_changelog(settings, TopicPartition(settings.topics.customers, partition), progress)
    position = changelog.get(positions.KEY)
    tp = TopicPartition(settings.topics.interactions, partition)
    consumer = log_consumer(settings)
    consumer.assign([tp])
    try:
        await consumer.start()
        reader = PartitionReader(consumer, tp)
        start = None if position is None else decode_position(position).offsets.get(tp.topic)
        if start is None:
            start = await reader.first_offset()
        error = await _stands_before(reader, tp, start, offset)
        end = reader.log_end()
        if not error.data:  # the broker does not even say where it ends
            end = (await consumer.end_offsets([tp]))[tp]
            error = damaged(tp, error.offset, await undamaged_from(consumer, tp, error.offset, end))
    finally:
        await let_stop(consumer.stop(), consumer)
    # What a damaged header says of its end may lie anywhere.
    after = error.after if end is None else max(min(error.after, end), error.offset + 1)
    return Block(error, after, partitions, position, progress.position)


async def _stands_before(reader: PartitionReader, tp: TopicPartition, start: int, offset: int) -> UnreadableError:
    """The error at `offset`, behind `start` without a record between them; else PositionError."""
    where = f"topic {tp.topic}, partition {tp.partition}"
    if offset < start:
        raise PositionError(f"{where}: offset {offset} is done with already; it goes on at {start}, nothing is skipped")
    at, since = start, time.monotonic()
    while time.monotonic() - since < _TIMEOUT:
        try:
            fetched = await reader.fetch(at, max_records=1, wait=0.1)
        except UnreadableError as error:
            if error.offset == offset:
                return error
            raise PositionError(f"{error}. It is this that can be skipped now, not what is at {offset}") from error
        if fetched is None:
            continue
        if fetched.records:
            at = first_of(fetched.records).offset
            if at >= offset:
                raise PositionError(
                    f"{where}: what is at offset {at} can be read here; nothing is skipped. Where a worker cannot, it "
                    "lacks something that this installation has: its log says what"
                )
            raise PositionError(
                f"{where}: interactions from offset {at} on are not processed yet, and they can be read. Let a worker "
                f"run until it stands before offset {offset}; nothing is skipped"
            )
        if fetched.caught_up:
            raise PositionError(f"{where} ends at {fetched.end_offset}, and all before that can be read")
        at = fetched.next_offset
    raise BrokerError(f"nothing came from {where} at offset {at} for {_TIMEOUT:g} s")


async def skip(settings: Settings, block: Block, *, exactly_once: bool) -> None:
    """Move the partition's position behind the batch, and keep the batch as a dead letter, in one transaction.

    Raises PositionError where the partition has gone on since it was found, BrokerError where a worker took it over
    at that moment, and KafkaError; nothing is skipped then.
    """
    topics, error = settings.topics, block.error
    delivery = _delivery(settings, TopicPartition(topics.interactions, error.partition), exactly_once=exactly_once)
    try:
        await delivery.start()
        changelog = TopicPartition(topics.customers, error.partition)
        since = await read_changelog(settings, changelog, ChangelogProgress(), begin=block.seen)
        if since.get(positions.KEY, block.position) != block.position:
            where = f"topic {error.topic}, partition {error.partition}"
            raise PositionError(f"{where}, has gone on since it was looked at; nothing is skipped")
        await delivery.write(
            Batch(
                state=[Outgoing(positions.KEY, encode_position(_moved(settings, block)))],
                dead_letters=[_dead_letter(block)],
                next_offset=block.after,
            )
        )
    except (ProducerFenced, InvalidProducerEpoch) as fenced:
        raise BrokerError(
            f"a worker took partition {error.partition} over at this very moment; nothing is skipped. Run it again"
        ) from fenced
    finally:
        await delivery.discard()


def _moved(settings: Settings, block: Block) -> Position:
    if block.position is not None:
        position = decode_position(block.position)
        position.offsets[block.error.topic] = block.after
        return position
    first_start = time.time_ns() // 1_000_000 if settings.clock == "wall" else None
    return Position(
        offsets={block.error.topic: block.after},
        partitions=block.partitions,
        live_from=settings.live_from or first_start,
    )


def _dead_letter(block: Block) -> Outgoing:
    error, now = block.error, time.time_ns() // 1_000_000
    record = _Batch(error.offset, now if block.time is None else block.time, error.data)
    detail = f"the batch of offsets {error.offset} to {block.after - 1}: {error.why}"
    return dead_letter(record, Rejected(Reason.UNREADABLE, detail), error.topic, error.partition, until=block.after)


def _delivery(settings: Settings, source: TopicPartition, *, exactly_once: bool) -> Delivery:
    async def leave_to_the_worker(_: TopicPartition, _offset: int) -> None:
        """Only lag tools look at the group's offset, and the next batch writes it."""

    route = Route(settings, source, settings.topics.machine)
    return Transactional(route) if exactly_once else AtLeastOnce(route, leave_to_the_worker)
