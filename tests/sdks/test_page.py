"""docs/sdks.md and what is written beside the recordings name the SDKs that are run, at their releases."""

import re

import pytest

from tests.sdks.documented import PAGE, program
from tests.sdks.recording import FOLDER
from tests.sdks.sdks import SDKS, Sdk


def test_the_page_lists_each_sdk_at_its_release() -> None:
    rows = re.findall(r"^\| \[`(.+?)`\]\(.+\) \| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {sdk.package: sdk.version for sdk in SDKS}


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.slug)
def test_the_program_of_an_sdk_sends_where_it_is_told(sdk: Sdk) -> None:
    text = program(sdk, "http://127.0.0.1:1", "another-key")
    assert "http://127.0.0.1:1" in text
    assert "another-key" in text
    assert "6067" not in text
    assert "WRITE_KEY" not in text


def test_the_recordings_are_listed_with_their_releases() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)\.json` \| .+ \| (.+?) \|$", text, re.MULTILINE)
    assert dict(rows) == {sdk.slug: sdk.version for sdk in SDKS}
