"""What people write in a condition out of habit, and what is right here instead."""

import re
from typing import Final

from stream.core.durations import UNITS
from stream.core.language.text_habits import right_for_text_operator, right_for_text_sign

_OPERATORS: Final = {
    "===": "==",
    "=>": ">=",
    "=<": "<=",
    "=": "==",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    ";": "and",
    "!": "not",
    "<>": "!=",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
}
_WORDS: Final = {
    "and": "and",
    "or": "or",
    "not": "not",
    "in": "in",
    "is": "==",
    "equals": "==",
    "und": "and",
    "oder": "or",
}
QUOTES: Final = "“”„‟«»‘’‚`"  # noqa: RUF001 - they look alike, which is why people mix them up
_CURRENCIES: Final = "€$£¥"
_UNIT_NAMES: Final = {
    "s": ("sec", "second", "sekunde", "sekunden"),
    "m": ("min", "minute", "minuten"),
    "h": ("hr", "hour", "stunde", "stunden"),
    "d": ("day", "tag", "tage", "tagen"),
    "w": ("week", "wk", "woche", "wochen"),
}
_DAYS_OF: Final = {
    **dict.fromkeys(("month", "mo", "monat", "monate", "monaten"), 30),
    **dict.fromkeys(("year", "yr", "y", "jahr", "jahre", "jahren"), 365),
    "quarter": 91,
}
"""Lengths that differ from one to the next have no unit; these many days come near."""
_YEAR_OF_MONTHS: Final = 360
_MORE: Final = r"(?:greater|more|higher|larger|bigger|longer|later|older)"
_LESS: Final = r"(?:less|fewer|lower|smaller|shorter|earlier|younger)"
_PHRASES: Final = tuple(
    (re.compile(rf"(?:is\s+)?(?:{phrase})\b", re.IGNORECASE), sign)
    for phrase, sign in (
        (rf"{_MORE}\s+than\s+or\s+equal(?:\s+to)?|(?:at\s+least|not?\s+{_LESS}\s+than)", ">="),
        (rf"{_LESS}\s+than\s+or\s+equal(?:\s+to)?|(?:at\s+most|not?\s+{_MORE}\s+than)", "<="),
        (rf"{_MORE}\s+than|{_MORE}|above|over|exceeds", ">"),
        (rf"{_LESS}\s+than|{_LESS}|below|under", "<"),
        (r"equal(?:\s+to)?|exactly", "=="),
    )
)
"""What is said in words for an operator, the longest first."""
_LENGTH: Final = re.compile(r"(?P<number>[0-9]{1,12}(?P<fraction>[.,][0-9]{1,6})?)(?P<space>\s*)(?P<unit>[^\W\d_]+)")
_MINUTES: Final = re.compile(r"([0-9]{1,4})m(?![A-Za-z0-9_])")
_MOST_MONTHS: Final = 12
_YEARS: Final = frozenset({18, 24, 36})
"""Months that people say for one and a half, two and three years."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}")
_DECIMAL_COMMA: Final = re.compile(r"(-?[0-9]{1,3}(?:\.[0-9]{3})+|-?[0-9]+),([0-9]+)(?![0-9.,])")
_POINT_OF_THOUSANDS: Final = re.compile(r"(?<![\w.])[1-9][0-9]{0,2}\.[0-9]{2}0(?![\w.])")
"""Nobody writes 1.500 for one and a half."""
_ANY_NUMBER: Final = re.compile(r"\s*-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?![A-Za-z0-9_.])")
_CLOSED_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_DURATION_UNITS: Final = ", ".join(UNITS)


def right_for_sign(text: str, at: int) -> str:
    """What to say of the character `at`, with which nothing of the grammar begins."""
    if said := right_for_text_sign(text, at):
        return said
    for wrong, right in _OPERATORS.items():
        if text.startswith(wrong, at):
            if wrong == "=" and _ANY_NUMBER.match(text, at + 1):
                return "'=' is not an operator here; write '==' (exactly) or '>=' (at least)"
            return f"{wrong!r} is not an operator here; write {right!r}"
    sign = text[at]
    if said := _right_for_quote(text, at):
        return said
    if sign in _CURRENCIES or sign == "%":
        return f"unexpected {sign!r}; a number stands alone, as in 500"
    if any(date.start() <= at < date.end() for date in _DATE.finditer(text)):
        return "a condition holds no dates; it says how long ago something was, as in since(last_order) < 30d"
    if sign in "+*/" or (sign == "-" and not text[at + 1 : at + 2].isdigit()):
        is_text = sign == "/" and text[:at].rstrip().endswith(("=", "[", ","))
        return 'text stands in double quotes: "/…"' if is_text else f"unexpected {sign!r}; nothing is calculated here"
    if sign.isdigit() or sign == "-":
        return _right_for_number(text, at)
    return f"unexpected {sign!r}"


def _right_for_quote(text: str, at: int) -> str:
    sign = text[at]
    if sign == "'":
        return 'text stands in double quotes: "…"'
    if sign in QUOTES:
        return f'{sign!r} is no quote here; text stands in straight double quotes: "…"'
    if sign == '"':
        if _CLOSED_TEXT.match(text, at):
            return "a text holds a line break, or an escape that JSON does not know"
        return 'the closing " of this text is missing'
    return ""


def right_for_word(text: str, at: int, word: str) -> str:
    """What to say of a word or sign that stands at `at`, where `and`, `or` or the end was expected.

    Empty where no habit is known that it comes from.
    """
    if word == ",":
        return _decimal_comma(text, at) or "write `and`, or `or`, not a comma"
    before = text[:at].rstrip()
    length = re.search(r"-?[0-9]+(?:[.,][0-9]+)?$", before)
    if length and word.isalpha() and word.lower() not in _WORDS and (said := _any_length(f"{length[0]} {word}")):
        return said
    if said := right_for_text_operator(text, at):
        return said
    lower = word.lower()
    for phrase, sign in _PHRASES:
        if match := phrase.match(text, at):
            return f"{match[0]!r} is not an operator here; write {sign!r}"
    if lower == "is" and re.match(r"is\s+not\b", text[at:], re.IGNORECASE):
        return "'is not' is not an operator here; write '!='"
    if lower == "not" or (word == "in" and before.lower().endswith("not")):
        return "`not` stands before the whole comparison, as in not (country in […])"
    if lower in _WORDS:
        return f"{word!r} is not an operator here; write {_WORDS[lower]!r}"
    if before.endswith(("NOT", "Not")):
        return f"{before[-3:]!r} is not an operator here; write 'not'"
    if lower == "within":
        return "`within` stands in a fact: {count: …, within: 21d}; the condition compares the name of that fact"
    if lower == "between":
        return "'between' is not an operator here; write two comparisons joined by `and`, as in x >= 1 and x <= 3"
    return ""


def length_of_time(text: str) -> str:
    """What is right for a duration that is written in another way, such as `60 days`; empty where it is none."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        return ""
    number, unit = match["number"].replace(",", "."), match["unit"].lower()
    singular = unit.removesuffix("s") if len(unit) > 1 and unit != "ms" else unit
    if singular in _DAYS_OF:
        days = round(float(number) * _DAYS_OF[singular])
        if days == _YEAR_OF_MONTHS:  # twelve months are a year
            days = _DAYS_OF["year"]
        return f"there is no unit {match['unit']!r}, for its length differs; count days, as in {days}d"
    short = unit if unit in UNITS else next((each for each, names in _UNIT_NAMES.items() if singular in names), "")
    if not short:
        return ""
    if match["unit"] == "M":
        return f"M is no unit, and m is minutes; for {number} months write {round(float(number) * 30)}d"
    if match["fraction"]:
        smaller = {"w": "d", "d": "h", "h": "m", "m": "s", "s": "ms"}.get(short, "")
        count = float(number) * UNITS[short] / UNITS[smaller] if smaller else 0.5
        if count.is_integer():
            return f"a length of time is a whole number; write {int(count)}{smaller}"
        return "a length of time is a whole number with a smaller unit"
    if match["unit"] != unit and unit in UNITS and not match["space"]:
        return f"a unit stands in small letters; write {number}{short}"
    return f"a length of time is one word; write {number}{short}"


