"""Event names as values of a label: few, and only such as hold nobody's data.

An event name is whatever a sender calls an event; some put an address or an order's number into it. Each name is a
series for as long as the process runs, so that their number is bounded, too.
"""

import re
from typing import Final

OTHER: Final = "other"
"""Stands for all names that have no series of their own."""
MOST_NAMES: Final = 20
"""Names of each lifecycle that have a series: the first to come."""
_SAFE = re.compile(r"[^\W\d_](?:(?!\d{4})[\w .:/-]){0,63}")
"""Up to 64 letters, digits, blanks, and . : / - _; no @, and no four digits in a row, as numbers of somebody have."""


class NameLabels:
    """Which event names have a series, by lifecycle."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def label(self, lifecycle: str, name: str) -> str:
        """The label's value for an event name: itself, or OTHER."""
        known = self._of.setdefault(lifecycle, set())
        if name in known:
            return name
        if len(known) >= MOST_NAMES or not _SAFE.fullmatch(name):
            return OTHER
        known.add(name)
        return name
