"""The documents of `deploy`: what they name is there."""

import re
import tomllib
from pathlib import Path

import pytest

from stream.settings import load_settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted((ROOT / "deploy").glob("*.md"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere_and_files_that_are_named_exist(document: Path) -> None:
    """A test that was renamed would leave a defence without proof."""
    text = document.read_text(encoding="utf-8")
    linked = {document.parent / link for link in re.findall(r"\]\(([^)#:]+)", text)}
    named = {ROOT / name for name in re.findall(r"`((?:tests|schemas|stream|deploy)/[^`]+)`", text)}
    assert linked
    assert [each for each in linked | named if not each.exists()] == []


def test_the_threat_model_is_one_page() -> None:
    """So that it is read."""
    assert len((ROOT / "deploy" / "threat-model.md").read_text(encoding="utf-8").split()) < 1_000


def test_the_settings_of_the_document_are_settings(tmp_path: Path) -> None:
    """As they stand there, but for the certificate, which is read when a client is made."""
    text = (ROOT / "deploy" / "security.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    file = tmp_path / "lifecycle.toml"
    file.write_text(shown, encoding="utf-8")
    settings = load_settings({}, file=file, environment={})
    assert {name: str(getattr(settings, name)) for name in tomllib.loads(shown)} == tomllib.loads(shown)
    assert settings.uses_tls
    assert settings.uses_sasl
