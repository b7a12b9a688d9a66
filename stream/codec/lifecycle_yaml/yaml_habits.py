"""What people write in YAML out of habit, and what is right instead: found by the YAML reader's own messages."""

import re
from typing import Final, NamedTuple

from ruamel.yaml.error import MarkedYAMLError, StreamMark

_NO_SPACE: Final = re.compile(r"^\s*(?:- +)?(?:\{ *)?(?P<key>[A-Za-z_][\w-]*):(?P<rest>[^\s:].*)$")
_NO_COLON: Final = re.compile(r"^\s*(?P<key>[A-Za-z_][\w-]*)\s*(?:=.*)?$")
_DUPLICATE: Final = re.compile(r'found duplicate key "(?P<key>.*?)" with value')
_IN_BRACES: Final = "a text that holds [ ] { } , or a colon, or begins with a quote, stands in single quotes within {…}"
_COLON: Final = (
    "a text that holds a colon and a space stands in quotes; keys that share a line stand in {…} with commas"
)
_AS_A_WHOLE: Final = "a text that begins with a quote or [ ends where that ends; put the whole in single quotes"


class Explained(NamedTuple):
    """What is wrong, and where; line and column from 0."""

    line: int
    column: int
    message: str


def explain(error: MarkedYAMLError, text: str) -> Explained:
    """The error in words that say what is right, at the place of the mistake."""
    problem = (error.problem or error.context or "not YAML").split("\n")[0]
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Explained(0, 0, problem)
    lines = text.splitlines() or [""]
    line = lines[mark.line] if mark.line < len(lines) else ""
    begun = error.context_mark
    if "'\\t' that cannot start" in problem:
        return Explained(mark.line, mark.column, "a tab; indent with spaces")
    if problem.startswith("found character"):
        return Explained(mark.line, mark.column, f"a text that begins with {line[mark.column]!r} stands in quotes")
    if problem.startswith("expected alphabetic or numeric") and line[mark.column - 1 : mark.column] == "*":
        return Explained(mark.line, mark.column - 1, 'a star stands in quotes: "*"')
    if problem.startswith("mapping values are not allowed"):
        return _colon(mark, lines)
    if problem.startswith("could not find expected ':'") and begun is not None:
        return _spaceless(begun.line, lines[begun.line]) or Explained(
            begun.line, begun.column, f"a colon is missing, as in {lines[begun.line].strip()}:"
        )
    if match := _DUPLICATE.match(problem):
        return Explained(mark.line, mark.column, f"the key {match['key']!r} stands here a second time")
    if problem.startswith(("expected ',' or '}'", "expected ',' or ']'")) and begun is not None:
        return _unclosed(mark, begun, lines, problem)
    return Explained(mark.line, mark.column, _misplaced(problem))


def _colon(mark: StreamMark, lines: list[str]) -> Explained:
    """A second colon in a line, or a line before it whose colon has no space and so is none."""
    above = [number for number in range(mark.line) if lines[number].strip()]
    for number in [mark.line, *above[-1:]]:
        line = lines[number]
        if explained := _spaceless(number, line):
            return explained
        if match := _NO_COLON.match(line):
            return Explained(number, match.start("key"), f"a colon is missing, as in {match['key']}:")
    return Explained(mark.line, mark.column, _COLON)


def _spaceless(number: int, line: str) -> Explained | None:
    match = _NO_SPACE.match(line)
    return Explained(number, match.start("rest"), f"a space is missing after {match['key']}:") if match else None


def _unclosed(mark: StreamMark, begun: StreamMark, lines: list[str], problem: str) -> Explained:
    """Within {…} or […] something that is no next entry: a text that needs quotes, or in another line a missing end."""
    end = "}" if problem.startswith("expected ',' or '}'") else "]"
    opened = lines[begun.line][begun.column : begun.column + 1]
    if problem.endswith("got '}'" if end == "]" else "got ']'"):
        return Explained(begun.line, begun.column, f"this {opened} has no {end} that ends it")
    outside = problem.endswith("got ':'") and _indentation(lines[mark.line]) <= _indentation(lines[begun.line])
    got = ("got '{'", "got '-'", "got '<stream end>'")
    if mark.line > begun.line and (mark.column == 0 or outside or problem.endswith(got)):
        return Explained(begun.line, begun.column, f"this {opened} has no {end} that ends it")
    if mark.line > begun.line and not lines[mark.line][: mark.column].strip():
        said = f"a comma is missing before this, or the {opened} of line {begun.line + 1} has no {end} that ends it"
        return Explained(mark.line, mark.column, said)
    if problem.endswith("got ':'"):
        return Explained(mark.line, mark.column, f"a comma is missing before this key; or {_IN_BRACES}")
    return Explained(mark.line, mark.column, _IN_BRACES)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _misplaced(problem: str) -> str:
    if problem == "expected <block end>, but found '<scalar>'":
        return _AS_A_WHOLE
    if problem == "expected <block end>, but found '<block mapping start>'":
        return "indented differently from the lines above; the entries of one list or mapping begin in one column"
    if problem == "expected <block end>, but found '<block sequence start>'":
        return "an entry with - after one without; in a list each begins with one"
    if re.fullmatch(r"expected <block end>, but found '[{\[]'", problem):
        return "this belongs to nothing; an entry of a list begins with a dash and a space, another with its key"
    if match := re.fullmatch(r"expected <block end>, but found '([,}\]])'", problem):
        return f"a {match[1]!r} that belongs to nothing; remove it"
    return problem
