"""Where the characters of a YAML scalar stand in the file: quotes, escapes and folded lines counted right."""

import re

_PROPERTY = re.compile(r"[&!]\S*\s+")
_HEADER = re.compile(r"[|>][^\n]*\n")
_ESCAPE = re.compile(r"\\(?:x..|u.{4}|U.{8}|.)", re.DOTALL)
_SPACES = re.compile(" *")
_LEADING = re.compile(r"(?:[ \t]*\n)*( *)")
_FOLD = re.compile(r"[ \t]*\n(?:[ \t]*\n)*[ \t]*")


def location_within(text: str, line: int, column: int, offset: int) -> tuple[int, int]:
    """Line and column, both from 0, of character `offset` of the scalar that begins at `line` and `column`."""
    start = _index(text, line, column)
    while match := _PROPERTY.match(text, start):
        start = match.end()
    if match := _HEADER.match(text, start):
        at = _in_block(text, match.end(), offset, folded=text[start] == ">")
    else:
        quote = text[start : start + 1] if text[start : start + 1] in ("'", '"') else ""
        at = _in_flow(text, start + len(quote), offset, quote)
    return text.count("\n", 0, at), at - (text.rfind("\n", 0, at) + 1)


def _index(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line):
        start = text.find("\n", start) + 1
    return start + column


def _in_flow(text: str, at: int, offset: int, quote: str) -> int:
    """Plain and quoted scalars: line breaks fold to a space, or to one less than there are."""
    while offset > 0 and at < len(text):
        if (fold := _FOLD.match(text, at)) is not None:
            offset -= max(1, fold[0].count("\n") - 1)
            at = fold.end()
        elif quote == "'" and text.startswith("''", at):
            at, offset = at + 2, offset - 1
        elif quote == '"' and (escape := _ESCAPE.match(text, at)) is not None:
            at, offset = escape.end(), offset - (escape[0] != "\\\n")
        else:
            at, offset = at + 1, offset - 1
    return at


def _in_block(text: str, at: int, offset: int, *, folded: bool) -> int:
    """Block scalars: the first line's indentation is not content; `>` folds lines that are not indented further."""
    first = _LEADING.match(text, at)
    indent = len(first[1]) if first else 0
    at += indent
    while offset > 0 and at < len(text):
        if text[at] != "\n":
            at, offset = at + 1, offset - 1
            continue
        breaks = 0
        while at < len(text) and text[at] == "\n":
            breaks += 1
            at += 1
            spaces = _SPACES.match(text, at)
            at += min(len(spaces[0]) if spaces else 0, indent)
        indented = text[at : at + 1] == " "
        offset -= breaks - 1 if folded and breaks > 1 and not indented else breaks
    return at
