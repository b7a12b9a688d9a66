"""Lengths of time and shares, short enough for a column."""

NOTHING = "-"
"""What stands where there is no number."""
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def span(ms: float) -> str:
    """A length of time in its largest unit, with one decimal below 100: `3.2d`, `214d`, `45.0m`, `0.3s`; `0s`."""
    if ms == 0:
        return "0s"
    for unit, size in _UNITS:
        if ms >= size or unit == "s":
            count = ms / size
            return f"{count:,.0f}{unit}" if count >= 99.95 else f"{count:.1f}{unit}"
    raise AssertionError("the last unit takes everything")


def share(part: float | None) -> str:
    """A share from 0 to 1 in percent; whole, but never 0 % of something or 100 % of less; None has none."""
    if part is None:
        return NOTHING
    if 0 < part < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= part < 1 else f"{part:.0%}"
