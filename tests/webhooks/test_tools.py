"""Each template against a double of its tool, which takes what the tool's official client sends and nothing else."""

from typing import Any

import pytest

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.endpoint import UnfitChangeError
from stream.webhooks.exchange import Outcome, Verdict
from stream.webhooks.templating.template_file import template_names
from tests.webhooks.delivering import deliver
from tests.webhooks.doubles.braze import Braze
from tests.webhooks.doubles.brevo import Brevo
from tests.webhooks.doubles.customerio import CustomerIo, Pipelines
from tests.webhooks.doubles.double import Double, Reply, json_reply
from tests.webhooks.doubles.hubspot import HubSpot
from tests.webhooks.doubles.klaviyo import Klaviyo
from tests.webhooks.doubles.mailchimp import Mailchimp
from tests.webhooks.doubles.mautic import Mautic
from tests.webhooks.doubles.slack import Slack
from tests.webhooks.tool_cases import BY_TEMPLATE, CASES, Case
from tests.webhooks.tool_changes import change


async def told(
    double: Double, template: str, what: SubscribedChange | None = None, drop: tuple[str, ...] = (), **values: str
) -> Outcome | None:
    """Tell a tool of a change, with the values of its case, these put in, those left out."""
    case = BY_TEMPLATE[template]
    given = {"url": double.url + case.path, **case.values, **values}
    return await deliver(template, {name: text for name, text in given.items() if name not in drop}, what or change())


def test_every_template_has_a_case() -> None:
    assert set(template_names()) == {*BY_TEMPLATE, "generic"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.template)
async def test_a_tool_is_told_as_its_official_client_tells_it(case: Case) -> None:
    async with case.double() as double:
        outcome = await told(double, case.template)
        assert outcome is not None
        assert outcome.verdict is Verdict.DELIVERED
        assert [(each.method, each.place, each.query, each.json) for each in double.kept] == [
            (each.method, each.place, each.query, each.json) for each in case.sent
        ]
        for each in double.kept:
            assert case.headers.items() <= each.headers.items()
            assert not each.body or "content-type" in each.headers


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.template)
async def test_the_second_time_a_tool_is_sent_the_same_bytes(case: Case) -> None:
    """A tool that knows an id takes a repetition for what it is."""
    async with case.double() as double:
        await told(double, case.template)
        first = list(double.kept)
        await told(double, case.template)
        assert double.kept[len(first) :] == first


@pytest.mark.parametrize("case", [case for case in CASES if case.template != "slack"], ids=lambda case: case.template)
async def test_wrong_credentials_are_tried_again_and_the_tool_says_why(case: Case) -> None:
    async with case.double() as double:
        secret = next(name for name in ("token", "key", "api_key", "password", "write_key") if name in case.values)
        outcome = await told(double, case.template, **{secret: "wrong"})
        assert outcome is not None
        assert outcome.verdict is Verdict.AGAIN
        assert outcome.reason in (
            "401 invalid credentials",
            "401 Your API key may be invalid.",
            "401 invalid write key",
        )
        assert len(double.kept) == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.template)
@pytest.mark.parametrize(("status", "verdict"), [(410, "gone"), (429, "again"), (500, "again"), (302, "again")])
async def test_410_disables_and_what_may_pass_is_tried_again(case: Case, status: int, verdict: str) -> None:
    async with case.double() as double:
        double.next.append(Reply(status, b"<html>", {"Retry-After": "7", "Location": "/elsewhere"}))
        outcome = await told(double, case.template)
        assert outcome is not None
        assert outcome.verdict == verdict
        assert outcome.wait == (None if status == 410 else 7)
        assert len(double.kept) == 1


@pytest.mark.parametrize(
    ("template", "values", "reason"),
    [
        ("hubspot", {"fields": "unknown=to"}, '400 Property "unknown" does not exist'),
        ("hubspot", {"email": "facts.none | or eve@example.com"}, "404 resource not found"),
        ("hubspot-upsert", {"fields": "unknown=to"}, '207 Property "unknown" does not exist'),
        ("activecampaign", {"email": "facts.none | or eve@example.org"}, "422 Email address is not valid."),
        ("activecampaign", {"contact": "facts.mautic_id"}, "404 Contact not found."),
        ("mautic", {"contact": "facts.ac_id"}, "404 Item was not found."),
        ("mautic", {"stages": "customer=9"}, "404 Item was not found."),
        ("brevo", {"fields": "lc_stage=to"}, "400 attributes are not valid"),
        ("brevo", {"email": "facts.none | or eve@example.com"}, "404 Contact does not exist"),
        ("mailchimp", {"email": "facts.none | or fake@example.com"}, "400 looks fake or invalid, please enter a real"),
        ("mailchimp", {"list": "L2"}, "404 no such path"),
        ("slack", {"text": "<!channel> {to}"}, "400 invalid_payload"),
    ],
)
async def test_what_a_tool_will_never_take_is_refused_with_its_own_words(
    template: str, values: dict[str, str], reason: str
) -> None:
    async with BY_TEMPLATE[template].double() as double:
        outcome = await told(double, template, **values)
        assert outcome is not None
        assert outcome.verdict is Verdict.REFUSED
        assert outcome.reason.startswith(reason)


