"""Read a whole changelog partition into memory, as fast as it comes."""

import asyncio
import time
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from stream.errors import StateError, UnreadableError
from stream.kafka.clients import client_options
from stream.kafka.partition_reader import PartitionReader, let_stop
from stream.settings import Settings

_AT_ONCE = 4_000
"""Records handled before the event loop gets its turn: about 10 ms."""
_PATIENCE = 30.0
_NOT_ASSIGNED_WAIT = 0.05


@dataclass(slots=True)
class ChangelogProgress:
    """How far the reading of a changelog partition has come."""

    first: int = 0
    position: int = 0
    end: int = 0
    records: int = 0

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return (self.position - self.first) / (self.end - self.first) if self.end > self.first else 1.0


async def read_changelog(
    settings: Settings, tp: TopicPartition, progress: ChangelogProgress, *, begin: int | None = None
) -> dict[bytes, bytes]:
    """The latest value of every key of `tp` up to its present end, deleted keys left out; values stay bytes.

    Begins at the offset `begin`, else at the earliest. The caller must have fenced the partition's writer first: then
    the end does not move any more. Raises KafkaTimeoutError after 30 s without progress, StateError where a part of it
    cannot be read.
    """
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_wait_ms=20,
    )
    consumer.assign([tp])
    changelog: dict[bytes, bytes] = {}
    try:
        await consumer.start()
        reader = PartitionReader(consumer, tp)
        progress.first = progress.position = await reader.first_offset() if begin is None else begin
        last_progress = time.monotonic()
        caught_up = False
        while not caught_up:
            fetched = await reader.fetch(progress.position, max_records=_AT_ONCE, patience=0.0)
            now = time.monotonic()
            if fetched is None or not (fetched.caught_up or fetched.next_offset > progress.position):
                if now - last_progress > _PATIENCE:
                    raise KafkaTimeoutError(f"nothing read from {tp} at offset {progress.position} for {_PATIENCE:g} s")
                await asyncio.sleep(_NOT_ASSIGNED_WAIT)
                continue
            last_progress = now
            for record in fetched.records:
                if record.key is None:
                    continue
                if record.value is None:
                    changelog.pop(record.key, None)
                else:
                    changelog[record.key] = record.value
            progress.records += len(fetched.records)
            progress.position, progress.end = fetched.next_offset, fetched.end_offset or 0
            caught_up = fetched.caught_up
            await asyncio.sleep(0)
    except UnreadableError as error:
        raise StateError(
            f"{error}. Without it the states of this partition are not whole, and no worker goes on with them. What "
            f"helps: what the words above name; or a replica or backup of {tp.topic} that is whole; or to delete that "
            "topic, states and all, and `lifecycle reset --to earliest`"
        ) from error
    finally:
        await let_stop(consumer.stop(), consumer)
    return changelog
