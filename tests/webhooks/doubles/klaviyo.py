"""Klaviyo's events and profiles, as `klaviyo-api` 25.0.0 speaks to them."""

from typing import Any, Literal

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, json_reply

KEY = "pk_0000"
REVISION = "2026-10-15"


class Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class MetricData(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["metric"]
    attributes: Name


class Metric(msgspec.Struct, forbid_unknown_fields=True):
    data: MetricData


class Email(msgspec.Struct, forbid_unknown_fields=True):
    email: str
    properties: dict[str, Any] = {}


class ProfileData(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["profile"]
    attributes: Email


class Profile(msgspec.Struct, forbid_unknown_fields=True):
    data: ProfileData


class EventAttributes(msgspec.Struct, forbid_unknown_fields=True):
    properties: dict[str, Any]
    time: str
    unique_id: str
    metric: Metric
    profile: Profile
    value: float | None = None
    backfill: bool = False


class EventData(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["event"]
    attributes: EventAttributes


class Event(msgspec.Struct, forbid_unknown_fields=True):
    data: EventData


class Klaviyo(Double):
    """Keeps each event once, by its unique id."""

    routes = (("POST", r"/api/events", "event"), ("POST", r"/api/profile-import", "profile"))
    credentials = (("authorization", f"Klaviyo-API-Key {KEY}"), ("revision", REVISION))
    media_types = ("application/vnd.api+json", "application/json")

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, EventAttributes] = {}

    def refuse(self, status: int, message: str) -> Reply:
        error = {"id": "e-1", "status": status, "code": "invalid", "title": "Invalid input.", "detail": message}
        return json_reply(status, {"errors": [{**error, "source": {"pointer": "/data"}}]}, "application/vnd.api+json")

    def event(self, kept: Kept) -> Reply:
        event = self.shaped(kept, Event).data.attributes
        if "@" not in event.profile.data.attributes.email:
            raise Refusal(400, "Invalid email address")
        self.events.setdefault(event.unique_id, event)
        return Reply(202)

    def profile(self, kept: Kept) -> Reply:
        profile = self.shaped(kept, Profile).data
        links = {"self": "https://a.klaviyo.com/api/profiles/01H"}
        data = {"type": "profile", "id": "01H", "attributes": {"email": profile.attributes.email}, "links": links}
        answer = {"data": data, "links": links}
        return json_reply(200, answer, "application/vnd.api+json")
