"""The tables of a comparison: figures of both builds, those of other engines beside this build's, and the targets."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from rich.table import Table

from tests.bench.against.pair import digits
from tests.bench.against.targets import targets_table
from tests.bench.report import table

_CAPTION = (
    "Medians of rounds, the best round in parentheses. Times as good: by medians, by the best of each, and the median "
    "of the rounds' own; within 5 % is noise. CPU is that of the process that does the work. Preset metrics: the file "
    "of the other commit, for both, so without what it did not know, such as figures."
)
_QUICK = "\n[bold]Quick: whether it works, and a first look. It ranks no engines, and proves no target.[/]"


def tables(result: Mapping[str, Any]) -> list[Table]:
    """Those that have rows."""
    against, figures = result["against"], result["figures"]
    caption = _CAPTION + (_QUICK if result["quick"] else "")
    builds = [each for each in figures if each["other"] == against]
    engines = [each for each in figures if each["other"] != against]
    aims = targets_table(against, figures, result["parts"], result["lifecycles"], quick=result["quick"])
    made = [_builds_table(against, builds, caption), _engines_table(engines), aims]
    return [each for each in made if each.row_count]


def _builds_table(against: str, rows: Sequence[Mapping[str, Any]], caption: str) -> Table:
    made = table(
        f"This build against {against}",
        "",
        *("measure", against, "this build", "times as good", "by the best", "by pairs"),
        caption=caption,
    )
    for each in rows:
        gains = (each[name] for name in ("gain", "gain_of_best", "gain_of_pairs"))
        shown = ("" if gain is None else f"{gain:.2f}" for gain in gains)
        made.add_row(_what(each), each["measure"], _shown(each, "old"), _shown(each, "new"), *shown)
    return made


def _engines_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    made = table(
        "This build against other engines, the peers' job", "engine", "measure", "its", "this build", "times as good"
    )
    for each in rows:
        gain = f"{each['gain']:.2f}"
        made.add_row(each["other"], each["measure"], _shown(each, "old"), _shown(each, "new"), gain)
    return made


def _what(figure: Mapping[str, Any]) -> str:
    return ", ".join(each for each in (figure["part"], figure["lifecycle"]) if each)


def _shown(figure: Mapping[str, Any], whose: str) -> str:
    """The median and, where there are several, the best."""
    values: Sequence[float] = figure[whose]
    best: Callable[[Sequence[float]], float] = max if figure["more_is_better"] else min
    return digits(median(values)) + (f" ({digits(best(values))})" if len(values) > 1 else "")
