"""One request of a template, and what becomes of it for a change: URL, headers, credentials, JSON."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

import orjson

from stream.webhooks.endpoint import UnfitChangeError
from stream.webhooks.exchange import HttpRequest
from stream.webhooks.templating.filters import as_text
from stream.webhooks.templating.material import Material
from stream.webhooks.templating.placeholders import Placeholder, Text
from stream.webhooks.templating.template_conditions import EMPTY, RequestCondition

SPREAD: Final = "..."
"""The key of an object whose value is an object itself: its members stand beside the others."""
_NOT_IN_A_HEADER: Final = re.compile(r"[^\x20-\x7e]")
_DOTS: Final = (".", "..")


class Spread(NamedTuple):
    """An object in an object."""

    placeholder: Placeholder


Json = Text | Placeholder | tuple["Member", ...] | list["Json"] | str | float | bool | None
"""A value of a body: a text, a placeholder that keeps its type, an object, a list, or a constant."""


class Member(NamedTuple):
    """A member of an object."""

    key: str
    value: Json | Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTemplate:
    """A request with placeholders."""

    method: str
    url: Text
    headers: tuple[tuple[str, Text], ...] = ()
    bearer: Text | None = None
    basic: tuple[Text, Text] | None = None
    """User and password."""
    json: Json = None
    """None: there is no body."""
    needs: tuple[Placeholder, ...] = ()
    """What must be there: without it the tool would refuse, or take it for another thing."""
    only_if: tuple[RequestCondition, ...] = ()

    @property
    def base(self) -> str:
        """The name of the value with which the URL begins, and goes on; empty where there is none."""
        first = self.url.parts[0]
        return first.value if isinstance(first, Placeholder) and len(self.url.parts) > 1 else ""

    def request(self, material: Material) -> HttpRequest | None:
        """What is sent; None where its conditions do not hold. Raises UnfitChangeError."""
        if not all(condition.holds(material) for condition in self.only_if):
            return None
        for placeholder in self.needs:
            if material.value(placeholder) in EMPTY:
                raise UnfitChangeError(f"the change has nothing for {material.what(placeholder)}")
        headers = [(name, _header(_there(text, material))) for name, text in self.headers]
        if self.bearer is not None:
            headers.append(("Authorization", f"Bearer {_header(_there(self.bearer, material))}"))
        if self.basic is not None:
            pair = ":".join(_there(text, material) for text in self.basic)
            headers.append(("Authorization", f"Basic {b64encode(pair.encode()).decode()}"))
        body = b""
        if self.json is not None:
            body = orjson.dumps(_rendered(self.json, material) or {})
            if not any(name.lower() == "content-type" for name, _text in self.headers):
                headers.append(("Content-Type", "application/json"))
        return HttpRequest(self.method, _url(self.url, material), tuple(headers), body)


def _there(text: Text, material: Material) -> str:
    found = material.text(text)
    if found is None:
        missing = next(each for each in text.placeholders if material.value(each) is None)
        raise UnfitChangeError(f"the change has nothing for {material.what(missing)}")
    return found


def _header(text: str) -> str:
    """What else than printable ASCII no client sends alike: as %XX of its UTF-8."""
    return _NOT_IN_A_HEADER.sub(lambda found: quote(found[0]), text)


def _url(url: Text, material: Material) -> str:
    """Each value encoded as one segment of the path, or one value of the query; the base, which begins it, as it is.

    Raises UnfitChangeError where a value is empty, or is `.` or `..`, which would lead elsewhere.
    """
    parts: list[str] = []
    for index, part in enumerate(url.parts):
        if isinstance(part, str):
            parts.append(part)
            continue
        text = _there(Text((part,)), material)
        if index == 0:
            parts.append(text.rstrip("/") if len(url.parts) > 1 else text)
        elif not text or text in _DOTS:
            raise UnfitChangeError(f"{material.what(part)} is empty, or dots alone, and cannot stand in a URL")
        else:
            parts.append(quote(text, safe=""))
    return "".join(parts)


def _rendered(node: Json, material: Material) -> object:
    """A value for JSON; None where nothing is, or is left of a list or object: then what holds it leaves it out."""
    if isinstance(node, str):
        return node
    if isinstance(node, Placeholder):
        return material.value(node)
    if isinstance(node, Text):
        return material.text(node)
    if isinstance(node, list):
        return [found for each in node if (found := _rendered(each, material)) is not None] or None
    if isinstance(node, tuple):
        return _object(node, material) or None
    return node


def _object(members: tuple[Member, ...], material: Material) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in members:
        found = material.value(value.placeholder) if isinstance(value, Spread) else _rendered(value, material)
        if isinstance(value, Spread):
            if isinstance(found, Mapping):
                made.update(found)
        elif found is not None:
            made[key] = found
    return made


def host_of(url: Text, values: Mapping[str, str]) -> str:
    """Host and port of a URL: these never come from a change."""
    first = url.parts[0] if url.parts else ""
    text = first if isinstance(first, str) else values.get(first.value, "")
    return as_text(re.sub(r"^[a-z]+://([^/?#]*).*", r"\1", text, flags=re.IGNORECASE | re.DOTALL))
