"""The few sentences that matter: what sold, where customers are lost, and how this period differs from the last."""

from collections.abc import Iterator, Sequence

from stream.report.tables import Cell, Change, Report, Table, Value
from stream.report.wording import worded


def sentences(report: Report) -> list[str]:
    """Of the tables that the report has."""
    tables = {table.id: table for table in report.tables}
    return [each for make in (_sold, _what, _lost, _stuck, _kept, _back) for each in make(report, tables)]


def _row(table: Table | None, name: str) -> Sequence[Cell] | None:
    return None if table is None else next((row for row in table.rows if row[0] == name), None)


def _moved(found: Cell) -> str:
    """`10 % more than`, `4 % less than`, `as much as`."""
    if not isinstance(found, Change) or found.share is None:
        return ""
    text = worded(found)
    if text == "±0":
        return "as much as"
    size = text.lstrip("+\N{MINUS SIGN}")
    return f"{size} {'more' if found.share > 0 else 'less'} than"


def _sold(report: Report, tables: dict[str, Table]) -> Iterator[str]:
    figures = tables.get("figures")
    revenue, orders, average = (_row(figures, name) for name in ("Revenue", "Orders", "Average order value"))
    if revenue is None or orders is None:
        return
    moved = _moved(revenue[3])
    than = f", {moved} {report.before} ({worded(revenue[2])})" if moved else ""
    yield f"{report.period[:1].upper()}{report.period[1:]} brought {worded(revenue[1])}{than}."
    buyers, new = _row(figures, "Buyers"), _row(figures, "New buyers")
    if buyers is not None:
        text = f"{_with_change(orders, 'orders')} came from {_with_change(buyers, 'buyers')}"
        text += f", {worded(new[1])} of them for the first time" if new is not None else ""
        text += f"; an order came to {_with_change(average)} on average" if average is not None else ""
        yield f"{text}."


def _with_change(row: Sequence[Cell], noun: str = "") -> str:
    moved = "" if row[3] is None else f" ({worded(row[3])})"
    return f"{worded(row[1])}{' ' if noun else ''}{noun}{moved}"


def _what(_report: Report, tables: dict[str, Table]) -> Iterator[str]:
    products = tables.get("products")
    if products is None or not products.rows:
        return
    best = products.rows[0]
    steps = [row for row in products.rows if isinstance(row[1], Value) and isinstance(row[2], Value)]
    up = max(steps, key=_step, default=None)
    down = min(steps, key=_step, default=None)
    text = f"What sold best: {worded(best[0])} ({worded(best[1])})"
    if up is not None and _step(up) > 0:
        text += f"; most gained {worded(up[0])} ({worded(up[3])})"
    if down is not None and _step(down) < 0:
        text += f", most lost {worded(down[0])} ({worded(down[3])})"
    yield f"{text}."


def _step(row: Sequence[Cell]) -> float:
    now, before = row[1], row[2]
    return now.number - before.number if isinstance(now, Value) and isinstance(before, Value) else 0.0


def _lost(_report: Report, tables: dict[str, Table]) -> Iterator[str]:
    table = tables.get("funnel")
    if table is None:
        return
    rows = [row for row in table.rows[1:] if isinstance(row[6], Value)]
    worst = max(rows, key=lambda row: row[6].number if isinstance(row[6], Value) else 0.0, default=None)
    if worst is None or not isinstance(worst[6], Value) or not worst[6].number:
        return
    place = [row[0] for row in table.rows].index(worst[0])
    above = table.rows[place - 1]
    went = f"{worded(worst[1])} of {worded(above[1])} went on ({worded(worst[3])}, {worded(worst[5])} against before)"
    yield f"Most are lost between {worded(above[0])} and {worded(worst[0])}: {went}."


def _stuck(_report: Report, tables: dict[str, Table]) -> Iterator[str]:
    table = tables.get("stays")
    if table is None:
        return
    # Where most never go on, to be there long is nothing special.
    rows = [row for row in table.rows if isinstance(row[5], Value) and isinstance(row[7], Value)]
    worst = max(rows, key=lambda row: row[7].number if isinstance(row[7], Value) else 0.0, default=None)
    if worst is not None and isinstance(worst[7], Value) and worst[7].number:
        yield (
            f"Most are stuck in {worded(worst[0])}: {worded(worst[7])} of {worded(worst[6])} have been there longer "
            f"than nine of ten of those who went on ({worded(worst[4])})."
        )


def _kept(report: Report, tables: dict[str, Table]) -> Iterator[str]:
    table = tables.get("retention_rates")
    start, churn = _row(table, "Active at the start (S)"), _row(table, "Churn rate")
    if start is not None and churn is not None and isinstance(churn[1], Value):
        yield (
            f"Of {worded(start[1])} active customers {worded(churn[1])} were active no more at the end of "
            f"{report.period} ({worded(churn[3])} against {report.before})."
        )


def _back(_report: Report, tables: dict[str, Table]) -> Iterator[str]:
    table = tables.get("win_back")
    went, came = _row(table, "Went away"), _row(table, "Came back")
    if went is not None and came is not None:
        yield f"{_with_change(went, 'customers')} went away, {_with_change(came)} came back."
