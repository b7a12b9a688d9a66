"""How near the customers of a stage are to each way out, over partitions and workers, held against each customer."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from stream.core.interaction import Interaction
from stream.engine import state_reader
from stream.web.lookup import nearness
from stream.web.lookup.nearness import Part, Way
from tests.kit.lifecycles import buy
from tests.kit.times import DAY, HOUR, T0
from tests.web.rig import Rig, ask, home, placed

LIFECYCLE = """
lifecycle: club
interactions: {buy: [Order Completed], visit: [page], leave: [bye]}
facts: {orders: {count: buy}}
stages: {lead: {}, member: {title: Member}, gone: {}, empty: {}}
transitions:
  - {from: lead, to: member, when: orders >= 20}
  - {from: lead, to: gone, when: idle >= 30d}
  - {from: lead, to: member, when: event.type == "visit" and orders >= 10}
  - {from: lead, to: gone, when: event.type == "leave"}
  - {from: member, to: empty, when: orders >= 500}
"""
LEADS = [f"lead-{number:02}" for number in range(60)]
GONE = [f"gone-{number:03}" for number in range(300)]
PATH = "/v1/lifecycles/club/stages/lead/nearness"
SEVEN_DAYS = 7 * DAY


def interactions() -> list[Interaction]:
    """Leads of 1 to 19 orders, the last of each some hours after that of the one before; and many who came and left."""
    found = [
        Interaction(who, None, f"{name}-{who}", name, T0 + number, {}, {})
        for number, who in enumerate(GONE)
        for name in ("Order Completed", "bye")
    ]
    for number, who in enumerate(LEADS):
        last = T0 + DAY + number * 11 * HOUR
        found += [buy(who, last - each) for each in range(number % 19, -1, -1)]
    return sorted(found, key=lambda each: each.time)


@asynccontextmanager
async def workers(folder: Path, count: int) -> AsyncIterator[list[Rig]]:
    """One that owns both partitions, or two that own one each."""
    file = folder / "club.yaml"
    file.write_text(LIFECYCLE, encoding="utf-8")
    rigs = [Rig(str(file)) for _ in range(count)]
    async with AsyncExitStack() as stack:
        for rig in rigs:
            await stack.enter_async_context(rig.serving())
        for rig in rigs:
            rig.broker.records = placed(interactions())
            await rig.own({0: rigs[0], 1: rigs[-1]})
        yield rigs


async def judged(rig: Rig, customers: list[str]) -> list[dict[str, Any]]:
    """What the answer has to say, from the explanations of these customers one by one."""
    ways: list[list[tuple[float, Any, Any, list[str]]]] = [[], [], [], []]
    for customer in customers:
        [club] = (await ask(rig, f"/v1/customers/{customer}"))[1]["lifecycles"]
        for place, way in enumerate(club["transitions"]):
            parts = way["condition"].get("parts", [way["condition"]])
            missing = [
                1.0 if each["missing"] is None else abs(each["missing"]) / max(each["value"], each["needs"])
                for each in parts
                if each["decisive"]
            ]
            soon = None if way["by_time"] is None else way["by_time"] - club["at"] <= SEVEN_DAYS
            texts = [each["text"] for each in parts if each["decisive"]]
            ways[place].append((1 - max(missing, default=0), soon, way["holds"], texts))
    answers: list[dict[str, Any]] = []
    for each in ways:
        near = {0.9: 0, 0.75: 0, 0.5: 0, 0.25: 0, 0.0: 0}
        for share, *_ in each:
            near[next(least for least in near if share >= least)] += 1
        answers.append(
            {
                "near": [{"above": least, "customers": count} for least, count in near.items()],
                "by_time": sum(1 for _, soon, *_ in each if soon is not None),
                "by_time_within_7d": sum(1 for _, soon, *_ in each if soon),
                "needs_interaction": sum(1 for *_, holds, _ in each if holds is None),
                "waits_for": Counter(text for *_, texts in each for text in texts),
            }
        )
    return answers


def shown(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer in the form of `judged`."""
    names = ("near", "by_time", "by_time_within_7d", "needs_interaction")
    return [
        {name: each[name] for name in names}
        | {"waits_for": Counter({one["text"]: one["customers"] for one in each["waits_for"]})}
        for each in body["transitions"]
    ]


