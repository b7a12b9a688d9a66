"""What a stranger wants to know, answered from the page alone, by the keyboard alone; and the answers are right."""

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.console.browser import Watched
from tests.console.product import STRANGE, Worker

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

LIFECYCLE = "/v1/lifecycles/metrics"


async def in_stage(shop: Worker, stage: str, limit: int = 50, lifecycle: str = "metrics") -> list[dict[str, Any]]:
    """Who came into it last, first."""
    path = f"/v1/lifecycles/{lifecycle}/stages/{stage}/customers?order=entered&limit={limit}"
    return (await shop.ask(path))["customers"]


async def customer_in(shop: Worker, stage: str) -> str:
    return next(each["customer_id"] for each in await in_stage(shop, stage) if "customer_id" in each)


async def told_of(shop: Worker, customer: str) -> dict[str, Any]:
    [told] = [
        each for each in (await shop.ask(f"/v1/customers/{customer}"))["lifecycles"] if each["lifecycle"] == "metrics"
    ]
    return told


def life(page: Watched):
    return page.page.get_by_role("region", name="Customer life cycle metrics")


async def test_how_many_customers_are_dormant(page: Watched, shop: Worker) -> None:
    stages = (await shop.ask(f"{LIFECYCLE}/stages"))["stages"]
    dormant = next(each["customers"] for each in stages if each["stage"] == "dormant")
    assert dormant > 10
    await page.go("#/lifecycles/metrics", heading="Customer life cycle metrics")
    await page.tab_to(page.page.get_by_role("link", name=f"Dormant: {dormant} customers", exact=True))
    await page.page.keyboard.press("Enter")
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Dormant")
    await expect(page.page.get_by_text(f"{dormant} customers are here now")).to_be_visible()


async def test_who_became_loyal_last(page: Watched, shop: Worker) -> None:
    [last] = await in_stage(shop, "loyalty", 1)
    await page.go("#/lifecycles/metrics")
    await page.tab_to(page.page.get_by_label("Changes to"))
    await page.page.keyboard.type("Loyal")
    changes = page.page.get_by_role("list", name="Latest changes")
    await expect(changes.get_by_role("listitem").first.get_by_role("link")).to_have_text(last["customer_id"])
    moved = changes.locator(".to")
    assert set(await moved.all_text_contents()) == {"Loyalty and advocacy"}


async def test_why_a_customer_is_in_its_stage(page: Watched, shop: Worker) -> None:
    """The change that brought it there, in words; of whom something that it did moved."""
    for each in await in_stage(shop, "conversion"):
        customer = each.get("customer_id", "")
        changes = (await shop.ask(f"/v1/customers/{quote(customer, safe='')}/changes"))["changes"] if customer else []
        change = next((change for change in changes if change["lifecycle"] == "metrics"), None)
        if change is not None and change["trigger"]["kind"] == "interaction" and customer not in STRANGE:
            break
    await page.go()
    await page.find(customer)
    why = life(page).locator("dd").filter(has_text="It came from")
    await expect(why).to_contain_text(f"after “{change['trigger']['type']}”, because {change['transition']}")


async def test_what_a_customer_needs_to_go_on(page: Watched, shop: Worker) -> None:
    """Each comparison is told with what there is, what is needed and what is missing."""
    customer = await customer_in(shop, "retention")
    told = await told_of(shop, customer)
    [way] = [each for each in told["transitions"] if each["to"] == "loyalty"]
    assert way["condition"]["text"] == "advocacy >= 12"
    await page.go()
    await page.find(customer)
    needed = life(page).get_by_text("What is missing to go on?").locator("xpath=..")
    await expect(needed).to_contain_text("For Loyalty and advocacy: advocacy >= 12 (advocacy is ")
    await expect(needed).to_contain_text(re.compile(r"advocacy is [\d.]+ of 12, [\d.]+ missing"))


async def test_when_a_customer_will_go_to_sleep(page: Watched, shop: Worker) -> None:
    customer = await customer_in(shop, "retention")
    move = (await told_of(shop, customer))["by_time"]
    assert move["to"] == "dormant"
    await page.go()
    await page.find(customer)
    comes = life(page).get_by_text("What comes next?").locator("xpath=..")
    await expect(comes).to_contain_text("If nothing happens, it goes to Dormant")
    times = await comes.locator("time").all()
    assert [await each.get_attribute("datetime") for each in times] == [rfc3339(move["at"])] * 2
    assert re.match(r"in \d+ (day|hour|month)s?", await times[0].inner_text())


