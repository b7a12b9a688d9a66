"""A stage change: what the product is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stream.core.interaction import Kind

Value = str | float | bool
"""A score or fact as a reader sees it; times are epoch milliseconds."""

TriggerKind = Literal["interaction", "deadline", "lifecycle", "forgotten", "merge"]


@dataclass(init=False)
class Trigger:
    """The input that caused a stage change."""

    kind: TriggerKind
    id: str | None
    """The interaction's id."""
    type: str | None
    """The interaction's word in the lifecycle, else its event name."""
    late: bool
    """The interaction's own time is before the clock at which its effects happened."""

    def __init__(
        self,
        kind: TriggerKind,
        id: str | None = None,  # noqa: A002 - the name in the event
        type: str | None = None,  # noqa: A002
        late: bool = False,
    ) -> None:
        self.kind = kind
        self.id = id
        self.type = type
        self.late = late


@dataclass(init=False)
class Contribution:
    """What one signal adds to one score at the moment of a change."""

    signal: str
    points: float
    count: int
    """How often the signal counted in this life."""

    def __init__(self, signal: str, points: float, count: int) -> None:
        self.signal = signal
        self.points = points
        self.count = count


@dataclass(init=False)
class StageChange:
    """One customer moved from one stage of one lifecycle to another."""

    kind: Kind
    subject: str
    identified: bool
    lifecycle: str
    version: int
    born: str
    """`<partition>-<offset>` of the input that began this life, after resets `<generation>.<partition>-<offset>`.

    So ids stay unique when a subject returns, and when a reset reads interactions again.
    """
    sequence: int
    """1, 2, 3… in this life and lifecycle, without a gap."""
    final: bool
    """The last change of its step: the one to act on."""
    from_stage: str | None
    """None: the life begins."""
    to_stage: str | None
    """None: the customer was forgotten."""
    at: int
    """Epoch milliseconds."""
    entered: int | None
    """When `from_stage` was entered, epoch milliseconds."""
    trigger: Trigger
    transition: str | None
    """The text of the condition that held."""
    scores: Mapping[str, float]
    facts: Mapping[str, Value]
    contributions: Mapping[str, tuple[Contribution, ...]]
    channels: tuple[str, ...]
    """Those of `to_stage`."""
    actions: tuple[str, ...]
    """Those of `to_stage`."""

    def __init__(
        self,
        kind: Kind,
        subject: str,
        identified: bool,
        lifecycle: str,
        version: int,
        born: str,
        sequence: int,
        final: bool,
        from_stage: str | None,
        to_stage: str | None,
        at: int,
        entered: int | None,
        trigger: Trigger,
        transition: str | None,
        scores: Mapping[str, float],
        facts: Mapping[str, Value],
        contributions: Mapping[str, tuple[Contribution, ...]],
        channels: tuple[str, ...],
        actions: tuple[str, ...],
    ) -> None:
        self.kind = kind
        self.subject = subject
        self.identified = identified
        self.lifecycle = lifecycle
        self.version = version
        self.born = born
        self.sequence = sequence
        self.final = final
        self.from_stage = from_stage
        self.to_stage = to_stage
        self.at = at
        self.entered = entered
        self.trigger = trigger
        self.transition = transition
        self.scores = scores
        self.facts = facts
        self.contributions = contributions
        self.channels = channels
        self.actions = actions
