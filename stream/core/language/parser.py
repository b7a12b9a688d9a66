"""The grammar of conditions: text to a tree. Which names exist and which types fit is `conditions.py`.

condition  := and ("or" and)*
and        := not ("and" not)*
not        := "not" not | "(" condition ")" | comparison
comparison := operand [("==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "contains" | "starts" | "ends") operand]
operand    := literal | list | name | ("since" | "until" | "exists" | "lower") "(" name ")"
name       := word | root ("." word | "[" text "]")*
root       := "event" | "properties" | "context" | "item"
literal    := number | text | duration | "true" | "false"
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from stream.core.durations import UNITS
from stream.core.event import ROOTS
from stream.core.expressions import (
    EVENT_ROOTS,
    And,
    Bare,
    Call,
    Comparison,
    ConditionError,
    Duration,
    Literal,
    Name,
    Node,
    Not,
    Operand,
    Or,
    Written,
)
from stream.core.language.habits import right_for_sign, right_for_word
from stream.core.language.text_habits import wrong_call

MAX_LENGTH = 4_096
MAX_DEPTH = 32
TEXT_OPERATORS = ("contains", "starts", "ends")
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", *TEXT_OPERATORS)
FUNCTIONS = ("since", "until", "exists", "lower")
RESERVED = frozenset(
    {"and", "or", "not", "in", "true", "false", *TEXT_OPERATORS, *FUNCTIONS}
    | {"identified", "stage", "idle", "in_stage", *EVENT_ROOTS}
)
_NO_OPERANDS = frozenset({"and", "or", "not", "in", *TEXT_OPERATORS})


class UnexpectedWordError(ConditionError):
    """A word or sign where `and`, `or` or the end was expected; what it was meant for is not known by it alone."""


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<duration>-?[0-9]+(?:ms|s|m|h|d|w)(?![A-Za-z0-9_]))
    | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))
    | (?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*")
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign>==(?!=)|!=|<=|>=|<(?![>])|>|[()\[\],.])
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|(["\\/bfnrt]))')
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def parse(text: str, roots: Sequence[str] = EVENT_ROOTS) -> Node:
    """The tree of a condition; `roots` are the names behind which a path may go on.

    Raises ConditionError with the place of the first character that does not fit.
    """
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"a condition has at most {MAX_LENGTH:,} characters, this one {len(text):,}", 0)
    return _Parser(_tokens(text), text, roots).whole()


def parse_path(text: str) -> Name:
    """The path of a reference such as `properties.total`, or `item`, or `item.price`. Raises ConditionError."""
    parser = _Parser(_tokens(text), text)
    operand = parser.operand()
    parser.end()
    if not isinstance(operand, Name) or operand.path[0] not in ROOTS:
        raise ConditionError("a property is written properties.name or context.name", 0)
    return operand


def texts_of(literal: Literal) -> list[str]:
    """The text that a constant is, or the texts of a list."""
    values = [each.value for each in literal.value] if isinstance(literal.value, tuple) else [literal.value]
    return [each for each in values if isinstance(each, str)]


def unquote(text: str) -> str:
    """The characters that a quoted text with JSON's escapes stands for."""
    plain = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPED.get(m[2], m[2]), text[1:-1])
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def quote(text: str) -> str:
    """The text in double quotes, with JSON's escapes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _CONTROL.sub(lambda m: f"\\u{ord(m[0]):04x}", plain) + '"'


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            wrong = at + len(text[at:]) - len(text[at:].lstrip())
            raise ConditionError(right_for_sign(text, wrong), wrong)
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token], text: str, roots: Sequence[str] = EVENT_ROOTS) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.written = text
        self.roots = roots

    def whole(self) -> Node:
        node = self.condition()
        self.end()
        return node

    def end(self) -> None:
        token = self.peek()
        if token.kind == "end":
            return
        raise self.unexpected(token)

    def unexpected(self, token: _Token) -> ConditionError:
        if token.text in OPERATORS:
            return ConditionError("comparisons do not chain; join two of them with `and`", token.offset)
        if token.kind in {"number", "duration"} and token.text.startswith("-"):
            return ConditionError("unexpected '-'; nothing is calculated here", token.offset)
        if wrong := wrong_call(self.written, token.offset):
            return wrong
        if said := right_for_word(self.written, token.offset, token.text):
            return ConditionError(said, token.offset)
        said = f"unexpected {token.text!r}; `and`, `or` or the end was expected"
        return UnexpectedWordError(said, token.offset)

    def peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else _Token("end", "", len(self.written))

    def take(self) -> _Token:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *texts: str) -> _Token | None:
        token = self.peek()
        if token.kind in {"word", "sign"} and token.text in texts:
            self.at += 1
            return token
        return None

    def expect(self, text: str) -> None:
        if self.accept(text) is None:
            token = self.peek()
            if text == ")" and token.kind == "word":
                raise self.unexpected(token)
            raise ConditionError(f"{text!r} was expected, not {token.text or 'the end'!r}", token.offset)

    def condition(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConditionError(f"nested deeper than {MAX_DEPTH}", self.peek().offset)
        parts = [self.conjunction()]
        while self.accept("or"):
            parts.append(self.conjunction())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def conjunction(self) -> Node:
        parts = [self.negation()]
        while self.accept("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negation(self) -> Node:
        if self.accept("not"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise ConditionError(f"nested deeper than {MAX_DEPTH}", self.peek().offset)
            node: Node = Not(self.negation())
            self.depth -= 1
            return node
        if self.accept("("):
            node = self.condition()
            if self.peek().text == ",":
                raise self.unexpected(self.peek())
            self.expect(")")
            return node
        return self.comparison()

    def comparison(self) -> Node:
        offset = self.peek().offset
        left = self.operand()
        operator = self.accept(*OPERATORS)
        if operator is None:
            return Bare(left, offset, self.written_from(offset))
        if operator.text in TEXT_OPERATORS and self.peek().text == "with":
            said = f"'{operator.text} with' is not an operator here; write {operator.text!r}"
            raise ConditionError(said, operator.offset)
        right = self.operand()
        return Comparison(left, operator.text, right, operator.offset, self.written_from(offset))

    def written_from(self, offset: int) -> Written:
        last = self.tokens[self.at - 1]
        return Written(offset, last.offset + len(last.text))

    def operand(self) -> Operand:
        token = self.take()
        if token.kind == "number":
            number = float(token.text) if any(c in token.text for c in ".eE") else int(token.text)
            if not abs(number) < 1e15:
                raise ConditionError("numbers are below 1e15 in magnitude", token.offset)
            return Literal(number, token.offset)
        if token.kind == "duration":
            digits = token.text.rstrip("smhdw")
            if len(digits.lstrip("-")) > 15:
                raise ConditionError("a duration that long never passes", token.offset)
            return Duration(int(digits) * UNITS[token.text[len(digits) :]], token.offset)
        if token.kind == "text":
            return Literal(unquote(token.text), token.offset)
        if token.text == "[":
            return self.list(token.offset)
        if token.kind != "word" or token.text in _NO_OPERANDS:
            if token.text in TEXT_OPERATORS and (wrong := wrong_call(self.written, self.peek().offset)):
                raise wrong
            found = repr(token.text) if token.text else "the end"
            raise ConditionError(f"a name or a constant was expected, not {found}", token.offset)
        if token.text in {"true", "false"}:
            return Literal(token.text == "true", token.offset)
        if token.text in FUNCTIONS:
            return self.call(token)
        return self.name(token)

    def call(self, token: _Token) -> Call:
        self.expect("(")
        argument = self.take()
        if argument.kind == "text":
            plain = unquote(argument.text)
            right = f"write the text itself in small letters: {argument.text.lower()}"
            if token.text != "lower":
                right = f"a name stands without quotes: {token.text}({plain})"
            raise ConditionError(right, argument.offset)
        name = self.name(argument)
        self.expect(")")
        return Call(token.text, name, token.offset)

    def list(self, offset: int) -> Literal:
        values: list[Literal] = []
        while self.accept("]") is None:
            if values:
                self.expect(",")
            offset_here = self.peek().offset
            value = self.operand() if self.peek().text != "[" else None
            if not isinstance(value, Literal):
                raise ConditionError("a list holds numbers, texts, true and false", offset_here)
            values.append(value)
        return Literal(tuple(values), offset)

    def name(self, token: _Token) -> Name:
        if token.kind != "word":
            raise ConditionError(f"a name was expected, not {token.text or 'the end'!r}", token.offset)
        path = [token.text]
        if token.text in self.roots:
            while sign := self.accept(".", "["):
                part = self.take()
                if part.kind != ("word" if sign.text == "." else "text"):
                    if part.kind == "number" and sign.text == "[":
                        said = "a path does not lead into a list; over: takes its elements one by one"
                        raise ConditionError(said, part.offset)
                    wanted = 'a name, or ["…"] for other keys,' if sign.text == "." else "a text in double quotes"
                    raise ConditionError(f"{wanted} was expected after {sign.text!r}", part.offset)
                path.append(part.text if sign.text == "." else unquote(part.text))
                if sign.text == "[":
                    self.expect("]")
        return Name(tuple(path), token.offset)
