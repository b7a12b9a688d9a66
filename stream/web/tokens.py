"""Bearer tokens and what each allows, from a TOML file:

    [[token]]
    token = "3f9c…"         # as openssl rand -hex 32 makes
    name = "crm"            # for people; never a secret
    roles = ["read"]        # collect, read, operate

`collect`: send interactions to the collector. `read`: see customers, stages and stage changes. `operate`: see metrics
and what health says in detail. Several tokens of one user are valid side by side, so that they can be replaced one
after the other.
"""

import tomllib
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from stream.errors import SettingsError
from stream.setting_types import UnfitError, read_token
from stream.watched_file import WatchedFile
from stream.web.secret_table import SecretTable

Role = Literal["collect", "read", "operate"]
ROLES: Final[frozenset[Role]] = frozenset(get_args(Role))
_KEYS: Final = frozenset({"token", "name", "roles"})


class Token(NamedTuple):
    """What a token is, without the token."""

    name: str
    roles: frozenset[Role]


class Tokens:
    """All that are valid now."""

    def __init__(self, token: str = "", path: str = "") -> None:
        """`token` has every role; `path` is of a file, empty where there is none. Raises SettingsError."""
        self._one = SecretTable([(token, Token("web_token", ROLES))] if token else [])
        self._file = WatchedFile(Path(path), parse_tokens) if path else None

    @property
    def required(self) -> bool:
        """Whether there are any; else only this machine is answered."""
        return len(self._one) > 0 or self._file is not None

    def find(self, given: str) -> Token | None:
        """The token that somebody sent; None where it is none of ours."""
        found = self._one.find(given)
        return self._file.value.find(given) if found is None and self._file is not None else found


def parse_tokens(text: str) -> SecretTable[Token]:
    """The tokens of a file. Raises SettingsError, whose message repeats no token."""
    entries: list[tuple[str, Token]] = []
    for number, entry in enumerate(tables_of(text, "token"), 1):
        where = f"token {number}"
        refuse_unknown(entry, _KEYS, where)
        name, roles = entry.get("name"), entry.get("roles")
        if not isinstance(name, str) or not name:
            raise SettingsError(f"{where}: it needs a `name`, such as crm")
        if not isinstance(roles, list) or not roles or not set(map(str, roles)) <= ROLES:
            raise SettingsError(f"{where} ({name}): its `roles` are a list of collect, read, operate")
        entries.append((secret_of(entry, "token", f"{where} ({name})"), Token(name, frozenset(roles))))
    return SecretTable(entries)


def tables_of(text: str, name: str) -> list[dict[str, object]]:
    """The tables `[[name]]` of a TOML file, which holds nothing else. Raises SettingsError."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"no TOML: {type(error).__name__ if isinstance(error, RecursionError) else error}"
        ) from None
    refuse_unknown(content, frozenset({name}), "the file")
    tables = content.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise SettingsError(f"begin each {name} with a line `[[{name}]]`")
    return tables


def refuse_unknown(entry: dict[str, object], known: frozenset[str], where: str) -> None:
    """Raises SettingsError for a key that nobody knows: half of them are slips of the pen."""
    for key in entry:
        if key not in known:
            raise SettingsError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}")


def secret_of(entry: dict[str, object], key: str, where: str) -> str:
    """A secret of the file, long enough that nobody guesses it. Raises SettingsError, without repeating it."""
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise SettingsError(f"{where}: `{key}` is missing, or no text")
    try:
        return read_token(value)
    except UnfitError as wanted:
        raise SettingsError(f"{where}: its {key} is not {wanted}") from None
