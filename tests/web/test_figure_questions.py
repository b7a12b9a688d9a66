"""Which days are asked for, what cannot be answered, and what is said while partitions move."""

import asyncio
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from stream.core.interaction import Interaction
from stream.settings import Settings
from stream.web.figures.sums import Part, decode_part
from tests.web.figure_oracle import END, ORACLE, TOLD, at, day_of
from tests.web.figure_workers import MARCH, PATH, check, days, named, workers
from tests.web.rig import ask, placed


async def test_without_days_in_the_question_it_is_about_the_latest_28(tmp_path: Path) -> None:
    """With the clock of the stream up to the latest day of all workers, else up to today."""
    async with workers(tmp_path) as rigs:
        for rig in rigs:
            body = (await ask(rig, PATH))[1]
            assert (body["to"], body["today"]) == (END.isoformat(), END.isoformat())
            assert days(body)[0] == END - timedelta(days=27)
            check(body, ORACLE)
        for query, first, last in (
            ("days=7", END - timedelta(days=6), END),
            ("from=2026-04-01", date(2026, 4, 1), END),
            ("to=2026-03-10", date(2026, 2, 11), date(2026, 3, 10)),
            ("to=2026-03-10&days=1", date(2026, 3, 10), date(2026, 3, 10)),
        ):
            assert days((await ask(rigs[0], f"{PATH}?{query}"))[1]) == (first, last)
    now = time.time_ns() // 1_000_000
    told = [Interaction("ann", None, None, "page", now, {}, {})]
    async with workers(tmp_path, told=told, settings=Settings(clock="wall")) as rigs:
        body = (await ask(rigs[0], PATH))[1]
        assert abs((days(body)[1] - day_of(now)).days) <= 1  # it may have become midnight
        assert named(body, "figure")["visitors"]["series"][0]["total"] == 1


async def test_where_nothing_happened_yet_all_is_0_and_nobody_is_anywhere(tmp_path: Path) -> None:
    async with workers(tmp_path, told=[]) as [rig, _]:
        status, body = await ask(rig, f"{PATH}?by=country")
    assert (status, body["kept_from"], body["complete"]) == (200, None, True)
    assert {each["series"][0]["total"] for each in body["figures"]} == {0}
    assert {each["series"][0]["total"] for each in body["rates"]} == {None}
    assert all(set(each["customers"]) == {0} for each in body["stages"])
    assert body["moves"] == []
    assert body["segments"] == {"shown": 0, "all": 0}


async def test_days_that_are_not_kept_any_more_are_said_and_nothing_is_compared_with_them(tmp_path: Path) -> None:
    """The latest day is in 2026; of 2023 nothing is kept, and customers of then are not known."""
    old = [Interaction("ann", None, None, "page", at(date(2023, 6, 1)), {}, {})]
    async with workers(tmp_path, told=[*old, *TOLD]) as [rig, _]:
        first_open = END - timedelta(days=799)
        body = (await ask(rig, f"{PATH}?from={first_open}&to={first_open + timedelta(days=9)}"))[1]
        assert (body["complete"], body["before"]["complete"]) == (True, False)
        series = named(body, "figure")["visitors"]["series"][0]
        assert (series["before"], series["before_values"], series["change"]) == (None, None, None)
        assert named(body, "stage")["lead"]["customers"] == [1] * 10
        assert named(body, "stage")["lead"]["customers_before"] is None
        body = (await ask(rig, f"{PATH}?from=2023-05-31&to=2023-06-02"))[1]
        assert body["complete"] is False
        assert named(body, "stage")["lead"]["customers"] == [None] * 3
        assert body["kept_from"] is not None


async def test_while_a_partition_moves_the_answer_is_to_ask_again_then_the_numbers_are_the_same(tmp_path: Path) -> None:
    """A figure of some partitions is none. Later one worker has both."""
    async with workers(tmp_path) as [one, two]:
        whole = (await ask(one, MARCH))[1]
        await two.supervisor.pause()
        for rig in (one, two):
            response, _ = await rig.get(MARCH)
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
        one.supervisor.membership.owners = {0: one.url, 1: "http://127.0.0.1:1"}
        assert (await ask(one, MARCH))[0] == 503
        await one.own({0: one, 1: one})
        assert (await ask(one, MARCH))[1] == whole


