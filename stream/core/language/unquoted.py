"""Event names and other texts that stand in a condition bare: what asks for them."""

import re
from itertools import pairwise
from typing import Final, NamedTuple

from stream.core.expressions import Bare, Comparison, ConditionError, Literal, Name, Node
from stream.core.language.names import Scope, asked_for, known_names
from stream.core.language.parser import quote

_NO_NAME: Final = r"(?!(?:and|or|not|in|contains|starts|ends)\b)"
_WORDS: Final = re.compile(rf"\b{_NO_NAME}[^\W\d]\w*(?:[ \t]+{_NO_NAME}[^\W\d]\w*)+")
_COMPARED: Final = re.compile(r"(?P<name>[\w.]+)\s*(?:==|!=|\s(?:contains|starts|ends))$|(?P<list>[\[,])$")
_OPERATOR: Final = re.compile(r"[<>=!]")


class Said(NamedTuple):
    """A message and the place that it is about."""

    message: str
    offset: int


def several_words(text: str, at: int, scope: Scope) -> Said | None:
    """What to say of an event name of several words, or of a text, of which the word `at` is a part; None if of none.

    A name that the condition may use is no part of one: `and` is missing after it.
    """
    run = next((each for each in _WORDS.finditer(text) if each.start() < at < each.end()), None)
    if run is None or run[0].split()[0] in known_names(scope):
        return None
    before = text[: run.start()].rstrip()
    compared = _COMPARED.search(before)
    if compared and compared["name"] == "event":
        return Said(f"unknown 'event'; write {asked_for(run[0], scope)}", compared.start())
    if compared:
        right = scope.words.get(run[0], run[0]) if compared["name"] == "event.type" and "=" in compared[0] else run[0]
        return Said(f'a text stands in double quotes: "{right}"', run.start())
    if _OPERATOR.match(text[run.end() :].lstrip()):
        word = scope.words.get(run[0], run[0])
        said = f"how often it came is a fact, whose name the condition compares: facts: {{…: {{count: {word}}}}}"
        return Said(f"unknown name {run[0]!r}; {said}", run.start())
    return Said(f"unknown name {run[0]!r}; an interaction is asked for by {asked_for(run[0], scope)}", run.start())


def check_event(node: Comparison, scope: Scope) -> None:
    """Raise ConditionError where `event` itself is compared with an event name, in quotes or without."""
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if not isinstance(side, Name) or side.path != ("event",):
            continue
        name = other.value if isinstance(other, Literal) else str(other) if isinstance(other, Name) else None
        if isinstance(name, str) and node.operator in ("==", "!="):
            raise ConditionError(f"unknown 'event'; write {asked_for(name, scope, node.operator)}", side.offset)


def check_shared(parts: tuple[Node, ...]) -> None:
    """Raise ConditionError where a text stands alone after a comparison with one, as in `country == "DE" or "AT"`."""
    for before, part in pairwise(parts):
        if not isinstance(part, Bare) or not isinstance(before, Comparison) or not isinstance(before.right, Literal):
            continue
        text = part.operand.value if isinstance(part.operand, Literal) else None
        if isinstance(text, str) and isinstance(before.right.value, str):
            right = f"{before.left} {before.operator} {quote(text)}"
            raise ConditionError(f"a text alone decides nothing; write {right}", part.offset)


def check_text(literal: Literal, scope: Scope) -> None:
    """Raise ConditionError where a text stands alone, as if it asked for an interaction or a stage."""
    if isinstance(literal.value, str):
        is_stage = literal.value in scope.stages and literal.value not in scope.words
        right = f'stage == "{literal.value}"' if is_stage else asked_for(literal.value, scope)
        what = "a stage" if is_stage else "an interaction"
        raise ConditionError(f"a text alone decides nothing; {what} is asked for by {right}", literal.offset)
