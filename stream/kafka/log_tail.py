"""The latest records of a topic, over all of its partitions, without reading what stands before them."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.records import SourceRecord
from stream.errors import LifecycleError
from stream.kafka.log_reader import log_consumer
from stream.kafka.partition_reader import let_stop
from stream.kafka.topics import count_partitions
from stream.settings import Settings

See = Callable[[SourceRecord, int], None]
_BYTES: Final = 512 << 10
"""Of a partition in one fetch, or one batch where that is larger."""
_AT_ONCE: Final = 200
_LOOK_AGAIN: Final = 0.03
"""Seconds: where nothing but the ends of transactions stands, no record comes, and yet the end is reached."""
_NEWEST: Final = 10
"""The last tenth is read first: where the time does not suffice, it is what is oldest that is missing."""


class _Span(NamedTuple):
    """Offsets of a partition: from the first to before the end."""

    first: int
    end: int


async def read_tail(settings: Settings, topic: str, most: int, seconds: float, see: See) -> bool:
    """Let `see` hear each of the latest records and its partition, of at most `most` offsets, in no order.

    They are shared out over the partitions; what is in a transaction that is not committed is left out. Returns whether
    these were all that the topic holds; not where `seconds` did not suffice, or a batch cannot be read.
    Raises KafkaError where no broker says what there is.
    """
    count = (await count_partitions(settings, topic)).get(topic, 0)
    if not count:
        return True
    tps = [TopicPartition(topic, number) for number in range(count)]
    consumer = log_consumer(settings, at_once=_BYTES)
    consumer.assign(tps)  # once: a consumer that is stopped just after another assignment never ends
    consumer.pause(*tps)
    try:
        await consumer.start()
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        until = time.monotonic() + seconds
        held = {tp: ends[tp] - begins[tp] for tp in tps if ends[tp] > begins[tp]}
        shares = shared_out({tp.partition: count for tp, count in held.items()}, most)
        spans = {tp: _Span(ends[tp] - shares[tp.partition], ends[tp]) for tp in held}
        complete = all(shares[tp.partition] == count for tp, count in held.items())
        newest = {
            tp: _Span(span.end - max(1, (span.end - span.first) // _NEWEST), span.end) for tp, span in spans.items()
        }
        older = {tp: _Span(span.first, newest[tp].first) for tp, span in spans.items()}
        try:
            # Also what stands in one batch with the last, and came since: the embedded broker names too early an end.
            complete = await _read(consumer, newest, until, see) and complete
            complete = await _read(consumer, older, until, _before(newest, see)) and complete
        except (KafkaError, LifecycleError):  # a damaged batch, or a broker that is gone: there is what there is
            return False
        return complete
    finally:
        await let_stop(consumer.stop(), consumer)


def shared_out(held: Mapping[int, int], most: int) -> dict[int, int]:
    """By partition, how many of its records are read: all of those with few, the same number of all others."""
    shares: dict[int, int] = {}
    for partition in sorted(held, key=lambda each: (held[each], each)):
        shares[partition] = min(held[partition], most // (len(held) - len(shares)))
        most -= shares[partition]
    return shares


def _before(spans: Mapping[TopicPartition, _Span], see: See) -> See:
    """Let `see` hear only what stands before these."""
    firsts = {tp.partition: span.first for tp, span in spans.items()}

    def see_earlier(record: SourceRecord, partition: int) -> None:
        if record.offset < firsts[partition]:
            see(record, partition)

    return see_earlier


async def _read(consumer: AIOKafkaConsumer, spans: Mapping[TopicPartition, _Span], until: float, see: See) -> bool:
    """Read all of these, and perhaps some records behind; returns whether the time sufficed."""
    left = {tp: span for tp, span in spans.items() if span.first < span.end}
    for tp, span in left.items():
        consumer.seek(tp, span.first)
        consumer.resume(tp)
    while left:
        seconds = until - time.monotonic()
        if seconds <= 0:
            return False
        found: Mapping[TopicPartition, Iterable[SourceRecord]]
        found = await consumer.getmany(*left, timeout_ms=int(min(seconds, _LOOK_AGAIN) * 1000), max_records=_AT_ONCE)
        for tp, records in found.items():
            for record in records:
                see(record, tp.partition)
        for tp in [each for each in left if await consumer.position(each) >= left[each].end]:
            del left[tp]
            consumer.pause(tp)
    return True