async def test_what_is_not_committed_yet_is_not_told(tmp_path: Path) -> None:
    async with workers(tmp_path, count=1) as [rig]:
        day = END + timedelta(days=1)
        query = f"{PATH}?from={day}&to={day}"
        assert (await ask(rig, query))[1]["figures"][0]["series"][0]["total"] == 0
        rig.broker.writes.clear()
        more = placed([*TOLD, Interaction("late", None, None, "page", at(day), {}, {})])
        rig.broker.records = more
        while not rig.broker.writing:
            await asyncio.sleep(0.01)
        asked = asyncio.create_task(ask(rig, query))
        await asyncio.sleep(0.1)
        assert not asked.done()
        rig.broker.writes.set()
        assert (await asked)[1]["figures"][0]["series"][0]["total"] == 1


def test_sums_of_any_size_are_sent_between_workers_exactly() -> None:
    large = 3 * 10**30 + 1
    one, two = (Part([place], 5 + place, 9 - place, place, {"=a": large}, {"x": {"": [large, 1]}}) for place in (0, 1))
    one.customers, two.customers = {"s": [1, 2]}, {"s": [1, 0], "t": [4, 4]}
    one.add(decode_part(two.encode()))
    assert one == Part([0, 1], 5, 9, 1, {"=a": 2 * large}, {"x": {"": [2 * large, 2]}}, {"s": [2, 2], "t": [4, 4]})


PLAIN = "lifecycle: shop\nstages: {lead: {}}\n"


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ("from=2026-1-1", 400, "from='2026-1-1': a day such as 2026-03-31"),
        ("to=yesterday", 400, "to='yesterday': a day such as"),
        ("from=2026-04-02&to=2026-04-01", 400, "from is the first day, to the last"),
        ("from=2020-01-01&to=2026-04-01", 400, "are 2283 days: at most 800"),
        ("days=801", 400, "a whole number from 1 to 800"),
        ("days=7&from=2026-04-01", 400, "days and from do not go together"),
        ("per=year", 400, "per='year': one of day, week, month"),
        ("by=city", 400, "by='city': one of country, plan"),
        ("format=xml", 400, "format='xml': one of json, csv"),
        ("part=days", 400, "unknown parameter 'part'; known are by, days, format, from, per, to"),
    ],
)
async def test_what_cannot_be_answered_says_what_would_be_right(
    tmp_path: Path, query: str, status: int, part: str
) -> None:
    async with workers(tmp_path, told=[]) as [rig, _]:
        answer = await ask(rig, f"{PATH}?{query}")
    assert answer[0] == status
    assert part in answer[1]["message"]


async def test_a_lifecycle_without_figures_says_what_to_add(tmp_path: Path) -> None:
    async with workers(tmp_path, told=[], lifecycle=PLAIN) as [rig, _]:
        status, body = await ask(rig, PATH)
        assert (status, body["code"]) == (404, "no_figures")
        assert "add figures: to its file, as in figures: {visits: {each: visit}}" in body["message"]
        assert (await ask(rig, "/v1/lifecycles/shup/figures"))[1]["code"] == "unknown_lifecycle"


async def test_figures_without_a_name_still_tell_of_the_stages(tmp_path: Path) -> None:
    """What comes by itself."""
    async with workers(tmp_path, lifecycle=f"{PLAIN}time_zone: Europe/Paris\nfigures: {{}}\n") as [rig, _]:
        body = (await ask(rig, PATH))[1]
        assert "lead" in named(body, "stage")
        assert body["figures"] == []
        refused = (await ask(rig, f"{PATH}?by=country"))[1]
        assert refused["message"].startswith("by='country': none: name facts under by")
