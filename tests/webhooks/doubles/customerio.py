"""Customer.io: the Track API as `customerio` 3.2.0 speaks to it, Pipelines as `customerio-cdp-analytics` 1.1.0 does."""

import re
from typing import Any

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, basic, json_reply

SITE, KEY, WRITE_KEY = "site-1", "track-key", "write-key"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


class Event(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    data: dict[str, Any]
    id: str
    timestamp: int


class CustomerIo(Double):
    """Keeps attributes by person, and each event's id once."""

    routes = (
        ("PUT", r"/api/v1/customers/([^/]+)", "identify"),
        ("POST", r"/api/v1/customers/([^/]+)/events", "track"),
    )
    credentials = (("authorization", basic(SITE, KEY)),)

    def __init__(self) -> None:
        super().__init__()
        self.people: dict[str, dict[str, Any]] = {}
        self.events: dict[str, Event] = {}

    def refuse(self, status: int, message: str) -> Reply:
        return json_reply(status, {"meta": {"error": message}})

    def identify(self, kept: Kept, person: str) -> Reply:
        attributes = self.shaped(kept, dict[str, str | float | bool | None])
        self.people.setdefault(person, {}).update(attributes)
        return json_reply(200, {})

    def track(self, kept: Kept, _person: str) -> Reply:
        event = self.shaped(kept, Event)
        if not _ULID.fullmatch(event.id):
            raise Refusal(400, "id is no ULID")
        if not event.name:
            raise Refusal(400, "name is missing")
        self.events.setdefault(event.id, event)
        return json_reply(200, {})


class Call(msgspec.Struct, rename="camel"):
    """What else the client adds, such as context, is Segment's."""

    type: str
    event: str
    message_id: str
    timestamp: str
    properties: dict[str, Any]
    user_id: str | None = None
    anonymous_id: str | None = None


class Batch(msgspec.Struct):
    batch: list[Call]


class Pipelines(Double):
    """Keeps each call once, by its message id."""

    routes = (("POST", r"/v1/batch", "batch"),)
    credentials = ()

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, Call] = {}

    def refuse(self, status: int, message: str) -> Reply:
        return json_reply(status, {"code": "error", "message": message})

    def batch(self, kept: Kept) -> Reply:
        if kept.headers.get("authorization") not in (basic(WRITE_KEY, ""), "Bearer sk_eu_1"):
            raise Refusal(401, "invalid write key")
        for call in self.shaped(kept, Batch).batch:
            if call.type != "track" or not (call.user_id or call.anonymous_id):
                raise Refusal(400, "a call has a user")
            self.calls.setdefault(call.message_id, call)
        return json_reply(200, {"success": True})
