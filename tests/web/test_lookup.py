"""What a worker answers about customers: as it is committed, from the owner alone, and in pages that fit together."""

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest

from stream.core.interaction import Interaction
from stream.kafka.membership import Membership
from stream.machine.machine import PartitionMachine
from stream.settings import Settings
from stream.web.server import serve
from tests.kit.lifecycles import SHOP, buy
from tests.kit.machines import Record, records_of
from tests.kit.times import DAY, T0
from tests.web.rig import Rig, ask, home, placed

CUSTOMERS = [f"c-{number:03}" for number in range(120)]
STRANGE = ["a b", "a/b", "100%", "ä", "%2F", "q?x=1#y", "+", "a\nb"]
"""Ids that a path has to be careful with."""


def visit(customer: str, when: int) -> Interaction:
    return Interaction(customer, None, f"v-{customer}-{when}", "page", when, {}, {})


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Two partitions of customers who came, each a second after the other, of whom every third ordered a day later."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP, encoding="utf-8")
    made = Rig(str(file))
    came = [visit(customer, T0 + number * 1_000) for number, customer in enumerate(CUSTOMERS)]
    came += [visit(customer, T0) for customer in STRANGE]
    ordered = [buy(each, T0 + DAY + n * 1_000, 10 + n) for n, each in enumerate(CUSTOMERS) if n % 3 == 0]
    made.broker.records = placed(came + ordered)
    made.broker.recovered.set()
    async with serve(made.routes, Settings().web_bind, 0) as port:
        made.url = f"http://127.0.0.1:{port}"
        made.supervisor.membership.url = made.url
        made.supervisor.membership.owners = {0: made.url, 1: made.url}
        made.connect()
        made.supervisor.assign([0, 1])
        await made.until(lambda body: [each["lag"] for each in body["partitions"]] == [0, 0])
        yield made
        await made.supervisor.stop()


async def test_a_customer_is_shown_with_what_is_missing(rig: Rig) -> None:
    status, body = await ask(rig, "/v1/customers/c-001")
    assert status == 200
    assert body["customer_id"] == "c-001"
    assert body["partition"] == home("c-001")
    assert body["offset"] == len(rig.broker.records[home("c-001")]) - 1
    [shop] = body["lifecycles"]
    assert (shop["lifecycle"], shop["stage"], shop["entered"]) == ("shop", "lead", T0 + 1_000)
    [way] = shop["transitions"]
    assert (way["to"], way["holds"]) == ("customer", False)
    assert (way["condition"]["text"], way["condition"]["value"], way["condition"]["missing"]) == ("orders >= 1", 0, 1)
    status, body = await ask(rig, "/v1/customers/c-003")
    [shop] = body["lifecycles"]
    assert (shop["stage"], shop["scores"], shop["actions"]) == ("customer", {"value": 13.0}, ["thank_you"])
    assert (shop["by_time"]["at"], shop["by_time"]["to"]) == (T0 + DAY + 3_000 + 30 * DAY, "dormant")


@pytest.mark.parametrize("customer", STRANGE)
async def test_any_id_can_be_asked_for(rig: Rig, customer: str) -> None:
    status, body = await ask(rig, f"/v1/customers/{quote(customer, safe='')}")
    assert (status, body.get("customer_id")) == (200, customer)


async def test_who_is_not_there_is_unknown_and_a_visitor_is_no_customer(rig: Rig) -> None:
    assert (await ask(rig, "/v1/customers/nobody"))[1]["code"] == "unknown_customer"
    assert (await ask(rig, "/v1/customers/nobody"))[0] == 404
    assert (await ask(rig, "/v1/anonymous/c-001"))[0] == 404


