"""The mark on the state of a partition that is carried over: no worker goes on with it, until it is taken back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec
from aiokafka import TopicPartition

from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.engine.delivery import Route, Transactional
from stream.errors import PositionError
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.machine.batch import Batch
from stream.settings import Settings
from stream.topic_names import MachineTopics


class Old(NamedTuple):
    """A partition of the old topics, as it was looked at."""

    number: int
    partitions: int
    """Of the old state."""
    position: Position | None
    next_offset: int


async def mark(settings: Settings, old: Old, carried_to: str, generation: int) -> dict[bytes, bytes]:
    """Let no worker go on with it; returns its changelog as it is from now on. Raises PositionError where one did.

    `generation`: of the lives that begin where it is carried.
    """
    async with _writer_of(settings, old.number) as delivery:
        changelog = await read_partition(settings, old.number)
        position = position_of(changelog)
        if position != old.position:
            raise PositionError(f"a worker went on with partition {old.number} meanwhile: stop it, and try again")
        if not is_marked(position):
            marked = Position(offsets={}, partitions=old.partitions) if position is None else position
            marked.carried_to, marked.given = carried_to, generation
            await delivery.write(Batch(state=[record_of(marked)], next_offset=old.next_offset))
    return changelog


async def take_back(settings: Settings, partitions: int) -> list[str]:
    """Let workers go on with the old topics; returns to where their state had been carried, or was being so.

    What was carried over stays where it is.
    """
    taken: list[str] = []
    for number in range(partitions):
        async with _writer_of(settings, number) as delivery:
            position = position_of(await read_partition(settings, number))
            if position is None or not isinstance(position.carried_to, str):
                continue
            taken.append(position.carried_to)
            position.carried_to = msgspec.UNSET
            never = Position(offsets={}, partitions=position.partitions, format=position.format, given=position.given)
            was_begun = position != never
            state = record_of(position) if was_begun else Outgoing(positions.KEY, None)
            next_offset = position.offsets.get(settings.topics.interactions, 0)
            await delivery.write(Batch(state=[state], next_offset=next_offset))
    return taken


async def read_partition(settings: Settings, number: int) -> dict[bytes, bytes]:
    """The changelog of a partition. Raises as `read_changelog`."""
    return await read_changelog(settings, TopicPartition(settings.topics.customers, number), ChangelogProgress())


def position_of(changelog: dict[bytes, bytes]) -> Position | None:
    """None where no worker ever came. Raises StateError where it cannot be read."""
    kept = changelog.get(positions.KEY)
    return None if kept is None else decode_position(kept)


def is_marked(position: Position | None) -> bool:
    """Whether the state is carried over, or is being so."""
    return position is not None and position.is_carried


def record_of(position: Position) -> Outgoing:
    """As the changelog keeps it."""
    return Outgoing(positions.KEY, encode_position(position))


class _OfOldState(Transactional):
    """Writes though interactions have another number of partitions than their state: that is why it is carried over."""

    def _require_counts(self, topics: MachineTopics) -> None:
        pass


@asynccontextmanager
async def _writer_of(settings: Settings, number: int) -> AsyncIterator[Transactional]:
    """Whoever wrote for this partition before cannot any more."""
    delivery = _OfOldState(Route.of_worker(settings, number))
    try:
        await delivery.start()
        yield delivery
    finally:
        await delivery.discard()
