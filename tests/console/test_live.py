"""The page while much happens, and while the worker is away."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from stream.core.interaction import Interaction
from stream.kafka.interaction_producer import InteractionProducer
from tests.console.browser import Watched, watched
from tests.console.product import prefix, worker
from tests.kit.kafka import SharedKafka

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

FLAPPING = """
lifecycle: flapping
title: Flapping
interactions: {visit: [page], leave: [bye]}
scores: {heat: {half_life: 1h}}
signals: {seen: {each: visit, add: {heat: 1}}}
stages: {out: {title: Out}, in: {title: In}}
transitions:
  - {from: out, to: in, when: event.type == "visit"}
  - {from: in, to: out, when: event.type == "leave"}
"""
RATE = 1_000
SECONDS = 6
MOST_ROWS = 50


@pytest.fixture
def lifecycle(tmp_path: Path) -> str:
    file = tmp_path / "flapping.yaml"
    file.write_text(FLAPPING, encoding="utf-8")
    return str(file)


def flaps(count: int) -> list[Interaction]:
    """As many moves: each of 100 customers goes in and out."""
    now = time.time_ns() // 1_000_000
    return [
        Interaction(f"c-{number % 100}", None, None, ("page", "bye")[number // 100 % 2], now, {}, {})
        for number in range(count)
    ]


async def rows(page: Page) -> int:
    return await page.locator(".feed li").count()


async def test_a_thousand_changes_a_second_leave_the_page_small_and_quick(
    browser: Browser, kafka: SharedKafka, tmp_path: Path, lifecycle: str
) -> None:
    """Rows stay bounded, and a key that is pressed is answered while they come; paused, they are counted."""
    async with (
        worker(kafka.bootstrap, prefix(), tmp_path, lifecycle, clock="wall") as started,
        InteractionProducer(started.settings, rate=RATE) as producer,
    ):
        for each in flaps(200):
            await producer.send(each)
        await started.ready()
        async with watched(browser, started.url) as page:
            await page.go("#/lifecycles/flapping", heading="Flapping")
            await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
            await page.settled()
            sending = asyncio.create_task(sent(producer, flaps(RATE * SECONDS)))
            nodes = most = 0
            slowest = 0.0
            while not sending.done():
                began = time.monotonic()
                await page.page.keyboard.press("Tab")
                most = max(most, await rows(page.page))
                slowest = max(slowest, time.monotonic() - began)
                nodes = await page.page.evaluate("document.querySelectorAll('*').length")
                await asyncio.sleep(0.05)
            await sending
            assert 0 < most <= MOST_ROWS
            assert nodes < 2_500
            assert slowest < 5
            await page.page.get_by_role("button", name="Pause").click()
            before = await page.page.locator(".feed").inner_text()
            await sent(producer, flaps(RATE))
            await expect(page.page.get_by_role("button", name="changes came meanwhile")).to_be_visible()
            assert await page.page.locator(".feed").inner_text() == before
            await page.page.get_by_role("button", name="Go on").click()
            await expect(page.page.locator(".feed li")).to_have_count(MOST_ROWS)
            await expect(page.page.get_by_role("button", name="changes came meanwhile")).to_be_hidden()


async def sent(producer: InteractionProducer, interactions: list[Interaction]) -> None:
    for each in interactions:
        await producer.send(each)


async def test_counts_follow_what_happens(browser: Browser, kafka: SharedKafka, tmp_path: Path, lifecycle: str) -> None:
    """Without a reload: the numbers of the stages, and who came last; also after nobody looked at the page."""
    async with (
        worker(kafka.bootstrap, prefix(), tmp_path, lifecycle, clock="wall") as started,
        InteractionProducer(started.settings) as producer,
    ):
        await started.ready()
        async with watched(browser, started.url) as page:
            await page.go("#/lifecycles/flapping", heading="Flapping")
            await expect(page.page.get_by_text("Nobody is in this lifecycle yet.").first).to_be_visible()
            await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
            await sent(producer, flaps(100))
            await producer.tick(time.time_ns() // 1_000_000)
            await expect(page.page.get_by_role("link", name="In: 100 customers")).to_be_visible()
            await expect(page.page.locator(".feed li").first).to_contain_text("Out → to In")
            await look_away(page.page, True)
            await expect(page.page.get_by_text("Live", exact=True)).to_have_count(0)
            await sent(producer, flaps(200)[100:])
            await asyncio.sleep(0.01)  # all leave, and a moment later one comes back
            await sent(producer, flaps(1))
            await producer.tick(time.time_ns() // 1_000_000)
            await look_away(page.page, False)
            await expect(page.page.get_by_text("Live", exact=True)).to_be_visible()
            await expect(page.page.locator(".feed li").first).to_contain_text("c-0")
            await expect(page.page.get_by_role("link", name="Out: 99 customers")).to_be_visible()


async def look_away(page: Page, away: bool) -> None:
    """As whoever goes to another tab of the browser, or comes back."""
    await page.evaluate(
        """(away) => {
            Object.defineProperty(document, "hidden", { value: away, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )


async def test_a_worker_that_is_away_is_said_and_comes_back_by_itself(
    browser: Browser, kafka: SharedKafka, tmp_path: Path, lifecycle: str
) -> None:
    """First nobody answers; then a worker does that waits for the partitions of the dead one, and says 503."""
    async with worker(kafka.bootstrap, prefix(), tmp_path, lifecycle, clock="wall", session_timeout="20s") as started:
        async with InteractionProducer(started.settings) as producer:
            await sent(producer, flaps(100))
        await started.ready()
        async with watched(browser, started.url) as page:
            page.may_lose_the_worker, page.allowed = True, {503}
            await page.go("#/lifecycles/flapping", heading="Flapping")
            await page.settled()
            await started.end(signal.SIGKILL)
            await page.page.evaluate("location.hash = '#/customers/c-1'")
            await expect(page.page.get_by_text("The worker cannot be reached.").first).to_be_visible()
            await expect(page.page.get_by_text("The page tries again by itself.").first).to_be_visible()
            await started.start()
            await expect(page.page.get_by_text("This is moving to another worker.").first).to_be_visible()
            await expect(life(page)).to_be_visible(timeout=60_000)
            await expect(page.page.get_by_text("The worker cannot be reached.")).to_have_count(0)


def life(page: Watched):
    return page.page.get_by_role("region", name="Flapping")


async def test_operations_say_what_is_wrong(
    browser: Browser, kafka: SharedKafka, tmp_path: Path, lifecycle: str
) -> None:
    """A worker of two that was stopped is no good system; once it goes on, all is well."""
    group = prefix()
    async with worker(kafka.bootstrap, group, tmp_path, lifecycle, clock="wall", session_timeout="30s") as one:
        await one.ready()
        async with worker(kafka.bootstrap, group, tmp_path, lifecycle, clock="wall", session_timeout="30s") as two:
            for each in (two, one):
                await each.ready()
            async with watched(browser, one.url) as page:
                await page.go("#/operations", heading="Operations")
                await expect(page.page.locator(".verdict")).to_contain_text("The system is well.")
                assert two._process is not None
                two._process.send_signal(signal.SIGSTOP)
                try:
                    said = page.page.locator(".verdict")
                    await expect(said).to_contain_text("The system is not well.", timeout=40_000)
                    await expect(said).to_contain_text(f"The worker at {two.url}: it does not answer")
                finally:
                    two._process.send_signal(signal.SIGCONT)
                await expect(said).to_contain_text("The system is well.", timeout=40_000)
