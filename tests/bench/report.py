"""What the benchmarks leave behind: a JSON file of all figures for each section, and tables on the terminal."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table


def write(folder: Path, section: str, document: Mapping[str, Any]) -> Path:
    """Write a section's figures to SECTION.json in a folder, which is made; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{section}.json"
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def table(title: str, text: str, *numbers: str, last: str | None = None, caption: str | None = None) -> Table:
    """An empty table: a column of text, columns of numbers, and perhaps a last one of text."""
    made = Table(title=title, title_justify="left", title_style="bold", caption=caption, caption_justify="left")
    made.add_column(text)
    for number in numbers:
        made.add_column(number, justify="right")
    if last is not None:
        made.add_column(last)
    return made


def whole(number: float) -> str:
    """A count or a rate: 12,345."""
    return f"{number:,.0f}"


def times(ratio: float) -> str:
    """A ratio, with no more digits than count: 0.52, 7.3, 112."""
    return f"{ratio:.{2 if ratio < 2 else 1 if ratio < 20 else 0}f}"
