"""Read a whole changelog partition into memory, as fast as it comes."""

from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import TopicPartition

from stream.codec.record_block import compact
from stream.errors import StateError, UnreadableError
from stream.kafka.log_reader import LogReader
from stream.settings import Settings

_TIMEOUT = 30.0


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
    changelog: dict[bytes, bytes] = {}
    try:
        async with LogReader(settings, tp, timeout=_TIMEOUT) as log:
            progress.first = progress.position = await log.first_offset(tp) if begin is None else begin
            async with aclosing(log.fetches(tp, progress.position)) as fetches:
                async for fetched in fetches:
                    compact(fetched.records, changelog)
                    progress.records += len(fetched.records)
                    progress.position, progress.end = fetched.next_offset, fetched.end_offset or 0
                    if fetched.caught_up:
                        break
    except UnreadableError as error:
        raise StateError(
            f"{error}. Without it the states of this partition are not whole, and no worker goes on with them. What "
            f"helps: what the words above name; or a replica or backup of {tp.topic} that is whole; or to delete that "
            "topic, states and all, and `lifecycle reset --to earliest`"
        ) from error
    return changelog
