"""What templates ask endpoints for: kinds of values, how each is written, and what is wrong with one."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from stream.webhooks.endpoint import ValueSpec
from stream.webhooks.templating.placeholders import Placeholder, PlaceholderError, parse_field, parse_text

_COMMA: Final = re.compile(r"""((?:"[^"]*"|[^",])+)(?:,|\Z)|.""", re.DOTALL)
_NO_HEADER: Final = re.compile(r"[\x00-\x1f\x7f]")
_CACHED: Final = 1_024


class ValueKind(StrEnum):
    """How a value is written in an endpoint."""

    TEXT = "text"
    """As it stands: a key, a name in the tool."""
    URL = "url"
    """An http or https URL."""
    FIELD = "field"
    """The name of a field of the change, such as `facts.crm_id`; what it holds is sent."""
    EMAIL = "email"
    """Likewise, of one that holds an e-mail address."""
    FIELDS = "fields"
    """Names in the tool, each with a field of the change: `lc_stage=to, lc_score=scores.engagement`."""
    STAGES = "stages"
    """Stages, each with what the tool has for it: `lead=marketing, customer=client`. The order may count."""
    MESSAGE = "message"
    """A text with fields of the change in braces: `{subject} is now {to}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateValue(ValueSpec):
    """A value that a template file asks for."""

    kind: ValueKind = ValueKind.TEXT
    example: str = ""
    """For documents: one that could stand there."""

    @property
    def takes_pairs(self) -> bool:
        """See `ValueSpec`."""
        return self.kind in (ValueKind.FIELDS, ValueKind.STAGES)

    def problem(self, text: str) -> str:
        """What is wrong with this text as the value, and what would be right; empty where nothing is."""
        try:
            match self.kind:
                case ValueKind.TEXT:
                    return (
                        "a control character, such as a line's end, cannot be sent" if _NO_HEADER.search(text) else ""
                    )
                case ValueKind.URL:
                    return _url_problem(text)
                case ValueKind.FIELD | ValueKind.EMAIL:
                    parse_field(text)
                case ValueKind.FIELDS:
                    fields(text)
                case ValueKind.STAGES:
                    stages(text)
                case ValueKind.MESSAGE:
                    parse_text(text, values=False)
        except PlaceholderError as error:
            return str(error)
        return ""


@lru_cache(_CACHED)
def fields(text: str) -> dict[str, Placeholder]:
    """By name in the tool the field of the change. Raises PlaceholderError."""
    return {name: parse_field(field) for name, field in _pairs(text, "lc_stage=to, lc_score=scores.engagement")}


@lru_cache(_CACHED)
def stages(text: str) -> dict[str, str]:
    """By stage what the tool has for it, in the order of the text. Raises PlaceholderError."""
    return dict(_pairs(text, "lead=marketing, customer=client"))


def _pairs(text: str, example: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for part in filter(None, (match[1] for match in _COMMA.finditer(text))):
        name, equals, rest = (each.strip() for each in part.partition("="))
        if not (name and equals and rest):
            raise PlaceholderError(f"{part.strip()!r} is no pair; write pairs with commas between them: {example}")
        if name in found:
            raise PlaceholderError(f"{name!r} stands there twice")
        found[name] = rest
    if not found:
        raise PlaceholderError(f"no pair is there; write {example}")
    return list(found.items())


def _url_problem(text: str) -> str:
    wanted = "a URL was expected, such as https://example.com/hook"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return wanted
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00-\x20\x7f\\]", text):
        return wanted
    if parts.username is not None or parts.password is not None:
        return "a URL holds no user name and password; credentials have values of their own"
    return "a URL of a request has no part behind a #" if "#" in text else ""
