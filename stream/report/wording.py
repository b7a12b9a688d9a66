"""Values as people read them, in the terminal and on the page."""

from typing import Final, Literal

from stream.report.tables import Cell, Change, Value

NOTHING: Final = "\N{EN DASH}"
_SAME: Final = "±0"
_MINUS: Final = "\N{MINUS SIGN}"
_SPANS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))


def worded(cell: Cell) -> str:
    """A cell as text."""
    if cell is None:
        return NOTHING
    if isinstance(cell, str):
        return cell
    return _change(cell) if isinstance(cell, Change) else worded_value(cell)


def worded_value(value: Value) -> str:
    """A number with its unit: `1,234`, `1,234.50`, `12.3 %`, `3.2 d`."""
    number = value.number
    if value.kind == "count":
        text = f"{number:,.0f}"
    elif value.kind == "money":
        text = f"{number / 1_000_000:,.2f}"
    elif value.kind == "share":
        text = f"{number * 100:,.1f} %"
    elif value.kind == "points":
        text = f"{number * 100:+,.0f}"
    elif value.kind == "span":
        text = _span(number)
    else:
        text = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"
    return text.replace("-", _MINUS)


def brief(value: Value) -> str:
    """The same short enough for a picture: `12.3k`."""
    if value.kind not in ("count", "money", "number"):
        return worded_value(value)
    number = value.number / 1_000_000 if value.kind == "money" else value.number
    for size, letter in ((1_000_000_000, "bn"), (1_000_000, "m"), (1_000, "k")):
        if abs(number) >= size:
            found = number / size
            return (f"{found:.0f}" if abs(found) >= 100 else f"{found:.1f}").replace("-", _MINUS) + letter
    return f"{number:,.0f}".replace("-", _MINUS)


def toned(found: Change) -> Literal["better", "worse", ""]:
    """Whether it is for the better or the worse, where it is either, and more than nothing."""
    if found.good is None or not found.share or _change(found) == _SAME:
        return ""
    return "better" if (found.share > 0) == found.good else "worse"


def _change(found: Change) -> str:
    if found.share is None:
        return "new"
    if found.points:
        text = f"{found.share * 100:+,.1f} pts"
        return _SAME if text in ("+0.0 pts", "-0.0 pts") else text.replace("-", _MINUS)
    text = f"{found.share * 100:+,.0f} %"
    return _SAME if text in ("+0 %", "-0 %") else text.replace("-", _MINUS)


def _span(ms: float) -> str:
    if ms == 0:
        return "0 s"
    for unit, size in _SPANS:
        if abs(ms) >= size or unit == "s":
            found = ms / size
            return f"{found:,.0f} {unit}" if abs(found) >= 99.95 else f"{found:.1f} {unit}"
    raise AssertionError("the last unit takes everything")
