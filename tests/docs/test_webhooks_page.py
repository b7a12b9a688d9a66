"""`docs/webhooks.md`: its files can be used, and its tables have every key and every name there is."""

import base64
from pathlib import Path

import pytest

from stream.webhooks.endpoints.change_names import OF_CHANGES
from stream.webhooks.endpoints.endpoint_file import read_endpoints
from stream.webhooks.endpoints.endpoint_reader import KEYS
from stream.webhooks.endpoints.request_parts import CREDENTIALS
from stream.webhooks.templating.template_file import load_template, template_text
from tests.docs.markdown import blocks, page, rows, section

PAGE = page("docs/webhooks.md")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(9, 41))).decode()
ENVIRONMENT = {
    "SHOP_WEBHOOK_SECRET": SECRET,
    "OWN_SECRET": SECRET,
    "HUBSPOT_TOKEN": "pat-eu1-0123456789",
    "SLACK_HOOK": "https://hooks.slack.com/services/T0/B0/x",
}


def first_cells(heading: str) -> list[str]:
    """The first column of the table below a heading, without its head."""
    return [cells[0] for cells in rows(section(PAGE, f"## {heading}"))]


@pytest.mark.parametrize("text", blocks(PAGE, "yaml"), ids=["first", "whole"])
def test_every_file_of_the_page_can_be_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key.txt").write_text("k-0123456789\n", encoding="utf-8")
    (tmp_path / "secrets" / "own-before.txt").write_text(OTHER + "\n", encoding="utf-8")
    (tmp_path / "our-tool.yaml").write_text(template_text("generic"), encoding="utf-8")
    (tmp_path / "webhooks.yaml").write_text(text, encoding="utf-8")
    assert read_endpoints(tmp_path / "webhooks.yaml", load_template, environment=ENVIRONMENT)


def test_every_key_of_an_endpoint_has_its_line_and_every_line_its_key() -> None:
    assert sorted(first_cells("The file")) == sorted(f"`{key}`" for key in KEYS)


def test_every_name_of_a_change_is_explained() -> None:
    told = {name.strip(" `") for cell in first_cells("Conditions") for name in cell.split(",")}
    assert told == {*OF_CHANGES, "a score or a fact", "scores.NAME", "facts.NAME"}


def test_every_header_that_must_be_named_is_told() -> None:
    text = PAGE.lower()
    assert [each for each in CREDENTIALS if f"`{each}`" not in text] == []
