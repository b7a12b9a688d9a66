"""`lifecycle webhooks list`, `validate` and `test`, as people meet them."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from stream.codec.records import Outgoing
from stream.codec.stage_changes import ChangeSource, current_key, encode
from stream.core.stage_change import StageChange
from stream.kafka.embedded.process import HOST
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, settings_of
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import T, change
from tests.kit.topics import create_topics, produce
from tests.webhooks.changes import value_of

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD_SECRET = "whsec_" + base64.b64encode(bytes(range(60, 92))).decode()
HOOK = "https://hooks.example.com/services/T000/B000/nobodyshallreadthis"
KEY = "tok-0123456789-nobodyshallreadthis"
AROUND = {"CRM_SECRET": SECRET, "HOOK": HOOK, "TOKEN": KEY}
FILE = """\
endpoints:
  crm:
    template: generic
    when: lifecycle == "shop" and to in ["customer", "vip"] and final
    secrets: [{env: CRM_SECRET}, {file: old.txt}]
    values: {url: "https://crm.example.com:8443/hooks"}
    headers: {X-Team: growth, X-Token: {env: TOKEN}}
    only: latest
  chat:
    template: slack
    values: {url: {env: HOOK}}
    enabled: false
"""


@pytest.fixture
def webhooks(lifecycle: Run, tmp_path: Path) -> Run:
    """`lifecycle webhooks …` beside a good file, with the environment that it names."""
    (tmp_path / "webhooks.yaml").write_text(FILE, encoding="utf-8")
    (tmp_path / "old.txt").write_text(OLD_SECRET + "\n", encoding="utf-8")

    def run(*arguments: str, stdin: str | None = None, environment: dict[str, str] | None = None):
        found = lifecycle("webhooks", *arguments, stdin=stdin, environment=AROUND | (environment or {}))
        for secret in (*AROUND.values(), OLD_SECRET):
            assert secret[10:-4] not in found.stdout + found.stderr
        return found

    return run


def test_the_list_shows_where_endpoints_lead_and_of_secrets_their_ends(webhooks: Run) -> None:
    found = webhooks("list")
    assert (found.returncode, found.stderr) == (0, "")
    assert [" ".join(line.split()) for line in found.stdout.splitlines()] == [
        "Name Template To When Only Enabled Secrets",
        'crm generic crm.example.com:8443 lifecycle == "shop" and to in ["customer", "vip"] latest yes …Hh8=, …Wls=',
        "and final",
        "chat slack hooks.example.com all changes all no unsigned",
    ]


def test_the_list_is_one_object_a_line_for_machines(webhooks: Run) -> None:
    lines = [json.loads(line) for line in webhooks("list", "--json").stdout.splitlines()]
    assert [each["name"] for each in lines] == ["crm", "chat"]
    assert lines[0] == {
        "name": "crm",
        "template": "generic",
        "to": "crm.example.com:8443",
        "when": 'lifecycle == "shop" and to in ["customer", "vip"] and final',
        "only": "latest",
        "enabled": True,
        "secrets": ["…Hh8=", "…Wls="],
    }


def test_a_good_file_is_counted(webhooks: Run) -> None:
    found = webhooks("validate")
    assert (found.returncode, found.stdout, found.stderr) == (0, "webhooks.yaml: 2 endpoints, 1 not enabled\n", "")


def test_problems_are_told_with_their_places_and_without_the_lines_that_may_hold_secrets(
    webhooks: Run, tmp_path: Path
) -> None:
    bad = FILE.replace("{env: CRM_SECRET}", SECRET).replace("latest", "last").replace("to in", "too in")
    (tmp_path / "bad.yaml").write_text(bad, encoding="utf-8")
    found = webhooks("validate", "--webhooks", "bad.yaml")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.splitlines() == [
        "bad.yaml:5:15: error: a secret never stands in this file: name it, by {env: NAME} or {file: PATH}",
        "bad.yaml:8:11: error: unknown choice 'last'; did you mean 'latest'?",
        "2 errors",
    ]
    assert webhooks("list", "--webhooks", "bad.yaml").returncode == 1


def test_with_lifecycles_conditions_are_checked_against_their_names(webhooks: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("lifecycle: shop\nstages: {customer: {}}\n", encoding="utf-8")
    found = webhooks("validate", "--lifecycles", "shop.yaml")
    assert found.returncode == 1
    assert found.stderr.splitlines()[0] == ("webhooks.yaml:4:54: error: unknown stage 'vip'; known are customer")


# --- one change to one endpoint


def test_a_dry_run_shows_the_request_as_it_would_be_sent(webhooks: Run, tmp_path: Path) -> None:
    (tmp_path / "change.json").write_text(json.dumps(value_of(), indent=2), encoding="utf-8")
    found = webhooks("test", "crm", "--change", "change.json", "--dry-run")
    assert (found.returncode, found.stderr) == (0, "")
    head, _, body = found.stdout.partition("\n{")
    assert head.splitlines() == [
        "2026-01-01T10:00:00.000Z  42  shop  visitor → customer  by order: orders >= 1  interest 42.5, value 19.9",
        "",
        "POST https://crm.example.com:8443/hooks",
        "Content-Type: application/cloudevents+json",
        "X-Team: growth",
        "X-Token: …this",
        "webhook-id: shop:customer:42:0-39:2",
        "webhook-timestamp: (the time)",
        "webhook-signature: (made when it is sent, by 2 secrets)",
    ]
    assert json.loads("{" + body)["data"] == value_of()


def test_a_url_that_is_a_secret_shows_its_host_and_its_end(webhooks: Run) -> None:
    found = webhooks("test", "chat", "--change", "-", "--dry-run", stdin=json.dumps(value_of()))
    assert found.returncode == 0
    assert "POST https://hooks.example.com…this" in found.stdout.splitlines()


def test_of_several_lines_the_last_change_is_taken(webhooks: Run) -> None:
    lines = "".join(json.dumps(value_of(sequence=number)) + "\n" for number in (2, 3))
    assert (
        "webhook-id: shop:customer:42:0-39:3"
        in webhooks("test", "crm", "--change", "-", "--dry-run", stdin=lines).stdout
    )


def test_a_change_that_the_endpoint_does_not_want_is_shown_with_a_word_about_it_and_never_sent(webhooks: Run) -> None:
    text = json.dumps(value_of(final=False))
    shown = webhooks("test", "crm", "--change", "-", "--dry-run", stdin=text)
    assert (shown.returncode, "POST" in shown.stdout) == (0, True)
    refused = webhooks("test", "crm", "--change", "-", stdin=text)
    assert refused.returncode == 1
    assert refused.stderr == shown.stderr
    assert (
        shown.stderr
        == 'crm does not want this change: when lifecycle == "shop" and to in ["customer", "vip"] and final\n'
    )


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "message"),
    [
        (["crn", "--change", "-"], "{}", 1, "webhooks.yaml: unknown endpoint 'crn'; did you mean 'crm'?"),
        (["crm", "--change", "-"], "{}", 1, "stdin: no stage change; `lifecycle schema stage-change` says what one is"),
        (["crm", "--change", "-"], "", 1, "stdin: no stage change; `lifecycle schema stage-change` says what one is"),
        (["crm", "--change", "no.json"], "", 1, "no.json: cannot be read: No such file or directory"),
        (["crm"], "", 2, "one of both is needed"),
        (["crm", "--change", "-", "--customer", "42"], "", 2, "one of both is needed"),
    ],
)
def test_what_cannot_be_tried_is_told(webhooks: Run, arguments: list[str], stdin: str, code: int, message: str) -> None:
    found = webhooks("test", *arguments, "--dry-run", stdin=stdin)
    assert found.returncode == code
    assert message in found.stderr


class Receiver:
    """An endpoint on this machine that keeps what it gets, and answers with `status`."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], str]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.text()))
        return web.Response(status=self.status, text="" if self.status == 204 else f"no, {request.headers['X-Token']}")