@pytest.mark.parametrize(
    ("path", "status", "part"),
    [
        ("/v1/customers/c-001?explain=1", 400, "unknown parameter 'explain'; known are none"),
        ("/v1/lifecycles/shup", 404, "no lifecycle 'shup' runs here; there are shop"),
        ("/v1/lifecycles/shop/stages/leed/customers", 404, "no stage 'leed'; there are lead, customer, dormant"),
        ("/v1/lifecycles/shop/stages/lead/customers?limit=0", 400, "a whole number from 1 to 500"),
        ("/v1/lifecycles/shop/stages/lead/customers?limit=many", 400, "a whole number from 1 to 500"),
        ("/v1/lifecycles/shop/stages/lead/customers?order=score:heat", 400, "one of entered, score:value"),
        ("/v1/lifecycles/shop/stages/lead/customers?order=value", 400, "one of entered, score:value"),
        ("/v1/lifecycles/shop/stages/lead/customers?cursor=abc", 400, "none that an answer's `next` gave"),
        ("/v1/lifecycles/shop/stages/lead/customers?cursor=e30", 400, "of another order or direction"),
        ("/v1/lifecycles/shop/stages/lead/customers?direction=up", 400, "one of desc, asc"),
        ("/v1/lifecycles/shop/stages/lead/customers?format=csv&order=score:value", 400, "CSV has all customers"),
        ("/v1/customers/c-001/changes?limit=201", 400, "a whole number from 1 to 200"),
    ],
)
async def test_what_cannot_be_answered_says_what_would_be_right(rig: Rig, path: str, status: int, part: str) -> None:
    answer = await ask(rig, path)
    assert answer[0] == status
    assert part in answer[1]["message"]


async def test_lifecycles_are_described(rig: Rig) -> None:
    [short] = (await ask(rig, "/v1/lifecycles"))[1]["lifecycles"]
    assert (short["lifecycle"], short["version"]) == ("shop", 1)
    whole = (await ask(rig, "/v1/lifecycles/shop"))[1]
    assert [each["stage"] for each in whole["stages"]] == ["lead", "customer", "dormant"]
    assert whole["transitions"][0] == {"from": ["lead"], "to": "customer", "when": "orders >= 1", "limits": None}


async def test_customers_of_each_stage_are_counted_and_what_moves_is_said(rig: Rig) -> None:
    path = "/v1/lifecycles/shop/stages"
    _, body = await ask(rig, path)
    assert {each["stage"]: each["customers"] for each in body["stages"]} == {
        "lead": 80 + len(STRANGE),
        "customer": 40,
        "dormant": 0,
    }
    assert (body["complete"], body["partitions"]) == (True, [0, 1])
    await rig.supervisor.pause()
    _, body = await ask(rig, path)
    assert (body["complete"], body["partitions"]) == (False, [])


async def order_being_written(rig: Rig) -> list[Record]:
    """The record of an order of c-001, whose batch is being written by the time this returns."""
    partition = home("c-001")
    later = records_of([buy("c-001", T0 + 2 * DAY)], first=len(rig.broker.records[partition]))
    rig.broker.records[partition] = [*rig.broker.records[partition], *later]
    async with asyncio.timeout(10):
        while not rig.broker.writing:
            await asyncio.sleep(0.01)
    return later


async def listed(rig: Rig, query: str, limit: int) -> list[str]:
    """All customers of the stage, page after page."""
    found: list[str] = []
    cursor = ""
    while True:
        status, body = await ask(rig, f"/v1/lifecycles/shop/stages/{query}&limit={limit}{cursor}")
        assert (status, body["complete"]) == (200, True)
        found += [each["customer_id"] for each in body["customers"]]
        if body["next"] is None:
            return found
        cursor = f"&cursor={body['next']}"


@pytest.mark.parametrize("limit", [1, 7, 40, 500])
async def test_pages_of_a_stage_fit_together(rig: Rig, limit: int) -> None:
    """Over partitions, in either direction, by time of entry and by score."""
    ordered = CUSTOMERS[::3]
    assert await listed(rig, "customer/customers?order=entered", limit) == ordered[::-1]
    assert await listed(rig, "customer/customers?order=entered&direction=asc", limit) == ordered
    assert await listed(rig, "customer/customers?order=score:value", limit) == ordered[::-1]
    assert await listed(rig, "customer/customers?order=score:value&direction=asc", limit) == ordered