@pytest.mark.parametrize("count", [1, 2])
async def test_where_there_are_few_every_customer_is_looked_at(tmp_path: Path, count: int) -> None:
    """Whichever worker is asked, and though most entries of the index are of customers who left."""
    async with workers(tmp_path, count) as rigs:
        for rig in rigs:
            status, body = await ask(rig, PATH)
            assert (status, body["customers"], body["looked_at"], body["complete"]) == (200, 60, 60, True)
            assert [(each["to"], each["title"]) for each in body["transitions"]] == [
                ("member", "Member"),
                ("gone", "gone"),
                ("member", "Member"),
                ("gone", "gone"),
            ]
            assert body["transitions"][0]["transition"] == "orders >= 20"
            assert shown(body) == await judged(rig, LEADS)
    first, second, third, _fourth = shown(body)
    assert [each["customers"] for each in first["near"]] == [6, 9, 15, 15, 15]
    assert second["by_time"] == 60
    assert 0 < second["by_time_within_7d"] < 60
    assert 0 < third["needs_interaction"] < 60


async def test_of_many_a_sample_is_looked_at_as_many_of_each_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearness, "LOOKED_AT", 20)
    monkeypatch.setattr(state_reader, "_SAMPLED_AT_ONCE", 3)
    monkeypatch.setattr(state_reader, "_LOOKED_AT_ONCE", 7)
    async with workers(tmp_path, 2) as rigs:
        for rig in rigs:
            body = (await ask(rig, PATH))[1]
            assert (body["customers"], body["looked_at"], body["complete"]) == (60, 20, True)
            assert {sum(near["customers"] for near in each["near"]) for each in body["transitions"]} == {20}
        sample = [
            member.customer.id async for members in rigs[0].reader.sample(0, "club", "lead", 10) for member in members
        ]
    ours = [each for each in LEADS if home(each) == 0]
    assert len(set(sample)) == len(sample) == 10
    places = sorted(ours.index(each) for each in sample)
    assert places[0] < len(ours) // 4
    assert places[-1] > len(ours) * 3 // 4


async def test_a_stage_with_nobody_and_one_without_ways_out(tmp_path: Path) -> None:
    async with workers(tmp_path, 1) as [rig]:
        for stage, customers in (("empty", 0), ("gone", 300)):
            body = (await ask(rig, f"/v1/lifecycles/club/stages/{stage}/nearness"))[1]
            assert (body["customers"], body["looked_at"], body["transitions"]) == (customers, customers, [])


async def test_while_a_partition_moves_the_rest_is_told(tmp_path: Path) -> None:
    async with workers(tmp_path, 2) as [one, two]:
        await two.supervisor.pause()
        body = (await ask(one, PATH))[1]
        assert body["complete"] is False
        assert body["looked_at"] == body["customers"] == sum(home(each) == 0 for each in LEADS)
        one.supervisor.membership.owners = {0: one.url, 1: "http://127.0.0.1:1"}
        assert (await ask(one, PATH))[1]["complete"] is False


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/v1/lifecycles/shup/stages/lead/nearness", 404, "no lifecycle 'shup' runs here; there are club"),
        ("/v1/lifecycles/club/stages/leed/nearness", 404, "no stage 'leed'; there are lead, member, gone, empty"),
        (f"{PATH}?limit=5", 400, "unknown parameter 'limit'; known are none"),
    ],
)
async def test_what_cannot_be_answered_says_what_would_be_right(
    tmp_path: Path, path: str, status: int, part: str
) -> None:
    async with workers(tmp_path, 1) as [rig]:
        answer = await ask(rig, path)
    assert answer[0] == status
    assert part in answer[1]["message"]


def test_what_workers_know_is_added_way_by_way_also_where_an_edit_goes_out() -> None:
    """Two ways that are alike stay two."""

    def way(to: str, text: str, *near: int) -> Way:
        return Way(to, to, text, list(near), sum(near), 1, 2, {text: sum(near)})

    one = Part([way("a", "x", 1, 0), way("a", "x", 2, 0), way("b", "x", 0, 1)], 10, 5, [0, 2])
    one.add(Part([way("c", "y", 1, 1), way("b", "x", 0, 4), way("a", "x", 0, 1)], 7, 6, [1]))
    assert one == Part(
        [
            Way("a", "a", "x", [1, 1], 2, 2, 4, {"x": 2}),
            Way("a", "a", "x", [2, 0], 2, 1, 2, {"x": 2}),
            Way("b", "b", "x", [0, 5], 5, 2, 4, {"x": 5}),
            way("c", "y", 1, 1),
        ],
        17,
        11,
        [0, 1, 2],
    )
