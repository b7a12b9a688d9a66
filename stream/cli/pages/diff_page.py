"""A comparison of two lifecycles as one page for a browser: no script, no request, in light and dark."""

from importlib.resources import files
from typing import Final

from stream.cli.pages.diff_customers import customers_part, partings_part
from stream.cli.pages.markup import Markup, joined, page, tag
from stream.cli.terminal.diff_figures import Both, is_alike, matrix_of, stages_of_both, ways_of_both
from stream.cli.terminal.diff_words import DIFFERENCES, SIDES, edit_words, history_words, nothing_moved, stage_title
from stream.cli.terminal.explanation_words import Json
from stream.cli.terminal.spans import share
from stream.codec.plain import plain

_EDITS: Final = 20
"""Changes of the file that are seen at once."""
_BAR: Final = 100
"""Width of the longest bar, in units of its picture."""
_READING: Final = """\
Customers part at the first moment at which one of the two moves them and the other does not, or moves them elsewhere. \
Who parts may still end in the same stage.
A customer is whoever an interaction is about: a customer id or, where there is none, an anonymous one. Customers whom \
both have forgotten are not counted.
A stay is one customer in one stage, from entering it to leaving it; who returns begins another. Half of the stays \
were shorter than the median, nine of ten shorter than p90.""".splitlines()


def diff_page(document: Json) -> str:
    """The page of a document that `schemas/diff.schema.json` describes."""
    titles = [plain(document[side]["title"]) for side in SIDES]
    names = " and ".join(dict.fromkeys(titles))
    parts = [_edits_part(document), _matrix_part(document), _stages_part(document), _ways_part(document)]
    if document["partings"]:
        parts += [partings_part(document), customers_part(document)]
    main = tag("main", _heading(document, names), _tiles(document), *parts, _reading_part())
    style = files("stream.cli.pages").joinpath("page.css").read_text(encoding="utf-8")
    return page(f"What would change: {names}", style, main)


def _heading(document: Json, names: str) -> Markup:
    warning = nothing_moved(document)
    versions = [
        joined(f"{side}: ", tag("code", plain(told["name"])), f", {plain(told['lifecycle'])} version {told['version']}")
        for side in SIDES
        for told in [document[side]]
    ]
    return joined(
        tag("h1", f"What would change: {names}"),
        *(tag("p", each, class_="quiet") for each in versions),
        tag("p", f"{history_words(document)}. All times are UTC.", class_="quiet"),
        tag("p", warning, class_="changed") if warning else None,
    )


def _tiles(document: Json) -> Markup:
    customers = document["customers"]
    tiles = [_tile("customers at the end", f"{customers:,}", "", "")]
    for name, words in DIFFERENCES.items():
        count = document[name]
        of = share(count / customers) if customers else ""
        tiles.append(_tile(words, f"{count:,}", of, "most" if name == "elsewhere" and count else ""))
    return tag("dl", *tiles, class_="tiles")


def _tile(label: str, figure: str, note: str, kind: str) -> Markup:
    shown = tag("dd", figure, " ", tag("small", note) if note else None)
    return tag("div", tag("dt", label), shown, class_=f"tile {kind}".strip())


def _edits_part(document: Json) -> Markup:
    edits = [tag("li", edit_words(each, document)) for each in document["edits"]]
    said = tag("ul", *edits[:_EDITS]) if edits else tag("p", "The files mean the same.")
    if len(edits) > _EDITS:
        more = tag("summary", f"and {len(edits) - _EDITS:,} more")
        said = joined(said, tag("details", more, tag("ul", *edits[_EDITS:])))
    return tag("section", tag("h2", "What the new file changes"), said)


