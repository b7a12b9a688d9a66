"""For each tool: an endpoint, and the requests that its official client was seen to send for the same change.

`make sdks` holds each request that has a client against what that client sends today.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.webhooks.doubles.activecampaign import KEY as AC_KEY
from tests.webhooks.doubles.activecampaign import ActiveCampaign
from tests.webhooks.doubles.braze import KEY as BRAZE_KEY
from tests.webhooks.doubles.braze import Braze
from tests.webhooks.doubles.brevo import KEY as BREVO_KEY
from tests.webhooks.doubles.brevo import Brevo
from tests.webhooks.doubles.customerio import KEY as TRACK_KEY
from tests.webhooks.doubles.customerio import SITE, WRITE_KEY, CustomerIo, Pipelines
from tests.webhooks.doubles.double import Double, basic
from tests.webhooks.doubles.hubspot import KEY as HUBSPOT_KEY
from tests.webhooks.doubles.hubspot import HubSpot
from tests.webhooks.doubles.klaviyo import KEY as KLAVIYO_KEY
from tests.webhooks.doubles.klaviyo import REVISION, Klaviyo
from tests.webhooks.doubles.mailchimp import KEY as MAILCHIMP_KEY
from tests.webhooks.doubles.mailchimp import LIST, Mailchimp
from tests.webhooks.doubles.mautic import PASSWORD, USER, Mautic
from tests.webhooks.doubles.slack import PATH, Slack

EMAIL: Final = "ada@example.com"
ID: Final = "shop:customer:5:0-0:2"
UUID: Final = "164bcdcd-3602-5b0c-93f8-22073e09af3c"
ULID: Final = "01KDWFZY80P37F3PQ2PVCXYPNW"
MD5: Final = "3e3417d7ef77d5932a6734b916515ed5"


@dataclass(frozen=True)
class Sent:
    """A request as it must arrive."""

    method: str
    place: str
    """The path, with what is encoded in it decoded."""
    json: Any = None
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """The change of `tool_changes.change()`, told to one tool."""

    template: str
    double: type[Double]
    values: dict[str, str]
    """Without the URL, which is the double's."""
    headers: dict[str, str]
    """Of each request, by name in lower case."""
    sent: tuple[Sent, ...]
    path: str = ""
    """What stands behind the double's URL."""


def _hubspot(properties: dict[str, str]) -> Sent:
    place = f"/crm/v3/objects/contacts/{EMAIL}"
    return Sent("PATCH", place, {"properties": properties}, {"idProperty": "email"})


