"""`docs/diff.md`: its example is run, and it says what the command does."""

from pathlib import Path

import pytest

from stream.cli.terminal.diff_words import DIFFERENCES
from tests.docs.documents import DOCS, blocks, run, sessions, write_files
from tests.docs.markdown import page, rows, section

PAGE = page("docs/diff.md")


def test_the_example_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    block = next(each for each in blocks(DOCS / "diff.md") if each.kind == "console")
    write_files(block, tmp_path)
    ((arguments, expected),) = sessions(block)
    assert run(arguments).rstrip("\n") == expected.rstrip("\n")


def test_every_kind_of_difference_is_explained() -> None:
    told = {cells[0] for cells in rows(section(PAGE, "## What is compared"))}
    assert set(DIFFERENCES.values()) <= told
