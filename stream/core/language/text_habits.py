"""What people write out of habit to ask for a part of a text, and which functions they call; and what is right here."""

import re
from typing import Final

from stream.core.expressions import ConditionError

NO_PATTERNS: Final = "there are no regular expressions; write contains, starts or ends, joined by `and` or `or`"
_NOT: Final = r"(?P<not>(?:(?:does|do|is|are)\s+)?not\s+|(?:does|do|is|are)nt\s+)?(?:(?:is|does)\s+)?"
_OPERATORS: Final = tuple(
    (re.compile(rf"{_NOT}(?P<word>(?P<fold>i)?(?:{words}))(?![\w(])", re.IGNORECASE), operator)
    for words, operator in (
        (r"contain(?:s|ing|ed)?|includ(?:es?|ing)|has|have|having", "contains"),
        (r"(?:start|begin)(?:s|ing|ning)?(?:[\s_-]*with)?", "starts"),
        (r"end(?:s|ing)?(?:[\s_-]*with)?", "ends"),
        (r"like", "like"),
        (r"match(?:es)?|regexp?|rlike", "matches"),
    )
)
_FOLLOWED: Final = re.compile(r"""\s*["'“„«‘/[0-9]""")  # noqa: RUF001 - quotes that people write
_WORD: Final = re.compile(r"\s+(?!(?:and|or)\b)[^\W\d]")
"""What may come after an operator, but not after an event name such as `Session Start`."""
_LEFT: Final = re.compile(r'(?:[A-Za-z_]\w*\([^()]*\)|[A-Za-z_]\w*(?:\.\w+|\["[^"]*"\])*)$')
_TEXT: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"')
_PATTERN: Final = re.compile(r"[=!]?~[~*]?|!?~")
_ASKS_FOR_PART: Final = re.compile(
    r"(?:\b(?:contains?|starts?|ends?|with|like|match(?:es)?|regexp?)|~)\s*$", re.IGNORECASE
)
_BEFORE_SIGN: Final = {
    "'": re.compile(r"\b(?:does|do|is|are)n$", re.IGNORECASE),
    "-": re.compile(r"\b(?:start|begin|end)s?$", re.IGNORECASE),
}
_METHOD: Final = re.compile(r"\.\s*[A-Za-z_]\w*\s*(?=\()")
_CALLED: Final = re.compile(r"([A-Za-z_]\w*)\s*$")
_ARGUMENTS: Final = re.compile(r"\(\s*([^()]*?)\s*\)")
_FUNCTIONS: Final = {
    **dict.fromkeys(("lower", "lowercase", "tolower", "tolowercase", "lcase", "strtolower", "casefold"), "lower"),
    **dict.fromkeys(("upper", "uppercase", "toupper", "touppercase", "ucase", "strtoupper"), "upper"),
    **dict.fromkeys(("contains", "contain", "includes", "icontains", "indexof", "instr", "strpos"), "contains"),
    **dict.fromkeys(("starts", "startswith", "startwith", "beginswith"), "starts"),
    **dict.fromkeys(("ends", "endswith", "endwith"), "ends"),
    **dict.fromkeys(("match", "matches", "regex", "regexp", "like"), "matches"),
    **dict.fromkeys(("since", "dayssince", "hourssince", "timesince", "daysago", "age"), "since"),
    **dict.fromkeys(("until", "daysuntil", "hoursuntil", "timeuntil", "daysleft", "timeleft", "till"), "until"),
    **dict.fromkeys(("exists", "exist", "isset", "isnotnull", "notnull", "has", "defined"), "exists"),
    **dict.fromkeys(("isnull", "isempty", "ismissing"), "not exists"),
}
"""By what people call, in small letters and without `_`, what is meant."""


def right_for_text_operator(text: str, at: int) -> str:
    """What to say where the word at `at` asks for a part of the text before it; empty where it does not."""
    for phrase, operator in _OPERATORS:
        match = phrase.match(text, at)
        if match and (
            _FOLLOWED.match(text, match.end()) or (match["word"].islower() and _WORD.match(text, match.end()))
        ):
            return _said(text, at, match, operator)
    return ""


def right_for_text_sign(text: str, at: int) -> str:
    """What to say of a sign at `at` that belongs to such a word, as in `doesn't`, or a pattern; else empty."""
    if _PATTERN.match(text, at) or (text[at] == "/" and _ASKS_FOR_PART.search(text, 0, at)):
        return NO_PATTERNS
    before = _BEFORE_SIGN.get(text[at])
    found = before.search(text[:at]) if before else None
    joined = "_" if text[at] == "-" else ""
    return right_for_text_operator(text[:at] + joined + text[at + 1 :], found.start()) if found else ""


def wrong_call(text: str, at: int) -> ConditionError | None:
    """What to say of the function, or the method of a name, whose `(` or whose `.` stands at `at`; None if unknown."""
    if method := _METHOD.match(text, at):
        at = method.end()
    called = _CALLED.search(text, 0, at)
    if called is None or not text.startswith("(", at):
        return None
    function = _FUNCTIONS.get(called[1].lower().replace("_", ""))
    if function is None:
        return None
    arguments = [each.strip() for each in (_ARGUMENTS.match(text, at) or ["", ""])[1].split(",")]
    if text[: called.start()].rstrip().endswith("."):
        arguments = [_left_of(text, called.start(), "."), *arguments]
    return ConditionError(_of_function(called[1], function, [each for each in arguments if each]), called.start(1))


def _of_function(written: str, function: str, arguments: list[str]) -> str:
    name = arguments[0] if arguments else "…"
    if function == "upper":
        return f"there is no {written!r}; write lower({name}), and the text beside it in small letters"
    if function == "matches":
        return NO_PATTERNS
    if function in ("contains", "starts", "ends"):
        part = arguments[1] if len(arguments) > 1 else '"…"'
        return f"{function!r} stands between a name and a text: {name} {function} {part}"
    unit = ", and compare it with a length of time, such as 7d" if function in ("since", "until") else ""
    return f"there is no {written!r}; write {function}({name}){unit}"


def _said(text: str, at: int, match: re.Match[str], operator: str) -> str:
    if operator == "matches":
        return NO_PATTERNS
    word = match["word"]
    found = _TEXT.match(text, match.end())
    part = found[1] if found else "…"
    if operator == "like":
        operator, part = _without_wildcards(part)
        if not operator:
            return f"{word!r} is not an operator here; write contains, starts or ends"
    left = _left_of(text, at)
    right = f'lower({left}) {operator} "{part.lower()}"' if match["fold"] else f'{left} {operator} "{part}"'
    if match["not"]:
        return f"`not` stands before the whole comparison, as in not ({right})"
    if match["fold"] or word.lower() == "like":
        return f"{word!r} is not an operator here; write {right}"
    return f"{match[0]!r} is not an operator here; write {operator!r}"


def _without_wildcards(part: str) -> tuple[str, str]:
    """The operator and the text that mean what a text with % or * around it does; empty where none does."""
    first, last = part.startswith(("%", "*")), part.endswith(("%", "*"))
    bare = part.strip("%*")
    if not bare or re.search(r"[%*_?]", bare):
        return "", ""
    if first == last:
        return "contains", bare
    return "ends" if first else "starts", bare


def _left_of(text: str, at: int, sign: str = "") -> str:
    """The name that ends before `at`, and before `sign` there."""
    found = _LEFT.search(text[:at].rstrip().removesuffix(sign).rstrip())
    return found[0] if found else "…"
