"""A condition as a tree. Its text is parsed by `stream.core.language.parser`."""

import re
from dataclasses import dataclass

EVENT_ROOTS = ("event", "properties", "context", "item")
"""What names of an interaction begin with."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ConditionError(Exception):
    """A condition that cannot be used; `offset` counts characters from its first."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: number, text, boolean or list of these."""

    value: "float | str | bool | tuple[Literal, ...]"
    offset: int


@dataclass(frozen=True, slots=True)
class Duration:
    """A constant length of time in milliseconds; below 0 it lies in the other direction."""

    value: int
    offset: int


@dataclass(frozen=True, slots=True)
class Name:
    """A score, a fact, or a path into the interaction such as ("properties", "total")."""

    path: tuple[str, ...]
    offset: int

    def __str__(self) -> str:
        """The name as it is written."""
        if len(self.path) == 1:
            return self.path[0]
        return "".join(
            part if i == 0 else f".{part}" if _WORD.fullmatch(part) else f'["{part}"]'
            for i, part in enumerate(self.path)
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a name: `since(…)`, `until(…)`, `exists(…)` or `lower(…)`."""

    function: str
    name: Name
    offset: int

    def __str__(self) -> str:
        """The call as it is written."""
        return f"{self.function}({self.name})"


Operand = Literal | Duration | Name | Call


@dataclass(frozen=True, slots=True)
class Written:
    """What the author wrote, of which a part of the tree is made."""

    start: int
    """Characters into the condition's text."""
    end: int
    band: "Comparison | None" = None
    """The comparison of a band that is written there: comparisons of scores stand for it, which all have this."""
    opposite: bool = False
    """They stand for its opposite: it has a `not` before it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`."""

    left: Operand
    operator: str
    right: Operand
    offset: int
    written: Written


@dataclass(frozen=True, slots=True)
class Bare:
    """An operand on its own, which must be exactly true."""

    operand: Operand
    offset: int
    written: Written


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: "tuple[Node, ...]"


Node = Comparison | Bare | Not | And | Or
