"""Paths that lead through a list, and so to nothing: what can be known of it at load."""

from typing import Final, NamedTuple

from stream.core.event import PROPERTIES, PropertyPath, path_to
from stream.core.expressions import And, Bare, Call, Comparison, Name, Node, Not, Or
from stream.core.lifecycle import Problem

_LISTS_OF_SHOPS: Final = frozenset({"products", "line_items", "lineItems", "items"})
"""Names under which senders have the lines of an order, as a list: Segment, Shopify, WooCommerce, Google."""


class _Use(NamedTuple):
    place: tuple[str | int, ...]
    name: Name
    path: PropertyPath


class PathUses:
    """The paths that a lifecycle reads, and those that it takes for lists."""

    def __init__(self) -> None:
        self._uses: list[_Use] = []
        self._lists: set[PropertyPath] = set()

    def note(self, place: tuple[str | int, ...], name: Name) -> None:
        """A path is read at a place in the file."""
        if name.path[0] in ("properties", "context") and len(name.path) > 1:
            self._uses.append(_Use(place, Name(name.path, 0), path_to(name.path)))

    def note_condition(self, place: tuple[str | int, ...], node: Node) -> None:
        """All paths of a condition; what stands on the right of `in` is a list."""
        if isinstance(node, Not):
            self.note_condition(place, node.part)
        elif isinstance(node, And | Or):
            for part in node.parts:
                self.note_condition(place, part)
        else:
            sides = (node.operand,) if isinstance(node, Bare) else (node.left, node.right)
            for side in sides:
                name = side.name if isinstance(side, Call) else side
                if isinstance(name, Name):
                    self.note(place, name)
            if isinstance(node, Comparison) and node.operator == "in":
                name = node.right.name if isinstance(node.right, Call) else node.right
                if isinstance(name, Name):
                    self._lists.add(path_to(name.path))

    def warnings(self) -> list[Problem]:
        """One for each place and path that leads through what is, or most likely is, a list."""
        return [
            Problem(
                use.place, f"{use.name} leads through {said}: a path finds nothing in a list" + _instead(use, length)
            )
            for use in dict.fromkeys(self._uses)
            for length, said in self._through(use.path)
        ]

    def _through(self, path: PropertyPath) -> list[tuple[int, str]]:
        """Of the first list on a path how many keys lead to it, and why it is taken for one; none: []."""
        for length in range(1, len(path.keys)):
            key = path.keys[length - 1]
            if PropertyPath(path.root, path.keys[:length]) in self._lists:
                return [(length, f"{key!r}, which is a list where `in` looks into it")]
            if path.keys[length].isdecimal():
                return [(length, f"{key!r} to the place {path.keys[length]!r}, as if it were a list")]
            if path.root == PROPERTIES and key in _LISTS_OF_SHOPS:
                return [(length, f"{key!r}, which shops send as a list")]
        return []


def _instead(use: _Use, length: int) -> str:
    """How a signal or fact reads what is in the list that so many keys lead to, as a message ends."""
    if use.place[0] not in ("signals", "facts"):
        return ""
    path = use.name.path
    of_list = Name(path[: 1 + length], 0)
    element = Name(("item", *(key for key in path[1 + length :] if not key.isdecimal())), 0)
    return f"; with over: {of_list} it is {element}"
