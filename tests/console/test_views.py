"""Every view: for whoever sees, hears or points otherwise, on a phone, in the dark; what comes from outside is text."""

from urllib.parse import quote

import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import NARROW, WIDE, Watched, watched
from tests.console.product import MARKUP, STRANGE, VISITOR, Worker

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

VIEWS = {
    "overview": "#/lifecycles/metrics",
    "figures": "#/lifecycles/metrics/figures",
    "stage": "#/lifecycles/metrics/stages/retention",
    "an empty stage": "#/lifecycles/relationship/stages/advocate",
    "customer": f"#/customers/{quote(MARKUP, safe='')}",
    "visitor": f"#/anonymous/{quote(VISITOR, safe='')}",
    "nobody": "#/anonymous/nobody",
    "no such stage": "#/lifecycles/metrics/stages/nowhere",
    "operations": "#/operations",
    "nowhere": "#/what",
}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("view", VIEWS)
async def test_axe_finds_nothing_in_light_and_dark_and_nothing_is_wider_than_the_window(
    browser: Browser, shop: Worker, view: str, size: tuple[int, int]
) -> None:
    async with watched(browser, shop.url, size=size, color_scheme="light", reduced_motion="reduce") as page:
        page.allowed = {404}
        await page.go(VIEWS[view])
        await expect(page.page.get_by_role("heading", level=1)).to_be_visible()
        await page.settled()
        assert await page.wider_than_the_window() == []
        assert await page.flaws() == []
        await page.page.emulate_media(color_scheme="dark")
        assert await page.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        assert await page.flaws() == []


@pytest.mark.parametrize("customer", STRANGE)
async def test_an_id_is_text_whatever_is_in_it(page: Watched, customer: str) -> None:
    """It is found by the field for it, shown as it is, and linked to; nothing in it runs."""
    await page.go()
    await page.find(customer)
    await page.settled()
    await expect(page.page.get_by_role("region", name="Customer life cycle metrics")).to_be_visible()
    assert await page.page.title() == f"{customer} · Customer lifecycle"
    await page.go("#/lifecycles/metrics/stages/conversion")
    await page.page.get_by_role("region", name="Who is here").get_by_role("link", name=customer, exact=True).click()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text(customer)
    await page.settled()
    assert await page.page.evaluate("[window.hacked, document.images.length, document.scripts.length]") == [None, 0, 2]


async def test_a_visitor_is_found_by_the_anonymous_id_too(page: Watched) -> None:
    page.allowed = {404}  # no customer has it
    await page.go()
    await page.find(VISITOR)
    await expect(page.page.get_by_text("Anonymous visitor", exact=True)).to_be_visible()


async def test_who_is_not_known_is_said_with_what_to_do(page: Watched) -> None:
    page.allowed = {404}
    await page.go("#/customers/nobody")
    await expect(page.page.get_by_role("alert")).to_contain_text("Nobody is known by this id.")
    await expect(page.page.get_by_role("alert")).to_contain_text("capitals and spaces included")


async def test_the_colours_that_were_chosen_are_there_before_anything_is_drawn(page: Watched) -> None:
    await page.go()
    light = await background(page)
    await page.page.get_by_label("Colours").select_option("dark")
    dark = await background(page)
    assert light != dark
    await page.page.reload(wait_until="commit")
    await page.page.wait_for_selector("body", state="attached")
    assert await background(page) == dark
    await page.page.get_by_label("Colours").select_option("auto")
    assert await background(page) == light


async def background(page: Watched) -> str:
    return await page.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")


async def test_numbers_and_dates_are_in_the_reader_s_language(browser: Browser, shop: Worker) -> None:
    context = await browser.new_context(locale="de-DE", timezone_id="Europe/Berlin")
    page = await context.new_page()
    await page.goto(f"{shop.url}/#/lifecycles/metrics/stages/retention")
    first = page.get_by_role("region", name="Who is here").locator("tbody time").nth(1)
    await expect(first).to_have_attribute("lang", "de-DE")
    await expect(first).to_contain_text("in ")
    assert "Tagen" in " ".join(await page.locator("tbody time").all_inner_texts())
    await context.close()


async def test_the_curve_of_a_score_is_there_for_who_cannot_see_it(page: Watched, shop: Worker) -> None:
    path = "/v1/lifecycles/metrics/stages/retention/customers?limit=1"
    [found] = (await shop.ask(path))["customers"]
    await page.go(f"#/customers/{quote(found['customer_id'], safe='')}")
    curve = page.page.get_by_role("img", name="attention over time.")
    await expect(curve).to_be_visible()
    assert "if nothing happens. Then it goes to Dormant." in (await curve.get_attribute("aria-label") or "")
    await page.page.get_by_text("These values as a table").first.click()
    rows = page.page.get_by_role("table", name="Values of attention").get_by_role("row")
    over = (await shop.ask(f"/v1/customers/{quote(found['customer_id'], safe='')}/scores?points=60"))["lifecycles"]
    [metrics] = [each for each in over if each["lifecycle"] == "metrics"]
    [attention] = [each for each in metrics["scores"] if each["score"] == "attention"]
    assert await rows.count() == 1 + len(attention["past"]) + len(attention["ahead"])


async def test_every_line_between_stages_has_a_name_and_is_reached_by_tab(page: Watched, shop: Worker) -> None:
    moves = (await shop.ask("/v1/lifecycles/metrics/moves?within=30d"))["moves"]
    await page.go("#/lifecycles/metrics")
    lines = page.page.get_by_role("group", name="Moves between the stages").get_by_role("img")
    await expect(lines).to_have_count(len([each for each in moves if each["customers"]]))
    await page.tab_to(lines.last)
    name = await lines.last.get_attribute("aria-label")
    await expect(page.page.locator(".about")).to_have_text(name or "")


async def test_the_checks_themselves_notice_what_is_wrong(browser: Browser, shop: Worker) -> None:
    """A control without a name, something too wide, what the policy forbids, and a question to another host."""
    with pytest.raises(AssertionError, match=r"style-src(.|\n)*connect-src"):
        async with watched(browser, shop.url, size=NARROW) as page:
            await page.go("#/operations", heading="Operations")
            await page.settled()
            await page.page.evaluate(
                """() => {
                    const wide = document.createElement("button");
                    document.querySelector("main").append(wide);
                    wide.style.setProperty("width", "900px");
                    wide.setAttribute("style", "color: red");
                    wide.style.setProperty("width", "900px");
                    fetch("http://elsewhere.example/").catch(() => {});
                }"""
            )
            assert any(each.startswith("button-name") for each in await page.flaws())
            assert await page.wider_than_the_window() != []
