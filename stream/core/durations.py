"""Lengths of time as people write them: whole numbers with `ms s m h d w`."""

import re
from typing import Final

DAY: Final = 86_400_000
"""Milliseconds."""
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"([0-9]{1,15})(ms|s|m|h|d|w)")


def parse_duration(text: str) -> int | None:
    """Milliseconds of `text` such as `90d`; None where it is not a duration."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * UNITS[match[2]] if match else None


def format_duration(ms: int) -> str:
    """`ms` in the largest unit that divides it: 7,776,000,000 is `90d`."""
    for unit in ("d", "h", "m", "s"):
        if ms and ms % UNITS[unit] == 0:
            return f"{ms // UNITS[unit]}{unit}"
    return f"{ms}ms"