async def test_where_we_lose_most(page: Watched, shop: Worker) -> None:
    """In words, and in a table beside."""
    await page.go("#/lifecycles/metrics")
    await page.tab_to(page.page.get_by_role("radio", name="30 days"))
    await page.page.keyboard.press("ArrowRight")
    moves = (await shop.ask(f"{LIFECYCLE}/moves?within=90d"))["moves"]
    lost, left = Counter[str](), Counter[str]()
    for each in moves:
        if each["from"] is not None:
            left[each["from"]] += each["customers"]
            lost[each["from"]] += each["customers"] if each["to"] in ("dormant", None) else 0
    [(most, _)] = lost.most_common(1)
    said = page.page.get_by_role("region", name="Where do we lose most?")
    await expect(said).to_contain_text(f"{lost[most]} of the {left[most]} who left it")
    await expect(said).to_contain_text("in the last 90 days")
    await expect(said).to_contain_text(f"of all {lost.total()} losses")
    await expect(said.get_by_role("table").get_by_role("row")).to_have_count(
        1 + sum(each["from"] is not None for each in moves)
    )


async def test_is_the_system_well(page: Watched) -> None:
    await page.go()
    await page.tab_to(page.page.get_by_role("link", name="Operations"))
    await page.page.keyboard.press("Enter")
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Operations")
    await expect(page.page.locator(".verdict")).to_contain_text("The system is well")
    await expect(page.page.locator(".verdict")).to_contain_text(
        "1 of 1 worker answers; 4 of 4 partitions are worked on"
    )


async def test_a_lifecycle_is_chosen_and_the_choice_is_kept_over_views(page: Watched) -> None:
    await page.go("#/lifecycles/metrics")
    await page.tab_to(page.page.get_by_label("Lifecycle", exact=True))
    await page.page.keyboard.type("Rel")
    await expect(page.page.get_by_role("heading", level=1)).to_contain_text("Relationship")
    await page.page.get_by_role("link", name="Operations").click()
    await page.page.get_by_role("link", name="Overview").click()
    await expect(page.page.get_by_role("heading", level=1)).to_contain_text("Relationship")


async def test_a_stage_lists_its_customers_page_by_page_in_the_order_that_is_asked_for(
    page: Watched, shop: Worker
) -> None:
    expected = await in_stage(shop, "dormant", 60)
    await page.go("#/lifecycles/metrics/stages/dormant", heading="Dormant")
    listed = page.page.get_by_role("region", name="Who is here").get_by_role("rowheader")
    await expect(listed).to_have_count(25)
    first = await listed.all_inner_texts()
    await page.tab_to(page.page.get_by_role("button", name="Next"))
    await page.page.keyboard.press("Enter")
    await expect(page.page.get_by_text(f"26 to {min(50, len(expected))}")).to_be_visible()
    await page.settled()
    assert len(expected) > 25
    assert [*first, *await listed.all_inner_texts()] == [each["customer_id"] for each in expected[:50]]
    await page.tab_to(page.page.get_by_label("Order"))
    await page.page.keyboard.type("most adv")
    path = f"{LIFECYCLE}/stages/dormant/customers?order=score:advocacy&limit=25"
    by_score = [each["customer_id"] for each in (await shop.ask(path))["customers"]]
    await expect(listed.first).to_have_text(by_score[0])
    await page.settled()
    assert await listed.all_inner_texts() == by_score


async def test_everybody_in_a_stage_is_had_as_csv(page: Watched, shop: Worker) -> None:
    await page.go("#/lifecycles/metrics/stages/loyalty", heading="Loyalty and advocacy")
    async with page.page.expect_download() as download:
        await page.page.get_by_role("link", name="All as CSV").click()
    lines = (await (await download.value).path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) - 1 == len(await in_stage(shop, "loyalty", 500))


def rfc3339(ms: int) -> str:
    """As a browser writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
