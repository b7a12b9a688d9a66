"""Every page that a user reads: its links lead somewhere, and what it names exists."""

import re
from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, links

NAMED = re.compile(r"`((?:tests|schemas|stream|deploy|docs)/[^`\s]+)`")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_a_file_and_to_a_heading_of_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    broken = []
    for link in links(text):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_are_named_exist(path: Path) -> None:
    """A reader looks for them; a defence whose test was renamed would be without proof."""
    named = {ROOT / name for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert [each.relative_to(ROOT).as_posix() for each in named if not each.exists()] == []


def test_every_document_is_linked_from_the_readme() -> None:
    """Directly: a page that nobody finds is not there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [each.name for each in (ROOT / "docs").glob("*.md") if f"docs/{each.name}" not in readme] == []


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 200
