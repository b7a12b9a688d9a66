"""Paths that lead through a list, and so to nothing: what can be known of it at load."""

from typing import Final, NamedTuple

from stream.core.event import ITEM, PROPERTIES, PropertyPath, path_to
from stream.core.expressions import And, Bare, Call, Comparison, Name, Node, Not, Or
from stream.core.lifecycle import Problem
from stream.core.mentions import written

_LISTS_OF_SHOPS: Final = frozenset({"products", "line_items", "lineItems", "items"})
"""Names under which senders have the lines of an order, as a list: Segment, Shopify, WooCommerce, Google."""


class _Use(NamedTuple):
    place: tuple[str | int, ...]
    name: str
    path: PropertyPath


class PathUses:
    """The paths that a lifecycle reads, and those that it takes for lists."""

    def __init__(self) -> None:
        self._uses: list[_Use] = []
        self._lists: dict[PropertyPath, str] = {}
        """With what shows that it is a list."""

    def note(self, place: tuple[str | int, ...], name: Name) -> None:
        """A path is read at a place in the file; of items, whatever list they are of, nothing is known."""
        if name.path[0] in ("properties", "context") and len(name.path) > 1:
            self._uses.append(_Use(place, str(name), path_to(name.path)))

    def note_list(self, path: PropertyPath) -> None:
        """`over` takes the elements of a path."""
        self._lists[path] = "whose elements `over` takes"

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
                    self._lists.setdefault(path_to(name.path), "which is a list where `in` looks into it")

    def warnings(self) -> list[Problem]:
        """One for each place and path that leads through what is, or most likely is, a list."""
        return [
            Problem(
                use.place, f"{use.name} leads through {said}: a path finds nothing in a list{_instead(use, length)}"
            )
            for use in dict.fromkeys(self._uses)
            for length, said in self._through(use.path)
        ]

    def _through(self, path: PropertyPath) -> list[tuple[int, str]]:
        """How many keys lead to the list, and what shows that it is one; empty where none is known."""
        for length in range(1, len(path.keys)):
            key = path.keys[length - 1]
            if shown := self._lists.get(PropertyPath(path.root, path.keys[:length])):
                return [(length, f"{key!r}, {shown}")]
            if path.keys[length].isdecimal():
                return [(length, f"{key!r} to the place {path.keys[length]!r}, as if it were a list")]
            if path.root == PROPERTIES and key in _LISTS_OF_SHOPS:
                return [(length, f"{key!r}, which shops send as a list")]
        return []


def _instead(use: _Use, length: int) -> str:
    """How a signal or fact finds it in each element; empty elsewhere."""
    if use.place[:1] not in (("signals",), ("facts",)):
        return ""
    keys = use.path.keys[length + use.path.keys[length].isdecimal() :]
    over, item = written(PropertyPath(use.path.root, use.path.keys[:length])), written(PropertyPath(ITEM, keys))
    return f"; with over: {over} it is {item}"
