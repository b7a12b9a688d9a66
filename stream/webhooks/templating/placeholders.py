"""Texts of templates with placeholders: `{to}`, `{values.email | lower | md5}`, `{from | or nobody}`.

A placeholder names a field of the change, one of OWN, or one of the endpoint's values, as `values.NAME`. Behind each
`|` stands a filter. `{{` and `}}` are braces.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from stream.core.language.names import unknown
from stream.webhooks.templating.change_fields import unknown_field
from stream.webhooks.templating.filters import FILTERS

VALUES: Final = "values."
OWN: Final = {
    "id": "the change's own id, which is the `webhook-id`, too: the same at every repetition",
    "uuid": "the same as a UUID",
    "ulid": "the same as a ULID",
    "change": "the whole change as an object, as it stands on the topic",
}
"""What is no field of the change itself."""
_PIECE: Final = re.compile(
    r"(?P<literal>(?:[^{}]|\{\{|\}\})+)|\{(?P<inside>(?:\"[^\"]*\"|[^{}\"])*)\}|(?P<wrong>.)", re.DOTALL
)
_STEP: Final = re.compile(r'(?:"[^"]*"|[^"|])+|(?P<wrong>[|"])')
_WORD: Final = re.compile(r'"([^"]*)"|([^\s"]+)')
_CACHED: Final = 4_096


class PlaceholderError(ValueError):
    """A placeholder that cannot be read; the message says what would be right."""


class FilterCall(NamedTuple):
    """A filter with what stands behind its name."""

    name: str
    arguments: tuple[str, ...]


class Placeholder(NamedTuple):
    """What is put in, and what is made of it first."""

    name: str
    filters: tuple[FilterCall, ...] = ()

    @property
    def value(self) -> str:
        """The name of the endpoint's value that it names; empty where it names none."""
        return self.name.removeprefix(VALUES) if self.name.startswith(VALUES) else ""

    def asked(self) -> set[str]:
        """Names of all values of the endpoint that it needs."""
        named = [self.name, *(each for call in self.filters if call.name == "in" for each in call.arguments)]
        return {each.removeprefix(VALUES) for each in named if each.startswith(VALUES)}


class Text(NamedTuple):
    """Literal parts and placeholders, in order."""

    parts: tuple[str | Placeholder, ...]

    @property
    def alone(self) -> Placeholder | None:
        """The placeholder that is all there is: then what it stands for keeps its type."""
        first = self.parts[0] if len(self.parts) == 1 else None
        return first if isinstance(first, Placeholder) else None

    @property
    def placeholders(self) -> list[Placeholder]:
        """All of them, in order."""
        return [part for part in self.parts if isinstance(part, Placeholder)]


@lru_cache(_CACHED)
def parse_text(text: str, *, values: bool = True) -> Text:
    """A text with placeholders; those that name `values` only where these are allowed. Raises PlaceholderError."""
    parts: list[str | Placeholder] = []
    for match in _PIECE.finditer(text):
        if match["wrong"]:
            said = "a placeholder is {to}, and a brace that is meant as such is written twice"
            raise PlaceholderError(f"a {match['wrong']} that belongs to nothing; {said}")
        if match["literal"]:
            parts.append(match["literal"].replace("{{", "{").replace("}}", "}"))
        else:
            parts.append(_placeholder(match["inside"], values=values))
    return Text(tuple(parts))


@lru_cache(_CACHED)
def parse_field(text: str) -> Placeholder:
    """A field of the change and its filters, without braces: `facts.email | lower`. Raises PlaceholderError."""
    return _placeholder(text, values=False)


def parse_placeholder(text: str) -> Placeholder:
    """Likewise, where values of the endpoint may be named, too. Raises PlaceholderError."""
    return _placeholder(text, values=True)


def _placeholder(text: str, *, values: bool) -> Placeholder:
    name, *steps = _steps(text)
    if name.startswith(VALUES) and not values:
        raise PlaceholderError(f"{name!r}: only fields of the change can stand here, such as to or facts.email")
    if not name.startswith(VALUES) and name not in OWN and (said := unknown_field(name)):
        raise PlaceholderError(said)
    return Placeholder(name, tuple(_filter(step) for step in steps))


def _steps(text: str) -> list[str]:
    """What stands before, between and behind the `|`."""
    found: list[str] = []
    rest = text
    while True:
        match = _STEP.match(rest)
        if match is None or match["wrong"] or not match[0].strip():
            raise PlaceholderError(f"{text.strip()!r} is no placeholder; write a field and its filters, as in at | iso")
        found.append(match[0].strip())
        if match.end() == len(rest):
            return found
        rest = rest[match.end() + 1 :]


def _filter(step: str) -> FilterCall:
    name, *arguments = [match[1] if match[1] is not None else match[2] for match in _WORD.finditer(step)]
    if name not in FILTERS:
        raise PlaceholderError(unknown(name, list(FILTERS), "filter"))
    wanted = FILTERS[name].arguments
    if len(arguments) != len(wanted):
        raise PlaceholderError(f"the filter {name} is written {' '.join((name, *wanted))}")
    if name == "in" and not arguments[0].startswith(VALUES):
        raise PlaceholderError(f"the filter in asks for a value of the endpoint: write in values.{arguments[0]}")
    return FilterCall(name, tuple(arguments))
