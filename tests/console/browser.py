"""A real Chromium, and pages in it that notice what a reader would not: errors, breaches, questions elsewhere."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, async_playwright, expect

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ANSWERED: Final = "Failed to load resource: the server responded with a status of "
_UNREACHABLE: Final = (
    "net::ERR_CONNECTION_REFUSED",
    "net::ERR_CONNECTION_RESET",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
)
_BREACHES: Final = """
window.breaches = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.breaches.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""
_AXE: Final = AXE_FILE_PATH.read_text(encoding="utf-8")
WIDE: Final = (1280, 900)
NARROW: Final = (360, 740)
expect.set_options(timeout=20_000)


def chromium_path() -> str:
    """Chromium's program: CHROMIUM where that is set. Raises RuntimeError where there is none."""
    named = os.environ.get("CHROMIUM")
    for each in (named,) if named else _NAMES:
        found = shutil.which(each)
        if found is not None:
            return found
    raise RuntimeError(
        "The tests of the console need Chromium, and there is none on the PATH: run tests/kit/chromium.sh, or set "
        "CHROMIUM to the path of a Chromium or Chrome"
    )


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser that looks for no updates and asks nobody anything."""
    path = chromium_path()
    # As root, which tests are in containers, Chromium has no sandbox.
    options = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=options)
        try:
            yield browser
        finally:
            await browser.close()


class Watched:
    """A page, and what went wrong on it. `allowed` are statuses of answers that the test means to get."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.allowed: set[int] = set()
        self.may_lose_the_worker = False
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(f"error: {error}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        text = message.text
        if message.type not in ("error", "warning"):
            return
        if text.startswith(_ANSWERED) and any(text.startswith(f"{_ANSWERED}{each}") for each in self.allowed):
            return
        if self.may_lose_the_worker and any(each in text for each in _UNREACHABLE):
            return
        self.errors.append(f"{message.type}: {text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.elsewhere.append(request.url)

    async def go(self, hash_: str = "", *, heading: str | None = None) -> None:
        """Open the page, or another address in it, and wait until the view has its heading."""
        await self.page.goto(f"{self.url}/{hash_}")
        if heading is not None:
            await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    async def settled(self) -> None:
        """Wait until nothing is loading any more."""
        await expect(self.page.locator(".skeleton")).to_have_count(0)
        await expect(self.page.locator("[aria-busy]")).to_have_count(0)

    async def tab_to(self, target: Locator) -> None:
        """Step to an element by the keyboard alone. Raises AssertionError where it cannot be reached so."""
        for _ in range(300):
            await self.page.keyboard.press("Tab")
            if await target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{target} is not reached by Tab")

    async def find(self, customer: str) -> None:
        """Go to a customer by the keyboard alone."""
        await expect(self.page.get_by_label("Customer or anonymous id")).to_be_visible()
        await self.page.keyboard.press("/")
        await self.page.keyboard.insert_text(customer)
        await self.page.keyboard.press("Enter")
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(customer)

    async def flaws(self) -> list[str]:
        """What axe finds, each with the first element that it concerns."""
        await self.page.evaluate(_AXE)
        found: dict[str, Any] = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for each in found["violations"]
            for node in each["nodes"][:3]
        ]

    async def wider_than_the_window(self) -> list[str]:
        """Elements that make the page scroll to the side."""
        return await self.page.evaluate(
            """() => {
                const room = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth <= room) return [];
                return [...document.querySelectorAll("body *")]
                    .filter((each) => each.getBoundingClientRect().right > room + 1)
                    .map((each) => `${each.tagName} ${each.className} ${each.textContent.slice(0, 40)}`);
            }"""
        )


@asynccontextmanager
async def watched(
    browser: Browser, url: str, *, size: tuple[int, int] = WIDE, **options: Any
) -> AsyncIterator[Watched]:
    """A page of its own; raises AssertionError at the end where something went wrong on it."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="en-GB", timezone_id="Europe/Paris", **options
    )
    try:
        await context.add_init_script(_BREACHES)
        page = Watched(await context.new_page(), url)
        yield page
        breaches = await page.page.evaluate("window.breaches")
        wrong = [*page.errors, *breaches, *page.elsewhere]
        assert not wrong, wrong
    finally:
        await context.close()
