"""The fields of a stage change, by the names that they have on the topic: `to`, `facts.email`, `trigger.type`."""

from collections.abc import Callable, Mapping
from typing import Final

from stream.codec.stage_change_reader import SubscribedChange
from stream.core.language.names import unknown

_PLAIN: Final[Mapping[str, Callable[[SubscribedChange], object]]] = {
    "subject": lambda change: change.subject,
    "customer_id": lambda change: change.customer_id,
    "anonymous_id": lambda change: change.anonymous_id,
    "identified": lambda change: change.identified,
    "lifecycle": lambda change: change.lifecycle,
    "version": lambda change: change.version,
    "born": lambda change: change.born,
    "sequence": lambda change: change.sequence,
    "final": lambda change: change.final,
    "from": lambda change: change.from_stage,
    "to": lambda change: change.to_stage,
    "at": lambda change: change.at,
    "entered": lambda change: change.entered,
    "trigger.kind": lambda change: change.trigger.kind,
    "trigger.id": lambda change: change.trigger.id,
    "trigger.type": lambda change: change.trigger.type,
    "trigger.late": lambda change: change.trigger.late,
    "transition": lambda change: change.transition,
    "channels": lambda change: list(change.channels),
    "actions": lambda change: list(change.actions),
}
NAMES: Final = (*_PLAIN, "scores.NAME", "facts.NAME")
"""As `docs/topics.md` describes them; `subject` is the customer's id, or else the visitor's."""


def reader_of(name: str) -> Callable[[SubscribedChange], object]:
    """What a field holds of a change; None where it holds nothing, such as a fact that has no value."""
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain
    group, _, rest = name.partition(".")
    if group == "scores":
        return lambda change: change.scores.get(rest)
    return lambda change: change.facts.get(rest)


def unknown_field(name: str) -> str:
    """What is wrong with the name of a field, and what would be right; empty where nothing is."""
    group, dot, rest = name.partition(".")
    if name in _PLAIN or (group in ("scores", "facts") and rest):
        return ""
    if dot and group in ("scores", "facts"):
        return f"{name!r} names none of the {group}; write {group}.NAME"
    return unknown(name, list(NAMES), "field of a stage change")
