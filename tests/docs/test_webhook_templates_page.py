"""`docs/webhook-templates.md` is made from the templates, and its examples are read and used."""

from pathlib import Path

import orjson
import pytest
from ruamel.yaml import YAML

from stream.webhooks.exchange import Answer, Verdict
from stream.webhooks.templating.template_file import load_template, template_names
from stream.webhooks.templating.template_reading import ANSWER_KEYS, KEYS, REQUEST_KEYS, VALUE_KEYS
from tests.docs.markdown import blocks, page, section
from tests.docs.webhook_templates_page import OWN_TEMPLATE, PAGE
from tests.docs.webhook_templates_page import page as made
from tests.webhooks.tool_changes import change

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_templates_say() -> None:
    """Word for word; `python -m tests.docs.webhook_templates_page` writes it."""
    assert made(TEXT) == TEXT


@pytest.mark.parametrize("name", template_names())
def test_the_endpoint_of_the_page_fits_its_template(name: str) -> None:
    (text,) = blocks(TEXT, f"yaml endpoint={name}")
    ((_, endpoint),) = YAML(typ="safe", pure=True).load(text)["endpoints"].items()
    template = load_template(endpoint["template"], Path())
    secret = "https://hooks.example" if name == "slack" else "s"
    values = {key: secret if isinstance(each, dict) else each for key, each in endpoint["values"].items()}
    assert template.problems(values) == {}
    assert {each.name for each in template.values if each.required} <= set(values)
    assert {key for key, each in endpoint["values"].items() if isinstance(each, dict)} <= {
        each.name for each in template.values if each.secret
    }
    assert template.requests(change(facts={"email": "a@b.c", "ac_id": 1, "mautic_id": 7}), "id", values)


def test_every_key_of_a_template_is_described() -> None:
    described = section(page("docs/webhook-templates.md"), "## A template of your own")
    keys = (*KEYS, *VALUE_KEYS, *REQUEST_KEYS, *ANSWER_KEYS)
    assert [key for key in keys if f"{key}`" not in described and f"`{key}: " not in described] == []


def test_the_template_of_ones_own_has_all_there_is_and_works() -> None:
    text = OWN_TEMPLATE.read_text(encoding="utf-8")
    missing = [key for key in (*KEYS, *VALUE_KEYS, *REQUEST_KEYS, *ANSWER_KEYS) if f"{key}:" not in text]
    assert missing == ["basic"]  # there is one kind of credentials
    template = load_template("./our-crm.yaml", OWN_TEMPLATE.parent)
    values = {
        "url": "https://crm.example",
        "token": "t",
        "ranks": "lead=10, customer=20",
        "fields": "points=scores.value",
    }
    put, post = template.requests(change(), "id-1", values)
    assert (put.method, put.url) == ("PUT", "https://crm.example/people/ada%40example.com?source=lifecycle")
    assert orjson.loads(put.body) == {"rank": "20", "since": "2026-01-01T10:00:00.000Z", "points": 19.0}
    assert orjson.loads(post.body)["text"] == "lead is now customer"
    assert template.outcome(Answer(200, {}, b'{"failed": ["rank"]}')).verdict is Verdict.REFUSED
    assert template.outcome(Answer(404, {}, b"")).verdict is Verdict.GONE
    assert template.outcome(Answer(429, {"x-backoff": "3"}, b"")).wait == 3
