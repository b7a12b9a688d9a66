"""What a process that runs partition machines is for: the worker scores customers, webhooks deliver stage changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from stream.kafka.permissions import Grant, of_worker
from stream.kafka.topic_plan import TopicFinding
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from stream.topic_names import MachineTopics

RECOVERIES_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of process on the partition engine."""

    settings: Settings
    """Its `group` is that of this role, so that each role gets every partition."""
    topics: MachineTopics
    grants: tuple[Grant, ...]
    """What Kafka must allow."""
    ensure_topics: Callable[[Settings], Awaitable[list[TopicFinding]]]
    """Creates topics that are missing; returns warnings, raises TopicError."""
    skips_gaps: bool = False
    """What the source topic lost before it was read is left out, with an error in the log; else the process stops."""
    begins_at: Literal["beginning", "end"] = "beginning"
    """Where a partition is read from that was never read before."""
    recoveries_at_once: int = RECOVERIES_AT_ONCE
    """Partitions whose changelogs are in memory at the same time; a state may be much smaller than its changelog."""


def worker_role(settings: Settings, *, figures: bool = False) -> Role:
    """Scores customers; `figures`: a lifecycle has some, which are kept, too."""
    names = settings.topics
    topics = names.machine_with_figures if figures else names.machine
    grants = tuple(of_worker(settings, figures=figures))
    return Role(settings, topics, grants, partial(ensure_topics, figures=figures))


def beside(settings: Settings, name: str) -> Settings:
    """The settings of another role of the same application: it is a group of its own."""
    return replace(settings, app=f"{settings.app}-{name}")
