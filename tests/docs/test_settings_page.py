"""`docs/settings.md` is generated."""

from dataclasses import fields

from stream.settings import Settings
from tests.docs.markdown import names
from tests.docs.settings_page import PAGE, settings_page


def test_the_page_of_settings_is_what_the_command_prints() -> None:
    """Word for word; `python -m tests.docs.settings_page` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == settings_page()
    assert names(text) == [each.name for each in fields(Settings)]
