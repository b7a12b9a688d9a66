"""Figures by the values of a fact: the largest, who has none, and the rest."""

from datetime import date
from decimal import Decimal
from itertools import count, islice
from pathlib import Path

import pytest

from stream.core.interaction import Interaction
from stream.engine import state_reader
from stream.machine.figure_store import MAX_SEGMENTS
from stream.web.figures import segments, sums
from tests.web.figure_oracle import COUNTRIES, ORACLE, at
from tests.web.figure_workers import MARCH, days, named, workers
from tests.web.rig import ask, home


async def test_by_a_fact_each_value_is_told_apart_beside_the_whole(tmp_path: Path) -> None:
    """The largest revenue first, who has none last; numbers and booleans as text; they add up to the whole."""
    async with workers(tmp_path) as rigs:
        bodies = [(await ask(rig, f"{MARCH}&by=country&per=week"))[1] for rig in rigs]
    body = bodies[0]
    assert bodies[1] == body
    assert body["segments"] == {"shown": len(COUNTRIES), "all": len(COUNTRIES)}
    revenue = named(body, "figure")["revenue"]["series"]
    names = [("true" if each is True else str(each)) for each in COUNTRIES]
    totals = {each["segment"]: each["total"] for each in revenue if each["kind"] == "value"}
    assert sorted(totals) == sorted(names)
    assert list(totals.values()) == sorted(totals.values(), reverse=True)
    assert [each["kind"] for each in revenue] == ["all", *["value"] * len(names), "none"]
    for name, figure in named(body, "figure").items():
        assert [each["segment"] for each in figure["series"]] == [each["segment"] for each in revenue]
        whole, *parts = figure["series"]
        for each in parts:
            expected = [ORACLE.of(name, each["segment"], *days(period)) for period in body["periods"]]
            assert [Decimal(value) for value in each["exact"]] == expected
            assert each["before"] == float(ORACLE.of(name, each["segment"], *days(body["before"])))
        for place, value in enumerate(whole["exact"]):
            assert sum(Decimal(each["exact"][place]) for each in parts) == Decimal(value)
    conversion = named(body, "rate")["conversion"]["series"]
    for place, each in enumerate(conversion):
        orders, visitors = (named(body, "figure")[name]["series"][place]["total"] for name in ("orders", "visitors"))
        assert each["total"] == pytest.approx(100 * orders / visitors)


async def test_of_many_values_the_largest_are_told_apart_and_the_rest_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over both workers: the same segments, whichever has more of them."""
    monkeypatch.setattr(segments, "MOST", 3)
    monkeypatch.setattr(segments, "LEAST", 3)
    async with workers(tmp_path) as rigs:
        bodies = [(await ask(rig, f"{MARCH}&by=country"))[1] for rig in rigs]
    body = bodies[0]
    assert bodies[1] == body
    assert body["segments"] == {"shown": 3, "all": len(COUNTRIES)}
    totals = {
        name: ORACLE.of("revenue", name, date(2026, 3, 24), date(2026, 4, 20))
        for name in ("true" if each is True else str(each) for each in COUNTRIES)
    }
    largest = sorted(totals, key=lambda name: -totals[name])[:3]
    for name, figure in named(body, "figure").items():
        assert [(each["kind"], each["segment"]) for each in figure["series"]] == [
            ("all", None),
            *(("value", each) for each in largest),
            ("none", None),
            ("other", None),
        ]
        rest = sum(
            ORACLE.of(name, each, date(2026, 3, 24), date(2026, 4, 20)) for each in totals if each not in largest
        )
        assert Decimal(figure["series"][-1]["total_exact"]) == rest


async def test_values_beyond_those_that_a_day_keeps_apart_are_told_as_other(tmp_path: Path) -> None:
    """Of one partition and day; beside those that an answer has no room for."""
    here = (who for who in map("c-{}".format, count()) if home(who) == 0)
    told = [
        Interaction(who, None, None, "page", at(date(2026, 3, 30)), {"country": f"land-{place:04}"}, {})
        for place, who in enumerate(islice(here, MAX_SEGMENTS + 5))
    ]
    async with workers(tmp_path, told=told) as [rig, _]:
        body = (await ask(rig, f"{MARCH}&by=country&per=month"))[1]
    assert body["segments"] == {"shown": segments.MOST, "all": MAX_SEGMENTS}
    whole, *shown, other = named(body, "figure")["visitors"]["series"]
    assert (whole["total"], other["kind"]) == (MAX_SEGMENTS + 5, "other")
    assert [each["total"] for each in shown] == [1] * segments.MOST
    assert other["total"] == MAX_SEGMENTS + 5 - segments.MOST


async def test_in_slices_the_answer_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with workers(tmp_path) as [rig, _]:
        whole = (await ask(rig, f"{MARCH}&by=country"))[1]
        monkeypatch.setattr(state_reader, "_FIGURES_AT_ONCE", 1)
        monkeypatch.setattr(sums, "_AT_ONCE", 1)
        assert (await ask(rig, f"{MARCH}&by=country"))[1] == whole
