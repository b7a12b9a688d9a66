"""A comparison of two lifecycles, as tables for people."""

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from stream.cli.terminal.amounts import amount
from stream.cli.terminal.diff_figures import Both, is_alike, matrix_of, stages_of_both, ways_of_both
from stream.cli.terminal.diff_words import (
    DIFFERENCES,
    SIDES,
    cause_words,
    edit_words,
    ending_words,
    history_words,
    move_words,
    nothing_moved,
    now_words,
    source_words,
    stage_title,
    way_words,
    who,
    why_lines,
)
from stream.cli.terminal.explanation_words import Json, when
from stream.cli.terminal.spans import share
from stream.cli.terminal.tables import plain_table, titled
from stream.codec.plain import plain

_EDITS = 20
"""Changes of the file that are listed: of two lifecycles that have little in common there are more."""
_CELLS = 12
"""Pairs of stages that are listed where the matrix is too wide."""
_PARTINGS = 10
_WIDE = 120
"""Columns of a terminal from which on all figures of a stage stand in one table, and those of a way are all shown."""
_COUNTS = ("now", "times")
"""Figures that have their change beside them."""
_HEADINGS = {
    "now": "Now",
    "entered": "Entered",
    "went_on": "Went on",
    "times": "Times",
    "share": "Share",
    "median": "Median",
    "p90": "p90",
}


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
    if said := nothing_moved(document):
        yield Text(said, "yellow")
    yield _differences(document)
    yield _matrix(document, width)
    yield _stages(document, width)
    yield _ways(document, width)
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
    return text.append(history_words(document))


def _edits(document: Json) -> RenderableType:
    edits = document["edits"]
    if not edits:
        return Text("The files mean the same.", "green")
    lines = [Text(edit_words(each, document)) for each in edits[:_EDITS]]
    if len(edits) > _EDITS:
        lines.append(Text(f"and {len(edits) - _EDITS:,} more, which --html and --json have", "dim"))
    return Group(Text("What the new file changes", "bold"), *(Padding(each, (0, 0, 0, 2)) for each in lines))


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
    rows, columns, cells = matrix_of(document)
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
            alike = is_alike(document, row, column)
            line.append(Text(f"{count:,}" if count else "·", "" if alike else "bold yellow" if count else "dim"))
        total = sum(cells.get((row, column), 0) for column in columns)
        table.add_row(Text(stage_title(document, "old", row)), *line, Text(f"{total:,}", "dim"))
    sums = [sum(cells.get((row, column), 0) for row in rows) for column in columns]
    table.add_row("All", *(f"{each:,}" for each in sums), f"{sum(sums):,}", style="dim")
    return Group(Text("Where customers stand at the end", "bold"), Text(", ".join(names), "dim"), table)


def _pairs(document: Json) -> RenderableType:
    differ = [each for each in document["matrix"] if not is_alike(document, each["old"], each["new"])]
    table = plain_table("Customers", "Old", "New", numbers=("Customers",))
    for each in differ[:_CELLS]:
        titles = [Text(stage_title(document, side, each[side])) for side in SIDES]
        table.add_row(f"{each['customers']:,}", *titles)
    if len(differ) > _CELLS:
        table.add_row(f"{sum(each['customers'] for each in differ[_CELLS:]):,}", Text("elsewhere", "dim"), "")
    return titled("Where customers stand at the end, if not in the same stage", table)


def _stages(document: Json, width: int) -> RenderableType:
    rows = list(stages_of_both(document))
    counts, lengths = ("now", "entered"), ("went_on", "median", "p90")
    parts = [(*counts, *lengths)] if width >= _WIDE else [counts, lengths]
    note = Text("Median and p90: how long the stays lasted that ended in another stage.", "dim")
    tables = [_figures("Stage", rows, keys) for keys in parts]
    return Group(Text("Stages: old → new, one figure where they are equal", "bold"), note, *tables)


def _ways(document: Json, width: int) -> RenderableType:
    rows = list(ways_of_both(document))
    keys = ("times", "share", "median", "p90") if width >= _WIDE else ("times", "share")
    return Group(Text("From stage to stage: old → new", "bold"), _figures("Way", rows, keys))


def _figures(title: str, rows: Sequence[Both], keys: Sequence[str]) -> Table:
    """A row for each stage or way; a count has a column for how much it changes."""
    headings = [each for key in keys for each in ((_HEADINGS[key], "") if key in _COUNTS else (_HEADINGS[key],))]
    table = plain_table(title, *headings, numbers=tuple(headings))
    for both in rows:
        cells: list[Text] = []
        for key in keys:
            old, new = both.shown(key)
            cells.append(Text(old) if old == new else Text(f"{old} → {new}", "yellow"))
            if key in _COUNTS:
                change = both.change(key)
                cells.append(Text(f"{change:+,}" if change else "", "yellow"))
        name = Text(both.title)
        table.add_row(name.append(f"  {both.note}", "dim") if both.note else name, *cells)
    return table


def _partings(document: Json) -> RenderableType:
    table = plain_table("Customers", "Where", "Old", "New", numbers=("Customers",))
    for each in document["partings"][:_PARTINGS]:
        moves = [Text(move_words(each[side], document, side)) for side in SIDES]
        table.add_row(f"{each['customers']:,}", Text(source_words(each, document)), *moves)
    return titled("The first moment at which they part: how many, and what each does", table)


def _customer(customer: Json, document: Json) -> RenderableType:
    name, anonymous = who(customer)
    head = Text(name, "bold").append(" (anonymous)" if anonymous else "", "dim")
    head.append(f"  {ending_words(customer, document)}", "dim")
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
    for line, lacked in why_lines(customer, document):
        grid.add_row("", Text(line))
        for each in lacked:
            grid.add_row("", Padding(Text(each), (0, 0, 0, 2), expand=False))
    return Group(head, Padding(grid, (0, 0, 0, 2), expand=False))
