"""The report as one page for a browser: everything in it, no script, no request, whatever the data say.

All text that comes from outside passes `html.escape`, and the page's own policy allows nothing but its styles. A hash
of these stands in the policy, so that a style that got in some other way would not count either.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib import resources

from stream.report.page_pictures import drawn
from stream.report.tables import Cell, Change, Grid, Report, Section, Table, Value
from stream.report.wording import toned, worded

_CARDS = ("Revenue", "Orders", "Buyers", "New buyers", "Average order value", "Conversion rate, by people")
"""The figures that stand above the table, large."""


def page(report: Report) -> str:
    """The page, as HTML."""
    style = resources.files("stream.report").joinpath("page.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = f"{report.title}: {report.period}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style>\n</head>\n<body>",
            f"<header>\n<h1>{escape(title)}</h1>",
            f'<p class="quiet">Compared with {escape(report.before)}. {escape(report.about)}</p>\n</header>\n<main>',
            *_sentences(report),
            *_contents(report),
            *(line for section in report.sections for line in _section(section)),
            *_missing(report),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _sentences(report: Report) -> Iterator[str]:
    if report.sentences:
        yield '<div class="sentences">\n<ul>'
        yield from (f"<li>{escape(each)}</li>" for each in report.sentences)
        yield "</ul>\n</div>"


def _contents(report: Report) -> Iterator[str]:
    yield '<nav aria-label="Contents">\n<ul>'
    yield from (f'<li><a href="#{each.id}">{escape(each.title)}</a></li>' for each in report.sections)
    yield "</ul>\n</nav>"


def _missing(report: Report) -> Iterator[str]:
    if report.missing:
        yield '<section id="missing">\n<h2>What is not reckoned</h2>\n<ul>'
        yield from (f"<li>{escape(each)}</li>" for each in report.missing)
        yield "</ul>\n</section>"


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{section.id}" aria-labelledby="{section.id}-title">'
    yield f'<h2 id="{section.id}-title">{escape(section.title)}</h2>'
    yield f'<p class="meaning">{escape(section.meaning)}</p>'
    for table in section.tables:
        yield f'<h3 id="{table.id}">{escape(table.title)}</h3>'
        yield f'<p class="meaning">{escape(table.meaning)}</p>'
        if table.id == "figures":
            yield from _cards(table)
        if isinstance(table.picture, Grid):
            yield from _grid(table, table.picture)
        else:
            if table.picture is not None:
                yield drawn(table.picture, table.title)
            yield from _table(table)
    yield "</section>"


def _cards(table: Table) -> Iterator[str]:
    yield '<dl class="cards">'
    for name, now, _before, change, *_ in (row for row in table.rows if row[0] in _CARDS):
        yield (
            f'<div class="card"><dt>{escape(worded(name))}</dt><dd class="large">{escape(worded(now))}</dd>'
            f"<dd{_tone(change)}>{escape(worded(change))}</dd></div>"
        )
    yield "</dl>"


def _table(table: Table) -> Iterator[str]:
    places = range(len(table.columns))
    numbers = [_is_number(table.rows, place) for place in places]
    said = [place > 0 and any(_is_long(row[place]) for row in table.rows) for place in places]
    yield f'<div class="table" tabindex="0" role="region" aria-labelledby="{table.id}">\n<table>\n<thead>\n<tr>'
    for place, name in enumerate(table.columns):
        yield f'<th scope="col"{_class("number") if numbers[place] else ""}>{escape(name)}</th>'
    yield "</tr>\n</thead>\n<tbody>"
    for row in table.rows:
        cells = [
            _row_heading(cell) if not place else _cell(cell, numbers[place], said[place])
            for place, cell in enumerate(row)
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>\n</div>"


def _row_heading(cell: Cell) -> str:
    text = worded(cell)
    return f'<th scope="row"{_class("short") if len(text) <= _SHORT else ""}>{escape(text)}</th>'


def _cell(cell: Cell, is_number: bool, is_said: bool) -> str:
    classes = ["number"] if is_number else ["said"] if is_said else []
    if isinstance(cell, Change) and (tone := toned(cell)):
        classes.append(tone)
    return f"<td{_class(*classes)}>{escape(worded(cell))}</td>"


def _grid(table: Table, picture: Grid) -> Iterator[str]:
    """A table of shares, coloured. The depth is one of eleven: a policy without inline styles allows classes only."""
    yield f'<div class="table" tabindex="0" role="region" aria-labelledby="{table.id}">\n<table class="grid">'
    yield "<thead>\n<tr>"
    yield "".join(
        f'<th scope="col"{_class("number") if place else ""}>{escape(name)}</th>'
        for place, name in enumerate(table.columns)
    )
    yield "</tr>\n</thead>\n<tbody>"
    lead = len(table.columns) - len(picture.columns)
    for row, shares in zip(table.rows, picture.cells, strict=True):
        cells = [
            _row_heading(cell) if not place else f"<td>{escape(worded(cell))}</td>"
            for place, cell in enumerate(row[:lead])
        ]
        for each in shares:
            depth = None if each is None else min(10, round(each * 10 / (picture.deepest or 1)))
            text = "" if each is None else f"{each * 100:.0f} %"
            cells.append("<td></td>" if depth is None else f'<td class="d{depth}">{text}</td>')
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>\n</div>"


def _is_number(rows: Sequence[Sequence[Cell]], place: int) -> bool:
    return any(isinstance(row[place], Value | Change) for row in rows)


def _tone(change: Cell) -> str:
    return _class((isinstance(change, Change) and toned(change)) or "quiet")


def _class(*names: str) -> str:
    return f' class="{" ".join(names)}"' if names else ""


_SHORT = 12
"""Characters up to which the heading of a row is one line."""
_LONG = 30
"""Characters beyond which a cell is an explanation."""


def _is_long(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) > _LONG
