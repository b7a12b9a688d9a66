"""Reset: throw away what a partition knows, and set from where it reads on, in one step or not at all.

A reset is written as a worker writes, and fences as a worker does where the broker has transactions. What
fits one transaction is one. What does not stands between two positions: the first is one that no worker
accepts (a state for a topic of no partitions; the refusal names the command that helps), the last is the new
one. So after a reset that broke off a worker finds the old state, or the new one, or refuses, and another
reset completes it.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.figures import row_key
from stream.codec.records import Outgoing
from stream.codec.stage_changes import current_key_of
from stream.codec.state import positions
from stream.codec.state.customers import read_layout
from stream.codec.state.figures import read_figure_key
from stream.codec.state.keys import FIGURE, LAYOUT, kind_of
from stream.codec.state.positions import Position, decode_position, encode_position
from stream.core.interaction import MAX_TIME
from stream.engine.delivery import AtLeastOnce, Delivery, Route, Transactional
from stream.errors import BrokerError, PositionError, StateError
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.kafka.clients import client_options
from stream.kafka.group_offsets import group_offset
from stream.kafka.topics import count_partitions, find_topics
from stream.machine.batch import Batch
from stream.settings import Settings

_AT_ONCE = 20_000
"""Keys of the changelog in one transaction: some megabytes at most, and well within its time."""
_COMMIT_DEADLINE = 5.0


class Beginning(NamedTuple):
    """From where a partition will read."""

    partition: int
    partitions: int
    """Of the interactions topic."""
    offset: int | None
    """None: from where the topic begins when the worker comes to it."""
    first: int
    """The offset as it is now."""
    end: int
    """The topic's end as it is now."""


