"""One request of a template, and what becomes of it for a change: URL, headers, credentials, JSON."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, cast
from urllib.parse import quote

import orjson

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.endpoint import UnfitChangeError
from stream.webhooks.exchange import HttpRequest
from stream.webhooks.templating.filters import as_text
from stream.webhooks.templating.material import Constant, Material, Read, folded
from stream.webhooks.templating.placeholders import Placeholder, Text
from stream.webhooks.templating.template_conditions import EMPTY, RequestCondition

SPREAD: Final = "..."
"""The key of an object whose value is an object itself: its members stand beside the others."""
MakeRequest = Callable[[SubscribedChange, str], HttpRequest | None]
"""What is sent for a change with this id; None where the request's conditions do not hold. Raises UnfitChangeError."""
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

    def bound(self, material: Material) -> MakeRequest:
        """How the request is made for this endpoint: what is the same for each change is made now, once."""
        conditions = [each.bound(material) for each in self.only_if]
        needs = [(material.value(each), material.what(each)) for each in self.needs]
        method, url, body = self.method, _url(self.url, material), _rendered(self.json, material)
        headers, has_body = self._headers(material), self.json is not None

        def make(change: SubscribedChange, event_id: str) -> HttpRequest | None:
            for holds in conditions:
                if not holds(change, event_id):
                    return None
            for read, what in needs:
                if read(change, event_id) in EMPTY:
                    raise UnfitChangeError(f"the change has nothing for {what}")
            sent = cast("tuple[tuple[str, str], ...]", headers(change, event_id))
            content = orjson.dumps(body(change, event_id) or {}) if has_body else b""
            return HttpRequest(method, cast("str", url(change, event_id)), sent, content)

        return make

    def _headers(self, material: Material) -> Read:
        """All of them, as pairs of name and value."""
        made = [(name, _through(_header, _there(text, material))) for name, text in self.headers]
        if self.bearer is not None:
            made.append(("Authorization", _through(_bearer, _there(self.bearer, material))))
        if self.basic is not None:
            user, password = (_there(text, material) for text in self.basic)
            made.append(("Authorization", folded(_basic(user, password), (user, password))))
        if self.json is not None and not any(name.lower() == "content-type" for name, _text in self.headers):
            made.append(("Content-Type", Constant("application/json")))
        return folded(
            lambda change, event_id: tuple((name, read(change, event_id)) for name, read in made),
            [read for _name, read in made],
        )


def _through(convert: Callable[[str], str], read: Read) -> Read:
    return folded(lambda change, event_id: convert(cast("str", read(change, event_id))), [read])


def _there(text: Text, material: Material) -> Read:
    """A text that must be there: the function raises UnfitChangeError where a placeholder stands for nothing."""
    read, parts = material.text(text), [(material.value(each), material.what(each)) for each in text.placeholders]

    def there(change: SubscribedChange, event_id: str) -> object:
        found = read(change, event_id)
        if found is None:
            missing = next(what for part, what in parts if part(change, event_id) is None)
            raise UnfitChangeError(f"the change has nothing for {missing}")
        return found

    return folded(there, [read])


def _header(text: str) -> str:
    """What else than printable ASCII no client sends alike: as %XX of its UTF-8."""
    return _NOT_IN_A_HEADER.sub(lambda found: quote(found[0]), text)


def _bearer(text: str) -> str:
    return f"Bearer {_header(text)}"


def _basic(user: Read, password: Read) -> Read:
    def read(change: SubscribedChange, event_id: str) -> str:
        pair = f"{user(change, event_id)}:{password(change, event_id)}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    return read


def _url(url: Text, material: Material) -> Read:
    """Each value encoded as one segment of the path, or one value of the query; the base, which begins it, as it is.

    The function raises UnfitChangeError where a value is empty, or is `.` or `..`, which would lead elsewhere.
    """
    parts: list[Read] = []
    for index, part in enumerate(url.parts):
        if isinstance(part, str):
            parts.append(Constant(part))
        elif index == 0:
            base = _there(Text((part,)), material)
            parts.append(_through(_without_end, base) if len(url.parts) > 1 else base)
        else:
            parts.append(_through(_segment(material.what(part)), _there(Text((part,)), material)))
    return folded(lambda change, event_id: "".join([cast("str", part(change, event_id)) for part in parts]), parts)


def _without_end(base: str) -> str:
    return base.rstrip("/")


def _segment(what: str) -> Callable[[str], str]:
    def encoded(text: str) -> str:
        if not text or text in _DOTS:
            raise UnfitChangeError(f"{what} is empty, or dots alone, and cannot stand in a URL")
        return quote(text, safe="")

    return encoded


def _rendered(node: Json, material: Material) -> Read:
    """A value for JSON; None where nothing is, or is left of a list or object: then what holds it leaves it out."""
    if isinstance(node, Placeholder):
        return material.value(node)
    if isinstance(node, Text):
        return material.text(node)
    if isinstance(node, list):
        return _list([_rendered(each, material) for each in node])
    if isinstance(node, tuple):
        return _object(node, material)
    return Constant(node)


def _list(items: list[Read]) -> Read:
    def read(change: SubscribedChange, event_id: str) -> object:
        return [found for each in items if (found := each(change, event_id)) is not None] or None

    return folded(read, items)


def _object(members: tuple[Member, ...], material: Material) -> Read:
    made = [(key, *_member(value, material)) for key, value in members]

    def read(change: SubscribedChange, event_id: str) -> object:
        found: dict[str, object] = {}
        for key, member, is_spread in made:
            value = member(change, event_id)
            if is_spread:
                if isinstance(value, Mapping):
                    found.update(value)
            elif value is not None:
                found[key] = value
        return found or None

    return folded(read, [member for _key, member, _is_spread in made])


def _member(value: Json | Spread, material: Material) -> tuple[Read, bool]:
    if isinstance(value, Spread):
        return material.value(value.placeholder), True
    return _rendered(value, material), False


def host_of(url: Text, values: Mapping[str, str]) -> str:
    """Host and port of a URL: these never come from a change."""
    first = url.parts[0] if url.parts else ""
    text = first if isinstance(first, str) else values.get(first.value, "")
    return as_text(re.sub(r"^[a-z]+://([^/?#]*).*", r"\1", text, flags=re.IGNORECASE | re.DOTALL))
