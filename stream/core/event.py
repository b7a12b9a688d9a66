"""Paths into an interaction's properties and context."""

from collections.abc import Mapping
from dataclasses import dataclass


class Event:
    """The interaction being applied, as one lifecycle sees it."""

    def __init__(self, type: str, name: str, properties: Mapping[str, object], context: Mapping[str, object]) -> None:  # noqa: A002
        self.type = type
        """The lifecycle's word, else the name as sent."""
        self.name = name
        self.properties = properties
        self.context = context


@dataclass(frozen=True)
class PropertyPath:
    """A place in an interaction: the root, then the keys to follow."""

    in_context: bool
    keys: tuple[str, ...]


def lookup(path: PropertyPath, event: Event) -> object:
    """The value at `path`, None where it is absent (or null, which is the same)."""
    found: object = event.context if path.in_context else event.properties
    for key in path.keys:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def lookup_to_list(path: PropertyPath, event: Event) -> object:
    """As `lookup`, but where a list stands in the way, the list: more is there than the path can say."""
    found: object = event.context if path.in_context else event.properties
    for key in path.keys:
        if not isinstance(found, dict):
            return found if isinstance(found, list) else None
        found = found.get(key)
    return found
