"""Comparisons by `contains`, `starts` and `ends`: their types checked, and the predicates that they become."""

from typing import Final

from stream.core.expressions import Call, Comparison, ConditionError, Literal, Name, Operand
from stream.core.language.names import TYPE_NAMES, ResolvedOperand
from stream.core.language.parser import TEXT_OPERATORS, quote, texts_of
from stream.core.predicates import Predicate
from stream.core.text_predicates import Contains, Ends, Starts

_PREDICATES: dict[str, type[Contains | Starts | Ends]] = {"contains": Contains, "starts": Starts, "ends": Ends}
_TEXTS_OF_SENDERS: Final = frozenset(
    {"path", "url", "referrer", "title", "search", "email", "name", "userAgent", "user_agent", "subject", "message"}
    | {"text", "description", "comment", "query"}
)
"""Properties that hold a text wherever they are sent: Segment, web servers, senders of mail."""


def compile_text_part(node: Comparison, left: ResolvedOperand) -> Predicate:
    """The predicate of a comparison whose sides are resolved. Raises ConditionError where they do not fit."""
    operator = node.operator
    if isinstance(node.left, Literal):
        raise ConditionError(f"what is looked into stands before {operator!r}{_turned(node)}", node.offset)
    if left.type not in ("text", "any"):
        hint = f"; compare it, as in {node.left} == 5" if left.type == "number" else ""
        raise ConditionError(f"{operator!r} looks into a text; this is {TYPE_NAMES[left.type]}{hint}", node.offset)
    if isinstance(node.right, Literal) and isinstance(node.right.value, str):
        return _PREDICATES[operator](left.accessor, node.right.value)
    raise ConditionError(_no_text(operator, node.left, node.right), node.right.offset)


def part_of_text(node: Comparison, right: ResolvedOperand) -> str:
    """What to add where `in` asks for a part of a text; empty where it does not."""
    return _part_of_text(node) if right.type in ("text", "any") else ""


def text_warnings(node: Comparison) -> list[str]:
    """What is doubtful about the texts of a comparison: a star, capitals beside `lower`, an empty part, `in` a text."""
    if node.operator == "in" and _is_text_of_senders(node.right) and (said := _part_of_text(node)):
        return [f"{node.right} is most likely a text, and `in` asks for an element of a list{said}"]
    return [
        said
        for side, other in ((node.left, node.right), (node.right, node.left))
        if isinstance(side, Name | Call) and isinstance(other, Literal)
        for text in texts_of(other)
        if (said := _warning(side, node.operator, text))
    ]


def _part_of_text(node: Comparison) -> str:
    part = node.left.value if isinstance(node.left, Literal) else None
    asked = f"; a part of a text is asked for by {node.right} contains {_quoted(part)}"
    return asked if isinstance(part, str) else ""


def _is_text_of_senders(operand: Operand) -> bool:
    name = operand.name if isinstance(operand, Call) else operand
    return isinstance(name, Name) and len(name.path) > 1 and name.path[-1] in _TEXTS_OF_SENDERS


def _turned(node: Comparison) -> str:
    """What is right where the constant stands first; empty where that is not known."""
    literal, operator = node.left, node.operator
    assert isinstance(literal, Literal)
    if not isinstance(node.right, Name):
        return ""
    if isinstance(literal.value, tuple):
        return f": {node.right} in […]" if operator == "contains" else ""
    return f": {node.right} {operator} {_quoted(literal.value)}" if isinstance(literal.value, str) else ""


def _no_text(operator: str, left: Operand, right: Operand) -> str:
    """What to say of a right side that is no text."""
    if isinstance(right, Literal) and isinstance(right.value, tuple):
        some = right.value[:2] if len(right.value) > 1 else ()
        each = " or ".join(f"{left} {operator} {_quoted(one.value)}" for one in some)
        return f"{operator!r} asks for one text; join several by `or`{each and f', as in {each}'}"
    example = f", as in {operator} {_quoted(right.value)}" if isinstance(right, Literal) else ""
    return f"{operator!r} asks for a text in double quotes{example}"


def _warning(side: Name | Call, operator: str, text: str) -> str:
    if isinstance(side, Call) and side.function == "lower" and text != text.lower():
        return f"{side} has no capitals, so that it never meets {_quoted(text)}; write {_quoted(text.lower())}"
    if not text and operator in TEXT_OPERATORS:
        return f'{side} {operator} "" holds for every text'
    if "*" in text and str(side) != "stage":
        return f"the * in {text!r} stands for itself alone; {_without_star(str(side), operator, text)}"
    return ""


def _without_star(side: str, operator: str, text: str) -> str:
    """What is right for a text with a star."""
    if operator in TEXT_OPERATORS:
        return "leave it out"
    first, star, last = text.partition("*") if text.count("*") == 1 else ("", "", text.strip("*"))
    parts = {"starts": first, "ends": last} if star else {"contains": last}
    right = " and ".join(f"{side} {name} {_quoted(part)}" for name, part in parts.items() if part)
    if not right or "*" in right:
        return "a text compares as a whole, or by contains, starts and ends"
    return f"write not ({right})" if operator == "!=" else f"write {right}"


def _quoted(value: object) -> str:
    """The constant as a text in double quotes."""
    return quote(value if isinstance(value, str) else str(value).lower())
