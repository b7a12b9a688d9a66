"""Stages: who is where, who moved, how long they stayed; against a walk through the changes one by one."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import NamedTuple

import polars as pl
import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.durations import DAY
from stream.core.interaction import MAX_TIME, Interaction
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from stream.demo.shop import SHOP_CLOSED, shop_interactions
from stream.offline.simulation import Simulation
from stream.report.making import Asked
from stream.report.moving import kaplan_meier_median
from stream.report.tables import Report
from tests.report.plain import Shop
from tests.report.reckoning import plain, reckoned, row, table

LIFECYCLE = load("metrics").lifecycle


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


MAY, JUNE, END = instant("2026-05-01"), instant("2026-06-01"), instant("2026-07-01")


class Moved(NamedTuple):
    report: Report
    changes: list[StageChange]
    interactions: list[Interaction]


@pytest.fixture(scope="module")
def moved() -> Moved:
    interactions = list(shop_interactions(300))
    simulation = Simulation(model_of([LIFECYCLE]), MAX_TIME)
    changes = [change for change, _ in simulation.run(enumerate(interactions))]
    assert max(each.time for each in interactions) < SHOP_CLOSED
    changes += [change for change, _ in simulation.finish(END - 1)]
    return Moved(reckoned(LIFECYCLE, interactions, Asked(by=("last_nps",), top=500)), changes, interactions)


def test_who_is_in_each_stage_at_the_start_and_at_the_end(moved: Moved) -> None:
    for place, moment in ((1, JUNE), (4, END)):
        where: dict[tuple[str, str, str], str | None] = {}
        for each in moved.changes:
            if each.at < moment:
                where[each.kind, each.subject, each.born] = each.to_stage
        counted = Counter(where.values())
        shown = [plain(each[place]) for each in table(moved.report, "stages").rows]
        assert shown == [counted[stage] for stage in LIFECYCLE.stages]


def test_how_many_came_and_went_now_and_before(moved: Moved) -> None:
    for entered, left, begin, end in ((2, 3, JUNE, END), (6, 7, MAY, JUNE)):
        inside = [each for each in moved.changes if begin <= each.at < end]
        came, went = Counter(each.to_stage for each in inside), Counter(each.from_stage for each in inside)
        rows = table(moved.report, "stages").rows
        assert [plain(each[entered]) for each in rows] == [came[stage] for stage in LIFECYCLE.stages]
        assert [plain(each[left]) for each in rows] == [went[stage] for stage in LIFECYCLE.stages]


def title(stage: str | None, otherwise: str) -> str:
    return otherwise if stage is None else LIFECYCLE.stages[stage].title


def test_how_often_each_way_was_gone(moved: Moved) -> None:
    ways = Counter(
        (title(each.from_stage, "new"), title(each.to_stage, "forgotten"))
        for each in moved.changes
        if JUNE <= each.at < END
    )
    rows = table(moved.report, "flow").rows
    assert {(str(each[0]), str(each[1])): plain(each[2]) for each in rows if plain(each[2])} == ways
    stays: dict[tuple[str, str], list[int]] = defaultdict(list)
    for each in moved.changes:
        if JUNE <= each.at < END and each.entered is not None:
            stays[title(each.from_stage, ""), title(each.to_stage, "forgotten")].append(each.at - each.entered)
    shown = {(str(each[0]), str(each[1])): plain(each[6]) for each in rows if each[6] is not None}
    assert shown == {way: median(times) for way, times in stays.items()}


def test_time_in_stage_and_who_is_stuck(moved: Moved) -> None:
    went: dict[str, list[int]] = defaultdict(list)
    there: dict[tuple[str, str, str], tuple[str, int]] = {}
    for each in moved.changes:
        life = each.kind, each.subject, each.born
        if each.from_stage is not None and each.entered is not None and each.to_stage is not None:
            went[each.from_stage].append(each.at - each.entered)
        if each.to_stage is None:
            there.pop(life)
        else:
            there[life] = each.to_stage, each.at
    for stage in LIFECYCLE.stages:
        shown = row(moved.report, "stays", title(stage, ""))
        open_ = [END - since for at, since in there.values() if at == stage]
        assert plain(shown[3]) == median(went[stage])
        assert plain(shown[6]) == len(open_)
        p90 = quantiles(went[stage], n=10, method="inclusive")[8]
        assert plain(shown[4]) == pytest.approx(p90)
        assert plain(shown[7]) == sum(each > p90 for each in open_)


def test_paths_are_the_stages_of_each_life(moved: Moved) -> None:
    lives: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each in moved.changes:
        if each.to_stage is not None:
            lives[each.kind, each.subject, each.born].append(title(each.to_stage, ""))
    paths = Counter(" → ".join([*each[:8], *(["…"] if len(each) > 8 else [])]) for each in lives.values())
    assert {str(each[0]): plain(each[1]) for each in table(moved.report, "paths").rows} == paths


def test_who_was_won_back(moved: Moved) -> None:
    shop = Shop(moved.interactions, "UTC")
    inside = [each for each in moved.changes if JUNE <= each.at < END]
    back = [each for each in inside if each.from_stage == "dormant" and each.to_stage is not None]
    bought = sum(
        any(each.at <= order.time < each.at + 90 * DAY and order.who == f"={each.subject}" for order in shop.orders)
        for each in back
        if each.kind == "customer"
    )
    shown = {str(each[0]): plain(each[1]) for each in table(moved.report, "win_back").rows}
    assert shown["Went away"] == sum(each.to_stage == "dormant" for each in inside)
    assert shown["Came back"] == len(back) > 10
    assert shown["Bought again"] == bought > 5


def test_carts_that_were_left(moved: Moved) -> None:
    shop = Shop(moved.interactions, "UTC")
    filled = [each for each in shop.all if each.name == "Product Added" and JUNE <= each.time < END]
    days = {(shop.person(each), shop.day(each.time)) for each in filled}
    orders = [
        (f"={shop.owner[who[1:]]}" if who[1:] in shop.owner else who, time, day)
        for who, time, day in ((each.who, each.time, each.day) for each in shop.orders)
    ]
    left = sum(not any((who, day) == (buyer, at) for buyer, _, at in orders) for who, day in days)
    assert plain(row(moved.report, "carts", "Left, by people and days")[1]) == left / len(days)
    last: dict[str, int] = {}
    for each in filled:
        last[shop.person(each)] = max(each.time, last.get(shop.person(each), 0))
    later = sum(
        any(who == buyer and begun <= at < begun + 7 * DAY for buyer, at, _ in orders) for who, begun in last.items()
    )
    assert plain(row(moved.report, "carts", "Left, by people")[1]) == (len(last) - later) / len(last)


def test_nps_is_promoters_less_detractors(moved: Moved) -> None:
    for place, begin, end in ((1, JUNE, END), (2, MAY, JUNE)):
        scores = [
            int(str(each.properties["score"]))
            for each in moved.interactions
            if each.name == "NPS Answered" and begin <= each.time < end
        ]
        expected = (sum(each >= 9 for each in scores) - sum(each <= 6 for each in scores)) / len(scores)
        assert plain(row(moved.report, "nps", "NPS")[place]) == pytest.approx(expected, abs=1e-12)
        assert plain(row(moved.report, "nps", "Answers")[place]) == len(scores)


def test_segments_add_up_to_everybody(moved: Moved) -> None:
    rows = table(moved.report, "by_last_nps").rows
    assert len(rows) > 5
    revenue = plain(row(moved.report, "figures", "Revenue")[1])
    assert sum(float(plain(each[6]) or 0) for each in rows) == revenue
    orders = plain(row(moved.report, "figures", "Orders")[1])
    assert sum(float(plain(each[4]) or 0) for each in rows) == orders


@pytest.mark.parametrize(
    ("ended", "open_", "expected"),
    [
        ([1, 2, 3, 4], [], 2),
        ([1, 2], [3, 3], 2),
        ([1], [2, 3], None),  # a third went on; nobody knows of the others
        ([], [5], None),
        ([2, 4], [1, 1, 1], 2),  # who is known for one moment only says nothing of later ones
    ],
)
def test_kaplan_and_meier_by_hand(ended: list[int], open_: list[int], expected: int | None) -> None:
    found = kaplan_meier_median(pl.Series(ended, dtype=pl.Int64), pl.Series(open_, dtype=pl.Int64))
    assert found == expected
