"""Workers whose figures are asked for over HTTP, and what an answer has to say."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stream.core.interaction import Interaction
from tests.web.figure_oracle import ALL, LIFECYCLE, TOLD, Oracle
from tests.web.rig import Rig, placed

PATH = "/v1/lifecycles/shop/figures"
MARCH = f"{PATH}?from=2026-03-24&to=2026-04-20"
"""28 days, with the change to daylight saving time among them."""


@asynccontextmanager
async def workers(
    folder: Path, count: int = 2, told: Iterable[Interaction] = TOLD, **settings: Any
) -> AsyncIterator[list[Rig]]:
    """One that owns both partitions, or two that own one each."""
    file = folder / "shop.yaml"
    file.write_text(settings.pop("lifecycle", LIFECYCLE), encoding="utf-8")
    rigs = [Rig(str(file), **settings) for _ in range(count)]
    records = placed(told)
    async with AsyncExitStack() as stack:
        for rig in rigs:
            await stack.enter_async_context(rig.serving())
        for rig in rigs:
            rig.broker.records = records
            await rig.own({0: rigs[0], 1: rigs[-1]})
        yield rigs


def named(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """Figures, rates or stages by their name."""
    return {each[kind]: each for each in body[f"{kind}s"]}


def days(period: dict[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(period["from"]), date.fromisoformat(period["to"])


FIGURES = ("visitors", "weekly", "orders", "revenue", "cost", "newcomers")
RATES = {"conversion": ("orders", "visitors", 100), "average_order": ("revenue", "orders", 1)}


def check(body: dict[str, Any], oracle: Oracle) -> None:
    """Figures and rates of everybody, exactly."""
    first, last = days(body)
    before = days(body["before"])
    assert [each["figure"] for each in body["figures"]] == list(FIGURES)
    for name, figure in named(body, "figure").items():
        series = figure["series"][0]
        assert (series["kind"], series["segment"]) == ("all", None)
        expected = [oracle.of(name, ALL, *days(each)) for each in body["periods"]]
        assert [Decimal(each) for each in series["exact"]] == expected
        assert series["values"] == [float(each) for each in expected]
        assert Decimal(series["total_exact"]) == oracle.of(name, ALL, first, last) == sum(expected)
        assert series["total"] == float(series["total_exact"])
        assert series["before"] == float(oracle.of(name, ALL, *before))
        assert sum(map(Decimal, map(str, series["before_values"]))) == oracle.of(name, ALL, *before)
        assert series["change"] == pytest.approx(series["total"] / series["before"] - 1)
    for name, (of, to, factor) in RATES.items():
        series = named(body, "rate")[name]["series"][0]
        pairs = [(oracle.of(of, ALL, *days(each)), oracle.of(to, ALL, *days(each))) for each in body["periods"]]
        assert series["values"] == [None if not b else pytest.approx(float(a / b) * factor) for a, b in pairs]
        whole = oracle.of(of, ALL, first, last) / oracle.of(to, ALL, first, last)
        assert series["total"] == pytest.approx(float(whole) * factor)
