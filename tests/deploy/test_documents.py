"""The documents of `deploy`; `tests/docs` holds links and names of files in them."""

import re
import tomllib
from pathlib import Path

from stream.settings_sources import load_settings

ROOT = Path(__file__).parents[2]


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
