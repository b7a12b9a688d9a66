"""The full names of the topics that the product reads and writes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

GATHERED = "lifecycle-interactions"
"""The topic that interactions of several topics are gathered into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTopics:
    """What the partitions of one role read and write, full names; see `stream.machine.batch.Batch` for what goes where.

    All but `latest` and `dead_letters` have as many partitions as `source`.
    """

    source: str
    """Read from."""
    state: str
    """The changelog."""
    events: str
    dead_letters: str
    latest: str | None = None
    """None: nothing is written there."""
    sources: tuple[str, ...] = ()
    """Those that `source` is gathered from."""
    commands: str | None = None
    """Read beside `source`, partition by partition; None: there are none."""
    figures: str | None = None
    """None: no figures are kept."""

    @property
    def written(self) -> tuple[str, ...]:
        """Those that a partition writes to."""
        optional = [each for each in (self.latest, self.figures) if each is not None]
        return (self.events, *optional, self.state, self.dead_letters)

    @property
    def beside_source(self) -> tuple[str, ...]:
        """All but what is read from: written by partitions, or read beside it."""
        return (*self.written, *([] if self.commands is None else [self.commands]))


@dataclass(frozen=True, slots=True)
class TopicNames:
    """Full topic names."""

    interactions: str
    """The topic that is processed."""
    stage_changes: str
    current_stages: str
    customers: str
    dead_letters: str
    figures: str
    """Written where a lifecycle has figures."""
    sources: tuple[str, ...] = ()
    """Where interactions are sent to and gathered from, where that is more than one topic."""

    @property
    def machine(self) -> MachineTopics:
        """As a worker's partitions read and write them."""
        return MachineTopics(
            source=self.interactions,
            state=self.customers,
            events=self.stage_changes,
            latest=self.current_stages,
            dead_letters=self.dead_letters,
            sources=self.sources,
        )

    @property
    def machine_with_figures(self) -> MachineTopics:
        """The same of a worker whose lifecycles have figures."""
        return replace(self.machine, figures=self.figures)

    @property
    def own(self) -> tuple[str, ...]:
        """Those that every partition reads and writes."""
        return (self.interactions, self.stage_changes, self.current_stages, self.customers, self.dead_letters)

    @property
    def sent_to(self) -> tuple[str, ...]:
        """Those that senders of interactions write to."""
        return self.sources or (self.interactions,)

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them but `figures`, which not everybody has."""
        return (*self.sources, *self.own)

    def named(self, *, figures: bool) -> tuple[str, ...]:
        """Every one of them; `figures`: a lifecycle has some."""
        return (*self.all, self.figures) if figures else self.all


def webhook_topics(prefix: str, stage_changes: str) -> MachineTopics:
    """Those of the deliveries of stage changes; `stage_changes` is the full name of their topic."""
    return MachineTopics(
        source=stage_changes,
        state=prefix + "lifecycle-webhooks",
        events=prefix + "webhook-attempts",
        dead_letters=prefix + "lifecycle-webhook-dead-letters",
        commands=prefix + "lifecycle-webhook-commands",
    )


def topic_names(prefix: str, interactions: Sequence[str]) -> TopicNames:
    """All names, where interactions are sent to these topics; `prefix` stands before each."""
    alone = len(interactions) == 1
    return TopicNames(
        interactions=prefix + (interactions[0] if alone else GATHERED),
        stage_changes=prefix + "stage-changes",
        current_stages=prefix + "current-stages",
        customers=prefix + "lifecycle-customers",
        dead_letters=prefix + "lifecycle-dead-letters",
        figures=prefix + "figures",
        sources=() if alone else tuple(prefix + name for name in interactions),
    )