async def test_who_moves_is_listed_in_the_new_stage_at_once_and_no_more_in_the_old(rig: Rig) -> None:
    """After the index was made."""
    assert "c-001" in await listed(rig, "lead/customers?order=entered", 500)
    partition = home("c-001")
    later = records_of([buy("c-001", T0 + 2 * DAY)], first=len(rig.broker.records[partition]))
    rig.broker.records[partition] = [*rig.broker.records[partition], *later]
    async with asyncio.timeout(10):
        while (await ask(rig, "/v1/customers/c-001"))[1]["lifecycles"][0]["stage"] != "customer":
            await asyncio.sleep(0.01)
    assert (await listed(rig, "customer/customers?order=entered", 500))[0] == "c-001"
    assert "c-001" not in await listed(rig, "lead/customers?order=entered", 500)


async def test_whoever_asks_how_many_are_in_the_stages_finds_the_index_made(rig: Rig) -> None:
    """And nothing is made before anybody asks."""
    machines = [cast("PartitionMachine", each) for each in rig.supervisor.machines().values()]
    assert [each.store.indexed for each in machines] == [None, None]
    await ask(rig, "/v1/lifecycles/shop/stages")
    async with asyncio.timeout(10):
        while None in [each.store.indexed for each in machines]:
            await asyncio.sleep(0.01)


async def test_everybody_in_a_stage_as_csv(rig: Rig) -> None:
    for path, headers in (("?format=csv", {}), ("", {"Accept": "text/csv"})):
        response, text = await rig.get(f"/v1/lifecycles/shop/stages/customer/customers{path}", **headers)
        assert response.content_type == "text/csv"
        rows = list(csv.DictReader(io.StringIO(text)))
        assert sorted(row["customer_id"] for row in rows) == CUSTOMERS[::3]
        assert rows[0]["scores.value"]


async def test_an_answer_is_of_what_is_committed_and_waits_for_a_commit_that_is_under_way(rig: Rig) -> None:
    """What is being written may still fail."""
    rig.broker.writes.clear()
    later = await order_being_written(rig)
    asked = asyncio.create_task(ask(rig, "/v1/customers/c-001"))
    await asyncio.sleep(0.2)
    assert not asked.done()
    rig.broker.writes.set()
    status, body = await asked
    assert (status, body["lifecycles"][0]["stage"], body["offset"]) == (200, "customer", later[0].offset)


async def test_before_a_batch_is_told_to_commit_everybody_is_as_before_it(rig: Rig) -> None:
    """Nobody waits: subscribers cannot have read more. A list, which is of all of them, waits."""
    before = (await ask(rig, "/v1/customers/c-001"))[1]
    rig.broker.writes.clear()
    rig.broker.commits = False
    await order_being_written(rig)
    counts = asyncio.create_task(ask(rig, "/v1/lifecycles/shop/stages"))
    async with asyncio.timeout(10):
        assert (await ask(rig, "/v1/customers/c-001"))[1] == before
    rig.broker.commits = True
    asked = asyncio.create_task(ask(rig, "/v1/customers/c-001"))
    await asyncio.sleep(0.1)
    assert not asked.done()
    assert not counts.done()
    rig.broker.writes.set()
    assert (await asked)[1]["lifecycles"][0]["stage"] == "customer"
    assert (await counts)[0] == 200


async def test_whom_the_batch_at_hand_leaves_as_it_was_is_told_at_once(rig: Rig) -> None:
    """Nothing of that customer may still fail; the answer holds at the offset that it names."""
    partition = home("c-001")
    neighbour = next(each for each in CUSTOMERS[2:] if home(each) == partition)
    before = (await ask(rig, f"/v1/customers/{neighbour}"))[1]
    rig.broker.writes.clear()
    later = await order_being_written(rig)
    async with asyncio.timeout(10):
        while_written = (await ask(rig, f"/v1/customers/{neighbour}"))[1]
    assert rig.broker.writing
    assert while_written["offset"] == before["offset"] + 1 == later[0].offset
    rig.broker.writes.set()
    await ask(rig, "/v1/customers/c-001")
    assert (await ask(rig, f"/v1/customers/{neighbour}"))[1] == while_written


