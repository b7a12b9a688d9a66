"""The JSON object of a record, as lenient with its bytes as senders need it and no more.

JSON is UTF-8 as of RFC 8259, of at most MAX_BYTES and MAX_DEPTH levels. Of a key that stands twice, the last counts.
`NaN`, `Infinity` and numbers beyond what a double can hold, which JSON does not have and Python's and other writers
write, are read as null: that value is absent, the record is not lost. A lone surrogate is no text.
"""

import contextlib
import math
import re
from typing import Final, NoReturn

import orjson

from stream.codec.dead_letter_reasons import MAX_BYTES, MAX_DEPTH, Reason
from stream.codec.refusal import Refusal

_NESTED_TOO_DEEP: Final = f"nested deeper than {MAX_DEPTH} objects and lists"
# A text that is never closed goes on to the end, so that each byte is looked at once.
_TEXT_OR_NUMBER: Final = re.compile(
    rb'"(?:[^"\\]+|\\.)*+"?|NaN|-?Infinity|-?[0-9][0-9.eE+-]{14,}|-?[0-9.]+[eE][0-9+-]+', re.DOTALL
)
_WHOLE: Final = re.compile(rb"-?[0-9]+").fullmatch
_UNQUOTED_LONGEST: Final = 18
"""Digits that 64 bits hold for certain."""
_LONGEST_64_BITS: Final = 20
_SHOWN: Final = 60


class JsonReader:
    """Reads JSON; counts in `flaws` what is read as null."""

    def __init__(self, flaws: dict[str, int]) -> None:
        self.keeps_digits = False
        """Whole numbers of more digits than 64 bits hold are text, so that none of these is lost."""
        self._flaws = flaws

    def loads(self, value: bytes) -> object:
        """What the bytes hold. Raises Refusal."""
        return _loads(_TEXT_OR_NUMBER.sub(_quoted, value) if self.keeps_digits else value, self._flaws)


def _loads(value: bytes, flaws: dict[str, int]) -> object:
    if len(value) > MAX_BYTES:
        raise Refusal(Reason.TOO_LARGE, f"{len(value)} bytes; at most {MAX_BYTES} are read")
    try:
        found: object = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        found = _repaired(value, str(error), flaws)
    # Few records have brackets enough to be too deep. `replace` finds them twice as fast as `count`.
    brackets = len(value) - len(value.replace(b"{", b"").replace(b"[", b""))
    if brackets > MAX_DEPTH and _is_too_deep(found):
        raise Refusal(Reason.TOO_DEEP, _NESTED_TOO_DEEP)
    return found


def _quoted(found: re.Match[bytes]) -> bytes:
    token = found[0]
    return (
        b'"%s"' % token if len(token) > _UNQUOTED_LONGEST and _WHOLE(token) is not None and _is_beyond(token) else token
    )


def _is_beyond(token: bytes) -> bool:
    """Whether a whole number of many digits is none of 64 bits, as a time in nanoseconds is."""
    return len(token) > _LONGEST_64_BITS or not -(2**63) <= int(token) < 2**64


def _repaired(value: bytes, error: str, flaws: dict[str, int]) -> object:
    """What is JSON but for numbers that JSON does not have."""
    if b"NaN" in value or b"Infinity" in value or "number" in error:
        nulls = [0]

        def checked(found: re.Match[bytes]) -> bytes:
            token = found[0]
            if token[:1] == b'"' or not _is_no_number(token):
                return token
            nulls[0] += 1
            return b"null"

        repaired = _TEXT_OR_NUMBER.sub(checked, value)
        with contextlib.suppress(orjson.JSONDecodeError):
            found: object = orjson.loads(repaired)
            flaws["not_a_number"] = flaws.get("not_a_number", 0) + nulls[0]
            return found
    return _refuse(value, error)


def _is_no_number(token: bytes) -> bool:
    try:
        number = float(token)
    except ValueError:
        return False  # no JSON either
    return not math.isfinite(number)


def _refuse(value: bytes, error: str) -> NoReturn:
    try:
        value.decode()
    except UnicodeDecodeError as problem:
        raise Refusal(Reason.NOT_UTF8, f"byte {problem.start} is not UTF-8; JSON is UTF-8") from None
    # orjson stops at 1,024 levels, however much stack is left, and says so in these words.
    if "depth limit" in error:
        raise Refusal(Reason.TOO_DEEP, _NESTED_TOO_DEEP)
    raise Refusal(Reason.NOT_JSON, _explained(value, error))


def _explained(value: bytes, error: str) -> str:
    """What it may be instead, as far as its first bytes tell."""
    if value.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte order mark; JSON has none"
    beginning = value.lstrip()[:_SHOWN]
    if re.match(rb"(?:Struct)?\{\w+=", beginning):
        return (
            f"{error}; this is how Kafka Connect's StringConverter writes a record: use "
            "value.converter=org.apache.kafka.connect.json.JsonConverter"
        )
    if beginning[:1] == b"<":
        return f"{error}; this looks like XML"
    return error


def _is_too_deep(record: object) -> bool:
    level: list[dict[str, object] | list[object]] = [[record]]
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if child.__class__ is dict or child.__class__ is list
        ]
    return bool(level)