async def test_without_dry_run_the_change_arrives_once_and_signed_and_private_hosts_only_where_allowed(
    webhooks: Run, tmp_path: Path
) -> None:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hooks", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        text = FILE.replace("https://crm.example.com:8443", f"http://{HOST}:{port}")
        (tmp_path / "webhooks.yaml").write_text(text, encoding="utf-8")
        sending = ("test", "crm", "--change", "-")
        allowed = (*sending, "--webhook-allowed-hosts", HOST)
        kept_off = await asyncio.to_thread(webhooks, *sending, stdin=json.dumps(value_of()))
        assert (kept_off.returncode, receiver.got) == (1, [])
        done = await asyncio.to_thread(webhooks, *allowed, stdin=json.dumps(value_of()))
        assert (done.returncode, len(receiver.got)) == (0, 1)
        assert done.stdout.splitlines()[-1].startswith("delivered after ")
        headers, body = receiver.got[0]
        for secret in (SECRET, OLD_SECRET):
            assert Webhook(secret).verify(body, headers)["data"] == value_of()
        receiver.status = 500
        failed = await asyncio.to_thread(webhooks, *allowed, stdin=json.dumps(value_of()))
        assert failed.returncode == 1
        assert "again after " in failed.stdout
        assert "500" in failed.stdout
    finally:
        await runner.cleanup()


def current(each: StageChange) -> Outgoing:
    return Outgoing(current_key(each), encode(each, ChangeSource("interactions", 0, 7)), [])


async def test_the_latest_change_of_a_customer_that_the_endpoint_wants_is_taken_from_kafka(
    webhooks: Run, kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    topic = settings.topics.current_stages
    around = environment_of(settings)

    async def tried(*arguments: str) -> tuple[int, str, str]:
        found = await asyncio.to_thread(webhooks, "test", "crm", "--dry-run", *arguments, environment=around)
        return found.returncode, next(iter(found.stdout.splitlines()), "").partition("  by ")[0], found.stderr

    absent = await tried("--customer", "ann")
    assert absent[0] == 1
    assert f"topic {topic} does not exist" in absent[2]
    await create_topics(settings.bootstrap, topic, partitions=PARTITIONS)
    changes = [
        change(sequence=1, to_stage="lead", from_stage=None),
        change("joann", at=T + 9),
        change(at=T + 1),
        change(lifecycle="b2b", at=T + 5),
        change(kind="anonymous", at=T + 7, to_stage="vip"),
    ]
    await produce(settings.bootstrap, topic, [*map(current, changes), current(change("gone"))])
    await produce(settings.bootstrap, topic, [Outgoing(current_key(change("gone")), None, [])])

    assert await tried("--customer", "ann") == (0, "2026-01-01T00:00:00.001Z  ann  shop  lead → customer", "")
    assert (await tried("--customer", "ann", "--lifecycle", "b2b"))[
        1
    ] == "2026-01-01T00:00:00.005Z  ann  b2b  lead → customer"
    assert (await tried("--customer", "ann", "--anonymous"))[1] == "2026-01-01T00:00:00.007Z  ann  shop  lead → vip"
    code, _, said = await tried("--customer", "gone")
    assert (code, "nobody has the id 'gone'" in said) == (1, True)
