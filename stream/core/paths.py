"""Paths into an interaction's properties and context."""

from collections.abc import Mapping
from typing import NamedTuple


class Event(NamedTuple):
    """The interaction being applied, as one lifecycle sees it."""

    type: str
    """The lifecycle's word, else the name as sent."""
    name: str
    properties: Mapping[str, object]
    context: Mapping[str, object]


class Path(NamedTuple):
    """A place in an interaction: the root, then the keys to follow."""

    in_context: bool
    keys: tuple[str, ...]


def lookup(path: Path, event: Event) -> object:
    """The value at `path`, None where it is absent (or null, which is the same)."""
    found: object = event.context if path.in_context else event.properties
    for key in path.keys:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found
