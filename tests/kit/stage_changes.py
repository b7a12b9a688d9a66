"""Stage changes on a topic, written as the worker writes them."""

from collections.abc import Iterable
from typing import Any

from stream.codec.records import Outgoing
from stream.codec.stage_changes import ChangeSource, encode, headers
from stream.core.interaction import Kind
from stream.core.stage_change import StageChange, Trigger
from stream.settings import Settings
from tests.kit.topics import produce

T = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""


def change(subject: str = "ann", **more: Any) -> StageChange:
    """One with everything in it; `more` replaces parts."""
    kind: Kind = "customer"
    parts: dict[str, Any] = {
        "kind": kind,
        "subject": subject,
        "identified": True,
        "lifecycle": "shop",
        "version": 1,
        "born": "0-0",
        "sequence": 2,
        "final": True,
        "from_stage": "lead",
        "to_stage": "customer",
        "at": T,
        "entered": T - 1,
        "trigger": Trigger("interaction", "i1", "purchase"),
        "transition": "orders >= 1",
        "scores": {"engagement": 34.25, "value": 1200.0, "idle": 0.0, "fit": 1.0, "fear": -50.0},
        "facts": {"orders": 1},
        "contributions": {},
        "channels": ("email",),
        "actions": (),
    }
    return StageChange(**{**parts, **more})


def outgoing(each: StageChange, offset: int = 7) -> Outgoing:
    """Its record; `offset` is the interaction's that caused it."""
    return Outgoing(each.subject.encode(), encode(each, ChangeSource("interactions", 0, offset)), headers(each))


async def write(settings: Settings, changes: Iterable[StageChange]) -> None:
    """Write changes, those of one subject in their order."""
    await produce(settings.bootstrap, settings.topics.stage_changes, map(outgoing, changes))
