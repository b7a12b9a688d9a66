"""Texts that look like numbers of another notation, and which notation that may be."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from stream.codec.files.foreign_bytes import meant
from stream.codec.files.notation import Decimal, Notation, Thousands, number_pattern

Way = tuple[Decimal, Thousands | None]
"""The sign before decimals and the one between thousands."""

WAYS: Final[tuple[Way, ...]] = (
    ("point", None),
    ("comma", None),
    ("point", "comma"),
    ("comma", "point"),
    ("comma", "space"),
    ("point", "space"),
    ("point", "apostrophe"),
    ("comma", "apostrophe"),
)
"""Of two that read the same numbers, the earlier one is meant."""

_PATTERNS: Final = tuple(number_pattern(decimal, thousands, ()).fullmatch for decimal, thousands in WAYS)
_CODES: Final = frozenset(
    {
        *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR"),
        *("GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP"),
        *("PLN", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "UAH", "USD", "VND", "ZAR"),
        *("kr", "kr.", "zł", "Kč", "Ft", "lei", "Fr.", "R$", "A$", "C$", "US$"),
    }
)
_DIGIT: Final = re.compile("[0-9]").search
_LONGEST: Final = 40
"""Characters; no number of a shop has more."""
_AROUND: Final = re.compile(
    r"(?P<before>[^0-9.,'\u2019\s()+\u2212-]{1,3}\.?)?(?P<number>.*?)(?P<behind>[^0-9,'\u2019\s()+\u2212-]{1,3})?"
)
_MOSTLY: Final = 0.9


@dataclass(slots=True)
class NumberColumn:
    """What stands in one column that is read as a property."""

    name: str
    texts: int = 0
    unread: int = 0
    """Texts that look like numbers, but do not count as such."""
    first: tuple[str, str] | None = None
    """The first of these, and where it stands."""
    like: int = 0
    """All that look like numbers, without `whole` and `pointed`."""
    votes: list[int] = field(default_factory=lambda: [0] * len(WAYS))
    """Of these, how many each of WAYS reads."""
    whole: int = 0
    """Whole numbers, which every way reads."""
    pointed: int = 0
    """Numbers whose point stands before decimals."""
    currencies: Counter[str] = field(default_factory=Counter)

    def number(self, cell: str) -> None:
        """Note a cell that counts as a number as it is read now."""
        # 1.234 could have its point between thousands, 12.50 could not; whole numbers fit all.
        if "." not in cell:
            self.whole += 1
        elif cell[-4:-3] == "." and len(cell) <= 8:
            self.like += 1
            self._vote(cell)
        else:
            self.pointed += 1

    def text(self, cell: str, file: str, line: int) -> None:
        """Note a cell that counts as text, and where it stands."""
        self.texts += 1
        if len(cell) > _LONGEST or not _DIGIT(cell):
            return
        cell = meant(cell)
        number, signs = without_currency(cell)
        if not self._vote(number):
            return
        self.like += 1
        self.unread += 1
        self.currencies.update(signs)
        if self.first is None:
            self.first = cell, f"{file}:{line}"

    @property
    def looks_numeric(self) -> bool:
        """Whether this is a column of numbers, of which some do not count."""
        numbers = self.like + self.whole + self.pointed
        others = self.texts - self.unread
        return self.unread > 0 and numbers >= _MOSTLY * (numbers + others)

    def read_by(self, place: int) -> int:
        """How many of the numbers one of WAYS reads."""
        return self.votes[place] + self.whole + (self.pointed if WAYS[place][0] == "point" else 0)

    def _vote(self, number: str) -> bool:
        found = False
        for place, fits in enumerate(_PATTERNS):
            if fits(number):
                self.votes[place] += 1
                found = True
        return found


def without_currency(cell: str) -> tuple[str, list[str]]:
    """The number without signs of currencies around it, and these."""
    match = _AROUND.fullmatch(cell.strip())
    if match is None:
        return cell, []
    signs = [each for each in (match["before"], match["behind"]) if each]
    if signs and all(map(_is_currency, signs)):
        return match["number"], signs
    return cell, []


def fitting(columns: list[NumberColumn], said: Notation) -> list[Way]:
    """The ways that read most of the columns' numbers and agree with what was said already; two where both may be."""
    votes = [sum(each.read_by(place) for each in columns) for place in range(len(WAYS))]
    left = [
        place
        for place, (decimal, thousands) in enumerate(WAYS)
        if said.decimal in (None, decimal) and (said.thousands is None or said.thousands == thousands)
    ]
    most = max((votes[place] for place in left), default=0)
    if not most:
        return []
    best = [WAYS[place] for place in left if votes[place] == most]
    first = best[0]
    # 1,234 may be a thousand and more, or one and some.
    other = next((each for each in best if each[0] != first[0] and {first[1], each[1]} & {"comma", "point"}), None)
    return [first] if other is None else [first, other]


def _is_currency(sign: str) -> bool:
    return sign in _CODES or (len(sign) == 1 and unicodedata.category(sign) == "Sc")
