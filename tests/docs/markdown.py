"""Reads the documents: sections, tables, code blocks and links, so that tests can hold them against the code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "deploy").glob("*.md")))
"""Everything that a user reads."""


def page(name: str) -> str:
    """The text of a page, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, to the next one of the same or a higher level. `heading` has its `#` marks."""
    level = heading.split(" ", 1)[0]
    start = re.search(rf"^{re.escape(heading)}$", text, re.MULTILINE)
    assert start is not None, f"there is no heading {heading!r}"
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{len(level)}}} ", _without_code(rest), re.MULTILINE)
    return rest if end is None else rest[: end.start()]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, headings and rulers left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    tables = [_cells(line) for line in lines]
    return [
        cells
        for number, cells in enumerate(tables)
        if not _is_ruler(cells) and not (number + 1 < len(tables) and _is_ruler(tables[number + 1]))
    ]


def names(text: str, column: int = 0) -> list[str]:
    """The first thing in backticks of one column of each table row; rows without one are left out."""
    found = [re.match(r"`([^`]+)`", cells[column]) for cells in rows(text)]
    return [each[1] for each in found if each is not None]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks whose opening line is exactly this."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def links(text: str) -> Iterator[str]:
    """Where links of a page lead that are no web addresses."""
    for link in re.findall(r"\]\(([^)\s]+)\)", _without_code(text)):
        if "://" not in link:
            yield link


def anchors(text: str) -> set[str]:
    """What a link to a heading of this page is named, as code hosts make it."""
    headings = re.findall(r"^#{1,6} (.+)$", _without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _is_ruler(cells: list[str]) -> bool:
    return all(re.fullmatch(r":?-+:?", cell) for cell in cells)


def _without_code(text: str) -> str:
    """The same length and lines, code blocks blanked."""
    return re.sub(r"^```.*?^```$", lambda block: re.sub(r"[^\n]", " ", block[0]), text, flags=re.MULTILINE | re.DOTALL)
