"""HubSpot's CRM objects and custom events, as `hubspot-api-client` 12.0.0 speaks to them."""

from typing import Any

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, json_reply

KEY = "pat-eu1-0000"
ORDER = ("subscriber", "lead", "marketingqualifiedlead", "opportunity", "customer", "evangelist")
_KNOWN = {"email", "lifecyclestage", "lc_stage", "lc_score", "lc_reason"}


class Patch(msgspec.Struct, forbid_unknown_fields=True):
    properties: dict[str, str]


class UpsertInput(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    id: str
    id_property: str
    properties: dict[str, str]


class Upsert(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[UpsertInput]


class Event(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    event_name: str
    email: str
    occurred_at: str
    uuid: str
    properties: dict[str, str]


class HubSpot(Double):
    """Keeps contacts by e-mail address, and takes no earlier lifecycle stage than there is, as HubSpot does."""

    routes = (
        ("PATCH", r"/crm/v3/objects/contacts/([^/]+)", "update"),
        ("POST", r"/crm/v3/objects/contacts/batch/upsert", "upsert"),
        ("POST", r"/events/v3/send", "event"),
    )
    credentials = (("authorization", f"Bearer {KEY}"),)

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, dict[str, str]] = {"ada@example.com": {}}
        self.events: dict[str, Event] = {}

    def refuse(self, status: int, message: str) -> Reply:
        form = {"status": "error", "message": message, "correlationId": "c-1", "category": "VALIDATION_ERROR"}
        return json_reply(status, form)

    def update(self, kept: Kept, contact: str) -> Reply:
        patch = self.shaped(kept, Patch)
        if kept.query != {"idProperty": "email"} or contact not in self.contacts:
            raise Refusal(404, "resource not found")
        self._set(contact, patch.properties)
        return json_reply(200, {"id": "7", "properties": self.contacts[contact]})

    def upsert(self, kept: Kept) -> Reply:
        results: list[Any] = []
        errors: list[Any] = []
        for each in self.shaped(kept, Upsert).inputs:
            if each.id_property != "email":
                raise Refusal(400, "idProperty is no unique property")
            try:
                self._set(each.id, each.properties)
                results.append({"id": "7", "new": False, "properties": self.contacts[each.id]})
            except Refusal as refusal:
                errors.append({"status": "error", "category": "VALIDATION_ERROR", "message": refusal.message})
        if errors:
            form = {"status": "COMPLETE", "results": results, "numErrors": len(errors), "errors": errors}
            return json_reply(207, form)
        return json_reply(200, {"status": "COMPLETE", "results": results})

    def event(self, kept: Kept) -> Reply:
        event = self.shaped(kept, Event)
        self.events.setdefault(event.uuid, event)
        return Reply(204)

    def _set(self, contact: str, properties: dict[str, str]) -> None:
        for name in properties:
            if name not in _KNOWN:
                raise Refusal(400, f'Property "{name}" does not exist')
        if not properties:
            raise Refusal(400, "no properties")
        there = self.contacts.setdefault(contact, {})
        stage, before = properties.get("lifecyclestage"), there.get("lifecyclestage")
        given = dict(properties)
        if stage and before and ORDER.index(stage) < ORDER.index(before):
            del given["lifecyclestage"]  # it says success, and stays where it is
        there.update(given)
