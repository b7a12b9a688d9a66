"""A comparison says the right way round which build is better, and what was not measured is no target met."""

from collections import Counter

from rich.table import Table

from tests.bench.against.pair import LIFECYCLES, Figure, Pair
from tests.bench.against.targets import BASELINE, TARGETS, seen, targets_table
from tests.bench.builds import THIS, Build

PARTS = ("cold", "peers", "warm", "latency", "recovery", "simulate", "memory")


def _figure(measure: str, new: list[float], old: list[float], more: bool = False, part: str = "cold") -> Figure:
    return Figure(part, "trivial", measure, BASELINE, new, old, more)


def _rows(table: Table) -> list[list[str]]:
    return [list(row) for row in zip(*(map(str, column.cells) for column in table.columns), strict=True)]


def test_gain_is_above_one_where_this_build_is_better() -> None:
    assert _figure("CPU us/event", [10.0, 12.0, 11.0], [22.0, 30.0, 20.0]).gain == 2.0
    assert _figure("events/s", [40.0], [20.0], more=True).gain == 2.0
    assert _figure("CPU us/event", [10.0, 12.0], [22.0, 30.0]).gain_of_best == 2.2
    assert _figure("CPU us/event", [10.0, 10.0], [20.0]).gain_of_pairs is None


def test_each_build_is_first_as_often_as_the_other() -> None:
    turns = list(Pair(THIS, Build(BASELINE, THIS.folder, THIS.python)).turns(4))
    assert Counter(name for _, name, _ in turns[::2]) == {"old": 2, "new": 2}
    assert all({turns[place][1], turns[place + 1][1]} == {"old", "new"} for place in range(0, 8, 2))


def test_a_target_sees_how_many_times_as_good_or_new_to_old() -> None:
    figures = [
        _figure("CPU us/event", [10.0], [20.0]).document(),
        _figure("p99 ms, half", [30.0], [100.0], part="latency").document(),
    ]
    ratios = {target.ratio: seen(target, figures) for target in TARGETS if target.other == BASELINE}
    assert ratios["events per CPU second, cold"] is None  # of the last lifecycle, dense
    assert seen(TARGETS[0], figures) == 2.0
    assert ratios["p99 ms, half of the maximal rate"] == 0.3


def test_every_target_of_the_parts_is_shown_and_what_is_missing_is_not_met() -> None:
    figures = [_figure("CPU us/event", [10.0], [20.0]).document()]
    rows = _rows(targets_table(BASELINE, figures, PARTS, LIFECYCLES, quick=False))
    assert len(rows) == len(TARGETS)
    assert rows[0][2:] == ["at least 2", "2.00", "yes"]
    assert {tuple(row[3:]) for row in rows[1:]} == {("not measured", "no")}


def test_only_targets_of_what_was_asked_for_are_shown() -> None:
    def shown(against: str, parts: tuple[str, ...], *lifecycles: str) -> int:
        return len(_rows(targets_table(against, [], parts, lifecycles or LIFECYCLES, quick=True)))

    assert shown(BASELINE, ("simulate",)) == 1
    assert shown(BASELINE, ("cold",)) == 3
    assert shown(f"{BASELINE}2c1", ("cold",), "metrics") == 1
    assert shown("HEAD~1", ("cold",)) == 0
    assert shown("HEAD~1", ("peers",)) == 4