async def test_a_batch_that_fails_while_the_partition_is_paused_was_never_told_of(rig: Rig) -> None:
    partition = home("c-001")
    rig.broker.writes.clear()
    rig.broker.failing.add(partition)
    await order_being_written(rig)
    pausing = asyncio.create_task(rig.supervisor.pause())
    asked = [asyncio.create_task(ask(rig, "/v1/customers/c-001")) for _ in range(3)]
    await asyncio.sleep(0.1)
    assert not any(each.done() for each in asked)
    rig.broker.writes.set()
    assert {(await each)[0] for each in asked} == {503}
    await pausing


async def test_an_answer_whose_batch_fails_is_not_given(rig: Rig) -> None:
    partition = home("c-001")
    rig.broker.writes.clear()
    rig.broker.failing.add(partition)
    await order_being_written(rig)
    asked = asyncio.create_task(ask(rig, "/v1/customers/c-001"))
    await asyncio.sleep(0.1)
    rig.broker.writes.set()
    status, body = await asked
    assert (status, body["code"]) == (503, "moving")


async def test_who_may_have_lost_the_partition_does_not_answer(rig: Rig) -> None:
    """As after a pause longer than the session: nobody told this worker yet, but another one may have the customer."""
    membership = rig.supervisor.membership
    membership._until = time.monotonic() - 1
    response, _ = await rig.get("/v1/customers/c-001")
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert (await ask(rig, "/v1/lifecycles/shop/stages"))[1]["complete"] is False
    membership.confirmed(time.monotonic())
    assert (await ask(rig, "/v1/customers/c-001"))[0] == 200


async def test_a_question_for_a_partition_that_is_paused_is_asked_again_later(rig: Rig) -> None:
    await rig.supervisor.pause()
    assert (await ask(rig, "/v1/customers/c-001"))[0] == 503


async def test_a_question_goes_to_the_owner_once_and_no_further(rig: Rig, tmp_path: Path) -> None:
    """The second worker owns nothing: it asks the first, and does not ask on where it was asked itself."""
    file = tmp_path / "shop.yaml"
    other = Rig(str(file))
    async with serve(other.routes, "127.0.0.1", 0) as port:
        other.url = f"http://127.0.0.1:{port}"
        other.supervisor.membership.url = other.url
        other.supervisor.membership.owners = rig.supervisor.membership.owners
        other.connect()
        other.supervisor.assign([])
        assert await ask(other, "/v1/customers/c-003") == await ask(rig, "/v1/customers/c-003")
        assert await ask(other, "/v1/lifecycles/shop/stages") == await ask(rig, "/v1/lifecycles/shop/stages")
        assert await listed(other, "customer/customers?order=score:value", 7) == CUSTOMERS[::3][::-1]
        own, theirs = [
            (await each.get("/v1/lifecycles/shop/stages/customer/customers?format=csv"))[1] for each in (rig, other)
        ]
        assert sorted(own.splitlines()) == sorted(theirs.splitlines())
        headers = {"Lifecycle-Forwarded": "1"}
        assert (await ask(other, "/v1/customers/c-003", **headers))[0] == 503
        other.supervisor.membership.owners = {0: other.url, 1: other.url}  # as where all have one address
        assert (await ask(other, "/v1/customers/c-003"))[0] == 503
        other.supervisor.membership.owners = {0: "http://127.0.0.1:1", 1: "http://127.0.0.1:1"}
        assert (await ask(other, "/v1/customers/c-003"))[0] == 503
        await other.supervisor.stop()


def test_a_membership_is_sure_from_the_time_of_asking_on() -> None:
    """Not from that of the answer, which may have been under way for long."""
    membership = Membership(10.0)
    assert not membership.is_sure
    membership.confirmed(time.monotonic() - 9.0)
    assert membership.is_sure
    membership.confirmed(time.monotonic() - 20.0)  # an answer that came late takes nothing away
    assert membership.is_sure
    late = Membership(10.0)
    late.confirmed(time.monotonic() - 9.6)
    assert not late.is_sure
