"""Figures over HTTP: every number held against the interactions themselves, over partitions and workers."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stream.core.interaction import Interaction
from tests.web.figure_oracle import ORACLE, TOLD, Oracle, at, day_of
from tests.web.figure_workers import MARCH, PATH, check, days, named, workers
from tests.web.rig import ask, home


@pytest.mark.parametrize("count", [1, 2])
async def test_each_figure_of_each_day_is_what_the_interactions_come_to(tmp_path: Path, count: int) -> None:
    """Whichever worker is asked; the days before are told, too."""
    async with workers(tmp_path, count) as rigs:
        bodies = [(await ask(rig, f"{PATH}?from=2026-03-24&to=2026-04-20"))[1] for rig in rigs]
    body = bodies[0]
    assert all(each == body for each in bodies)
    assert (body["time_zone"], body["per"], body["by"], body["complete"]) == ("Europe/Paris", "day", None, True)
    assert body["before"] == {"from": "2026-02-24", "to": "2026-03-23", "complete": True}
    assert [days(each) for each in body["periods"]] == [
        (day, day) for day in (date(2026, 3, 24) + timedelta(days=number) for number in range(28))
    ]
    assert all(each["whole"] for each in body["periods"])
    check(body, ORACLE)
    assert any(None in each["series"][0]["values"] for each in body["rates"])  # nothing is divided by 0


@pytest.mark.parametrize(
    ("per", "periods"),
    [
        ("week", [("03-05", "03-08", False), ("03-09", "03-15", True), ("03-16", "03-22", True)]),
        ("month", [("03-05", "03-31", False), ("04-01", "04-20", False)]),
    ],
)
async def test_weeks_and_months_are_sums_of_their_days_and_say_where_they_are_cut_off(
    tmp_path: Path, per: str, periods: list[tuple[str, str, bool]]
) -> None:
    async with workers(tmp_path) as [rig, _]:
        body = (await ask(rig, f"{PATH}?from=2026-03-05&to=2026-04-20&per={per}"))[1]
    found = [(each["from"][5:], each["to"][5:], each["whole"]) for each in body["periods"]]
    assert found[: len(periods)] == periods
    assert [days(each)[0] for each in body["periods"][1:]] == [
        days(each)[1] + timedelta(days=1) for each in body["periods"][:-1]
    ]
    check(body, ORACLE)


async def test_people_a_week_are_right_for_whole_weeks_and_people_a_day_say_that_they_are_added_up(
    tmp_path: Path,
) -> None:
    async with workers(tmp_path) as [rig, _]:
        body = (await ask(rig, f"{PATH}?from=2026-03-02&to=2026-03-29&per=week"))[1]
        daily = (await ask(rig, MARCH))[1]
    people = [
        len({each.subject for each in TOLD if each.name == "page" and first <= day_of(each.time) <= last})
        for first, last in map(days, body["periods"])
    ]
    figures = named(body, "figure")
    assert figures["weekly"]["series"][0]["values"] == people
    added = "; a week and a total add up their days: who counts in two of them counts twice"
    assert figures["visitors"]["meaning"] == f"counts each visit, at most 1 a day for each customer{added}"
    assert figures["weekly"]["meaning"].endswith("; a total adds up its weeks: who counts in two of them counts twice")
    daily_meaning = named(daily, "figure")["visitors"]["meaning"]
    assert daily_meaning.endswith("; a total adds up its days: who counts in two of them counts twice")
    assert figures["newcomers"]["meaning"] == "counts each purchase, once for each customer"


async def test_who_entered_left_and_was_in_each_stage_is_what_the_moves_come_to(tmp_path: Path) -> None:
    async with workers(tmp_path) as [rig, _]:
        for query in (f"{PATH}?from=2026-02-10&to=2026-03-09", f"{MARCH}&per=week"):
            body = (await ask(rig, query))[1]
            check_stages(body, ORACLE)
            check_moves(body, ORACLE)


def check_stages(body: dict[str, Any], oracle: Oracle) -> None:
    """Everything of every stage, in the order of the file."""
    first, last = days(body)
    assert [(each["stage"], each["title"]) for each in body["stages"]] == [
        ("lead", "Lead"),
        ("buyer", "buyer"),
        ("gone", "gone"),
    ]
    for stage, told in named(body, "stage").items():
        for place, period in enumerate(body["periods"]):
            moved = oracle.moved(*days(period))
            stays = [each.stayed for each in moved if each.source == stage]
            assert told["entered"][place] == sum(each.target == stage for each in moved)
            assert told["left"][place] == len(stays)
            assert told["stayed_mean"][place] == (pytest.approx(sum(stays) / len(stays)) if stays else None)
            assert told["customers"][place] == oracle.customers(stage, days(period)[1])
        assert told["customers_before"] == oracle.customers(stage, first - timedelta(days=1))
        before = oracle.moved(*days(body["before"]))
        assert told["entered_total"] == sum(told["entered"])
        assert told["left_total"] == sum(told["left"])
        assert told["entered_before"] == sum(each.target == stage for each in before)
        assert told["left_before"] == sum(each.source == stage for each in before)
        stays = [each.stayed for each in oracle.moved(first, last) if each.source == stage]
        assert told["stayed_mean_total"] == (pytest.approx(sum(stays) / len(stays)) if stays else None)


def check_moves(body: dict[str, Any], oracle: Oracle) -> None:
    """Each move by its period, and none besides."""
    for each in body["moves"]:
        moved = [
            sum((move.source, move.target) == (each["from"], each["to"]) for move in oracle.moved(*days(period)))
            for period in body["periods"]
        ]
        before = oracle.moved(*days(body["before"]))
        assert each["customers"] == moved
        assert each["total"] == sum(moved)
        assert each["before"] == sum((move.source, move.target) == (each["from"], each["to"]) for move in before)
    told = oracle.moved(*days(body["before"])) + oracle.moved(*days(body))
    assert {(each["from"], each["to"]) for each in body["moves"]} == {(each.source, each.target) for each in told}


async def test_customers_of_days_without_a_move_are_those_of_the_day_before_partition_by_partition(
    tmp_path: Path,
) -> None:
    """One partition has moves on the first day, the other on the third alone; visits move nobody.

    day      1    2    3    4    5    6
    p0      in         .    visit
    p1                 in         visit
    """
    zero, one = (next(f"c-{each}" for each in range(99) if home(f"c-{each}") == place) for place in (0, 1))
    visits = [(zero, 1), (one, 3), (zero, 4), (one, 5)]
    told = [Interaction(who, None, None, "page", at(date(2026, 3, day)), {}, {}) for who, day in visits]
    async with workers(tmp_path, told=told) as [rig, _]:
        body = (await ask(rig, f"{PATH}?from=2026-03-02&to=2026-03-06"))[1]
        later = (await ask(rig, f"{PATH}?from=2026-03-05&to=2026-03-06"))[1]
        earlier = (await ask(rig, f"{PATH}?from=2026-02-26&to=2026-03-01"))[1]
    assert named(body, "stage")["lead"]["customers"] == [1, 2, 2, 2, 2]
    assert named(body, "stage")["lead"]["customers_before"] == 1
    assert named(later, "stage")["lead"]["customers"] == [2, 2]
    assert named(earlier, "stage")["lead"]["customers"] == [0, 0, 0, 1]


async def test_csv_has_the_same_numbers_a_row_for_each(tmp_path: Path) -> None:
    async with workers(tmp_path) as [rig, _]:
        query = f"{MARCH}&by=country&per=week"
        body = (await ask(rig, query))[1]
        response, text = await rig.get(query, Accept="text/csv")
        named_so, _ = await rig.get(f"{query}&format=csv")
    assert response.content_type == named_so.content_type == "text/csv"
    disposition = response.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="shop-figures-2026-03-24-2026-04-20.csv"'
    rows = list(csv.DictReader(io.StringIO(text)))
    periods = [(each["from"], each["to"], "true" if each["whole"] else "false") for each in body["periods"]]
    expected: list[tuple[str, ...]] = []
    for kind in ("figure", "rate"):
        for measure in body[f"{kind}s"]:
            for each in measure["series"]:
                by = "" if each["kind"] == "all" else "country"
                values = each.get("exact") or ["" if value is None else str(value) for value in each["values"]]
                expected += [
                    (*period, kind, measure[kind], "", "", by, each["segment"] or "", each["kind"], value)
                    for period, value in zip(periods, values, strict=True)
                ]
    for each in body["stages"]:
        stage = each["stage"]
        for what, ends in (
            ("entered", ("", stage)),
            ("left", (stage, "")),
            ("customers", ("", stage)),
            ("stayed_mean", (stage, "")),
        ):
            expected += [
                (*period, what, stage, *ends, "", "", "all", "" if value is None else str(value))
                for period, value in zip(periods, each[what], strict=True)
            ]
    for each in body["moves"]:
        stages = each["from"] or "", each["to"] or ""
        expected += [
            (*period, "moved", "-".join(stages), *stages, "", "", "all", str(value))
            for period, value in zip(periods, each["customers"], strict=True)
        ]
    assert [tuple(row.values())[:-1] for row in rows] == expected
    before = [row["before"] for row in rows if row["name"] == "revenue" and row["kind"] == "all"]
    assert sum(map(Decimal, before)) == Decimal(str(named(body, "figure")["revenue"]["series"][0]["before"]))
