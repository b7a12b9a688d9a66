"""The fenced blocks of a document that say themselves what must hold, and the command that they are run with.

    ```yaml file=shop.yaml        a file; so are ```csv file=… blocks
    ```console                    `$ lifecycle …`, each followed by exactly what it prints, on 100 columns
    ```changes lifecycle=shop.yaml input=visits.csv until=2026-06-01
                                  the stage changes of a simulation, one a line as `lifecycle tail` prints them
    ```conditions in=shop.yaml    conditions that the lifecycle accepts, each with a comment for the reader
    ```refused in=shop.yaml       parts of the lifecycle, each with ^ under the place of an error and what is said there

A block sees the files that stand before it.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from stream.cli import main

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(?P<kind>\w+)(?P<attributes>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"^ *\^ (?P<message>.*)$")


class Block(NamedTuple):
    """A fenced block."""

    document: Path
    line: int
    kind: str
    attributes: dict[str, str]
    text: str

    @property
    def place(self) -> str:
        """For the name of a test."""
        return f"{self.document.stem}-{self.line}"


class Part(NamedTuple):
    """A part of a lifecycle that is refused."""

    lines: tuple[str, ...]
    notes: tuple[tuple[int, int, str], ...]
    """Line and column of each note, from 1 within the part, and what is said there."""


def blocks(document: Path) -> list[Block]:
    """All fenced blocks, in order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            document,
            text.count("\n", 0, match.start()) + 1,
            match["kind"],
            dict(pair.partition("=")[::2] for pair in match["attributes"].split()),
            match["text"],
        )
        for match in _FENCE.finditer(text)
    ]


def write_files(block: Block, folder: Path) -> None:
    """Write the files that stand before `block` in its document."""
    for each in blocks(block.document):
        if each.line < block.line and "file" in each.attributes:
            (folder / each.attributes["file"]).write_text(each.text, encoding="utf-8")


def run(arguments: list[str]) -> str:
    """What `lifecycle` prints with these arguments, both streams as they come, without blanks at the ends of lines.

    How fast it was is left out.
    """
    printed = StringIO()
    called = patch.object(sys, "argv", ["lifecycle", *arguments])
    with redirect_stdout(printed), redirect_stderr(printed), called, suppress(SystemExit):
        main()
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    return re.sub(r"[\d,]+ records/s", "… records/s", "\n".join(lines)).strip("\n")


def sessions(block: Block) -> Iterator[tuple[list[str], str]]:
    """The commands of a console block, without the command's name, and what each prints."""
    for session in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _newline, output = session.replace("\\\n", " ").partition("\n")
        name, *arguments = shlex.split(command)
        assert name == "lifecycle", f"{block.place}: {command}"
        yield arguments, "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")


def parts(block: Block) -> list[Part]:
    """The parts of a block of refusals; an empty line separates them."""
    found: list[Part] = []
    for text in re.split(r"\n\n+", block.text.strip("\n")):
        lines: list[str] = []
        notes: list[tuple[int, int, str]] = []
        for line in text.split("\n"):
            if match := _NOTE.match(line):
                notes.append((len(lines), line.index("^") + 1, match["message"]))
            else:
                lines.append(line)
        assert notes, f"{block.place}: nothing is said of {text}"
        found.append(Part(tuple(lines), tuple(notes)))
    return found


def whole(lifecycle: str, part: Part) -> tuple[str, int, int]:
    """The lifecycle with `part` in place of its own, and how many lines and columns stand before the part in it.

    `when: …` stands for one more transition; a part that begins with a key of the top for that key; what begins with
    ``...`` for a whole file.
    """
    lines = lifecycle.rstrip("\n").split("\n")
    if part.lines[0] == "...":
        return "\n".join(part.lines[1:]) + "\n", -1, 0
    if part.lines[0].startswith("when:"):
        source, target = re.findall(r"^  (\w+):", lifecycle.partition("stages:\n")[2], re.MULTILINE)[:2]
        lines += [f"  - from: {source}", f"    to: {target}"]
        return "\n".join([*lines, *(f"    {line}" for line in part.lines), ""]), len(lines), 4
    keys = {line.partition(":")[0] for line in part.lines if re.match(r"\w", line)}
    kept: list[str] = []
    dropping = False
    for line in lines:
        if re.match(r"\w", line):
            dropping = line.partition(":")[0] in keys
        if not dropping:
            kept.append(line)
    return "\n".join([*kept, *part.lines, ""]), len(kept), 0