async def find_beginnings(settings: Settings, partitions: int, time: int | None) -> list[Beginning]:
    """Of each partition, where it begins, or its first record that arrived at `time` (epoch ms) or later.

    BrokerError where a time is asked of a broker that knows none (the embedded one).
    """
    topic = settings.topics.interactions
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    async with AIOKafkaConsumer(
        **client_options(settings), isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign(tps)
        firsts = await consumer.beginning_offsets(tps)
        ends = await consumer.end_offsets(tps)
        if time is None:
            return [Beginning(tp.partition, partitions, None, firsts[tp], ends[tp]) for tp in tps]
        if any((await consumer.offsets_for_times(dict.fromkeys(tps, MAX_TIME))).values()):
            raise BrokerError(
                f"the broker at {settings.bootstrap} cannot find interactions by their time; "
                "it can only go back to the earliest one"
            )
        at = await consumer.offsets_for_times(dict.fromkeys(tps, max(time, 0)))
        offsets = {tp: ends[tp] if (found := at[tp]) is None else found.offset for tp in tps}
        return [Beginning(tp.partition, partitions, offsets[tp], offsets[tp], ends[tp]) for tp in tps]


async def reset_partition(settings: Settings, beginning: Beginning, *, exactly_once: bool, now: int) -> int:
    """Reset one partition; returns how many customers' states it threw away.

    `now` (epoch ms) counts as the application's first start for a partition that no worker ever had. After a
    KafkaError or TimeoutError it may be half done and has to be done again, a worker refuses it; StateError:
    its position cannot be read.
    """
    topics, number = settings.topics, beginning.partition
    figures = topics.figures in await count_partitions(settings, topics.figures)
    source = TopicPartition(topics.interactions, number)
    delivery = _delivery(settings, source, exactly_once=exactly_once, figures=figures)
    try:
        await delivery.start()
        changelog = await read_changelog(settings, TopicPartition(topics.customers, number), ChangelogProgress())
        changes_from = await _changes_end(settings, number)
        fresh = FreshStart(beginning, now, changes_from, has_offset=bool(await group_offset(settings, source)))
        for batch in _batches(settings, changelog, fresh, exclusive=delivery.exclusive):
            await delivery.write(batch)
    finally:
        await delivery.discard()
    return sum(kind_of(key) is not None for key in changelog)


async def skip_lost(settings: Settings, beginning: Beginning, *, exactly_once: bool) -> int:
    """Let one partition go on at the first interaction that the topic still has, if its position lies before that.

    Returns how many offsets are skipped; states stay as they are. Raises PositionError where the partition is beyond
    the topic's end, which retention cannot have done; otherwise as `reset_partition`.
    """
    topics, number = settings.topics, beginning.partition
    source = TopicPartition(topics.interactions, number)
    delivery = _delivery(settings, source, exactly_once=exactly_once)
    try:
        await delivery.start()
        changelog = await read_changelog(settings, TopicPartition(topics.customers, number), ChangelogProgress())
        position = _position(changelog)
        offset = None if position is None else position.offsets.get(topics.interactions)
        if position is None or offset is None or beginning.first <= offset <= beginning.end:
            return 0
        if offset > beginning.end:
            raise PositionError(
                f"topic {topics.interactions}, partition {number}, ends at {beginning.end}, and its state was made "
                f"from interactions up to offset {offset - 1}: it was deleted and created again, or shortened, and "
                "its states cannot be kept; leave --keep-states out"
            )
        position.offsets[topics.interactions] = beginning.first
        await delivery.write(Batch(state=[_record(position)], next_offset=beginning.first))
        return beginning.first - offset
    finally:
        await delivery.discard()


def _position(changelog: Mapping[bytes, bytes]) -> Position | None:
    """None where no worker ever came. Raises PositionError where a repartition has marked the state."""
    kept = changelog.get(positions.KEY)
    position = None if kept is None else decode_position(kept)
    if position is not None and isinstance(position.carried_to, str):
        raise PositionError(
            f"these customers were carried over to {position.carried_to}, or are being so, by `lifecycle repartition`: "
            "run that again to complete it, or take it back with `lifecycle repartition --back` where they came from"
        )
    return position


def _delivery(settings: Settings, source: TopicPartition, *, exactly_once: bool, figures: bool = False) -> Delivery:
    async def commit(tp: TopicPartition, offset: int) -> None:
        await _commit_offset(settings, tp, offset)

    topics = settings.topics.machine_with_figures if figures else settings.topics.machine
    route = Route(settings, source, topics)
    return Transactional(route) if exactly_once else AtLeastOnce(route, commit)


class FreshStart(NamedTuple):
    """What the state of a partition begins with."""

    beginning: Beginning
    now: int
    """Epoch ms."""
    changes_from: dict[str, int]
    """By partition of stage-changes: where those of the new state begin."""
    has_offset: bool = False
    """The group has processed interactions: without a position, a worker would miss the state."""


def _batches(
    settings: Settings, changelog: Mapping[bytes, bytes], fresh: FreshStart, *, exclusive: bool
) -> Iterator[Batch]:
    """What is written for one partition; nothing where no worker ever did anything, and it begins at the start."""
    beginning = fresh.beginning
    old = _position(changelog)
    untouched = not changelog and not fresh.has_offset and not any(fresh.changes_from.values())
    if untouched and beginning.offset is None:
        return  # so that its first worker decides what is live, as ever
    first_start = fresh.now if settings.clock == "wall" else None
    live_from = old.live_from if old is not None else settings.live_from or first_start
    lifecycles = _lifecycles(old, changelog)
    generation = _generation(old, fresh)
    gathered = {} if old is None else old.gathered  # what was gathered stays on the topic
    offsets = {} if beginning.offset is None else {settings.topics.interactions: beginning.offset}
    last = Position(
        offsets=offsets,
        partitions=beginning.partitions,
        live_from=live_from,
        changes_from=fresh.changes_from,
        generation=generation,
        gathered=gathered,
    )
    refused = Position(
        offsets=offsets,
        partitions=0,
        live_from=live_from,
        lifecycles=lifecycles,
        generation=generation,
        gathered=gathered,
    )
    keys = [key for key in changelog if key != positions.KEY]
    parts = [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]
    in_one = exclusive and len(parts) <= 1
    if not in_one:
        yield Batch(state=[_record(refused)], next_offset=beginning.first)
    for part in [] if in_one else parts:
        yield _gone(part, lifecycles, beginning.partition, beginning.first)
    end = _gone(keys if in_one else [], lifecycles, beginning.partition, beginning.first)
    end.state.append(_record(last))
    yield end


def _lifecycles(old: Position | None, changelog: Mapping[bytes, bytes]) -> dict[str, str]:
    """Those that a state was ever made by, dropped ones too: what `current-stages` may have of them."""
    found = {} if old is None else dict(old.lifecycles)
    for key, value in changelog.items():
        if key[:1] == LAYOUT:
            with contextlib.suppress(StateError):  # a reset may be what helps then
                layout = read_layout(value)
                found.setdefault(layout.lifecycle, layout.digest.hex())
    return found


def _generation(old: Position | None, fresh: FreshStart) -> int:
    """One whose ids were never published before."""
    if old is not None:  # one that broke off had raised it already, and no worker went on from there
        return old.generation if old.partitions == 0 else old.last_generation + 1
    # Where changes were published without a state that is kept, nobody knows how many generations there were.
    return fresh.now // 1000 if any(fresh.changes_from.values()) else 1


async def _changes_end(settings: Settings, number: int) -> dict[str, int]:
    """Where stage-changes ends now, in the partitions that changes of this one go to; its writer is fenced."""
    found, topics = await find_topics(settings), settings.topics
    alike = found[topics.stage_changes].partitions == found[topics.interactions].partitions
    numbers = [number] if alike else range(found[topics.stage_changes].partitions)
    tps = [TopicPartition(topics.stage_changes, each) for each in numbers]
    async with AIOKafkaConsumer(
        **client_options(settings), isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
        return {str(tp.partition): ends[tp] for tp in tps}


def _gone(keys: list[bytes], lifecycles: Mapping[str, str], partition: int, next_offset: int) -> Batch:
    """The tombstones of states, of what `current-stages` says of these customers, and of rows of figures."""
    return Batch(
        latest=[
            Outgoing(current_key_of(lifecycle, key), None)
            for key in keys
            if kind_of(key) is not None
            for lifecycle in lifecycles
        ],
        figures=[Outgoing(row_key(partition, *read_figure_key(key)), None) for key in keys if key[:1] == FIGURE],
        state=[Outgoing(key, None) for key in keys],
        next_offset=next_offset,
    )


def _record(position: Position) -> Outgoing:
    return Outgoing(positions.KEY, encode_position(position))


async def _commit_offset(settings: Settings, tp: TopicPartition, offset: int) -> None:
    """Write the group's offset, which only lag tools look at."""
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=settings.group, enable_auto_commit=False)
    consumer.assign([tp])
    try:
        await consumer.start()
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(consumer.commit({tp: offset}), _COMMIT_DEADLINE)
    finally:
        await consumer.stop()
