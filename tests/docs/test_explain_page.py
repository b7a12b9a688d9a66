"""`docs/explain.md`: its example is run, and it has every field of an answer about a customer."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCS, blocks, run, sessions, write_files
from tests.docs.markdown import names, page, section

PAGE = page("docs/explain.md")
SCHEMAS = DOCS.parent / "schemas"


def test_the_example_prints_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for the summary of the simulation, in whose place three dots stand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    block = next(each for each in blocks(DOCS / "explain.md") if each.kind == "console")
    write_files(block, tmp_path)
    ((arguments, expected),) = sessions(block)
    dots, _, shown = expected.partition("\n")
    assert dots == "…"
    assert len(shown.splitlines()) > 20
    assert run(arguments).endswith(shown)


def fields(name: str) -> set[str]:
    return set(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))["properties"])


def test_every_field_of_an_answer_and_of_an_explanation_is_on_the_page() -> None:
    assert set(names(section(PAGE, "## The JSON"))) >= fields("customer")
    told = re.findall(r"^\| (`.*?) \|", section(PAGE, "### Fields of an explanation"), re.MULTILINE)
    told_fields = {name for cell in told for name in re.findall(r"`(\w+)`", cell)}
    comparison = json.loads((SCHEMAS / "explanation.schema.json").read_text(encoding="utf-8"))["$defs"]["comparison"]
    assert told_fields == fields("explanation") | set(comparison["properties"]) - {"kind"}
