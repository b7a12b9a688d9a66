"""The figures and rates that the lifecycle file itself names, as workers keep them, from the same tally."""

from collections.abc import Iterator

from stream.core.figures import FigureSet, Rate
from stream.core.tally import Tally
from stream.report.local_calendar import Period
from stream.report.material import Material
from stream.report.tables import Cell, Section, Table, Value, change, ratio

_EVERYBODY = ""


def own_figures(material: Material, figures: FigureSet, tally: Tally, top: int) -> Section:
    """The section: the whole, and for each fact of `by` its most frequent values side by side."""
    titles = {each.name: each.title for each in figures.figures} | {each.name: each.title for each in figures.rates}
    now, before = _sums(figures, tally, material.period, None), _sums(figures, tally, material.before, None)
    mine, theirs = now.get(_EVERYBODY, {}), before.get(_EVERYBODY, {})
    rows: list[list[Cell]] = [
        [titles[name], value, theirs.get(name), change(value, theirs.get(name))] for name, value in mine.items()
    ]
    tables = [
        Table(
            "own_figures",
            "Figures of the lifecycle file",
            f"{material.period.label} against {material.before.label}, each interaction on its own day; what limits it "
            "has (once, at most so many a day) is as in the file.",
            ("Figure", material.period.label, material.before.label, "Change"),
            rows,
        )
    ]
    for place, fact in enumerate(figures.by):
        found = _sums(figures, tally, material.period, place)
        largest = sorted(found, key=lambda name: -_size(figures, found[name]))[:top]
        tables.append(
            Table(
                f"own_by_{fact.name}",
                f"By {fact.name}",
                f"The same in {material.period.label} by the value that the fact {fact.name} had at each interaction; "
                "the largest first.",
                (fact.name, *(titles[name] for name in mine)),
                [[name, *(found[name].get(each) for each in mine)] for name in largest],
            )
        )
    said = "What the part `figures:` of the lifecycle file asks for; a worker's topic `figures` has the same numbers."
    return Section("own_figures", "Figures of the lifecycle file", said, tables)


def _sums(figures: FigureSet, tally: Tally, period: Period, place: int | None) -> dict[str, dict[str, Value]]:
    """By segment (`place`: of which fact; None: of everybody) and by name every figure and rate."""
    sums: dict[str, list[int]] = {}
    for day, by_segments in tally.days.items():
        if not period.first <= day < period.end:
            continue
        for segments, values in by_segments.items():
            name = _EVERYBODY if place is None else segments[place] or "(not known)"
            into = sums.setdefault(name, [0] * len(figures.figures))
            for at, value in enumerate(values):
                into[at] += value
    return {name: dict(_named(figures, values)) for name, values in sums.items()}


def _named(figures: FigureSet, values: list[int]) -> Iterator[tuple[str, Value]]:
    by_name = {each.name: (values[each.index], each.is_money) for each in figures.figures}
    for name, (value, is_money) in by_name.items():
        yield name, Value("money" if is_money else "count", value)
    for rate in figures.rates:
        divided = _rate(rate, by_name)
        if divided is not None:
            yield rate.name, divided


def _rate(rate: Rate, by_name: dict[str, tuple[int, bool]]) -> Value | None:
    (part, part_is_money), (whole, whole_is_money) = by_name[rate.of], by_name[rate.to]
    found = ratio(part, whole)
    if found is None:
        return None
    if part_is_money and not whole_is_money:
        return Value("money", found)
    found = found * 1e6 if whole_is_money and not part_is_money else found
    return Value("share" if rate.percent else "number", found)


def _size(figures: FigureSet, values: dict[str, Value]) -> float:
    return max(values[each.name].number for each in figures.figures)
