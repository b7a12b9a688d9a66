"""YAML that means no more than its text may hold: depth, aliases, keys and numbers are bounded."""

from math import inf
from typing import Final

from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.events import AliasEvent, ScalarEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

MAX_FILE_BYTES: Final = 1_048_576
"""Of a file, and of what it says with every alias written out (in characters)."""
MAX_DEPTH: Final = 32
"""Mappings and lists inside one another, those that aliases stand for included."""


class BoundedComposer(Composer):
    """Builds the nodes of one document, each measured once its own parts are.

    Raises ComposerError, with the location, where a value contains itself, is deeper than MAX_DEPTH or, its aliases
    written out, larger than MAX_FILE_BYTES; where a key is no scalar; and where a text holds half a character, which no
    output could hold.
    """

    def __init__(self, loader: object = None) -> None:
        super().__init__(loader)
        self.warn_double_anchors = False  # YAML 1.2 lets an anchor be given again
        self._measured: dict[int, tuple[int, int]] = {}
        """By id of a node: characters with aliases written out, and depth."""

    def compose_node(self, parent: Node | None, index: object) -> Node:
        """A node, or the one that an alias stands for."""
        is_alias = self.parser.check_event(AliasEvent)
        event = self.parser.peek_event()
        mark = event.start_mark
        if isinstance(event, ScalarEvent):
            _check_sign(event)
        node: Node = super().compose_node(parent, index)
        if not is_alias:
            self._measured[id(node)] = self._measure(node)
        elif id(node) not in self._measured:
            raise ComposerError(None, None, "a mapping or list contains itself", mark)
        size, depth = self._measured[id(node)]
        if depth > MAX_DEPTH:
            raise ComposerError(None, None, f"nested deeper than {MAX_DEPTH}", mark)
        if size > MAX_FILE_BYTES:
            raise ComposerError(
                None, None, f"larger than {MAX_FILE_BYTES:,} characters with its aliases written out", mark
            )
        return node

    def _measure(self, node: Node) -> tuple[int, int]:
        if isinstance(node, ScalarNode):
            if not node.value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in node.value):
                raise ComposerError(None, None, "half a character (\\ud800 to \\udfff) is no text", node.start_mark)
            return len(node.value) + 1, 0
        if isinstance(node, MappingNode):
            for key, _value in node.value:
                if not isinstance(key, ScalarNode):
                    raise ComposerError(None, None, "a key is a text, not a mapping or list", key.start_mark)
            parts = [part for pair in node.value for part in pair]
        else:
            parts = node.value
        measured = [self._measured[id(part)] for part in parts]
        return 1 + sum(size for size, _depth in measured), 1 + max((depth for _size, depth in measured), default=0)


def _check_sign(event: ScalarEvent) -> None:
    """Raise ComposerError for a text that is an anchor or a tag of YAML, and was meant to begin with & or !."""
    if event.anchor is not None and not event.value and not event.style:
        raise ComposerError(None, None, "a text that begins with '&' stands in quotes", event.start_mark)
    if event.ctag is not None and str(event.ctag).startswith("!") and not str(event.ctag).startswith("!!"):
        raise ComposerError(None, None, "a text that begins with '!' stands in quotes", event.start_mark)


class BoundedConstructor(RoundTripConstructor):
    """Makes a double of a whole number beyond 64 bits, as the reader of JSON does; far beyond them infinity."""

    def construct_bounded_int(self, node: ScalarNode) -> float:
        """A whole number."""
        number: float = self.construct_yaml_int(node)
        if isinstance(number, int) and not -(2**63) <= number < 2**63:
            try:
                return float(number)
            except OverflowError:
                return inf if number > 0 else -inf
        return number


BoundedConstructor.add_constructor("tag:yaml.org,2002:int", BoundedConstructor.construct_bounded_int)
