"""Mailchimp's audiences, as `mailchimp-marketing` 3.0.80 speaks to them."""

import base64
import hashlib
from typing import Any, Literal

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, json_reply

KEY = "0000-us1"
LIST = "L1"


class Member(msgspec.Struct, forbid_unknown_fields=True):
    email_address: str
    status_if_new: Literal["subscribed", "unsubscribed", "cleaned", "pending", "transactional"]
    merge_fields: dict[str, Any]


class Tag(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    status: Literal["active", "inactive"]


class Tags(msgspec.Struct, forbid_unknown_fields=True):
    tags: list[Tag]


class Event(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    occurred_at: str
    properties: dict[str, str]


class Mailchimp(Double):
    """Takes any user's name beside the key, as Mailchimp does; keeps members by the hash of their address."""

    routes = (
        ("PUT", rf"/3.0/lists/{LIST}/members/([0-9a-f]{{32}})", "put"),
        ("POST", rf"/3.0/lists/{LIST}/members/([0-9a-f]{{32}})/tags", "tag"),
        ("POST", rf"/3.0/lists/{LIST}/members/([0-9a-f]{{32}})/events", "event"),
    )
    credentials = ()

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, Member] = {}

    def refuse(self, status: int, message: str) -> Reply:
        form = {
            "type": "about:blank",
            "title": "Invalid Resource",
            "status": status,
            "detail": message,
            "instance": "i",
        }
        return json_reply(status, {**form, "errors": []}, "application/problem+json")

    def put(self, kept: Kept, member: str) -> Reply:
        self._may(kept)
        found = self.shaped(kept, Member)
        if hashlib.md5(found.email_address.lower().encode(), usedforsecurity=False).hexdigest() != member:
            raise Refusal(400, "the hash is of another address")
        if found.email_address.startswith("fake"):
            raise Refusal(400, "looks fake or invalid, please enter a real email address.")
        self.members[member] = found
        return json_reply(200, {"id": member, "status": found.status_if_new})

    def tag(self, kept: Kept, member: str) -> Reply:
        self._may(kept)
        self._known(member)
        self.shaped(kept, Tags)
        return Reply(204)

    def event(self, kept: Kept, member: str) -> Reply:
        self._may(kept)
        self._known(member)
        event = self.shaped(kept, Event)
        if not event.occurred_at.endswith("+00:00"):
            raise Refusal(400, "occurred_at is invalid")
        return Reply(204)

    def _known(self, member: str) -> None:
        if member not in self.members:
            raise Refusal(404, "The requested resource could not be found.")

    def _may(self, kept: Kept) -> None:
        scheme, _, pair = kept.headers.get("authorization", "").partition(" ")
        if scheme != "Basic" or base64.b64decode(pair).partition(b":")[2].decode() != KEY:
            raise Refusal(401, "Your API key may be invalid.")
