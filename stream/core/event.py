"""Paths into an interaction's properties and context."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PROPERTIES: Final = 0
CONTEXT: Final = 1
ITEM: Final = 2
ROOTS: Final = ("properties", "context", "item")
"""What a path begins with."""


class Event:
    """The interaction being applied, as one lifecycle sees it."""

    def __init__(
        self,
        type: str,  # noqa: A002 - the language's word
        name: str,
        time: int,
        properties: Mapping[str, object],
        context: Mapping[str, object],
        item: object = None,
    ) -> None:
        self.type = type
        """The lifecycle's word, else the name as sent."""
        self.name = name
        self.time = time
        """The interaction's own, epoch milliseconds."""
        self.properties = properties
        self.context = context
        self.item = item
        """The element at hand of the list that `over` names."""


@dataclass(frozen=True)
class PropertyPath:
    """A place in an interaction: the root, then the keys to follow."""

    root: int
    """Index in ROOTS."""
    keys: tuple[str, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The root's name and the keys, as a condition's name has them."""
        return (ROOTS[self.root], *self.keys)


def path_to(path: tuple[str, ...]) -> PropertyPath:
    """The place that a name such as ("properties", "total") stands for."""
    return PropertyPath(ROOTS.index(path[0]), path[1:])


def lookup(path: PropertyPath, event: Event) -> object:
    """The value at `path`, None where it is absent (or null, which is the same)."""
    root = path.root
    found: object = event.properties if root == PROPERTIES else event.context if root == CONTEXT else event.item
    for key in path.keys:
        if not isinstance(found, dict):
            return None
        found = found.get(key)
    return found


def is_null(path: PropertyPath, event: Event) -> bool:
    """Whether null stands at `path`, which is said, and is not the same as absent."""
    root = path.root
    found: object = event.properties if root == PROPERTIES else event.context if root == CONTEXT else event.item
    for key in path.keys:
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return found is None


def lookup_to_list(path: PropertyPath, event: Event) -> object:
    """As `lookup`, but where a list stands in the way, the list: more is there than the path can say."""
    root = path.root
    found: object = event.properties if root == PROPERTIES else event.context if root == CONTEXT else event.item
    for key in path.keys:
        if not isinstance(found, dict):
            return found if isinstance(found, list) else None
        found = found.get(key)
    return found
