"""How the text of a setting is read: a function for each kind of value.

Each raises UnfitError for a text that is no such value.
"""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any, get_args

from stream.codec.files.topic_mappings import TopicMappings
from stream.core.durations import parse_duration
from stream.core.times import parse_time
from stream.errors import InputFileError

_MOST_DIGITS = 18
_SHORTEST_SESSION = 100
_SHORTEST_TOKEN = 16
_LONGEST_SESSION = 24 * 86_400_000
"""Kafka's protocol has 31 bits for its milliseconds."""
_SHORTEST_RETENTION = 3_600_000
_BINARY_UNITS = {"KiB": 10, "MiB": 20, "GiB": 30}
UNLIMITED = -1
"""A retention, as Kafka writes it."""


class UnfitError(ValueError):
    """A value that a setting cannot take; the message says what it can."""


def read_text(value: str) -> str:
    """Any text, as it is."""
    return value


def read_name(value: str) -> str:
    """A text with more in it than white space."""
    if not value.strip():
        raise UnfitError("a name; it must not be empty")
    return value


def read_words(value: str) -> tuple[str, ...]:
    """Texts that commas separate."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def read_word_set(value: str) -> frozenset[str]:
    """The same in small letters, each once."""
    return frozenset(word.lower() for word in read_words(value))


def _digits(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS else None


def read_whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number within these bounds."""

    def parse(value: str) -> int:
        number = _digits(value)
        if number is None or not low <= number <= high:
            raise UnfitError(f"a whole number from {low} to {high}")
        return number

    return parse


def read_choice(choices: object) -> Callable[[str], Any]:
    """One of the texts of a `Literal`."""
    allowed = get_args(choices)

    def parse(value: str) -> str:
        if value not in allowed:
            raise UnfitError(f"one of {', '.join(allowed)}")
        return value

    return parse


def read_duration(value: str) -> int:
    """Milliseconds."""
    ms = parse_duration(value)
    if ms is None:
        raise UnfitError("a duration such as 500ms, 30s, 12h or 90d")
    return ms


def read_session(value: str) -> int:
    """Milliseconds of a session of the consumer group."""
    ms = read_duration(value)
    if not _SHORTEST_SESSION <= ms <= _LONGEST_SESSION:
        raise UnfitError(f"a duration from {_SHORTEST_SESSION}ms to 24d")
    return ms


def read_share(value: str) -> float:
    """A share above 0 and up to 1."""
    text, unit = (value[:-1], 100) if value.endswith("%") else (value, 1)
    plain = text.replace(".", "", 1)
    share = float(text) / unit if plain.isascii() and plain.isdigit() and len(plain) <= _MOST_DIGITS else 0.0
    if not 0 < share <= 1:
        raise UnfitError("a share above 0 and up to 1, such as 0.5 or 50%")
    return share


def read_duration_or_off(value: str) -> int | None:
    """Milliseconds; None: off."""
    ms = parse_duration(value)
    if ms is None and value != "off":
        raise UnfitError("a duration such as 90d, or off")
    return ms


def read_whole_or_auto(low: int, high: int) -> Callable[[str], int | None]:
    """A whole number within these bounds; None: auto."""

    def parse(value: str) -> int | None:
        number = _digits(value)
        if value != "auto" and (number is None or not low <= number <= high):
            raise UnfitError(f"a whole number from {low} to {high}, or auto")
        return number

    return parse


def read_retention(value: str) -> int | None:
    """Milliseconds, or UNLIMITED; None: empty."""
    if value in ("", "unlimited"):
        return UNLIMITED if value else None
    ms = parse_duration(value)
    if ms is None or ms < _SHORTEST_RETENTION:
        raise UnfitError("a duration such as 400d, of an hour at least, or `unlimited`")
    return ms


def read_time_or_first_start(value: str) -> int | None:
    """Epoch milliseconds; None: first-start."""
    if value == "first-start":
        return None
    number = _digits(value)
    time = parse_time(value if number is None else number)
    if time is None:
        raise UnfitError("a time such as 2026-11-01T00:00:00Z, or `first-start`")
    return time


def read_time_or_off(value: str) -> int | None:
    """Epoch milliseconds; None: off."""
    if value == "off":
        return None
    time = parse_time(value)
    if time is None:
        raise UnfitError("a time such as 1995-01-01, or `off`")
    return time


def read_topics(value: str) -> str:
    """One name of a topic or more, that commas separate; each once."""
    names = read_words(value)
    if not names or len(set(names)) < len(names):
        raise UnfitError("the name of a topic, or several that commas separate, each once")
    return ",".join(names)


def read_mappings(value: str) -> TopicMappings | None:
    """Mappings, as `import --map`, each for all topics or for one; None: empty."""
    try:
        return TopicMappings.parse(value) if value.strip() else None
    except InputFileError as error:
        raise UnfitError(f"a mapping: {error}") from None


def read_token(value: str) -> str:
    """A bearer token that nobody guesses, or an empty text."""
    if value and not (len(value) >= _SHORTEST_TOKEN and value.isascii() and value.isprintable() and " " not in value):
        raise UnfitError(
            f"a token of at least {_SHORTEST_TOKEN} letters, digits and signs, as openssl rand -hex 32 makes"
        )
    return value


def read_switch(value: str) -> bool:
    """Whether something is done."""
    if value not in ("on", "off"):
        raise UnfitError("`on` or `off`")
    return value == "on"


def read_bytes(low: int, high: int) -> Callable[[str], int]:
    """A number of bytes within these bounds: `8MiB`, `500KiB`, `1048576`."""

    def parse(value: str) -> int:
        text, shift = value, 0
        for unit, bits in _BINARY_UNITS.items():
            if value.endswith(unit):
                text, shift = value.removesuffix(unit).rstrip(), bits
        number = _digits(text)
        if number is None or not low <= number << shift <= high:
            raise UnfitError(f"a number of bytes such as 8MiB or 500KiB, from {low} to {high}")
        return number << shift

    return parse


def read_url(value: str) -> str:
    """The address of a server, without a path; or an empty text."""
    scheme, _, place = value.partition("://")
    if value and not (scheme in ("http", "https") and place and not set(place) & set("/?#@ ")):
        raise UnfitError("an address such as http://10.0.0.7:6066, without a path")
    return value


def read_networks(value: str) -> tuple[str, ...]:
    """IP addresses and networks, that commas separate."""
    words = read_words(value)
    for word in words:
        try:
            ip_network(word)
        except ValueError:
            raise UnfitError(f"a list of addresses and networks such as 10.0.0.0/8; {word!r} is none") from None
    return words
