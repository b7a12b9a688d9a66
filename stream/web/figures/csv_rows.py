"""The same answer as a flat table: a row for each number of each period."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from stream.codec.figures import day_text
from stream.web.figures.answer import Told, customers_of, moves_of, stages_of, stayed_of
from stream.web.figures.segments import kind_of, value_of
from stream.web.figures.series import exact_text, rate_values

COLUMNS: Final = (
    "from",
    "to",
    "whole",
    "what",
    "name",
    "from_stage",
    "to_stage",
    "by",
    "segment",
    "kind",
    "value",
    "before",
)
"""`what` is figure, rate, entered, left, customers, stayed_mean or moved; `before` is of as many days earlier."""
_AT_ONCE: Final = 500
"""Rows in one piece."""

_Cell = str | int | float | None


def csv_pieces(told: Told) -> Iterator[bytes]:
    """The table as UTF-8, some hundred rows at a time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, row in enumerate(_rows(told), 1):
        writer.writerow(row)
        if number % _AT_ONCE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _rows(told: Told) -> Iterator[tuple[_Cell, ...]]:
    figures = {each.name: each for each in told.figures.figures}
    for figure in told.figures.figures:
        for segment in told.segments:
            values = told.values(figure.name, segment)
            now = [exact_text(each, money=figure.is_money) for each in values.now]
            before = [exact_text(each, money=figure.is_money) for each in values.before]
            yield from _of_periods(told, ("figure", figure.name), (None, None), segment, now, before)
    for rate in told.figures.rates:
        of, to = figures[rate.of], figures[rate.to]
        for segment in told.segments:
            pair = told.values(of.name, segment), told.values(to.name, segment)
            divided = rate_values(rate, of, to, *pair)
            yield from _of_periods(told, ("rate", rate.name), (None, None), segment, divided.now, divided.before)
    for stage in stages_of(told):
        entered, left = told.values(f"entered/{stage}"), told.values(f"left/{stage}")
        yield from _of_periods(told, ("entered", stage), (None, stage), "", entered.now, entered.before)
        yield from _of_periods(told, ("left", stage), (stage, None), "", left.now, left.before)
        customers = customers_of(told, stage)[1:]
        yield from _of_periods(told, ("customers", stage), (None, stage), "", customers, None)
        yield from _of_periods(told, ("stayed_mean", stage), (stage, None), "", stayed_of(told, stage), None)
    for source, target in moves_of(told):
        values = told.values(f"moved/{source}/{target}")
        named = "moved", f"{source}-{target}"
        yield from _of_periods(told, named, (source or None, target or None), "", values.now, values.before)


def _of_periods(
    told: Told,
    named: tuple[str, str],
    stages: tuple[str | None, str | None],
    segment: str,
    now: Sequence[_Cell],
    before: Sequence[_Cell] | None,
) -> Iterator[tuple[_Cell, ...]]:
    value = value_of(segment)
    by = told.by if segment else None
    for place, period in enumerate(told.asked.each):
        yield (
            day_text(period.first),
            day_text(period.last),
            "true" if period.whole else "false",
            *named,
            *stages,
            by,
            value,
            kind_of(segment),
            now[place],
            before[place] if before is not None and told.compared else None,
        )
