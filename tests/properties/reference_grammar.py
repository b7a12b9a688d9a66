"""Conditions of the lifecycle language as trees, and the parser that reads them.

    condition   := conjunction ("or" conjunction)*
    conjunction := negation ("and" negation)*
    negation    := "not" negation | "(" condition ")" | atom
    atom        := operand (sign operand)?
    sign        := "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "contains" | "starts" | "ends"
    operand     := literal | "[" literals "]" | name | function "(" name ")"
    function    := "since" | "until" | "exists" | "lower"
    literal     := number | text | "true" | "false" | duration, also a negative one
    name        := word ("." word | "[" text "]")*

    product     := "-"? factor ("*" factor)*
    factor      := name | number

Nothing is checked beyond the grammar: what reaches this module is a valid condition.

Where the text was silent: numbers may have an exponent, as in JSON; a name's further parts may mix `.a` and
`["a b"]`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FUNCTIONS = ("since", "until", "exists", "lower")
SIGNS = ("==", "!=", "<", "<=", ">", ">=", "in", "contains", "starts", "ends")
UNITS: dict[str, int] = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
"""Milliseconds of each unit of duration."""


@dataclass(frozen=True)
class Duration:
    """A length of time, in milliseconds; never equal to a number."""

    ms: int


@dataclass(frozen=True)
class Time:
    """A point in time, in milliseconds since the epoch; never equal to a number."""

    ms: int


@dataclass(frozen=True)
class Constant:
    """A literal: number, text, boolean, Duration or a list of literals."""

    value: object


@dataclass(frozen=True)
class Name:
    """A dotted name, `("properties", "a", "b")` or `("idle",)`."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """`since(name)`, `until(name)`, `exists(name)` or `lower(name)`."""

    function: str
    argument: Name


Operand = Constant | Name | Call


@dataclass(frozen=True)
class Bare:
    """A name that must be exactly true."""

    operand: Operand


@dataclass(frozen=True)
class Compare:
    """One comparison."""

    sign: str
    left: Operand
    right: Operand


@dataclass(frozen=True)
class Not:
    """Negation; unknown stays unknown."""

    part: Condition


@dataclass(frozen=True)
class Junction:
    """`and` or `or` of two or more parts."""

    word: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Product:
    """A computed number: what its factors come to, and the other way round where it is negative."""

    negative: bool
    factors: tuple[Name | Constant, ...]


Atom = Bare | Compare
Condition = Atom | Not | Junction
Truth = bool | None

TOKEN = re.compile(
    r"""\s*(?:
      (?P<duration>-?\d+(?:ms|[smhdw])\b)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>==|!=|<=|>=|[<>()\[\],.*-])
    )""",
    re.VERBOSE,
)


def milliseconds(text: str) -> int:
    """The length in milliseconds of a duration as written, such as `90d`."""
    match = re.fullmatch(r"(-?\d+)(ms|[smhdw])", text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}; it would be a whole number with one of {', '.join(UNITS)}")
    return int(match[1]) * UNITS[match[2]]


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise ValueError(f"cannot read {text[place:]!r} in the condition {text!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        self.tokens.append(("end", ""))
        self.next = 0

    def take(self) -> tuple[str, str]:
        self.next += 1
        return self.tokens[self.next - 1]

    def accept(self, *texts: str) -> str | None:
        """The next token's text where it is one of these (a quoted text never is), which is then taken."""
        kind, text = self.tokens[self.next]
        return self.take()[1] if kind in ("word", "mark") and text in texts else None

    def expect(self, text: str) -> None:
        if self.accept(text) is None:
            raise ValueError(f"expected {text!r}, found {self.tokens[self.next][1]!r}")

    def condition(self) -> Condition:
        return self.junction("or", lambda: self.junction("and", self.negation))

    def junction(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while self.accept(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def negation(self) -> Condition:
        if self.accept("not"):
            return Not(self.negation())
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        left = self.operand()
        sign = self.accept(*SIGNS)
        return Bare(left) if sign is None else Compare(sign, left, self.operand())

    def operand(self) -> Operand:
        if self.accept("["):
            values: list[object] = []
            while not self.accept("]"):
                item = self.operand()
                if not isinstance(item, Constant):
                    raise ValueError(f"a list holds literals only, not {item}")
                values.append(item.value)
                self.accept(",")
            return Constant(tuple(values))
        kind, text = self.take()
        if kind == "duration":
            return Constant(Duration(milliseconds(text)))
        if kind in ("number", "text"):
            return Constant(json.loads(text))
        if kind != "word":
            raise ValueError(f"expected a name or a literal, found {text!r}")
        if text in ("true", "false"):
            return Constant(text == "true")
        if text in FUNCTIONS and self.accept("("):
            argument = self.operand()
            self.expect(")")
            if not isinstance(argument, Name):
                raise ValueError(f"{text}() takes a name, not {argument}")
            return Call(text, argument)
        return self.name(text)

    def name(self, first: str) -> Name:
        path = [first]
        while mark := self.accept(".", "["):
            kind, text = self.take()
            if mark == "[":
                if kind != "text":
                    raise ValueError(f"expected a text in brackets, found {text!r}")
                path.append(json.loads(text))
                self.expect("]")
            else:
                path.append(text)
        return Name(tuple(path))


def parse(text: str) -> Condition:
    """The tree of a condition. Raises ValueError for what the grammar does not cover."""
    parser = _Parser(text)
    tree = parser.condition()
    if parser.take()[0] != "end":
        raise ValueError(f"the condition goes on after its end: {text!r}")
    return tree


def parse_product(text: str) -> Product:
    """A computed number as written, such as `-item.price * 1.2`."""
    parser = _Parser(text)
    negative = parser.accept("-") is not None
    factors: list[Name | Constant] = []
    while not factors or parser.accept("*"):
        factor = parser.operand()
        if not isinstance(factor, Name | Constant):
            raise ValueError(f"a factor is a path or a number, not {factor}")
        factors.append(factor)
    if parser.take()[0] != "end":
        raise ValueError(f"the product goes on after its end: {text!r}")
    return Product(negative, tuple(factors))


def atoms(condition: Condition) -> Iterator[Atom]:
    """Every comparison and bare name of a condition."""
    if isinstance(condition, Junction):
        for part in condition.parts:
            yield from atoms(part)
    elif isinstance(condition, Not):
        yield from atoms(condition.part)
    else:
        yield condition