@pytest.mark.parametrize(
    ("template", "reply", "reason"),
    [
        (
            "braze",
            json_reply(
                201, {"message": "success", "errors": [{"type": "bad time", "input_array": "events", "index": 0}]}
            ),
            "201 bad time",
        ),
        ("braze", json_reply(400, {"message": "Valid data must be provided", "errors": []}), "400 Valid data must be"),
        ("customerio", json_reply(400, {"meta": {"error": "attributes too large"}}), "400 attributes too large"),
        ("customerio-pipelines", json_reply(400, {"message": "no user"}), "400 no user"),
        (
            "klaviyo",
            json_reply(400, {"errors": [{"id": "1", "status": 400, "title": "Invalid input.", "detail": "bad email"}]}),
            "400 bad email",
        ),
        ("hubspot-event", json_reply(400, {"status": "error", "message": "no such event"}), "400 no such event"),
    ],
)
async def test_errors_in_the_tools_own_form_are_read(template: str, reply: Reply, reason: str) -> None:
    async with BY_TEMPLATE[template].double() as double:
        double.next.append(reply)
        outcome = await told(double, template)
        assert outcome is not None
        assert outcome.verdict is Verdict.REFUSED
        assert outcome.reason.startswith(reason)


async def test_a_success_of_braze_with_an_empty_list_of_errors_is_one() -> None:
    async with Braze() as double:
        double.next.append(json_reply(201, {"message": "success", "errors": []}))
        outcome = await told(double, "braze")
        assert outcome == Outcome(Verdict.DELIVERED, "201")


async def test_a_hook_of_slack_that_is_not_there_is_gone() -> None:
    async with Slack() as double:
        outcome = await deliver("slack", {"url": double.url + "/services/T000/B000/YYYY"}, change())
        assert outcome == Outcome(Verdict.GONE, "404 no_service")


async def test_nothing_that_slack_is_sent_calls_a_channel() -> None:
    """Not by an id, and not by a fact; what the message itself says is meant as it is."""
    async with Slack() as double:
        what = change(customer_id="<!channel> & co", facts={"name": "<@U1>"})
        await told(double, "slack", what, text="<https://shop.example|{subject}> {facts.name}: {to}")
        assert double.kept[0].json == {"text": "<https://shop.example|&lt;!channel&gt; &amp; co> &lt;@U1&gt;: customer"}


async def test_the_message_of_slack_has_words_for_the_first_stage_and_for_the_last() -> None:
    async with Slack() as double:
        await told(double, "slack", change(from_=None, to="visitor"), drop=("text",))
        await told(double, "slack", change(to=None), drop=("text",))
        assert [each.json["text"] for each in double.kept] == ["5: new → *visitor*", "5: lead → *forgotten*"]


@pytest.mark.parametrize("template", ["hubspot", "hubspot-upsert"])
async def test_hubspot_goes_backwards_only_where_the_stage_was_cleared_first(template: str) -> None:
    values = {"fields": "lc_stage=to", "stages": "lead=lead, customer=customer, fan=evangelist"}
    async with HubSpot() as double:
        for left, entered, requests in [
            (None, "lead", 1),
            ("lead", "customer", 1),
            ("customer", "lead", 2),
            ("lead", "fan", 1),
            ("fan", "dormant", 1),  # not named: the stage there stays
            ("dormant", "lead", 2),  # what HubSpot has is not known then
        ]:
            double.kept.clear()
            outcome = await told(double, template, change(from_=left, to=entered), **values)
            assert outcome is not None
            assert outcome.verdict is Verdict.DELIVERED
            assert len(double.kept) == requests
            shown = {"dormant": "evangelist", "fan": "evangelist"}.get(entered, entered)
            assert double.contacts["ada@example.com"] == {"lifecyclestage": shown, "lc_stage": entered}


async def test_hubspot_would_not_go_backwards_by_itself() -> None:
    """The double does what HubSpot does: without this, the test above would prove nothing."""
    async with HubSpot() as double:
        double.contacts["ada@example.com"] = {"lifecyclestage": "customer"}
        outcome = await told(double, "hubspot", change(from_=None, to="lead"))
        assert outcome is not None
        assert outcome.verdict is Verdict.DELIVERED
        assert double.contacts["ada@example.com"]["lifecyclestage"] == "customer"


