"""A report as tables of the terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.tables import titled
from stream.report.tables import Cell, Change, Grid, Report, Value
from stream.report.wording import toned, worded

if TYPE_CHECKING:
    from stream.report.tables import Table as ReportTable

_TEXT = 16
"""Characters of a text that always have room."""
_HEADING = 8
_LEAD, _SHARE = 12, 5
"""Characters of a column of a grid of shares; what does not fit is in the files."""
_LONG = 40
"""Characters of a cell beyond which it is an explanation, for which a terminal has no room."""


def show_report(report: Report, console: Console) -> None:
    """Print all of it."""
    console.print(Text(f"{report.title}: {report.period}", style="bold"))
    console.print(Text(f"Compared with {report.before}. {report.about}", style="dim"), "", sep="\n")
    for sentence in report.sentences:
        console.print(Text(f"• {sentence}"))
    if report.sentences:
        console.print()
    for section in report.sections:
        console.rule(Text(section.title, style="bold"), align="left", characters="─")
        console.print(Text(section.meaning, style="dim"), "", sep="\n")
        for table in section.tables:
            console.print(titled(table.title, _table(table, console.width)))
            console.print(Text(table.meaning, style="dim"), "", sep="\n")
    if report.missing:
        console.print(
            Group(Text("What is not reckoned", style="bold"), *(Text(f"• {each}") for each in report.missing))
        )


def _table(table: "ReportTable", width: int) -> Table:
    grid = table.picture if isinstance(table.picture, Grid) else None
    shown = [place for place in range(len(table.columns)) if not _is_explanation(table, place)]
    if grid is not None:
        shown = shown[: max(3, (width - _LEAD) // _SHARE)]
    texts = [[_text(cell) for cell in row] for row in table.rows]
    if grid is not None:
        for row, shares in zip(texts, grid.cells, strict=True):
            row[-len(shares) :] = [Text("" if each is None else f"{each:.0%}") for each in shares]
    drawn = Table(box=None, pad_edge=False)
    for place in shown:
        number = _is_number(table, place) or (grid is not None and place >= len(table.columns) - len(grid.columns))
        widest = max((row[place].cell_len for row in texts), default=0)
        drawn.add_column(
            _heading(table.columns[place], widest) if number else table.columns[place],
            justify="right" if number else "left",
            overflow="fold",
            header_style="dim",
            no_wrap=number,
            min_width=min(widest, _TEXT) if not number else None,
        )
    for row in texts:
        drawn.add_row(*(row[place] for place in shown))
    return drawn


def _heading(name: str, widest: int) -> str:
    """A heading of several words that is wider than what stands below it, on several lines."""
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > max(widest, _HEADING):
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _is_explanation(table: "ReportTable", place: int) -> bool:
    return place > 1 and any(isinstance(cell, str) and len(cell) > _LONG for cell in _cells(table, place))


def _is_number(table: "ReportTable", place: int) -> bool:
    return any(isinstance(cell, Value | Change) for cell in _cells(table, place))


def _cells(table: "ReportTable", place: int) -> Iterator[Cell]:
    return (row[place] for row in table.rows)


def _text(cell: Cell) -> Text:
    tone = toned(cell) if isinstance(cell, Change) else ""
    return Text(worded(cell), style={"better": "green", "worse": "red"}.get(tone, ""))
