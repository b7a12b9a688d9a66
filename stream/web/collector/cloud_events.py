"""CloudEvents over HTTP, to records of Kafka as the decoder reads them: binary, structured, or a batch of structured.

Which it is, the request says by its content: `ce-` headers, an object, or a list.
"""

from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes
from uuid import uuid4

from aiohttp import web

from stream.codec.records import Headers
from stream.web.collector.completing import encoded, id_of
from stream.web.collector.splitting import Raw, members_of, split_interactions

_PREFIX: Final = "ce-"
_STRUCTURED: Final = [("content-type", b"application/cloudevents+json")]


class Events(NamedTuple):
    """What a request holds."""

    items: list[bytes]
    attributes: Headers
    """Headers of each of their records."""


def events_of(request: web.Request, body: bytes) -> Events:
    """The events of a request. Raises Refused, 400, where its body is none."""
    attributes = [
        ("ce_" + name[len(_PREFIX) :].lower(), _decoded(value))
        for name, value in request.headers.items()
        if name[: len(_PREFIX)].lower() == _PREFIX and name[len(_PREFIX) :].isalnum()
    ]
    if attributes:
        content_type = request.headers.get("Content-Type", "application/json")
        return Events([body or b"{}"], [*attributes, ("content-type", content_type.encode("utf-8", "replace"))])
    return Events(split_interactions(body), _STRUCTURED)


def with_event_id(value: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The event with an id, which it has none of: value and headers."""
    names = dict(headers)
    if "ce_specversion" in names:
        if names.get("ce_time"):
            held = {name: Raw(b'"%s"' % text.hex().encode()) for name, text in headers if name != "ce_id"}
            made = id_of({**held, "value": Raw(b'"%s"' % value.hex().encode())}, ("ce_time",))
        else:
            made = uuid4().hex
        return value, [*(each for each in headers if each[0] != "ce_id"), ("ce_id", made.encode())]
    members = members_of(value)
    if members is None:
        return value, headers
    members["id"] = Raw(b'"%s"' % id_of(members, ("time",)).encode())
    return encoded(members), headers


def _decoded(value: str) -> bytes:
    """An attribute as it was before it became a header: without quotes around it, and without percent signs."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote_to_bytes(value.encode("utf-8", "surrogateescape"))
