"""Write keys and what each allows, from a TOML file:

    [[key]]
    key = "9f1c…"                                # as openssl rand -hex 16 makes, or the one that the SDK has already
    source = "shop"                              # for people, records and metrics; never a secret
    origins = ["https://shop.example"]           # web pages that may send with it; "*" is every one, absent is none
    rate = 500                                   # interactions a second, of each collector process; absent is no limit
    topic = "web"                                # where `interactions` names several topics; absent is the first

Several keys of one source are valid side by side, so that they can be replaced one after the other.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from stream.errors import SettingsError
from stream.watched_file import WatchedFile
from stream.web.secret_table import SecretTable
from stream.web.tokens import refuse_unknown, secret_of, tables_of

ANY_ORIGIN: Final = "*"
_KEYS: Final = frozenset({"key", "source", "origins", "rate", "topic"})
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+", re.IGNORECASE)
_MAX_SOURCE: Final = 64


class Source(NamedTuple):
    """Who sends, and what it may; without its key."""

    name: str
    """Empty where nobody knows: without a file, everything from this machine is taken."""
    origins: frozenset[str] = frozenset()
    """Lower-case, without a slash at the end."""
    rate: float | None = None
    """Interactions a second, of each collector process; None: as many as there are."""
    topic: str = ""
    """The full name; empty: the first that interactions are sent to."""

    def allows(self, origin: str) -> bool:
        """Whether a web page of this origin may send."""
        return ANY_ORIGIN in self.origins or origin.lower() in self.origins


class _Keys(NamedTuple):
    table: SecretTable[Source]
    sources: tuple[Source, ...]


class WriteKeys:
    """All that are valid now."""

    def __init__(self, path: str, prefix: str, topics: Sequence[str]) -> None:
        """`topics` are those that interactions are sent to, with `prefix`. Raises SettingsError."""
        self._file = WatchedFile(Path(path), lambda text: _parse(text, prefix, topics)) if path else None

    @property
    def required(self) -> bool:
        """Whether there is a file; else any key is taken, from this machine alone."""
        return self._file is not None

    def find(self, key: str) -> Source | None:
        """Whose key it is; None where it is nobody's."""
        return None if self._file is None else self._file.value.table.find(key)

    def allow(self, origin: str) -> bool:
        """Whether any key allows web pages of this origin."""
        return self._file is not None and any(each.allows(origin) for each in self._file.value.sources)


def parse_write_keys(text: str, prefix: str, topics: Sequence[str]) -> SecretTable[Source]:
    """The keys of a file. Raises SettingsError, whose message repeats no key."""
    return _parse(text, prefix, topics).table


def _parse(text: str, prefix: str, topics: Sequence[str]) -> _Keys:
    entries: list[tuple[str, Source]] = []
    for number, entry in enumerate(tables_of(text, "key"), 1):
        where = f"key {number}"
        refuse_unknown(entry, _KEYS, where)
        name = entry.get("source")
        if not isinstance(name, str) or not name or len(name) > _MAX_SOURCE or not name.isprintable():
            raise SettingsError(f"{where}: it needs a `source` of at most {_MAX_SOURCE} characters, such as shop")
        where = f"{where} ({name})"
        source = Source(name, _origins(entry, where), _rate(entry, where), _topic(entry, where, prefix, topics))
        entries.append((secret_of(entry, "key", where), source))
    return _Keys(SecretTable(entries), tuple(source for _key, source in entries))


def _origins(entry: dict[str, object], where: str) -> frozenset[str]:
    given = entry.get("origins", [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise SettingsError(f'{where}: its `origins` are a list such as ["https://shop.example"]')
    for each in given:
        if each not in (ANY_ORIGIN, "null") and _ORIGIN.fullmatch(each.removesuffix("/")) is None:
            raise SettingsError(
                f"{where}: {each!r} is no origin; one is like https://shop.example, with no path, or `*` for all"
            )
    return frozenset(each.removesuffix("/").lower() for each in given)


def _rate(entry: dict[str, object], where: str) -> float | None:
    rate = entry.get("rate")
    if rate is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < float("inf"):
        raise SettingsError(f"{where}: its `rate` is interactions a second, a number above 0, or absent")
    return float(rate)


def _topic(entry: dict[str, object], where: str, prefix: str, topics: Sequence[str]) -> str:
    name = entry.get("topic")
    if name is None:
        return topics[0]
    if not isinstance(name, str) or prefix + name not in topics:
        known = ", ".join(each.removeprefix(prefix) for each in topics)
        raise SettingsError(f"{where}: its `topic` is one of the setting interactions: {known}")
    return prefix + name
