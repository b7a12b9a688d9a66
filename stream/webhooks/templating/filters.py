"""What templates can make of a value before it is sent: times, hashes, texts."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from stream.codec.stage_changes import in_header
from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.times import format_time

_EXACT: Final = 1e15
"""Below it, a double that is whole has all of its digits."""


class UnfitValueError(ValueError):
    """A value from which a filter cannot make what it should; the message does not quote it."""


class Filter(NamedTuple):
    """A filter: what stands behind its name, what it makes, and how."""

    arguments: tuple[str, ...]
    help: str
    apply: Callable[[object, tuple[str, ...]], object]
    """Of a value that is there, and the arguments; None: nothing is left. Raises UnfitValueError."""


def as_text(value: object) -> str:
    """As people and forms write it: 42.0 is `42`, true is `true`, a list has commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)
    if isinstance(value, list):
        return ", ".join(as_text(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {as_text(each)}" for name, each in value.items())
    return str(value)


def _time(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not MIN_TIME <= value <= MAX_TIME:
        raise UnfitValueError("is no time; times are epoch milliseconds")
    return int(value)


def _offset_time(value: object, _: tuple[str, ...]) -> str:
    return datetime.fromtimestamp(_time(value) // 1_000, UTC).isoformat()


def _whole(value: object, _: tuple[str, ...]) -> int:
    try:
        return round(float(value))  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError, OverflowError):
        raise UnfitValueError("is no number") from None


def _number(value: object, _: tuple[str, ...]) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise UnfitValueError("is no number")


def _slack(value: object, _: tuple[str, ...]) -> str:
    return as_text(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _escaped(value: object, _: tuple[str, ...]) -> str:
    return in_header(as_text(value)).decode()


def _md5(data: bytes) -> "hashlib._Hash":
    return hashlib.md5(data, usedforsecurity=False)


def _rows(value: object, names: tuple[str, ...]) -> object:
    if not isinstance(value, Mapping):
        raise UnfitValueError("is no value of the kind fields")
    return [{names[0]: name, names[1]: each} for name, each in value.items()]


def _digest(algorithm: Callable[[bytes], "hashlib._Hash"]) -> Callable[[object, tuple[str, ...]], str]:
    return lambda value, _: algorithm(as_text(value).encode()).hexdigest()


def _unchanged(value: object, _: tuple[str, ...]) -> object:
    return value


FILTERS: Final[Mapping[str, Filter]] = {
    "iso": Filter((), "a time as `2026-11-22T10:00:00.000Z`", lambda value, _: format_time(_time(value))),
    "offset_time": Filter((), "a time as `2026-11-22T10:00:00+00:00`", _offset_time),
    "seconds": Filter((), "a time as whole epoch seconds", lambda value, _: _time(value) // 1_000),
    "text": Filter((), "as text: 42.0 is `42`, a list has commas", lambda value, _: as_text(value)),
    "number": Filter((), "as it is, where it is a number; anything else does not fit", _number),
    "whole": Filter((), "the nearest whole number", _whole),
    "lower": Filter((), "text in lower case", lambda value, _: as_text(value).lower()),
    "md5": Filter((), "MD5 of the text, in hex, as some tools name people", _digest(_md5)),
    "sha256": Filter((), "SHA-256 of the text, in hex", _digest(hashlib.sha256)),
    "escaped": Filter((), "control characters as `%0A`, as in the headers of the topic", _escaped),
    "slack": Filter((), "text in which `&`, `<` and `>` mean nothing to Slack", _slack),
    "or": Filter(("TEXT",), "TEXT, where there is no value; in quotes where it holds a space", _unchanged),
    "in": Filter(("values.NAME",), "what a value of the kind `stages` has for this stage", _unchanged),
    "rows": Filter(("KEY", "VALUE"), "of the kind `fields` a list of `{KEY: name, VALUE: value}`", _rows),
}
"""By name. `or` and `in` need more than the value: `Material` applies them."""
