"""Interactions that wait on several old topics are gathered first, by what gathers them in a worker.

So what was gathered, and how far, is one truth, of the workers' own group: from the gathered topic interactions are
then copied like those of a site with one topic.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

from stream.codec.gathered import HEADER, meant_for, origin_of
from stream.codec.records import Headers
from stream.codec.state.positions import Position
from stream.engine.gatherer import TopicGatherer
from stream.engine.gatherer_log import GathererLog
from stream.errors import TopicError
from stream.kafka.group_offsets import group_offsets
from stream.kafka.log_reader import LogReader
from stream.kafka.log_throttle import Throttle
from stream.settings import Settings

_LOOK_EVERY: Final = 0.05
_ASKED_AGAIN: Final = 1.5
"""Seconds in which a gatherer asks each topic at least once more."""
_SILENCE: Final = 60.0
"""Seconds without anything that was gathered, where something waits."""
_FENCED_WAIT: Final = 1.0


def renamed(headers: Headers, old: Settings, new: Settings) -> Headers:
    """The headers of a copy on the new topic: read as one of the new topic that stands for its old one."""
    if not old.topics.sources:
        return headers
    origin = origin_of(headers)
    names = dict(zip(old.topics.sources, new.topics.sources, strict=True))
    if origin is None or origin.topic not in names:
        return headers
    return [meant_for(names[origin.topic]) if name == HEADER else (name, value) for name, value in headers]


def require_gatherable(settings: Settings, counts: Mapping[str, int]) -> None:
    """Raises TopicError where a topic has partitions that the gathered one lacks. `counts`: partitions by topic."""
    into, sources = settings.topics.interactions, settings.topics.sources
    largest = max(counts[topic] for topic in (into, *sources))
    for topic in sources:
        if counts[topic] != counts[into]:
            raise TopicError(
                f"topic {topic} has {counts[topic]} partitions, but {into}, into which it is gathered, has "
                f"{counts[into]}. Give all of them the number of the largest, by `kafka-topics.sh --bootstrap-server "
                f"{settings.bootstrap} --alter --topic <topic> --partitions {largest}`, and run this again"
            )


async def to_gather(settings: Settings, counts: Mapping[str, int]) -> int:
    """How many offsets of the source topics wait to be gathered, as the workers' group says."""
    tps = [TopicPartition(topic, number) for topic in settings.topics.sources for number in range(counts[topic])]
    if not tps:
        return 0
    known, waiting = await group_offsets(settings, tps), 0
    async with LogReader(settings) as log:
        for tp in tps:
            begin = max(known.get(tp, 0), await log.first_offset(tp))
            waiting += max(0, await log.readable_end(tp) - begin)
    return waiting


@asynccontextmanager
async def gathering(
    settings: Settings, begins: Mapping[int, int], positions: Mapping[int, Position | None]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Gather while the block runs; gives what waits until all that was sent before stands in the gathered topic.

    `begins`: by partition of that topic the first interaction that was not processed. A gatherer of a worker, which
    can be there no more, is fenced. What is given raises what ends gathering, and KafkaError where nothing goes on.
    """
    failures: list[BaseException] = []
    count = 0

    def hear(_topic: str, gathered: int) -> None:
        nonlocal count
        count += gathered

    async with AsyncExitStack() as stack:
        gatherers = []
        throttle = Throttle()
        for number, begin in begins.items():
            position = positions.get(number)
            gatherer = TopicGatherer(
                settings,
                number,
                GathererLog(number, throttle),
                exactly_once=True,
                fenced_wait=_FENCED_WAIT,
                fail=failures.append,
                on_gathered=hear,
            )
            gatherer.start({} if position is None else position.gathered, begin)
            stack.push_async_callback(gatherer.stop)
            gatherers.append(gatherer)

        async def until_gathered() -> None:
            begun = heard = time.monotonic()
            known = count
            while not (_is_past(begun + _ASKED_AGAIN) and all(each.done_since(time.monotonic()) for each in gatherers)):
                await asyncio.sleep(_LOOK_EVERY)
                if failures:
                    raise failures[0]
                if count != known:
                    known, heard = count, time.monotonic()
                if _is_past(heard + _SILENCE):
                    raise KafkaTimeoutError(
                        f"nothing was gathered from {', '.join(settings.topics.sources)} for {_SILENCE:g} s"
                    )

        yield until_gathered


def _is_past(moment: float) -> bool:
    return time.monotonic() > moment
