"""The full names of the topics that the product reads and writes."""

from collections.abc import Sequence
from dataclasses import dataclass

GATHERED = "lifecycle-interactions"
"""The topic that interactions of several topics are gathered into."""


@dataclass(frozen=True, slots=True)
class TopicNames:
    """Full topic names."""

    interactions: str
    """The topic that is processed."""
    stage_changes: str
    current_stages: str
    customers: str
    dead_letters: str
    sources: tuple[str, ...] = ()
    """Where interactions are sent to and gathered from, where that is more than one topic."""

    @property
    def own(self) -> tuple[str, ...]:
        """Those that a partition reads and writes."""
        return (self.interactions, self.stage_changes, self.current_stages, self.customers, self.dead_letters)

    @property
    def sent_to(self) -> tuple[str, ...]:
        """Those that senders of interactions write to."""
        return self.sources or (self.interactions,)

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return (*self.sources, *self.own)


def topic_names(prefix: str, interactions: Sequence[str]) -> TopicNames:
    """All names, where interactions are sent to these topics; `prefix` stands before each."""
    alone = len(interactions) == 1
    return TopicNames(
        interactions=prefix + (interactions[0] if alone else GATHERED),
        stage_changes=prefix + "stage-changes",
        current_stages=prefix + "current-stages",
        customers=prefix + "lifecycle-customers",
        dead_letters=prefix + "lifecycle-dead-letters",
        sources=() if alone else tuple(prefix + name for name in interactions),
    )
