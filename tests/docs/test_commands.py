"""The commands that pages show can be typed: each exists, with the options that it is given."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from stream.cli.commands import app
from tests.docs.markdown import PAGES, ROOT, blocks, page


def shown(text: str) -> Iterator[list[str]]:
    """The words of every `lifecycle …` behind a prompt of a console block, also root's; pipes begin another."""
    for block in blocks(text, "console"):
        for line in re.sub(r" *\\\n *", " ", block).splitlines():
            if line.startswith(("$ ", "# lifecycle ")):
                lexer = shlex.shlex(line[2:], posix=True, punctuation_chars="|;&<>()")
                lexer.whitespace_split = True
                yield from (words[1:] for words in split(list(lexer)) if words[:1] == ["lifecycle"])


def named(text: str) -> Iterator[list[str]]:
    """The words of every `lifecycle …` that stands whole in a sentence or a table."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for command in re.findall(r"`lifecycle ([^`…]+)`", prose):
        yield shlex.split(command)


def split(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in words:
        if set(word) <= set("|;&<>()"):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def unknown(words: list[str]) -> list[str]:
    """What of a command line does not exist."""
    command = get_command(app)
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        _, inside, _ = command.resolve_command(Context(command, resilient_parsing=True), words)
        if inside is None:
            return [words[0]]
        command, words = inside, words[1:]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    return [each for each in words if each.startswith("--") and each.split("=")[0] not in known]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [words for words in (*shown(text), *named(text)) if unknown(words)] == []


def test_commands_are_found_and_a_wrong_one_would_be_noticed() -> None:
    """In a pipe, over two lines and behind a comment, too."""
    lines = ["$ echo 1 | lifecycle import - --map \\", "    'a=b'  # --not an option", "$ lifecycle tali --now"]
    lines += ["# lifecycle topics", "# none"]
    text = "\n".join(["```console", *lines, "```", ""])
    found = list(shown(text))
    assert found == [["import", "-", "--map", "a=b"], ["tali", "--now"], ["topics"]]
    assert [unknown(each) for each in found] == [[], ["tali"], []]
    assert list(named("run `lifecycle tail\n--json`, not `lifecycle …`")) == [["tail", "--json"]]
    assert unknown(["dead-letters", "list", "--raisin"]) == ["--raisin"]
    assert len(list(shown(page("docs/install.md")))) > 5


def test_the_lifecycle_of_the_readme_is_its_example() -> None:
    """The file that the commands below it name."""
    example = page("schemas/examples/lifecycle/readme.yaml")
    assert blocks(page("README.md"), "yaml") == [example]
