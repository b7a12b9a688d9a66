"""Braze's `/users/track`, as `braze-client` 2.3.3 speaks to it."""

import re
from typing import Any

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, json_reply

KEY = "braze-key"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


class Event(msgspec.Struct, forbid_unknown_fields=True):
    external_id: str
    name: str
    time: str
    properties: dict[str, Any]
    _update_existing_only: bool = False


class Track(msgspec.Struct, forbid_unknown_fields=True):
    attributes: list[dict[str, Any]] = []
    events: list[Event] = []
    purchases: list[Any] = []


class Braze(Double):
    """Takes a request in which something is wrong, with 201 and a list of errors, as Braze does."""

    routes = (("POST", r"/users/track", "track"),)
    credentials = (("authorization", f"Bearer {KEY}"),)

    def refuse(self, status: int, message: str) -> Reply:
        return json_reply(status, {"message": message, "errors": []})

    def track(self, kept: Kept) -> Reply:
        track = self.shaped(kept, Track)
        errors: list[Any] = []
        for index, attributes in enumerate(track.attributes):
            if not isinstance(attributes.get("external_id"), str):
                errors.append({"type": "'external_id' is required", "input_array": "attributes", "index": index})
        for index, event in enumerate(track.events):
            if not _TIME.fullmatch(event.time):
                errors.append({"type": "'time' is invalid", "input_array": "events", "index": index})
            if not event.name:
                errors.append({"type": "'name' is required", "input_array": "events", "index": index})
        if not track.attributes and not track.events:
            raise Refusal(400, "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields")
        done = {"attributes_processed": len(track.attributes), "events_processed": len(track.events)}
        return json_reply(201, {"message": "success", **done, **({"errors": errors} if errors else {})})
