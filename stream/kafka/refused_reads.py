"""Offsets that the broker itself cannot hand out, since what its log has there is damaged.

It says so with an error of its own, which aiokafka logs and tries again, at once and for ever.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest

from stream.errors import UnreadableError

_TIMEOUT = 5.0
_BYTES = 1 << 16
_READ_COMMITTED = 1


async def is_damaged(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> bool:
    """Whether the broker says so; False also where it does not answer."""
    client: Any = consumer._client
    leader = client.cluster.leader_for_partition(tp)
    if leader is None or leader < 0:
        return False
    request = FetchRequest(0, 0, _BYTES, _READ_COMMITTED, [(tp.topic, [(tp.partition, offset, _BYTES)])])
    try:
        response = await asyncio.wait_for(client.send(leader, request), _TIMEOUT)
    except (KafkaError, TimeoutError):
        return False
    return any(for_code(code) is CorruptRecordException for _, parts in response.topics for _, code, *_ in parts)


async def undamaged_from(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int, end: int) -> int:
    """The first offset behind a damaged one that the broker hands out; `end` where there is none before it."""
    damaged, step = offset, 1
    while damaged + step < end and await is_damaged(consumer, tp, damaged + step):
        damaged, step = damaged + step, step * 2
    there = min(damaged + step, end)
    while there - damaged > 1:
        middle = (damaged + there) // 2
        if await is_damaged(consumer, tp, middle):
            damaged = middle
        else:
            there = middle
    return there


def damaged(tp: TopicPartition, offset: int, after: int | None = None) -> UnreadableError:
    """The error for such an offset; `after` where it is known how far the damage reaches. Its bytes cannot be had."""
    why = "for the broker itself finds it damaged; a replica may be whole"
    return UnreadableError(tp.topic, tp.partition, offset, after=after or offset + 1, data=b"", why=why)
