"""The page of `lifecycle diff`, opened as a file: it asks nobody anything, and what comes from outside is text."""

from pathlib import Path

import orjson
import pytest
from playwright.async_api import Browser, expect

from stream.cli.pages.diff_page import diff_page
from stream.codec.interactions import encode_native
from stream.core.interaction import Interaction
from stream.demo.shop import SHOP_CLOSED, shop_interactions
from tests.console.browser import NARROW, WIDE, Watched, watched
from tests.console.product import MARKUP, STRANGE, VISITOR
from tests.kit.times import HOUR
from tests.offline.diffs import diff_of

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

METRICS = Path(__file__).parents[2].joinpath("stream", "presets", "metrics.yaml").read_text(encoding="utf-8")
PAGE = "diff & <b>.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a shop whose file, titles, event names and customers are markup."""
    folder = tmp_path_factory.mktemp("diff")
    hostile = METRICS.replace("title: Dormant", f"title: {orjson.dumps(MARKUP).decode()}")
    hostile = hostile.replace("title: Customer life cycle metrics", f"title: {orjson.dumps(MARKUP).decode()}")
    hostile = hostile.replace("visit: [page,", '"</style><script>window.hacked=1</script>": [evil]\n  visit: [page,')
    old, new = folder / "old <i>&amp;.yaml", folder / "new '\".yaml"
    old.write_text(METRICS, encoding="utf-8")
    new.write_text(hostile.replace("orders_of_late >= 1}", "orders_of_late >= 3}"), encoding="utf-8")
    time = SHOP_CLOSED - HOUR
    people = [
        Interaction(each, None, None, "Order Completed", time, {"total": 20, "order_id": each}, {}) for each in STRANGE
    ]
    people.append(Interaction(None, VISITOR, None, "Order Completed", time, {"order_id": "v"}, {}))
    history = folder / "history.jsonl"
    history.write_bytes(b"".join(encode_native(each) + b"\n" for each in (*shop_interactions(40), *people)))
    document = diff_of(str(old), str(new), [str(history)], until=SHOP_CLOSED, most=10_000)
    assert document["elsewhere"] > 0
    (folder / PAGE).write_text(diff_page(orjson.loads(orjson.dumps(document))), encoding="utf-8")
    return folder


async def opened(page: Watched, folder: Path) -> None:
    """Open the page, and every customer on it."""
    await page.page.goto((folder / PAGE).as_uri())
    await page.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_axe_finds_nothing_in_light_and_dark_and_nothing_is_wider_than_the_window(
    browser: Browser, folder: Path, size: tuple[int, int]
) -> None:
    async with watched(browser, "file://", size=size, color_scheme="light") as page:
        await opened(page, folder)
        assert await page.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await page.flaws() == []
        await page.page.emulate_media(color_scheme="dark")
        assert await page.flaws() == []


async def test_the_page_is_one_file_without_script_and_what_comes_from_outside_is_text(
    browser: Browser, folder: Path
) -> None:
    async with watched(browser, "file://") as page:
        asked: list[str] = []
        page.page.on("request", lambda request: asked.append(request.url))
        await opened(page, folder)
        assert asked == [(folder / PAGE).as_uri()]
        found = await page.page.evaluate(
            "[window.hacked, document.images.length, document.scripts.length, document.links.length]"
        )
        assert found == [None, 0, 0, 0]
        await expect(page.page.get_by_role("heading", level=1)).to_contain_text(MARKUP)
        for each in (*STRANGE, VISITOR):
            await expect(page.page.locator("summary code").get_by_text(each, exact=True)).to_have_count(1)
        policy = await page.page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
        assert (policy or "").startswith("default-src 'none'; style-src 'sha256-")
        shown = await page.page.evaluate("getComputedStyle(document.querySelector('section')).borderTopStyle")
        assert shown == "solid"  # the policy lets the page's own style through


async def test_tables_are_reached_and_customers_are_opened_by_the_keyboard(browser: Browser, folder: Path) -> None:
    async with watched(browser, "file://", size=NARROW) as page:
        await page.page.goto((folder / PAGE).as_uri())
        await page.tab_to(page.page.get_by_role("region", name="Where customers stand at the end"))
        first = page.page.locator("details").first
        await page.tab_to(first.locator("summary"))
        await page.page.keyboard.press("Enter")
        await expect(first).to_have_attribute("open", "")
        await expect(first.get_by_text("they part")).to_be_visible()
