"""The page Figures: what is chosen is what the interface answers, in tiles, lines, tables and CSV; live, and empty."""

import csv
import re
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from stream.core.interaction import Interaction
from tests.console.browser import NARROW, WIDE, Watched, watched
from tests.console.product import MARKUP, Worker, prefix, send, worker
from tests.kit.kafka import SharedKafka

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

VIEW = "#/lifecycles/metrics/figures"
API = "/v1/lifecycles/metrics/figures"
SOLD = """
lifecycle: sold
title: What is sold
interactions: {visit: [page], purchase: [Order Completed]}
facts: {country: {latest: properties.country}}
figures:
  visits: {title: Visits, each: visit}
  revenue: {title: Revenue, each: purchase, add: properties.total}
  by: [country]
rates: {average: {title: Revenue of a visit, of: revenue, to: visits}}
stages: {lead: {title: Lead}}
"""
PLAIN = """
lifecycle: plain
title: Plain
stages: {lead: {}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sold(kafka: SharedKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """By wall time: a lifecycle with two figures, of which something was sold today, and one without."""
    folder = tmp_path_factory.mktemp("sold")
    for name, text in (("sold", SOLD), ("plain", PLAIN)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    files = (str(folder / "sold.yaml"), str(folder / "plain.yaml"))
    async with worker(kafka.bootstrap, prefix(), folder, *files, clock="wall") as started:
        await send(started.settings, [buy(10.25, "France"), buy(5, MARKUP), buy(1, None)])
        await started.ready()
        yield started


def buy(total: float, country: str | None) -> Interaction:
    now = time.time_ns() // 1_000_000
    properties = {"total": total} | ({} if country is None else {"country": country})
    return Interaction(f"c-{country}", None, None, "Order Completed", now, properties, {})


def tile(page: Watched, title: str) -> Locator:
    tiles = page.page.get_by_role("list", name="Figures and rates")
    return tiles.get_by_role("listitem").filter(has=page.page.get_by_role("heading", name=title, exact=True))


def english(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


async def test_the_overview_and_the_header_lead_there(page: Watched) -> None:
    await page.go("#/lifecycles/metrics")
    await page.tab_to(page.page.get_by_role("link", name="Figures", exact=True))
    await page.page.keyboard.press("Enter")
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Figures")
    await expect(page.page.get_by_role("link", name="Figures", exact=True)).to_have_attribute("aria-current", "page")
    assert await page.page.title() == "Figures · Customer lifecycle"
    await page.go("#/lifecycles/metrics")
    await page.page.get_by_role("link", name="Figures of days, weeks and months").click()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Figures")
    await page.page.get_by_label("Lifecycle", exact=True).select_option("relationship")
    await expect(tile(page, "Breaches of trust")).to_be_visible()


async def test_each_tile_says_the_total_and_in_words_and_by_a_sign_how_it_differs(page: Watched, shop: Worker) -> None:
    answer = await shop.ask(API)
    await page.go(VIEW, heading="Figures")
    await page.settled()
    signs = set[str]()
    tiles = page.page.get_by_role("list", name="Figures and rates").get_by_role("listitem")
    await expect(tiles).to_have_count(len(answer["figures"]) + len(answer["rates"]))
    for place, figure in enumerate(answer["figures"]):
        series = figure["series"][0]
        shown = tiles.nth(place)
        await expect(shown.get_by_role("heading")).to_have_text(figure["title"])
        digits = 2 if figure["amount"] and abs(series["total"]) < 1_000 else 0
        await expect(shown.locator(".total")).to_have_text(english(series["total"], digits))
        change = await shown.locator(".change").inner_text()
        if series["total"] == series["before"] == 0:
            assert change == "nothing in the 28 days before"
        elif series["total"] == series["before"]:
            assert change == "= as in the 28 days before"
        else:
            sign, word = ("▲", "more") if series["total"] > series["before"] else ("▼", "less")
            signs.add(sign)
            assert change.startswith(f"{sign} ")
            assert f"{word} than in the 28 days before ({english(series['before'], digits)}" in change
    assert signs == {"▲", "▼"}
    conversion = next(each for each in answer["rates"] if each["percent"])
    total = conversion["series"][0]["total"]
    assert total is not None
    expected = re.sub(r"\.0$", "", f"{total:,.1f}")
    await expect(tile(page, conversion["title"]).locator(".total")).to_have_text(f"{expected}%")
    await expect(tile(page, conversion["title"]).locator(".change")).to_contain_text("points")


async def test_what_a_figure_means_is_told_beside_it(page: Watched, shop: Worker) -> None:
    revenue = next(each for each in (await shop.ask(API))["figures"] if each["figure"] == "revenue")
    await page.go(VIEW)
    shown = tile(page, "Revenue")
    await page.tab_to(shown.locator("summary"))
    await page.page.keyboard.press("Enter")
    await expect(shown.locator("details p")).to_be_visible()
    said = await shown.locator("details p").inner_text()
    assert said[0].lower() + said[1:-1] == revenue["meaning"]


async def test_each_line_says_in_words_what_it_shows(page: Watched, shop: Worker) -> None:
    revenue = next(each for each in (await shop.ask(API))["figures"] if each["figure"] == "revenue")
    values = revenue["series"][0]["values"]
    await page.go(VIEW)
    line = tile(page, "Revenue").get_by_role("img")
    await expect(line).to_be_visible()
    name = await line.get_attribute("aria-label") or ""
    digits = 2 if max(values) < 1_000 else 0
    assert name.startswith(f"Revenue of each day. Highest: {english(max(values), digits)}, ")
    assert name.endswith("Dotted: the days before.")
    await expect(line.locator(".dot")).to_have_count(28)
    await expect(line.locator(".dot.open")).to_have_count(1)  # today
    await expect(line.locator("path.before")).to_have_count(1)


async def test_days_weeks_and_months_are_chosen_by_the_keyboard(page: Watched, shop: Worker) -> None:
    """Each choice is what the interface answers to the same question."""
    today = date.fromisoformat((await shop.ask(API))["today"])
    await page.go(VIEW)
    await page.settled()
    await page.tab_to(page.page.get_by_role("radio", name="28 days"))
    rows = page.page.get_by_role("table", name="Figures by period").get_by_role("row")
    await expect(rows).to_have_count(1 + 2 + 28)
    await page.page.keyboard.press("ArrowRight")
    await expect(rows).to_have_count(1 + 2 + 90)
    await page.page.keyboard.press("ArrowRight")
    await expect(page.page.get_by_role("radio", name="This month")).to_be_checked()
    await expect(rows).to_have_count(1 + 2 + today.day)
    await page.page.keyboard.press("ArrowRight")
    last = today.replace(day=1) - timedelta(days=1)
    await expect(rows).to_have_count(1 + 2 + last.day)
    await page.page.keyboard.press("ArrowRight")
    await page.page.get_by_label("From", exact=True).fill("2025-03-03")
    await page.page.get_by_label("To", exact=True).fill("2025-03-30")
    await page.page.get_by_label("Told of").select_option("week")
    answer = await shop.ask(f"{API}?from=2025-03-03&to=2025-03-30&per=week")
    await expect(rows).to_have_count(1 + 2 + 4)
    await page.settled()
    measures = [each["series"][0] for each in answer["figures"]]
    for place, expected in (
        (1, [each["total"] for each in measures]),
        (2, [each["before"] for each in measures]),
        *((3 + number, [each["values"][3 - number] for each in measures]) for number in range(4)),
    ):
        cells = await rows.nth(place).get_by_role("cell").all_inner_texts()
        assert [float(each.replace(",", "")) for each in cells[: len(measures)]] == expected


async def test_what_was_chosen_is_kept_while_the_page_is_open(page: Watched, shop: Worker) -> None:
    today = date.fromisoformat((await shop.ask(API))["today"])
    await page.go(VIEW)
    await page.page.get_by_text("Last month").click()
    last = today.replace(day=1) - timedelta(days=1)
    rows = page.page.get_by_role("table", name="Figures by period").get_by_role("row")
    await expect(rows).to_have_count(1 + 2 + last.day)
    await page.page.get_by_role("link", name="Overview").click()
    await page.page.get_by_role("link", name="Figures", exact=True).click()
    await expect(page.page.get_by_role("radio", name="Last month")).to_be_checked()
    await expect(rows).to_have_count(1 + 2 + last.day)


async def test_a_fact_is_chosen_for_one_lifecycle(browser: Browser, sold: Worker) -> None:
    """The other one has none of that name."""
    async with watched(browser, sold.url) as page:
        page.allowed = {404}
        await page.go("#/lifecycles/sold/figures", heading="Figures")
        await page.page.get_by_label("By", exact=True).select_option("country")
        await expect(page.page.get_by_role("table", name="Totals by country")).to_be_visible()
        await page.page.get_by_label("Lifecycle", exact=True).select_option("plain")
        await expect(page.page.get_by_role("region", name="This lifecycle has no figures yet.")).to_be_visible()
        await page.page.get_by_label("Lifecycle", exact=True).select_option("sold")
        await expect(tile(page, "Revenue")).to_be_visible()
        await expect(page.page.get_by_label("By", exact=True)).to_have_value("")


async def test_own_days_that_end_before_they_begin_are_told_what_would_be_right(page: Watched) -> None:
    page.allowed = {400}
    await page.go(VIEW)
    await page.settled()
    await page.page.get_by_text("Own days").click()
    await page.page.get_by_label("From", exact=True).fill("2025-03-30")
    await page.page.get_by_label("To", exact=True).fill("2025-03-03")
    await expect(page.page.get_by_role("alert")).to_contain_text("from is the first day, to the last")
    await page.page.get_by_label("To", exact=True).fill("2025-03-31")
    await expect(page.page.get_by_role("alert")).to_have_count(0)
    await expect(tile(page, "Revenue")).to_be_visible()


async def test_stages_have_who_entered_left_and_was_there(page: Watched, shop: Worker) -> None:
    answer = await shop.ask(API)
    await page.go(VIEW)
    await page.settled()
    stages = page.page.get_by_role("region", name="Stages")
    for each in answer["stages"]:
        row = stages.get_by_role("row").filter(has=page.page.get_by_role("rowheader", name=each["title"], exact=True))
        cells = await row.get_by_role("cell").all_inner_texts()
        assert [re.split(r"\s", cell.strip())[0] for cell in cells[:4]] == [
            english(each["customers_before"]),
            english(each["entered_total"]),
            english(each["left_total"]),
            english(each["customers"][-1]),
        ]


async def test_all_of_it_is_had_as_csv(page: Watched, shop: Worker) -> None:
    answer = await shop.ask(f"{API}?per=week")
    await page.go(VIEW)
    await page.settled()
    await page.page.get_by_label("Told of").select_option("week")
    await page.settled()
    async with page.page.expect_download() as download:
        await page.page.get_by_role("link", name="All as CSV").click()
    name = (await download.value).suggested_filename
    assert name == f"metrics-figures-{answer['from']}-{answer['to']}.csv"
    lines = csv.DictReader((await (await download.value).path()).read_text(encoding="utf-8").splitlines())
    revenue = next(each for each in answer["figures"] if each["figure"] == "revenue")["series"][0]
    assert [each["value"] for each in lines if each["name"] == "revenue"] == revenue["exact"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_segments_stand_side_by_side_and_what_they_are_called_is_text(
    browser: Browser, sold: Worker, size: tuple[int, int]
) -> None:
    """Axe finds nothing, in light and dark, and nothing is wider than the window."""
    async with watched(browser, sold.url, size=size, color_scheme="light", reduced_motion="reduce") as page:
        await page.go("#/lifecycles/sold/figures", heading="Figures")
        await page.settled()
        await page.page.get_by_label("By", exact=True).select_option("country")
        table = page.page.get_by_role("table", name="Totals by country")
        names = table.get_by_role("rowheader")
        await expect(names.nth(3)).to_be_visible()
        assert set(await names.all_inner_texts()) >= {"Everybody", "France", MARKUP, "No country yet"}
        await page.settled()
        assert await page.page.evaluate("[window.hacked, document.images.length]") == [None, 0]
        assert await page.wider_than_the_window() == []
        assert await page.flaws() == []
        await page.page.emulate_media(color_scheme="dark")
        assert await page.flaws() == []


async def test_today_is_live_and_nothing_flickers(browser: Browser, sold: Worker) -> None:
    """What is sold now is in the totals some seconds later; what is open stays so, and the focus stays where it is."""
    async with watched(browser, sold.url) as page:
        await page.go("#/lifecycles/sold/figures")
        shown = tile(page, "Revenue").locator(".total")
        await expect(shown).not_to_have_text("0.00")
        before = float(await shown.inner_text())
        meaning = tile(page, "Revenue").locator("summary")
        await meaning.click()
        await page.page.evaluate("window.marked = document.querySelector('.tiles')")
        await page.page.wait_for_timeout(6_000)
        assert await page.page.evaluate("window.marked === document.querySelector('.tiles')")  # nothing new, all stays
        await send(sold.settings, [buy(2.5, "France")])
        await expect(shown).to_have_text(f"{before + 2.5:.2f}")
        await expect(tile(page, "Revenue").locator("details")).to_have_attribute("open", "")
        await expect(meaning).to_be_focused()


async def test_a_lifecycle_without_figures_says_what_to_add(browser: Browser, sold: Worker) -> None:
    async with watched(browser, sold.url) as page:
        page.allowed = {404}
        await page.go("#/lifecycles/plain/figures", heading="Figures")
        region = page.page.get_by_role("region", name="This lifecycle has no figures yet.")
        await expect(region).to_contain_text("Add them to the file of Plain, for example:")
        await expect(region.locator("pre")).to_contain_text(
            "revenue: {title: Revenue, each: purchase, add: properties.total}"
        )
        await expect(page.page.get_by_role("link", name="All as CSV")).to_be_hidden()
        assert await page.flaws() == []


async def test_where_nothing_was_counted_yet_it_is_said_what_to_do(
    browser: Browser, kafka: SharedKafka, tmp_path: Path
) -> None:
    file = tmp_path / "sold.yaml"
    file.write_text(SOLD, encoding="utf-8")
    async with worker(kafka.bootstrap, prefix(), tmp_path, str(file), clock="wall") as started:
        await started.ready()
        async with watched(browser, started.url) as page:
            await page.go("#/lifecycles/sold/figures", heading="Figures")
            await expect(page.page.get_by_text("Nothing was counted yet.")).to_be_visible()
            await send(started.settings, [buy(1, None)])
            await expect(tile(page, "Revenue").locator(".total")).to_have_text("1.00")
