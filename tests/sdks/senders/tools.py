"""Tell one tool of a change, with its official client: `python tools.py NAME URL`, as its documents show it.

Every client sends to URL in place of its vendor. Prints the vendor's host, as the client would have it.
"""

import json
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests.adapters
from activecampaign.client import Client as ActiveCampaign
from braze.client import BrazeClient
from brevo import Brevo
from brevo.environment import BrevoEnvironment
from brevo.event import CreateEventRequestIdentifiers
from customerio import CustomerIO, analytics
from hubspot import HubSpot
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInputUpsert,
    SimplePublicObjectBatchInputUpsert,
    SimplePublicObjectInput,
)
from hubspot.events.send import BehavioralEventHttpCompletionRequest
from klaviyo_api import KlaviyoAPI
from mailchimp_marketing import Client as Mailchimp
from slack_sdk.webhook import WebhookClient

EMAIL = "ada@example.com"
AT = datetime(2026, 1, 1, 10, tzinfo=UTC)
ID = "shop:customer:5:0-0:2"
HUBSPOT = "pat-eu1-0000"
hosts = set()


def instead_of_the_vendor(url):
    """Whatever is sent with `requests` goes to this URL, its path and query as they are."""
    send = requests.adapters.HTTPAdapter.send

    def elsewhere(self, request, **options):
        parts = urlsplit(request.url)
        hosts.add(parts.netloc)
        request.url = url + request.url[len(f"{parts.scheme}://{parts.netloc}") :]
        return send(self, request, **options)

    requests.adapters.HTTPAdapter.send = elsewhere


def elsewhere(configuration, url):
    """For clients that are generated: their own setting."""
    hosts.add(urlsplit(configuration.host).netloc)
    configuration.host = url


def tell_hubspot(url):
    api = HubSpot(access_token=HUBSPOT).crm.contacts.basic_api
    elsewhere(api.api_client.configuration, url)
    properties = {"lifecyclestage": "customer", "lc_score": "42.5", "lc_reason": "orders >= 1"}
    changed = SimplePublicObjectInput(properties=properties)
    api.update(contact_id=EMAIL, simple_public_object_input=changed, id_property="email")


def tell_hubspot_upsert(url):
    api = HubSpot(access_token=HUBSPOT).crm.contacts.batch_api
    elsewhere(api.api_client.configuration, url)
    properties = {"lc_stage": "customer", "lc_score": "42.5"}
    one = SimplePublicObjectBatchInputUpsert(id_property="email", id=EMAIL, properties=properties)
    api.upsert(BatchInputSimplePublicObjectBatchInputUpsert(inputs=[one]))


def tell_hubspot_event(url):
    api = HubSpot(access_token=HUBSPOT).events.send.basic_api
    elsewhere(api.api_client.configuration, url)
    api.send(
        BehavioralEventHttpCompletionRequest(
            event_name="pe123_stage_changed",
            email=EMAIL,
            occurred_at=AT,
            uuid="164bcdcd-3602-5b0c-93f8-22073e09af3c",
            properties={"stage": "customer"},
        )
    )


def tell_activecampaign(url):
    client = ActiveCampaign("https://example.api-us1.com", "ac-key")
    values = [{"field": "1", "value": "customer"}, {"field": "2", "value": "42.5"}]
    client.contacts.create_or_update_contact({"contact": {"email": EMAIL, "fieldValues": values}})
    client.contacts.add_a_tag_to_contact({"contactTag": {"contact": "1", "tag": "21"}})
    client.contacts.add_a_contact_to_an_automation({"contactAutomation": {"contact": "1", "automation": "7"}})


def tell_braze(url):
    attributes = {"external_id": "5", "lc_stage": "customer", "lc_score": 42.5, "_update_existing_only": True}
    event = {"external_id": "5", "name": "stage_changed", "time": "2026-01-01T10:00:00.000Z"}
    more = {"properties": {"stage": "customer"}, "_update_existing_only": True}
    client = BrazeClient("braze-key", "https://rest.fra-01.braze.eu")
    answer = client.user_track(attributes=[attributes], events=[{**event, **more}])
    assert answer["success"], answer


def tell_customerio(url):
    client = CustomerIO("site-1", "track-key")
    client.identify(EMAIL, lc_stage="customer", lc_score=42.5, lc_at=AT)
    client.track(EMAIL, "stage_changed", {"stage": "customer"}, id="01KDWFZY80P37F3PQ2PVCXYPNW", timestamp=AT)


def tell_customerio_pipelines(url):
    analytics.write_key, analytics.sync_mode = "write-key", True
    analytics.track("5", "Stage Changed", {"stage": "customer"}, timestamp=AT, message_id=ID)


def tell_klaviyo(url):
    client = KlaviyoAPI("pk_0000")
    elsewhere(client.configuration, url)
    profile = {"type": "profile", "attributes": {"email": EMAIL, "properties": {"lc_stage": "customer"}}}
    client.Profiles.create_or_update_profile({"data": profile})
    attributes = {
        "properties": {"stage": "customer"},
        "time": AT,
        "value": 42.5,
        "unique_id": ID,
        "metric": {"data": {"type": "metric", "attributes": {"name": "Stage Changed"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": EMAIL}}},
    }
    client.Events.create_event({"data": {"type": "event", "attributes": attributes}})


def tell_brevo(url):
    hosts.add(urlsplit(BrevoEnvironment.DEFAULT.value).netloc)
    client = Brevo(api_key="xkeysib-0000", base_url=url + urlsplit(BrevoEnvironment.DEFAULT.value).path)
    attributes = {"LC_STAGE": "customer", "LC_SCORE": 42.5}
    client.contacts.update_contact(EMAIL, identifier_type="email_id", attributes=attributes)
    client.event.create_event(
        event_name="stage_changed",
        event_date=AT,
        identifiers=CreateEventRequestIdentifiers(email_id=EMAIL),
        event_properties={"stage": "customer"},
    )


def tell_mailchimp(url):
    client = Mailchimp({"api_key": "0000-us1"})
    member = "3e3417d7ef77d5932a6734b916515ed5"
    fields = {"email_address": EMAIL, "status_if_new": "subscribed", "merge_fields": {"LCSTAGE": "customer"}}
    client.lists.set_list_member("L1", member, fields)
    tags = [{"name": "lc-customer", "status": "active"}, {"name": "lc-lead", "status": "inactive"}]
    client.lists.update_list_member_tags("L1", member, {"tags": tags})
    event = {"name": "stage_changed", "occurred_at": AT.isoformat()}
    properties = {"stage": "customer", "score": "42.5"}
    client.lists.create_list_member_event("L1", member, {**event, "properties": properties})


def tell_slack(url):
    answer = WebhookClient(url + "/services/T000/B000/XXXX").send(text=f"{EMAIL} is now *customer*")
    assert (answer.status_code, answer.body) == (200, "ok"), answer.body


if __name__ == "__main__":
    _, name, double = sys.argv
    instead_of_the_vendor(double)
    globals()[f"tell_{name.replace('-', '_')}"](double)
    sys.stdout.write(json.dumps(sorted(hosts)))
