"""A stage change: what the product is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from stream.core.interaction import Kind

Value = str | float | bool
"""A score or fact as a reader sees it; times are epoch milliseconds."""

TriggerKind = Literal["interaction", "deadline", "lifecycle", "forgotten"]


class Trigger(NamedTuple):
    """The input that caused a stage change."""

    kind: TriggerKind
    id: str | None = None
    """Of the interaction."""
    type: str | None = None
    """The interaction's word in the lifecycle, else its event name."""
    late: bool = False
    """The interaction's own time is before the clock at which its effects happened."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one signal adds to one score at the moment of a change."""

    signal: str
    points: float
    count: int
    """How often the signal counted in this life."""


class StageChange(NamedTuple):
    """One customer moved from one stage of one lifecycle to another."""

    kind: Kind
    subject: str
    identified: bool
    lifecycle: str
    version: int
    born: str
    """`<partition>-<offset>` of the input that began this life; ids stay unique when a subject returns."""
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
    """Of `to_stage`."""
    actions: tuple[str, ...]
    """Of `to_stage`."""