def _any_length(text: str) -> str:
    """As `length_of_time`, also of a length below 0, which conditions alone know."""
    if not text.startswith("-"):
        return length_of_time(text)
    return re.sub(r"\b(write|as in) (?=[0-9])", r"\1 -", length_of_time(text[1:]))


def minutes_for_months(text: str, at: int = 0) -> str:
    """The warning for a length of time at `at` such as `2m`, which is minutes and may be meant for months; else empty.

    Of months there are few; `5m` is more likely a mistake than a length of time that a stage should last.
    """
    match = _MINUTES.match(text, at)
    if match is None or not (0 < int(match[1]) <= _MOST_MONTHS or int(match[1]) in _YEARS):
        return ""
    number = int(match[1])
    return (
        f"{match[0]} is {number} minute{'s' if number > 1 else ''}; {number} month{'s' if number > 1 else ''} would be "
        f"{number * 30}d (if minutes are meant, {number * 60}s says so without this warning)"
    )


_COMPARISON: Final = re.compile(r"[A-Za-z_][\w.()]*\s*(?:[<>=!]=|[<>])\s*\S")


def is_comparison(text: str) -> bool:
    """Whether it begins as a comparison of a condition does."""
    return bool(_COMPARISON.match(text.strip()))


def without_quotes(value: object) -> str:
    """What to add to a message about `value` where a number was expected; empty unless it is a number in quotes."""
    if not isinstance(value, str) or not _ANY_NUMBER.fullmatch(value):
        return ""
    return f"; write {value.strip()} without quotes"


def thousands(text: str) -> list[str]:
    """Warnings for numbers such as `1.500` in a condition: 1.5, where a point separates thousands 1500."""
    bare = _CLOSED_TEXT.sub("", text)
    return [
        f"{match[0]} is {float(match[0]):g}; if {match[0].replace('.', '')} is meant, write it without the point"
        for match in _POINT_OF_THOUSANDS.finditer(bare)
    ]


def decimal_point(text: str) -> str:
    """What is right for a number with a decimal comma, such as `2,5`; empty where it is none."""
    match = _DECIMAL_COMMA.fullmatch(text.strip())
    return _decimal_point(match) if match else ""


def _decimal_comma(text: str, at: int) -> str:
    for match in _DECIMAL_COMMA.finditer(text):
        if match.start(2) == at + 1:
            return _decimal_point(match)
    return ""


def _decimal_point(match: re.Match[str]) -> str:
    whole, fraction = match[1].replace(".", ""), match[2]
    if whole == match[1] and len(fraction) == 3:  # of Berlin, or of London
        return f"a number has a decimal point and no comma; write {float(f'{whole}.{fraction}'):g} or {whole}{fraction}"
    return f"a number has a decimal point; write {whole}.{fraction}"


def _right_for_number(text: str, at: int) -> str:
    for comma in _DECIMAL_COMMA.finditer(text):
        if comma.start() <= at < comma.end():
            return _decimal_point(comma)
    sign = text.startswith("-", at)
    if (match := _LENGTH.match(text, at + sign)) and (said := _any_length(text[at : match.end()])):
        return said
    return f"not a number; a number is written 1000 or 2.5, a length of time as a whole number with {_DURATION_UNITS}"