def _matrix_part(document: Json) -> Markup:
    rows, columns, cells = matrix_of(document)
    differ = [count for (old, new), count in cells.items() if not is_alike(document, old, new)]
    most = max(differ, default=0)
    heads = [tag("th", stage_title(document, "new", column), class_="number", scope="col") for column in columns]
    body: list[Markup] = []
    for row in rows:
        counts = [cells.get((row, column), 0) for column in columns]
        line = [
            tag("td", f"{count:,}" if count else "", class_=_cell(count, most, alike=is_alike(document, row, column)))
            for column, count in zip(columns, counts, strict=True)
        ]
        title = tag("th", stage_title(document, "old", row), scope="row")
        body.append(tag("tr", title, *line, tag("td", f"{sum(counts):,}", class_="number total")))
    sums = [sum(cells.get((row, column), 0) for row in rows) for column in columns]
    foot = [tag("td", f"{each:,}", class_="number total") for each in (*sums, sum(sums))]
    corner = tag("th", "old, down; new, across", scope="col")
    table = tag(
        "table",
        tag("thead", tag("tr", corner, *heads, tag("th", "all", class_="number", scope="col"))),
        tag("tbody", *body, tag("tr", tag("th", "all", scope="row", class_="total"), *foot)),
        class_="matrix",
    )
    said = "Green: the same stage in both. Red: customers who would stand elsewhere."
    if document["renamed"]:
        old_names = ", ".join(f"{plain(old)} is called {plain(new)}" for old, new in document["renamed"].items())
        said += f" Counted as the same: {old_names}."
    return _with_table("Where customers stand at the end", said, table)


def _cell(count: int, most: int, *, alike: bool) -> str:
    if alike:
        return "number alike"
    if not count:
        return "number"
    return f"number heat-{1 if count * 10 < most else 2 if count * 3 < most else 3}"


def _stages_part(document: Json) -> Markup:
    stages = list(stages_of_both(document))
    most = max([each["now"] for both in stages for each in (both.old, both.new) if each is not None], default=0)
    rows = [
        tag(
            "tr",
            _row_title(both),
            tag("td", _bars(both, most)),
            _pair(both, "now"),
            _change(both, "now"),
            *(_pair(both, key) for key in ("entered", "went_on", "median", "p90")),
        )
        for both in stages
    ]
    headings = ("now", "", "entered", "went on", "stay, median", "stay, p90")
    table = _table(("stage", ""), headings, rows)
    key = tag("span", _square("old"), " old  ", _square("new"), " new", class_="key")
    said = (
        "Where there is one figure it is the same in both. The lengths are those of stays that ended in another stage."
    )
    return _with_table("The stages, old → new", joined(key, ". ", said), table)


def _ways_part(document: Json) -> Markup:
    rows = [
        tag(
            "tr",
            _row_title(both),
            _pair(both, "times"),
            _change(both, "times"),
            *(_pair(both, key) for key in ("share", "median", "p90")),
        )
        for both in ways_of_both(document)
    ]
    headings = ("times", "", "share of stays", "after, median", "after, p90")
    said = "How often customers went from one stage to the next, which share of the stays ended so, and after how long."
    return _with_table("From stage to stage, old → new", said, _table(("way",), headings, rows))


def _reading_part() -> Markup:
    return tag("section", tag("h2", "How to read this"), *(tag("p", each) for each in _READING))


def _with_table(title: str, said: str | Markup, table: Markup) -> Markup:
    """A part with a table, which can be moved to the side by the keyboard, too, where it is wider than the window."""
    wide = tag("div", table, class_="wide", tabindex="0", role="region", aria_label=title)
    return tag("section", tag("h2", title), tag("p", said, class_="quiet"), wide)


def _table(titles: tuple[str, ...], numbers: tuple[str, ...], rows: list[Markup]) -> Markup:
    heads = [tag("th" if each else "td", each, scope="col" if each else None) for each in titles]
    heads += [tag("th" if each else "td", each, class_="number", scope="col" if each else None) for each in numbers]
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))


def _row_title(both: Both) -> Markup:
    note = tag("span", f" ({both.note})", class_="quiet") if both.note else None
    return tag("th", both.title, note, scope="row")


def _pair(both: Both, key: str) -> Markup:
    old, new = both.shown(key)
    if old == new:
        return tag("td", old, class_="number")
    return tag("td", tag("span", old, class_="quiet"), f" → {new}", class_="number")


def _change(both: Both, key: str) -> Markup:
    change = both.change(key)
    return tag("td", f"{change:+,}" if change else "", class_="number changed")


def _bars(both: Both, most: int) -> Markup:
    bars = [
        tag("rect", x="0", y=y, height="7", width=f"{_BAR * told['now'] / most:.2f}" if most else "0", class_=side)
        for side, y, told in (("old", "1", both.old), ("new", "10", both.new))
        if told is not None
    ]
    return tag("svg", *bars, viewBox=f"0 0 {_BAR} 18", preserveAspectRatio="none", aria_hidden="true")


def _square(side: str) -> Markup:
    return tag("svg", tag("rect", width="12", height="12", class_=side), viewBox="0 0 12 12", aria_hidden="true")
