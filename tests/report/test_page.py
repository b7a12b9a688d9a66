"""The page: opened in a real Chromium, in light and dark, on a desk and a phone; and whatever the data say."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from stream.codec.lifecycle_yaml.lifecycle_files import load, parse
from stream.core.interaction import Interaction
from stream.demo.shop import shop_interactions
from stream.report.making import Asked
from stream.report.page import page
from tests.console.browser import NARROW, WIDE, chromium, watched
from tests.report.reckoning import reckoned

pytestmark = pytest.mark.slow

CUT_OFF = """
() => [...document.querySelectorAll("svg")].flatMap((svg) => {
    const room = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter((each) => {
        const box = each.getBoundingClientRect();
        return box.right > room.right + 1 || box.left < room.left - 1;
    }).map((each) => each.textContent);
})
"""
"""Labels of pictures that are not whole."""
METRICS = load("metrics").lifecycle


@pytest.fixture(scope="module")
def shop_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = reckoned(METRICS, shop_interactions(150), Asked(by=("last_nps",)))
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(report), encoding="utf-8")
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_it_can_be_used_by_everybody_and_asks_nobody(
    browser: Browser, shop_page: Path, size: tuple[int, int], scheme: str
) -> None:
    """Nothing is found by axe, it does not scroll to the side, and nothing was loaded, blocked or complained of."""
    async with watched(browser, "file://", size=size, color_scheme=scheme) as opened:
        await opened.page.goto(shop_page.as_uri())
        assert await opened.page.locator("h1").inner_text() == "Customer life cycle metrics: June 2026"
        assert await opened.page.locator("section").count() > 8
        assert await opened.flaws() == []
        assert await opened.wider_than_the_window() == []
        assert await opened.page.evaluate(CUT_OFF) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_its_own_policy_lets_its_own_style_through(browser: Browser, shop_page: Path) -> None:
    async with watched(browser, "file://") as opened:
        await opened.page.goto(shop_page.as_uri())
        assert await opened.page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") != "0px"
        assert await opened.page.evaluate("getComputedStyle(document.querySelector('svg .now')).fill") != "rgb(0, 0, 0)"


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
NAMED = """
lifecycle: evil
title: "TITLE"
interactions:
  order: [bought]
ledgers:
  sales: {each: order, by: properties.order_id, amount: properties.total}
facts:
  colour: {latest: properties.colour, each: order}
stages:
  here: {title: "TITLE"}
  there: {title: "TITLE"}
transitions:
  - {from: here, to: there, when: event.type == "order"}
"""


class Tags(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src"):
                self.links.add(value or "")


def test_nothing_that_the_data_say_becomes_part_of_the_page() -> None:
    """Ids, products, facts, titles of the lifecycle file: text, all of them."""
    lifecycle = parse(NAMED.replace("TITLE", EVIL.replace("\\", "\\\\").replace('"', '\\"')), "evil.yaml").lifecycle
    products = [{"name": EVIL, "category": EVIL, "price": 5, "quantity": 1}]
    interactions = [
        Interaction(
            f"{EVIL}{number}",
            None,
            None,
            "bought",
            1_780_300_000_000 + number,
            {"order_id": number, "total": 5, "products": products, "colour": EVIL},
            {},
        )
        for number in range(3)
    ]
    text = page(reckoned(lifecycle, interactions, Asked(by=("colour",))))
    assert text.count("&lt;script&gt;") > 10
    tags = Tags()
    tags.feed(text)
    assert not tags.tags & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not {each for each in tags.attributes if each.startswith("on") or each in ("style", "src")}
    assert all(each.startswith("#") for each in tags.links)
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
