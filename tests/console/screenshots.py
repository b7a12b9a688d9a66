"""Pictures of the console on the running demo, each view in light, dark and narrow: `make screenshots`."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from playwright.async_api import Browser, Page, expect

from stream.cli.demo_data import SHOWN_PEOPLE
from stream.demo.shop import shop_interactions
from stream.kafka.embedded.process import free_port
from tests.console.browser import chromium

FOLDER = Path(__file__).parents[2] / ".data" / "screenshots"
STYLES: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 360, "height": 780}, "color_scheme": "light", "device_scale_factor": 2},
}
_SECONDS = 120


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """The address of the demo's worker, once all is replayed."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", "demo", "--seconds", "5"),
        *("--web-port", str(port), "--collector-port", str(free_port())),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        total = sum(1 for _ in shop_interactions(SHOWN_PEOPLE))
        async with asyncio.timeout(_SECONDS):
            while not await _has_taken(url, total):
                if process.returncode is not None:
                    raise RuntimeError("the demo ended")
                await asyncio.sleep(0.5)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()


async def _has_taken(url: str, total: int) -> bool:
    try:
        partitions = [
            each for worker in (await _ask(url, "/v1/operations"))["workers"] for each in worker["partitions"]
        ]
    except aiohttp.ClientError:
        return False
    return sum(each["position"] or 0 for each in partitions) >= total and all(each["lag"] == 0 for each in partitions)


async def _ask(url: str, path: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url + path) as response:
        response.raise_for_status()
        return await response.json()


async def eventful(url: str, stage: str) -> str:
    """The customer of a stage to whom most happened."""
    path = f"/v1/lifecycles/metrics/stages/{stage}/customers?order=entered&limit=15"
    ids = [each["customer_id"] for each in (await _ask(url, path))["customers"] if "customer_id" in each]
    changes = [len((await _ask(url, f"/v1/customers/{quote(each, safe='')}/changes"))["changes"]) for each in ids]
    return max(zip(changes, ids, strict=True))[1]


async def take(browser: Browser, url: str, folder: Path) -> None:
    """All pictures."""
    views = {
        "overview": "#/lifecycles/metrics",
        "figures": "#/lifecycles/metrics/figures",
        "stage": "#/lifecycles/metrics/stages/retention",
        "customer": f"#/customers/{quote(await eventful(url, 'retention'), safe='')}",
        "operations": "#/operations",
        "nobody": "#/anonymous/nobody",
    }
    for style, options in STYLES.items():
        context = await browser.new_context(locale="en-GB", timezone_id="Europe/Paris", **options)
        page = await context.new_page()
        for view, hash_ in views.items():
            await page.goto(f"{url}/{hash_}")
            await _settled(page)
            await page.screenshot(path=folder / f"{view}-{style}.png", full_page=True, animations="disabled")
        await page.route("**/v1/console", _as_a_stranger)
        await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        await page.screenshot(path=folder / f"login-{style}.png", full_page=True)
        await context.close()


async def _as_a_stranger(route: Any) -> None:
    """What a worker with tokens says to who has none: the demo asks for none."""
    known = await (await route.fetch()).json()
    await route.fulfill(json={**known, "login": True, "roles": []})


async def _settled(page: Page) -> None:
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)
    await expect(page.locator("[aria-busy]")).to_have_count(0)
    await page.wait_for_timeout(1_000)  # what is drawn after an answer


async def _take_all(folder: Path) -> None:
    async with demo() as url, chromium() as browser:
        await take(browser, url, folder)


def main(folder: Path) -> None:
    """Write the pictures to a folder, and say which they are."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take_all(folder))
    for each in sorted(folder.glob("*.png")):
        sys.stdout.write(f"{each}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
