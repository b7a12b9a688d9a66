"""Texts that are numbers: many senders put a price in quotes."""

import re
from math import isfinite
from typing import Final

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""A number of JSON, no more: not " 5", "+5", "05", "5." or "$5"."""
_WHOLE_DIGITS: Final = 20
"""Whole numbers of 64 bits have no more signs than this."""


def number_of(text: str) -> int | float | None:
    """Rule 16: the number that JSON would have without the quotes, finite as a double; None for any other text.

    A whole number within 64 bits stays whole, as JSON's reader has it; larger ones are doubles.
    """
    if not text or text[0] not in "-0123456789":  # as most texts begin
        return None
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    if found[1] is None and found[2] is None and len(text) <= _WHOLE_DIGITS:
        whole = int(text)
        if -(2**63) <= whole < 2**64:
            return whole
    number = float(text)
    return number if isfinite(number) else None