async def test_events_are_recorded_once_where_the_tool_knows_an_id() -> None:
    async with HubSpot() as hubspot, CustomerIo() as track, Pipelines() as pipelines, Klaviyo() as klaviyo:
        for what in (change(), change(), change(sequence=3)):
            await told(hubspot, "hubspot-event", what)
            await told(track, "customerio", what)
            await told(pipelines, "customerio-pipelines", what)
            await told(klaviyo, "klaviyo", what)
        assert [len(each) for each in (hubspot.events, track.events, pipelines.calls, klaviyo.events)] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("template", "double", "header", "wait"),
    [("braze", Braze, {"X-RateLimit-Reset": "1764000009"}, 9), ("brevo", Brevo, {"x-sib-ratelimit-reset": "4"}, 4)],
)
async def test_a_tool_says_in_its_own_header_how_long_to_wait(
    template: str, double: type[Double], header: dict[str, str], wait: int
) -> None:
    now = {"Date": "Mon, 24 Nov 2025 16:00:00 GMT"}
    async with double() as tool:
        tool.next.append(Reply(429, b"", now | header))
        tool.next.append(Reply(500, b"", now | header))
        outcomes = [await told(tool, template) for _ in range(2)]
        assert [outcome and outcome.wait for outcome in outcomes] == [wait, None]


async def test_mautic_makes_a_contact_where_its_number_is_not_known() -> None:
    async with Mautic() as double:
        what = change(facts={"email": "ada@example.com"}, from_=None)
        outcome = await told(double, "mautic", what, drop=("stages", "points"))
        assert outcome == Outcome(Verdict.DELIVERED, "201")
        expected = {"email": "ada@example.com", "lc_stage": "customer", "lc_score": 42.5, "tags": ["lc-customer"]}
        assert [(each.place, each.json) for each in double.kept] == [("/api/contacts/new", expected)]


async def test_mautics_points_come_last_so_that_no_other_failure_repeats_them() -> None:
    async with Mautic() as double:
        await told(double, "mautic", stages="customer=9")
        assert double.points_of_7 == 0


async def test_pipelines_take_a_visitor_and_a_key_that_names_its_region() -> None:
    async with Pipelines() as double:
        what = change(customer_id=None, anonymous_id="v-1")
        outcome = await told(double, "customerio-pipelines", what, drop=("write_key",), api_key="sk_eu_1")
        assert outcome == Outcome(Verdict.DELIVERED, "200")
        (call,) = double.calls.values()
        assert (call.user_id, call.anonymous_id) == (None, "v-1")


@pytest.mark.parametrize(
    ("left", "entered", "tags"),
    [
        (None, "lead", [{"name": "lc-lead", "status": "active"}]),
        ("lead", None, [{"name": "lc-lead", "status": "inactive"}]),
    ],
)
async def test_mailchimp_takes_tags_off_and_sets_them(left: str | None, entered: str | None, tags: list[Any]) -> None:
    async with Mailchimp() as double:
        await told(double, "mailchimp", change(from_=left, to=entered), drop=("event",))
        assert [each.json for each in double.kept if each.place.endswith("/tags")] == [{"tags": tags}]


async def test_who_is_new_in_mailchimp_gets_no_marketing_unless_it_is_said() -> None:
    async with Mailchimp() as double:
        await told(double, "mailchimp", drop=("status_if_new",))
        assert double.kept[0].json["status_if_new"] == "transactional"


async def test_a_stage_for_which_a_tool_has_nothing_needs_no_request() -> None:
    async with BY_TEMPLATE["activecampaign"].double() as double:
        what = change(to="dormant", facts={})
        assert await told(double, "activecampaign", what, drop=("fields", "contact")) is None
        assert double.kept == []


@pytest.mark.parametrize(
    ("template", "values", "facts", "said"),
    [
        ("hubspot", {"email": "customer_id"}, {}, "email: customer_id holds no e-mail address; name a field that does"),
        ("hubspot", {}, {}, "the change has nothing for email: facts.email"),
        ("klaviyo", {}, {}, "the change has nothing for email: facts.email"),
        ("klaviyo", {"value": "to"}, {"email": "ada@example.com"}, "value: to is no number"),
        ("mailchimp", {}, {"email": "ada @example.com"}, "email: facts.email holds no e-mail address"),
        ("activecampaign", {}, {"email": "ada@example.com"}, "the change has nothing for contact: facts.ac_id"),
        ("mautic", {}, {"email": "ada@example.com"}, "the change has nothing for contact: facts.mautic_id"),
        ("customerio", {"person": "facts.email"}, {"email": ".."}, "person: facts.email is empty, or dots alone"),
        ("customerio", {"person": "facts.email"}, {"email": ""}, "person: facts.email is empty, or dots alone"),
        ("customerio", {"fields": "lc=to | seconds"}, {"email": "a@b.c"}, "to is no time"),
    ],
)
async def test_a_change_that_lacks_what_a_tool_needs_is_unfit_and_the_message_quotes_nobody(
    template: str, values: dict[str, str], facts: dict[str, str], said: str
) -> None:
    async with BY_TEMPLATE[template].double() as double:
        with pytest.raises(UnfitChangeError) as caught:
            await told(double, template, change(facts=facts), **values)
        assert str(caught.value).startswith(said)
        assert "ada" not in str(caught.value)
        assert double.kept == []


async def test_an_id_is_one_segment_of_the_path_whatever_it_holds() -> None:
    async with CustomerIo() as double:
        strange = "a/../b?c=d#e%2F&f g\u20ac\n+@"
        await told(double, "customerio", change(customer_id=strange), person="customer_id")
        assert list(double.people) == [strange]
        assert all(each.query == {} for each in double.kept)
