"""A comparison of two lifecycles, as tables for people."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.diff_words import (
    DIFFERENCES,
    SIDES,
    cause_words,
    edit_words,
    in_old,
    move_words,
    now_words,
    source_words,
    stage_title,
    way_words,
    who,
    why_lines,
)
from stream.cli.terminal.explanation_words import Json, when
from stream.cli.terminal.spans import NOTHING, share, span
from stream.cli.terminal.tables import plain_table, titled
from stream.codec.plain import plain

_CELLS = 12
"""Pairs of stages that are listed where the matrix is too wide."""
_PARTINGS = 10


def show_diff(document: Json, console: Console) -> None:
    """Print what the document says."""
    for part in _parts(document, console.width):
        console.print(part, "", sep="\n")


def _parts(document: Json, width: int) -> Iterator[RenderableType]:
    yield _heading(document)
    yield _edits(document)
    if not document["customers"]:
        yield Text("No customer is there at the end.", "yellow")
        return
    yield _differences(document)
    yield _matrix(document, width)
    yield _stages(document)
    yield _ways(document)
    if document["partings"]:
        yield _partings(document)
    if document["explained"]:
        yield Text("Customers who differ, some of each kind. All times are UTC.", "bold")
        for customer in document["explained"]:
            yield _customer(customer, document)


def _heading(document: Json) -> Text:
    text = Text()
    for side in SIDES:
        told = document[side]
        text.append(f"{side}  ", "dim").append(plain(told["title"]), "bold")
        text.append(f" ({plain(told['lifecycle'])} version {told['version']}), {plain(told['name'])}\n")
    history = document["history"]
    text.append(amount(history["records"], "record"))
    if history["first"] is not None:
        text.append(f", from {when(history['first'])} to {when(history['last'])}")
    if history["until"] is not None:
        text.append(f"; then time passes until {when(history['until'])}")
    return text


def _edits(document: Json) -> RenderableType:
    edits = document["edits"]
    if not edits:
        return Text("The files mean the same.", "green")
    lines = [Text(edit_words(each, document)) for each in edits]
    return Group(Text("What is another in the new file", "bold"), *(Padding(each, (0, 0, 0, 2)) for each in lines))


def _differences(document: Json) -> RenderableType:
    customers = document["customers"]
    if document["same"] == customers:
        return Text(f"Nobody differs: all {amount(customers, 'customer')} move alike, at the same moments.", "green")
    table = plain_table("Customers", "Share", "", numbers=("Customers", "Share"))
    for name, words in DIFFERENCES.items():
        count = document[name]
        style = "dim" if not count else "bold yellow" if name == "elsewhere" else ""
        table.add_row(f"{count:,}", share(count / customers), words, style=style)
    return titled(f"Of {amount(customers, 'customer')} at the end", table)


def _matrix(document: Json, width: int) -> RenderableType:
    """Rows are stages of the old one, columns those of the new one, by number; what differs is yellow."""
    cells = {(each["old"], each["new"]): each["customers"] for each in document["matrix"]}
    rows, columns = ([each["stage"] for each in document[side]["stages"]] for side in SIDES)
    if any(old is None for old, _ in cells):
        rows.append(None)
    if any(new is None for _, new in cells):
        columns.append(None)
    names = [f"{place + 1} {stage_title(document, 'new', stage)}" for place, stage in enumerate(columns)]
    needed = max(len(stage_title(document, "old", each)) for each in rows) + 3
    cell = max(len(f"{count:,}") for count in cells.values()) + 2
    if needed + cell * (len(columns) + 1) > width:
        return _pairs(document)
    headings = [*(str(place + 1) for place in range(len(columns))), "All"]
    table = plain_table("Old, down; new, across", *headings, numbers=tuple(headings))
    table.columns[0].overflow = "ellipsis"
    for row in rows:
        line: list[Text] = []
        for column in columns:
            count = cells.get((row, column), 0)
            alike = row is not None and document["renamed"].get(row, row) == column
            line.append(Text(f"{count:,}" if count else "·", "" if alike else "bold yellow" if count else "dim"))
        total = sum(cells.get((row, column), 0) for column in columns)
        table.add_row(Text(stage_title(document, "old", row)), *line, Text(f"{total:,}", "dim"))
    sums = [sum(cells.get((row, column), 0) for row in rows) for column in columns]
    table.add_row("All", *(f"{each:,}" for each in sums), f"{sum(sums):,}", style="dim")
    return Group(Text("Where customers stand at the end", "bold"), Text(", ".join(names), "dim"), table)


def _pairs(document: Json) -> RenderableType:
    differ = [each for each in document["matrix"] if document["renamed"].get(each["old"], each["old"]) != each["new"]]
    table = plain_table("Customers", "Old", "New", numbers=("Customers",))
    for each in differ[:_CELLS]:
        titles = [Text(stage_title(document, side, each[side])) for side in SIDES]
        table.add_row(f"{each['customers']:,}", *titles)
    if len(differ) > _CELLS:
        table.add_row(f"{sum(each['customers'] for each in differ[_CELLS:]):,}", Text("elsewhere", "dim"), "")
    return titled("Where customers stand at the end, if not in the same stage", table)


def _stages(document: Json) -> RenderableType:
    headings = ("Now", "", "Entered", "Went on", "Median", "p90")
    table = plain_table("Stage", *headings, numbers=headings)
    for old, new in _stage_pairs(document):
        title = Text(plain((new or old or {})["title"]))
        if old is None or new is None:
            title.append("  new" if old is None else "  removed", "dim")
        change = (new["now"] if new else 0) - (old["now"] if old else 0)
        cells = [_both(old, new, key) for key in ("now", "entered", "went_on", "median", "p90")]
        table.add_row(title, cells[0], Text(f"{change:+,}" if change else "", "yellow"), *cells[1:])
    return Group(
        Text("Stages: old → new, one figure where they are equal", "bold"),
        Text("Median and p90: how long the stays lasted that ended in another stage.", "dim"),
        table,
    )


def _stage_pairs(document: Json) -> Iterator[tuple[Json | None, Json | None]]:
    """Every stage as old and new have it, None where one has not."""
    old, new = ({each["stage"]: each for each in document[side]["stages"]} for side in SIDES)
    for name, each in new.items():
        yield old.get(in_old(document, name) or ""), each
    for name, each in old.items():
        if document["renamed"].get(name, name) not in new:
            yield each, None


def _ways(document: Json) -> RenderableType:
    headings = ("Times", "", "Share", "Median")
    table = plain_table("From", "To", *headings, numbers=headings)
    renamed = document["renamed"]
    old = {
        (renamed.get(each["from"], each["from"]), renamed.get(each["to"], each["to"])): each
        for each in _of("old", document)
    }
    new = {(each["from"], each["to"]): each for each in _of("new", document)}
    for ends in dict.fromkeys([*new, *old]):
        before, after = old.get(ends), new.get(ends)
        change = (after["times"] if after else 0) - (before["times"] if before else 0)
        if not any(each and each["times"] for each in (before, after)):
            continue
        side = "new" if after else "old"
        source = "(new)" if ends[0] is None else stage_title(document, side, (after or before or {})["from"])
        target = "(forgotten)" if ends[1] is None else stage_title(document, side, (after or before or {})["to"])
        cells = [_both(before, after, key) for key in ("times", "share", "median")]
        changed = Text(f"{change:+,}" if change else "", "yellow")
        table.add_row(Text(source), Text(target), cells[0], changed, *cells[1:])
    return Group(Text("From stage to stage: old → new", "bold"), table)


def _of(side: str, document: Json) -> list[Json]:
    ways: list[Json] = document[side]["ways"]
    return ways


def _both(old: Json | None, new: Json | None, key: str) -> Text:
    """A figure of both, or once where it is the same."""
    shown = [NOTHING if each is None else _figure(key, each[key]) for each in (old, new)]
    return Text(shown[0]) if shown[0] == shown[1] else Text(f"{shown[0]} → {shown[1]}", "yellow")


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return NOTHING
    if key in ("share", "went_on"):
        return share(value)
    return span(value) if key in ("median", "p90") else f"{value:,}"


def _partings(document: Json) -> RenderableType:
    table = plain_table("Customers", "Where", "Old", "New", numbers=("Customers",))
    for each in document["partings"][:_PARTINGS]:
        moves = [Text(move_words(each[side], document, side)) for side in SIDES]
        table.add_row(f"{each['customers']:,}", Text(source_words(each, document)), *moves)
    return titled("The first moment at which they part: how many, and what each does", table)


def _customer(customer: Json, document: Json) -> RenderableType:
    name, anonymous = who(customer)
    head = Text(name, "bold").append(" (anonymous)" if anonymous else "", "dim")
    head.append(f"  {DIFFERENCES[customer['difference']].replace('end', 'ends', 1).replace('go ', 'goes ')}", "dim")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row("now", Text("; ".join(f"{side}: {now_words(customer, document, side)}" for side in SIDES)))
    if customer["difference"] == "another_way":
        for side in SIDES:
            grid.add_row("way", Text(f"{side}: {way_words(customer, document, side)}"))
    parted = customer["parted"]
    where = f"{source_words(parted, document)}, {cause_words(parted)}"
    grid.add_row("part", Text(f"on {when(parted['at'])}, {where}"))
    for line in why_lines(customer, document):
        grid.add_row("", Text(line))
    return Group(head, Padding(grid, (0, 0, 0, 2), expand=False))
