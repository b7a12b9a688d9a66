"""What people write in YAML out of habit, and what is right instead: found by the YAML reader's own messages."""

import re
from typing import Final

from ruamel.yaml.error import MarkedYAMLError, StreamMark

from stream.codec.lifecycle_yaml.indentation import Explained, indented, top_indented

_NO_SPACE: Final = re.compile(r"^\s*(?:- +)?(?:\{ *)?(?P<key>[A-Za-z_][\w-]*):(?P<rest>[^\s:].*)$")
_NO_COLON: Final = re.compile(r"^\s*(?P<key>[A-Za-z_][\w-]*)\s*(?:=.*)?$")
_DUPLICATE: Final = re.compile(r'found duplicate key "(?P<key>.*?)" with value')
_IN_BRACES: Final = "a text that holds [ ] { } , or a colon, or begins with a quote, stands in single quotes within {…}"
_COLON: Final = (
    "a text that holds a colon and a space stands in quotes; keys that share a line stand in {…} with commas"
)
_BEGINS: Final = re.compile(
    r"expected alphabetic or numeric|(?P<block>expected a comment or a line break)"
    r"|(?P<at>found character|sequence entries are not|mapping keys are not|expected the node content, but found ',')"
)
"""Where a text begins with a sign of YAML's: what is said at that sign, or behind it."""
_MISPLACED: Final = tuple(
    f"expected <block end>, but found '{found}'"
    for found in ("<block mapping start>", "<block sequence start>", "-", "?")
)
_SPACELESS_DASH: Final = re.compile(r" *-(?![\s\d-]|$)")
_OTHER_DASH: Final = re.compile(r" *(?P<dash>[–—−•‣·*])\s")  # noqa: RUF001 - what word processors make of a dash
_AS_A_WHOLE: Final = "a text that begins with a quote or [ ends where that ends; put the whole in single quotes"


def explain(error: MarkedYAMLError, text: str) -> Explained:
    """The error in words that say what is right, at the place of the mistake."""
    problem = (error.problem or error.context or "not YAML").split("\n")[0]
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Explained(0, 0, problem)
    lines = text.splitlines() or [""]
    line = lines[mark.line] if mark.line < len(lines) else ""
    begun = error.context_mark
    if said := _dash(mark.line, lines):
        return said
    if "'\\t' that cannot start" in problem:
        return Explained(mark.line, mark.column, "a tab; indent with spaces")
    if said := _begins(problem, mark, line):
        return said
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
    return _indented(problem, mark, lines) or Explained(mark.line, mark.column, _misplaced(problem))


def _dash(last: int, lines: list[str]) -> Explained | None:
    """A list's entry whose dash has no space after it, or is another sign: in the line `last`, or in the one above."""
    above = [number for number in range(min(last, len(lines))) if lines[number].strip()][-1:]
    for number in [*([last] if last < len(lines) else []), *above]:
        if match := _SPACELESS_DASH.match(lines[number]):
            return Explained(number, match.end(), "a space belongs after the -")
        if match := _OTHER_DASH.match(lines[number]):
            return Explained(number, match.start("dash"), f"{match['dash']} is no dash of YAML; write -")
    return None


def _begins(problem: str, mark: StreamMark, line: str) -> Explained | None:
    """A text that begins with a sign that means something in YAML."""
    match = _BEGINS.match(problem)
    if match is None:
        return None
    column = mark.column if match["at"] else mark.column - 1
    if match["block"]:
        column = max(line.rfind(sign, 0, mark.column) for sign in "|>")
    if line[column] == "*":
        return Explained(mark.line, column, 'a star stands in quotes: "*"')
    return Explained(mark.line, column, f"a text that begins with {line[column]!r} stands in quotes")


def _indented(problem: str, mark: StreamMark, lines: list[str]) -> Explained | None:
    """A line that begins in another column than those with which it belongs together."""
    if problem.startswith("expected '<document start>'"):
        return top_indented(lines)
    is_misplaced = problem.startswith(_MISPLACED) and mark.line < len(lines)
    return indented(mark.line, lines) if is_misplaced else None


def _colon(mark: StreamMark, lines: list[str]) -> Explained:
    """A second colon in a line, or a line before it whose colon has no space and so is none."""
    above = [number for number in range(mark.line) if lines[number].strip()]
    for number in [mark.line, *above[-1:]]:
        line = lines[number]
        if explained := _spaceless(number, line):
            return explained
        if match := _NO_COLON.match(line):
            return Explained(number, match.start("key"), f"a colon is missing, as in {match['key']}:")
    first = lines[mark.line].find(":") == mark.column
    return (indented(mark.line, lines) if first else None) or Explained(mark.line, mark.column, _COLON)


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
