"""ActiveCampaign's API 3, as `activecampaign-python` 1.0.10 speaks to it."""

import msgspec

from tests.webhooks.doubles.double import Double, Kept, Refusal, Reply, json_reply

KEY = "ac-key"


class FieldValue(msgspec.Struct, forbid_unknown_fields=True):
    field: str
    value: str


class Contact(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    email: str
    field_values: list[FieldValue]


class Sync(msgspec.Struct, forbid_unknown_fields=True):
    contact: Contact


class Tag(msgspec.Struct, forbid_unknown_fields=True):
    contact: str
    tag: str


class ContactTag(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    contact_tag: Tag


class Automation(msgspec.Struct, forbid_unknown_fields=True):
    contact: str
    automation: str


class ContactAutomation(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    contact_automation: Automation


class ActiveCampaign(Double):
    """Knows the contact 1."""

    routes = (
        ("POST", r"/api/3/contact/sync", "sync"),
        ("POST", r"/api/3/contactTags", "tag"),
        ("POST", r"/api/3/contactAutomations", "automation"),
    )
    credentials = (("api-token", KEY),)

    def refuse(self, status: int, message: str) -> Reply:
        source = {"pointer": "/data/attributes/email"}
        form = {"errors": [{"title": message, "detail": "", "code": "invalid", "source": source}]}
        return json_reply(422 if status == 400 else status, form)

    def sync(self, kept: Kept) -> Reply:
        contact = self.shaped(kept, Sync).contact
        if not contact.email.endswith("example.com"):
            raise Refusal(422, "Email address is not valid.")
        return json_reply(201, {"contact": {"id": "1", "email": contact.email}})

    def tag(self, kept: Kept) -> Reply:
        tag = self.shaped(kept, ContactTag).contact_tag
        self._known(tag.contact)
        return json_reply(201, {"contactTag": {"id": "5", "contact": tag.contact, "tag": tag.tag}})

    def automation(self, kept: Kept) -> Reply:
        automation = self.shaped(kept, ContactAutomation).contact_automation
        self._known(automation.contact)
        return json_reply(201, {"contactAutomation": {"id": "6"}})

    def _known(self, contact: str) -> None:
        if contact != "1":
            raise Refusal(404, "Contact not found.")
