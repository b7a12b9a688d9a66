"""Where the gathering of one partition goes on, topic by topic."""

from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from stream.codec.gathered import origin_of
from stream.kafka.group_offsets import committed
from stream.kafka.log_reader import LogReader
from stream.kafka.partition_reader import PartitionReader
from stream.settings import Settings

MARK: Final = "gathered"
"""Beside the offsets that a gatherer writes for its group."""


class Begin:
    """Finds the first offset of each topic that was not gathered yet."""

    def __init__(self, settings: Settings, target: TopicPartition, *, exactly_once: bool) -> None:
        self._settings = settings
        self._target = target
        self._exactly_once = exactly_once

    async def positions(
        self,
        consumer: AIOKafkaConsumer,
        readers: Mapping[str, PartitionReader],
        processed: Mapping[str, int],
        position: int,
    ) -> dict[str, int]:
        """By topic where gathering goes on: behind what was gathered, else at the first interaction.

        `processed` is by topic the offset behind the last interaction that was processed before `position` in the
        gathered topic. An offset of the group that no gatherer wrote is one of a time when the topic was the only one,
        or, beyond what was gathered of the topic, the word of who administers Kafka.
        """
        offsets = await self._committed(consumer) if self._exactly_once else {}
        ours = {topic: each.offset for topic, each in offsets.items() if each.metadata == MARK}
        is_known = ours.keys() == readers.keys()
        for topic, offset in processed.items():
            ours[topic] = max(ours.get(topic, 0), offset)
        if not is_known:
            for topic, offset in (await self._gathered_since(position)).items():
                ours[topic] = max(ours.get(topic, 0), offset)
        found: dict[str, int] = {}
        for topic, reader in readers.items():
            word = offsets.get(topic)
            if topic not in ours:
                found[topic] = await reader.first_offset()
            elif word is not None and word.metadata != MARK:
                found[topic] = max(ours[topic], word.offset)
            else:
                found[topic] = ours[topic]
        return found

    async def _committed(self, consumer: AIOKafkaConsumer) -> dict[str, OffsetAndMetadata]:
        """The group's offsets, whoever wrote them."""
        tps = [TopicPartition(topic, self._target.partition) for topic in self._settings.topics.sources]
        return {tp.topic: each for tp, each in (await committed(consumer, tps)).items()}

    async def _gathered_since(self, position: int) -> dict[str, int]:
        """By topic the offset behind the last interaction that the gathered topic holds from `position` on."""
        until: dict[str, int] = {}
        async with LogReader(self._settings, self._target) as reader:
            begin = max(position, await reader.first_offset(self._target))
            async for records in reader.read(self._target, begin):
                for record in records:
                    origin = origin_of(record.headers)
                    if origin is not None and origin.partition == self._target.partition:
                        until[origin.topic] = max(until.get(origin.topic, 0), origin.offset + 1)
        return until
