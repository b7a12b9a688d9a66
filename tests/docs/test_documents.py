"""The documents for people who write lifecycles: every example in them is run, and does what they say."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from sys import version_info
from unicodedata import unidata_version

import pytest

from stream.cli.terminal.change_lines import line_of
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.stage_change_reader import read_change
from stream.core.language.parser import OPERATORS, RESERVED
from tests.docs.documents import DOCS, Block, blocks, parts, run, sessions, whole, write_files

WRITTEN = {name: blocks(DOCS / name) for name in ("language.md", "cookbook.md")}
BLOCKS = [block for found in WRITTEN.values() for block in found]
SCHEMAS = DOCS.parent / "schemas"
_FINDING = re.compile(r"^(part\d+\.yaml):(\d+):(\d+): (error: |warning: )(.*)$", re.MULTILINE)
KINDS = {"yaml", "csv", "jsonl", "console", "changes", "conditions", "refused"}
LIMITS = (
    "at most",
    "nested deeper",
    "a condition has at most",
    "not YAML: unacceptable",
    "not YAML: a mapping or list contains",
)
"""Beginnings of messages that only files of machines meet; the document lists the limits instead."""


def of_kind(kind: str) -> list[object]:
    return [pytest.param(block, id=block.place) for block in BLOCKS if block.kind == kind]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of a document are, with nothing around it that would change what is printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return tmp_path


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert [block.place for block in BLOCKS if block.kind not in KINDS] == []
    assert [
        block.place for block in BLOCKS if block.kind in ("yaml", "csv", "jsonl") and "file" not in block.attributes
    ] == []


def test_no_fence_is_left_open_or_read_as_another() -> None:
    for name, found in WRITTEN.items():
        fences = re.findall(r"^```", (DOCS / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len(found), name


@pytest.mark.parametrize("block", of_kind("console"))
def test_a_command_prints_what_the_document_shows(block: Block, folder: Path) -> None:
    write_files(block, folder)
    for arguments, expected in sessions(block):
        assert run(arguments) == expected


@pytest.mark.parametrize("block", of_kind("changes"))
def test_the_stage_changes_are_those_that_the_document_shows(block: Block, folder: Path) -> None:
    write_files(block, folder)
    arguments = ["simulate", "--changes", "changes.jsonl"]
    for option, value in block.attributes.items():
        arguments += [f"--{option}", value]
    printed = run(arguments)
    assert "could not be read" not in printed, printed
    assert "wrong type" not in printed or "wrong type" in block.document.read_text(encoding="utf-8"), printed
    lines = (folder / "changes.jsonl").read_bytes().splitlines()
    changes = [change for line in lines if (change := read_change(line)) is not None]
    assert len(changes) == len(lines)
    assert [line_of(change).plain.rstrip() for change in changes] == block.text.splitlines()


@pytest.mark.parametrize("block", of_kind("yaml"))
def test_a_lifecycle_loads_without_a_warning_where_no_command_shows_what_is_wrong(block: Block, folder: Path) -> None:
    write_files(block, folder)
    name = block.attributes["file"]
    (folder / name).write_text(block.text, encoding="utf-8")
    shown = [each for each in BLOCKS if each.kind == "console" and f"validate {name}\n" in each.text]
    if not shown:
        assert load(name).warnings == ()


@pytest.mark.parametrize("block", of_kind("conditions"))
def test_a_condition_that_is_shown_is_one(block: Block, folder: Path) -> None:
    write_files(block, folder)
    lifecycle = (folder / block.attributes["in"]).read_text(encoding="utf-8")
    for line in block.text.splitlines():
        condition = line.partition("  #")[0].strip()
        quoted = condition.replace("'", "''")
        source, target = list(load(block.attributes["in"]).lifecycle.stages)[:2]
        rule = f"  - from: {source}\n    to: {target}\n    when: '{quoted}'\n"
        (folder / "one.yaml").write_text(lifecycle + rule, encoding="utf-8")
        assert load("one.yaml").lifecycle.transitions[-1].condition.text == condition


@pytest.mark.parametrize("block", of_kind("refused"))
def test_what_is_refused_is_told_as_the_document_shows(block: Block, folder: Path) -> None:
    write_files(block, folder)
    base = (folder / block.attributes["in"]).read_text(encoding="utf-8")
    expected: dict[str, list[tuple[int, int, str]]] = {}
    for number, part in enumerate(parts(block)):
        text, above, before = whole(base, part)
        (folder / f"part{number}.yaml").write_text(text, encoding="utf-8")
        expected[f"part{number}.yaml"] = [
            (line + above, column + before, message) for line, column, message in part.notes
        ]
    told: dict[str, list[tuple[int, int, str]]] = {name: [] for name in expected}
    for name, line, column, kind, message in _FINDING.findall(run(["validate", *expected])):
        told[name].append((int(line), int(column), message if kind == "error: " else kind + message))
    assert told == expected


def skeleton(message: str) -> str:
    """A message without the names, texts and numbers that it is about."""
    message = re.sub(r"known are .*", "known", message.removeprefix("warning: "))
    message = re.sub(r"(?<=wrong indentation: ).+?(?= begins in)|[^ ]+:(?= of line)|the -(?= of line)", "_", message)
    message = re.sub(r"[^ ](?= is no dash)|(?<=;) [^ ]+(?= is no quote)", "_", message)
    message = re.sub(r", not (the|a|nothing|nan|true).*|; this is a list|; this one is empty", "", message)
    message = re.sub(r"'(?:[^']|(?<=\w)'(?=\w))*'|\"[^\"]*\"|`[^`]*`|\d[\d,.]*|\([^)]*\)|\{[^}]*\}", "_", message)
    message = re.sub(r"stages \S+( -> \S+)+", "stages _", message)
    message = re.sub(r"(a number|a text|true or false|a time|a duration|a property)\b", "TYPE", message)
    message = re.sub(r"(as in|after|write|go with|a name:) .*", r"\1", message)
    message = re.sub(r"(?<=the largest: )[^;]+|(?<=entry of )\w+|(?<=the ledger )\w+", "_", message)
    message = re.sub(r"^\w+( and \w+)* do(es)? not go", "_ does not go", message)
    message = re.sub(r"(?<=with over: )\S+|(?<=it is )\S+$", "_", message)
    known = "needs a name|keeps|leads through|has a half_life"
    return re.sub(rf"^(not YAML: )?\S+( (?:{known})|: _ (?:of a ledger )?sees|: a )", r"_\2", message)


def told_by_the_loader() -> Iterator[str]:
    for path in sorted((SCHEMAS / "examples").glob("lifecycle-*/*.yaml")):
        for line in path.read_bytes().decode("utf-8").split("\n"):
            match = re.match(r"# \d+:\d+: (.*)", line)
            if match is None:
                break
            yield match[1]


def test_every_message_that_the_loader_is_known_to_give_is_in_the_document() -> None:
    shown = {
        skeleton(message)
        for block in WRITTEN["language.md"]
        if block.kind == "refused"
        for part in parts(block)
        for _line, _column, message in part.notes
    }
    missing = {skeleton(each): each for each in told_by_the_loader() if not each.startswith(LIMITS)}
    assert [message for key, message in missing.items() if key not in shown] == []


def test_every_key_of_the_schema_has_its_entry() -> None:
    schema = json.loads((SCHEMAS / "lifecycle.schema.json").read_text(encoding="utf-8"))
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ `([a-z_]+)`", text, re.MULTILINE)
    entries = re.findall(r"^\| `([a-z_]+)`", text, re.MULTILINE)
    keys = [*schema["properties"]]
    for part in ("ledger", "score", "signal", "fact", "figure", "rate", "stage", "transition"):
        keys += schema["$defs"][part]["properties"]
    keys += schema["$defs"]["signal"]["properties"]["at_most"]["properties"]
    assert [key for key in keys if key not in headings and key not in entries] == []
    assert [key for key in schema["properties"] if key not in headings] == []


def test_every_operator_and_every_name_of_conditions_is_explained() -> None:
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    assert [each for each in OPERATORS if f"`{each}`" not in text] == []
    assert [each for each in RESERVED if f"`{each}" not in text] == []


def test_every_rule_has_its_entry() -> None:
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    assert re.findall(r"^\*\*Rule (\d+)\.", text, re.MULTILINE) == list(map(str, range(1, 31)))


def test_the_unicode_version_of_the_python_that_runs_is_named() -> None:
    """It decides what a small letter is."""
    version = ".".join(unidata_version.split(".")[:2])
    text = " ".join((DOCS / "language.md").read_text(encoding="utf-8").split())
    assert re.search(rf"{version} with (?:Python )?3\.{version_info.minor}\b", text)


def test_the_cookbook_has_its_needs_each_with_a_lifecycle_and_its_changes() -> None:
    text = (DOCS / "cookbook.md").read_text(encoding="utf-8")
    needs = re.split(r"^## (?=\d+\. )", text, flags=re.MULTILINE)[1:]
    assert len(needs) == 34
    for need in needs:
        assert "```yaml file=" in need, need.split("\n")[0]
        assert "```changes " in need, need.split("\n")[0]


def test_links_lead_somewhere() -> None:
    for name in WRITTEN:
        text = (DOCS / name).read_text(encoding="utf-8")
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        headings = {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
        }
        for link in re.findall(r"\]\(([^)]+)\)", text):
            path, _sharp, anchor = link.partition("#")
            assert not path or (DOCS / path).exists(), link
            assert path or anchor in headings, link