CASES: Final = (
    Case(
        "hubspot",
        HubSpot,
        {
            "token": HUBSPOT_KEY,
            "email": "facts.email",
            "fields": "lc_score=scores.engagement, lc_reason=transition",
            "stages": "lead=lead, customer=customer",
        },
        {"authorization": f"Bearer {HUBSPOT_KEY}"},
        (_hubspot({"lifecyclestage": "customer", "lc_score": "42.5", "lc_reason": "orders >= 1"}),),
    ),
    Case(
        "hubspot-upsert",
        HubSpot,
        {"token": HUBSPOT_KEY, "email": "facts.email", "fields": "lc_stage=to, lc_score=scores.engagement"},
        {"authorization": f"Bearer {HUBSPOT_KEY}"},
        (
            Sent(
                "POST",
                "/crm/v3/objects/contacts/batch/upsert",
                {
                    "inputs": [
                        {
                            "idProperty": "email",
                            "id": EMAIL,
                            "properties": {"lc_stage": "customer", "lc_score": "42.5"},
                        }
                    ]
                },
            ),
        ),
    ),
    Case(
        "hubspot-event",
        HubSpot,
        {"token": HUBSPOT_KEY, "email": "facts.email", "event": "pe123_stage_changed"},
        {"authorization": f"Bearer {HUBSPOT_KEY}"},
        (
            Sent(
                "POST",
                "/events/v3/send",
                {
                    "eventName": "pe123_stage_changed",
                    "email": EMAIL,
                    "occurredAt": "2026-01-01T10:00:00+00:00",
                    "uuid": UUID,
                    "properties": {"stage": "customer"},
                },
            ),
        ),
    ),
    Case(
        "activecampaign",
        ActiveCampaign,
        {
            "token": AC_KEY,
            "email": "facts.email",
            "fields": "1=to, 2=scores.engagement",
            "contact": "facts.ac_id",
            "tags": "lead=20, customer=21",
            "automations": "customer=7",
        },
        {"api-token": AC_KEY},
        (
            Sent(
                "POST",
                "/api/3/contact/sync",
                {
                    "contact": {
                        "email": EMAIL,
                        "fieldValues": [{"field": "1", "value": "customer"}, {"field": "2", "value": "42.5"}],
                    }
                },
            ),
            Sent("POST", "/api/3/contactTags", {"contactTag": {"contact": "1", "tag": "21"}}),
            Sent("POST", "/api/3/contactAutomations", {"contactAutomation": {"contact": "1", "automation": "7"}}),
        ),
    ),
    Case(
        "mautic",
        Mautic,
        {
            "user": USER,
            "password": PASSWORD,
            "email": "facts.email",
            "contact": "facts.mautic_id",
            "fields": "lc_stage=to, lc_score=scores.engagement",
            "tag_prefix": "lc-",
            "stages": "lead=2, customer=3",
            "points": "customer=50",
        },
        {"authorization": basic(USER, PASSWORD)},
        (
            Sent(
                "PATCH",
                "/api/contacts/7/edit",
                {"email": EMAIL, "lc_stage": "customer", "lc_score": 42.5, "tags": ["lc-customer", "-lc-lead"]},
            ),
            Sent("POST", "/api/stages/3/contact/7/add"),
            Sent("POST", "/api/contacts/7/points/plus/50"),
        ),
    ),
    Case(
        "braze",
        Braze,
        {"key": BRAZE_KEY, "fields": "lc_stage=to, lc_score=scores.engagement", "properties": "stage=to"},
        {"authorization": f"Bearer {BRAZE_KEY}"},
        (
            Sent(
                "POST",
                "/users/track",
                {
                    "attributes": [
                        {
                            "external_id": "5",
                            "lc_stage": "customer",
                            "lc_score": 42.5,
                            "_update_existing_only": True,
                        }
                    ],
                    "events": [
                        {
                            "external_id": "5",
                            "name": "stage_changed",
                            "time": "2026-01-01T10:00:00.000Z",
                            "properties": {"stage": "customer"},
                            "_update_existing_only": True,
                        }
                    ],
                },
            ),
        ),
    ),
    Case(
        "customerio",
        CustomerIo,
        {
            "site_id": SITE,
            "api_key": TRACK_KEY,
            "person": "facts.email",
            "fields": "lc_stage=to, lc_score=scores.engagement, lc_at=at | seconds",
            "event": "stage_changed",
            "properties": "stage=to",
        },
        {"authorization": basic(SITE, TRACK_KEY)},
        (
            Sent(
                "PUT",
                f"/api/v1/customers/{EMAIL}",
                {"lc_stage": "customer", "lc_score": 42.5, "lc_at": 1_767_261_600},
            ),
            Sent(
                "POST",
                f"/api/v1/customers/{EMAIL}/events",
                {"name": "stage_changed", "data": {"stage": "customer"}, "id": ULID, "timestamp": 1_767_261_600},
            ),
        ),
    ),
    Case(
        "customerio-pipelines",
        Pipelines,
        {"write_key": WRITE_KEY, "properties": "stage=to"},
        {"authorization": basic(WRITE_KEY, "")},
        (
            Sent(
                "POST",
                "/v1/batch",
                {
                    "batch": [
                        {
                            "type": "track",
                            "userId": "5",
                            "event": "Stage Changed",
                            "properties": {"stage": "customer"},
                            "messageId": ID,
                            "timestamp": "2026-01-01T10:00:00.000Z",
                        }
                    ]
                },
            ),
        ),
    ),
    Case(
        "klaviyo",
        Klaviyo,
        {
            "key": KLAVIYO_KEY,
            "email": "facts.email",
            "value": "scores.engagement",
            "properties": "stage=to",
            "fields": "lc_stage=to",
        },
        {
            "authorization": f"Klaviyo-API-Key {KLAVIYO_KEY}",
            "revision": REVISION,
            "content-type": "application/vnd.api+json",
        },
        (
            Sent(
                "POST",
                "/api/profile-import",
                {
                    "data": {
                        "type": "profile",
                        "attributes": {"email": EMAIL, "properties": {"lc_stage": "customer"}},
                    }
                },
            ),
            Sent(
                "POST",
                "/api/events",
                {
                    "data": {
                        "type": "event",
                        "attributes": {
                            "properties": {"stage": "customer"},
                            "time": "2026-01-01T10:00:00+00:00",
                            "value": 42.5,
                            "unique_id": ID,
                            "metric": {"data": {"type": "metric", "attributes": {"name": "Stage Changed"}}},
                            "profile": {"data": {"type": "profile", "attributes": {"email": EMAIL}}},
                        },
                    }
                },
            ),
        ),
    ),
    Case(
        "brevo",
        Brevo,
        {
            "key": BREVO_KEY,
            "email": "facts.email",
            "fields": "LC_STAGE=to, LC_SCORE=scores.engagement",
            "event": "stage_changed",
            "properties": "stage=to",
        },
        {"api-key": BREVO_KEY},
        (
            Sent(
                "PUT",
                f"/v3/contacts/{EMAIL}",
                {"attributes": {"LC_STAGE": "customer", "LC_SCORE": 42.5}},
                {"identifierType": "email_id"},
            ),
            Sent(
                "POST",
                "/v3/events",
                {
                    "event_name": "stage_changed",
                    "event_date": "2026-01-01T10:00:00.000Z",
                    "identifiers": {"email_id": EMAIL},
                    "event_properties": {"stage": "customer"},
                },
            ),
        ),
    ),
    Case(
        "mailchimp",
        Mailchimp,
        {
            "key": MAILCHIMP_KEY,
            "list": LIST,
            "email": "facts.email",
            "status_if_new": "subscribed",
            "tag_prefix": "lc-",
            "event": "stage_changed",
            "properties": "stage=to, score=scores.engagement",
        },
        {"authorization": basic("lifecycle", MAILCHIMP_KEY)},
        (
            Sent(
                "PUT",
                f"/3.0/lists/{LIST}/members/{MD5}",
                {"email_address": EMAIL, "status_if_new": "subscribed", "merge_fields": {"LCSTAGE": "customer"}},
            ),
            Sent(
                "POST",
                f"/3.0/lists/{LIST}/members/{MD5}/tags",
                {
                    "tags": [
                        {"name": "lc-customer", "status": "active"},
                        {"name": "lc-lead", "status": "inactive"},
                    ]
                },
            ),
            Sent(
                "POST",
                f"/3.0/lists/{LIST}/members/{MD5}/events",
                {
                    "name": "stage_changed",
                    "occurred_at": "2026-01-01T10:00:00+00:00",
                    "properties": {"stage": "customer", "score": "42.5"},
                },
            ),
        ),
    ),
    Case(
        "slack",
        Slack,
        {"text": "{facts.email} is now *{to}*"},
        {"content-type": "application/json;charset=utf-8"},
        (Sent("POST", PATH, {"text": f"{EMAIL} is now *customer*"}),),
        PATH,
    ),
)
BY_TEMPLATE: Final = {case.template: case for case in CASES}
