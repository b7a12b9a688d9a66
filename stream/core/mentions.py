"""What conditions name of interactions: properties, event names and words; read from their trees, beside the run."""

from collections.abc import Iterator

from stream.core.accessors import lower
from stream.core.event import ROOTS, PropertyPath, path_to
from stream.core.expressions import And, Bare, Call, Comparison, Literal, Name, Node, Not, Operand, Or
from stream.core.lifecycle import Lifecycle

_TYPES = (("event", "type"), ("event", "name"))
_PARTS = ("contains", "starts", "ends")
"""Operators that compare parts of a text."""


def properties_in(node: Node) -> list[PropertyPath]:
    """The properties that a condition reads, of items too, each once, in the order in which it names them."""
    named = [side.name if isinstance(side, Call) else side for leaf in _leaves(node) for side in _sides(leaf)]
    paths = [each.path for each in named if isinstance(each, Name) and each.path[0] in ROOTS and len(each.path) > 1]
    return [path_to(path) for path in dict.fromkeys(paths)]


def event_names_in(node: Node) -> set[str]:
    """The texts that a condition compares `event.type` or `event.name` with as a whole."""
    return {
        text
        for leaf in _leaves(node)
        if isinstance(leaf, Comparison) and leaf.operator not in _PARTS
        for side, other in ((leaf.left, leaf.right), (leaf.right, leaf.left))
        if isinstance(side, Name) and side.path in _TYPES and isinstance(other, Literal)
        for text in _texts(other)
    }


def event_names_of(lifecycle: Lifecycle) -> frozenset[str]:
    """Every event name and word that means something in a lifecycle; a condition may name one that is no word."""
    return frozenset(lifecycle.reactions) | {name for tree in _trees(lifecycle) for name in event_names_in(tree)}


class MeantNames:
    """The event names that mean something in a lifecycle, those too that a condition asks for by a part of them."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._names = event_names_of(lifecycle)
        leaves = [leaf for tree in _trees(lifecycle) for leaf in _leaves(tree)]
        self._asked = [asked for leaf in leaves if (asked := _partly(leaf)) is not None]

    def __contains__(self, name: str) -> bool:
        return name in self._names or any(each.met_by(name) for each in self._asked)


class _Asked:
    """A comparison of a name's part, or of the name in small letters."""

    def __init__(self, operator: str, lowered: bool, texts: list[str]) -> None:
        self.operator = operator
        self.lowered = lowered
        self.texts = texts

    def met_by(self, name: str) -> bool:
        if self.lowered:
            name = lower(name)
        for text in self.texts:
            if self.operator == "contains":
                met = text in name
            elif self.operator == "starts":
                met = name.startswith(text)
            else:
                met = name.endswith(text) if self.operator == "ends" else name == text
            if met:
                return True
        return False


def _partly(leaf: Comparison | Bare) -> _Asked | None:
    if isinstance(leaf, Comparison):
        for side, other in ((leaf.left, leaf.right), (leaf.right, leaf.left)):
            lowered = isinstance(side, Call) and side.function == "lower"
            name = side.name if isinstance(side, Call) else side
            whole = not lowered and leaf.operator not in _PARTS
            if isinstance(name, Name) and name.path in _TYPES and isinstance(other, Literal) and not whole:
                return _Asked(leaf.operator, lowered, _texts(other))
    return None


def _trees(lifecycle: Lifecycle) -> list[Node]:
    signals = [each.where for each in lifecycle.signals]
    reactions = [*lifecycle.reactions.values(), lifecycle.otherwise]
    facts = [each.where for reaction in reactions for each in reaction.counted]
    trees = [each.tree for each in (*signals, *facts) if each is not None]
    return trees + [each.condition.tree for each in lifecycle.transitions]


def written(path: PropertyPath) -> str:
    """The path as a lifecycle file has it."""
    return str(Name(path.path, 0))


def _leaves(node: Node) -> Iterator[Comparison | Bare]:
    if isinstance(node, Not):
        yield from _leaves(node.part)
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from _leaves(part)
    else:
        yield node


def _sides(leaf: Comparison | Bare) -> tuple[Operand, ...]:
    return (leaf.operand,) if isinstance(leaf, Bare) else (leaf.left, leaf.right)


def _texts(literal: Literal) -> list[str]:
    value = literal.value
    if isinstance(value, tuple):
        return [each.value for each in value if isinstance(each.value, str)]
    return [value] if isinstance(value, str) else []
