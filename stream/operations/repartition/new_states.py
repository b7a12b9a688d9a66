"""The states of the new partitions, as they are before anything is carried over, or after that broke off."""

from aiokafka import TopicPartition

from stream.codec.state.positions import Position
from stream.errors import PositionError
from stream.kafka.log_reader import LogReader
from stream.operations.repartition.marks import is_marked, position_of, read_partition
from stream.settings import Settings


class NewStates:
    """Of all new partitions; `look` first."""

    def __init__(self, settings: Settings) -> None:
        self.is_begun = False
        """The new partitions were marked by an earlier run."""
        self.finished: set[int] = set()
        """Those that are whole; a worker may have gone on with them."""
        self._settings = settings
        self._found: dict[int, Position | None] = {}

    @property
    def are_finished(self) -> bool:
        """All of them are whole."""
        return len(self.finished) == self._settings.partitions

    async def look(self) -> None:
        """Read what there is; the topic exists. Raises StateError where it cannot be read, KafkaError and the like."""
        self._found = await self._read()
        known = {number: each for number, each in self._found.items() if each is not None}
        self.is_begun = bool(known)
        self.finished = {number for number, each in known.items() if not is_marked(each)}

    async def require_unchanged(self) -> None:
        """Raises PositionError where those that are not whole are others than when they were looked at."""
        found = await self._read()
        changed = [n for n in found if n not in self.finished and found[n] != self._found.get(n)]
        if changed:
            raise PositionError(
                f"another run of this command, or a worker, went on with {self._settings.topics.customers} meanwhile, "
                f"partition {', '.join(map(str, changed))}; nothing was changed. Run it again"
            )

    async def may_have_copies(self) -> bool:
        """Whether anything was ever written to the new topic of interactions."""
        topic = self._settings.topics.interactions
        tps = [TopicPartition(topic, number) for number in range(self._settings.partitions)]
        async with LogReader(self._settings) as log:
            return any((await log.log_ends(tps)).values())

    async def _read(self) -> dict[int, Position | None]:
        numbers = range(self._settings.partitions)
        return {number: position_of(await read_partition(self._settings, number)) for number in numbers}
