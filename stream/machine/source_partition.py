"""Which partition a state belongs to, and whether a position is one of it."""

from typing import NamedTuple

from stream.codec.state.positions import Position
from stream.errors import PositionError


class SourcePartition(NamedTuple):
    """The partition that a machine runs."""

    topic: str
    partition: int
    partitions: int
    """How many the topic has."""
    topic_id: str | None = None
    """Kafka's own id of the topic; None where the broker gives none."""

    @property
    def topic_ids(self) -> dict[str, str]:
        """In the form that a position keeps."""
        return {} if self.topic_id is None else {self.topic: self.topic_id}

    def require(self, position: Position) -> None:
        """Raises PositionError where the state of `position` was not made from this partition as it is now."""
        carried_to = position.carried_to
        if isinstance(carried_to, str):
            raise PositionError(
                f"a `lifecycle repartition` to {self.topic} is under way, or broke off; run it again"
                if carried_to == self.topic
                else f"the state of {self.topic}, partition {self.partition}, was carried over to {carried_to} by "
                f"`lifecycle repartition`: set topic_prefix to that of the new topics, or take it back with "
                f"`lifecycle repartition --back`"
            )
        if position.partitions == 0:
            raise PositionError(
                f"a `lifecycle reset` of {self.topic}, partition {self.partition}, broke off; run it again"
            )
        if position.partitions != self.partitions:
            raise PositionError(
                f"topic {self.topic} has {self.partitions} partitions, the state was written with "
                f"{position.partitions}: customers would be looked for in the wrong place. `lifecycle repartition` "
                f"carries everybody over to new topics with as many as there should be, and `lifecycle reset --to "
                f"earliest` begins again"
            )
        if position.offsets and self.topic not in position.offsets:
            raise PositionError(
                f"the state of partition {self.partition} was made from topic {', '.join(sorted(position.offsets))}, "
                f"and now {self.topic} is to be processed: offsets of the one mean nothing in the other. Name the old "
                f"topic by the setting interactions, or begin again with `lifecycle reset --to earliest`"
            )
        known = position.topic_ids.get(self.topic)
        if known is not None and self.topic_id not in (None, known):
            raise PositionError(
                f"topic {self.topic} was deleted and created again: the state of partition {self.partition} was made "
                f"from the old one, up to offset {position.offsets.get(self.topic, 0) - 1}, and what that held beyond "
                f"is gone. Name the old topic, or begin again on this one with `lifecycle reset --to earliest`"
            )
