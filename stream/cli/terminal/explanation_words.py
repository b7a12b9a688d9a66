"""What an explanation says of values, times and comparisons, in words."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from stream.cli.terminal.spans import span
from stream.codec.plain import plain
from stream.core.durations import parse_duration

Json = dict[str, Any]
"""A part of an answer about a customer, as `schemas/customer.schema.json` has it."""

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def when(time: int) -> str:
    """A time as people write it, in UTC: `3 December 2026, 10:00`, with seconds where they are not 0."""
    moment = _EPOCH + timedelta(milliseconds=time)
    clock = f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {clock}"


def number(value: float) -> str:
    """A number without more decimals than help: `1,200`, `41.3`, `0.05`, `0.000001`."""
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    shown = f"{value:,.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.05 else f"{value:.6f}"
    return shown.rstrip("0").rstrip(".") or "0"


def value_words(value: object, unit: str | None) -> str:
    """A value in its unit; `nothing yet` where there is none."""
    if value is None:
        return "nothing yet"
    if isinstance(value, list):
        return ", ".join(value_words(each, unit) for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if unit == "time":
            return when(int(value))
        return length(value) if unit == "duration" else number(value)
    return plain(str(value))


def length(ms: float) -> str:
    """A length of time: `90d` where it is whole, else with a decimal: `2.3d`."""
    if ms < 0:
        return f"-{length(-ms)}"
    shown = span(ms)
    whole = re.fullmatch(r"([0-9]+)\.0([dhms])", shown)
    return shown if whole is None or parse_duration(whole[1] + whole[2]) != ms else whole[1] + whole[2]


def comparison_words(comparison: Json) -> str:
    """What a comparison asks, what there is, and what is missing."""
    text = " ".join(plain(comparison["text"]).split())
    asked = text if comparison["wanted"] else f"not ({text})"
    if comparison["holds"] is None:
        return f"{asked}: needs an interaction"
    value, unit, missing = comparison["value"], comparison["unit"], comparison["missing"]
    name, present = plain(comparison["name"]), value_words(value, unit)
    if value is None:
        said = f"{asked}: there is no {name} yet"
    elif missing is None or unit not in ("number", "duration"):
        said = f"{asked}: {name} is {present}"
    else:
        said = _how_far(comparison, name, present, asked)
    if comparison["by_time"] is not None:
        said += f"; time alone does it on {when(comparison['by_time'])}"
    return said


def _how_far(comparison: Json, name: str, present: str, asked: str) -> str:
    missing = comparison["missing"]
    amount = value_words(abs(missing), comparison["unit"])
    if missing < 0:
        return f"{asked}: {name} is {present}, {amount} too much"
    verb = "is" if re.fullmatch("1[dhms]?", amount) else "are"
    said = f"{name} {present} of {_needed(comparison)}, {amount} {verb} missing"
    return said if comparison["wanted"] else f"{asked}: {said}"


def _needed(comparison: Json) -> str:
    """What the value has to come to; of a list the one that is nearest."""
    if isinstance(comparison["needs"], list):
        return value_words(comparison["value"] + comparison["missing"], comparison["unit"])
    return value_words(comparison["needs"], comparison["unit"])


def guard_words(guard: Json) -> str:
    """What holds a transition back beside its condition, and until when."""
    lasts = length(guard["length"])
    if guard["kind"] == "hold":
        if guard["since"] is None:
            return f"hold: the condition must then hold for {lasts}"
        said = f"hold: the condition has held since {when(guard['since'])}"
        return said if guard["until"] is None else f"{said}; it must until {when(guard['until'])}"
    if guard["since"] is None:
        return f"at most every {lasts}: it was not taken yet"
    said = f"at most every {lasts}: last taken on {when(guard['since'])}"
    return said if guard["until"] is None else f"{said}, not again before {when(guard['until'])}"


def time_words(told: Json) -> str:
    """What time alone does to the customer in this lifecycle."""
    move = told["by_time"]
    if move is not None:
        through = [plain(each["to"]) for each in move["transitions"][:-1]]
        by_way = f", by way of {', '.join(through)}" if through else ""
        goes = "is due to go" if move["at"] <= told["at"] else "goes"
        why = " ".join(plain(move["transitions"][-1]["transition"] or "").split())
        return f"On {when(move['at'])}, it {goes} to {plain(move['title'])} by time alone{by_way}: {why}"
    if told["stopped"] == "waits":
        return "Time alone moved it 64 times in a row; now it waits for an interaction."
    if told["stopped"] == "quarantined":
        return "Time does nothing: a deadline of this customer failed. Its interactions count on."
    return "Time alone does not move it."
