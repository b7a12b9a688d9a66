"""Brevo's contacts and events, as `brevo-python` 5.1.0 speaks to them."""

from typing import Any

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, json_reply

KEY = "xkeysib-0000"


class Contact(msgspec.Struct, forbid_unknown_fields=True):
    attributes: dict[str, Any]


class Identifiers(msgspec.Struct, forbid_unknown_fields=True):
    email_id: str


class Event(msgspec.Struct, forbid_unknown_fields=True):
    event_name: str
    event_date: str
    identifiers: Identifiers
    event_properties: dict[str, Any]


class Brevo(Double):
    """Knows ada@example.com, and attributes in capital letters."""

    routes = (("PUT", r"/v3/contacts/([^/]+)", "update"), ("POST", r"/v3/events", "event"))
    credentials = (("api-key", KEY),)

    def refuse(self, status: int, message: str) -> Reply:
        code = "document_not_found" if status == 404 else "invalid_parameter"
        return json_reply(status, {"code": code, "message": message})

    def update(self, kept: Kept, contact: str) -> Reply:
        attributes = self.shaped(kept, Contact).attributes
        if kept.query != {"identifierType": "email_id"}:
            raise Refusal(400, "Invalid identifierType")
        if contact != "ada@example.com":
            raise Refusal(404, "Contact does not exist")
        for name in attributes:
            if not name.isupper():
                raise Refusal(400, "attributes are not valid")
        return Reply(204)

    def event(self, kept: Kept) -> Reply:
        self.shaped(kept, Event)
        return Reply(204)
