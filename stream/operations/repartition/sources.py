"""What the old partitions hold, and why they cannot be carried over. Without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from librt.strings import read_i64_le

from stream.codec.partitioners import home_of
from stream.codec.state import positions
from stream.codec.state.keys import LAYOUT, kind_of
from stream.codec.state.positions import Position, decode_position
from stream.core.model import Model
from stream.errors import PositionError, SettingsError
from stream.settings import Settings

MISPLACED: Final = 0.01
"""The share of customers in another partition than theirs that is believed to be by accident."""
_ACTIVE_AT: Final = 10
"""Where a customer's record has the last sign of life."""


@dataclass
class Sources:
    """All partitions of the old topics, of one after the other."""

    topic_id: str | None = None
    """Kafka's own id of the old topic of interactions; None where it has none."""
    positions: dict[int, Position | None] = field(default_factory=dict)
    """By partition; None: no worker ever came to it."""
    layouts: dict[bytes, bytes] = field(default_factory=dict)
    customers: int = 0
    misplaced: int = 0
    """Customers in another partition than theirs."""
    chosen: dict[bytes, int] = field(default_factory=dict)
    """Of customers with records in several partitions, which one is carried over: that of the latest sign of life."""
    _first: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def add(self, partition: int, partitions: int, partitioner: str, changelog: Mapping[bytes, bytes]) -> None:
        """Raises StateError where the position cannot be read."""
        kept = changelog.get(positions.KEY)
        self.positions[partition] = None if kept is None else decode_position(kept)
        for key, value in changelog.items():
            if key[:1] == LAYOUT:
                self.layouts[key] = value
            if kind_of(key) is None:
                continue
            self.customers += 1
            self.misplaced += home_of(partitioner, key, partitions, 1) != partition
            active = read_i64_le(value, _ACTIVE_AT)
            known = self._first.setdefault(key, (active, partition))
            if known[1] != partition:
                self._first[key] = latest = max(known, (active, partition))
                self.chosen[key] = latest[1]

    @property
    def worked_on(self) -> list[Position]:
        """Those that there are."""
        return [each for each in self.positions.values() if each is not None]

    def was_recreated(self, topic: str) -> bool:
        """Whether the states were made from another topic of this name, which was deleted."""
        known = {each.topic_ids.get(topic) for each in self.worked_on} - {None}
        return self.topic_id is not None and bool(known) and self.topic_id not in known

    def begin(self, number: int, topic: str, first: int) -> int:
        """The first interaction of a partition that was not processed; `first` is the first that there is."""
        position = self.positions.get(number)
        if position is None or self.was_recreated(topic):
            return first
        return position.offsets.get(topic, first)

    def behind(self, topic: str, ends: Mapping[int, int], firsts: Mapping[int, int]) -> int:
        """How many offsets of the topic wait to be processed."""
        return sum(end - self.begin(number, topic, firsts[number]) for number, end in ends.items())

    @property
    def generation(self) -> int:
        """Of what the new partitions make: no life that they begin has the name of one that was begun before."""
        of_marks = [each.given for each in self.worked_on if each.is_carried and isinstance(each.given, int)]
        return of_marks[0] if of_marks else max((each.last_generation for each in self.worked_on), default=0) + 1

    def position(self, topic: str, partitions: int, first_start: int | None = None) -> Position:
        """With what each new partition begins.

        `first_start` (epoch ms) counts as the application's, where no worker ever ran; None: it does not matter.

        Its clock is the earliest of all: a deadline that another partition fired already does not fire again, but one
        that fires too early cannot be taken back.
        """
        known = self.worked_on
        made_by = next((each for each in known if each.lifecycles), None)
        clocks = [each.clock for each in known if each.clock is not None]
        live_from = max((each.live_from for each in known if each.live_from is not None), default=None)
        return Position(
            offsets={topic: 0},
            clock=min(clocks, default=None),
            partitions=partitions,
            live_from=first_start if live_from is None and made_by is None else live_from,
            lifecycles={} if made_by is None else made_by.lifecycles,
            settings={} if made_by is None else made_by.settings,
            generation=self.generation,
            since=0,
        )

    def require(self, settings: Settings, model: Model, firsts: Mapping[int, int]) -> None:
        """Raises LifecycleError where customers would be lost or poorer. `firsts`: the earliest interactions kept."""
        topic = settings.topics.interactions
        lifecycles = {each.id: each.digest.hex() for each in model.lifecycles}
        for number, position in self.positions.items():
            if position is None:
                continue
            if position.partitions == 0:
                raise PositionError(f"a `lifecycle reset` of {topic}, partition {number}, broke off; run it again")
            if position.lifecycles and (position.lifecycles, position.settings) != (lifecycles, settings.deciding):
                raise SettingsError(
                    f"partition {number} was last written with other lifecycles or settings than these; give the "
                    "settings that the workers have, and where you changed them since, let workers run with them first"
                )
            at = position.offsets.get(topic)
            if position.offsets and at is None:
                raise SettingsError(
                    f"the state was made of {', '.join(position.offsets)}, not of {topic}: are topic_prefix and "
                    "interactions as the workers have them?"
                )
            if at is not None and at < firsts.get(number, 0) and not self.was_recreated(topic):
                raise PositionError(
                    f"retention deleted {firsts[number] - at} interactions of {topic}, partition {number}, before they "
                    "were processed; `lifecycle reset --to earliest --keep-states` goes on without them"
                )
        if self.misplaced > MISPLACED * self.customers:
            raise SettingsError(
                f"{self.misplaced:,} of {self.customers:,} customers are in another partition than "
                f"{settings.partitioner} gives their ids: in new topics their producers would put them elsewhere, "
                "where nobody knows them. `lifecycle doctor` says what the producers do; set partitioner so, or let "
                "them key by the bare id, first"
            )


def new_home(partitioner: str, key: bytes, partitions: int) -> int:
    """The partition of a customer's changelog key."""
    return int(home_of(partitioner, key, partitions, 1))


def split(
    sources: Sources, partition: int, changelog: Mapping[bytes, bytes], partitioner: str, partitions: int
) -> list[list[tuple[bytes, bytes]]]:
    """The customers of an old partition, key and value, by new partition."""
    by_home: list[list[tuple[bytes, bytes]]] = [[] for _ in range(partitions)]
    for key, value in changelog.items():
        if kind_of(key) is not None and sources.chosen.get(key, partition) == partition:
            by_home[new_home(partitioner, key, partitions)].append((key, value))
    return by_home
