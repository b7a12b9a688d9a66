"""Stage changes that a reader missed and that are no longer in memory, from Kafka."""

from collections.abc import AsyncGenerator, Sequence

from stream.kafka.change_consumer import ChangeConsumer, Entered, Record
from stream.settings import Settings

_WAIT = 1.0


class History:
    """Reads partitions from one vector of offsets to another."""

    def __init__(self, settings: Settings, begin: Sequence[int], end: Sequence[int]) -> None:
        """By partition, the first offset that is wanted, and the one before which it ends."""
        self.entered: list[Entered] = []
        """Where each partition really begins, which is later where retention was faster."""
        self._end = end
        self._consumer = ChangeConsumer(settings, None, dict(enumerate(begin)), len(begin), self)

    def enter(self, partition: Entered) -> int:
        """As `Keeper`: from its position."""
        self.entered.append(partition)
        return partition.position

    def note(self, partition: int) -> str:  # noqa: ARG002 nothing is committed
        """As `Keeper`: nothing."""
        return ""

    async def batches(self) -> AsyncGenerator[Sequence[Record], None]:
        """The records, a bounded number at a time; an empty batch where Kafka lets us wait.

        Raises KafkaError where Kafka refuses.
        """
        await self._consumer.start()
        try:
            reached: dict[int, int] = {}
            while any(reached.get(number, 0) < end for number, end in enumerate(self._end)):
                records = await self._consumer.fetch(_WAIT)
                for record in records:
                    self._consumer.done(record)
                reached = await self._consumer.handed_out()
                yield [record for record in records if record.offset < self._end[record.partition]]
        finally:
            await self._consumer.stop()
