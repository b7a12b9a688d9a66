"""A shop that a worker has taken in, and a browser, both for the tests of one file."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from stream.core.durations import DAY
from stream.demo.shop import SHOP_CLOSED, shop_interactions
from tests.console.browser import NARROW, WIDE, Watched, chromium, watched
from tests.console.product import Worker, prefix, send, strange, worker
from tests.kit.kafka import SharedKafka

PEOPLE = 150


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(kafka: SharedKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """A worker that has taken 18 months of a shop, and of some people with strange ids."""
    folder = tmp_path_factory.mktemp("shop")
    async with worker(kafka.bootstrap, prefix(), folder, "metrics", "relationship") as started:
        await send(started.settings, [*shop_interactions(PEOPLE), *strange()], until=SHOP_CLOSED + DAY)
        await started.ready()
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, shop: Worker) -> AsyncIterator[Watched]:
    """On a desk, in light colours."""
    async with watched(browser, shop.url, size=WIDE) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def narrow(browser: Browser, shop: Worker) -> AsyncIterator[Watched]:
    """On a phone."""
    async with watched(browser, shop.url, size=NARROW) as opened:
        yield opened
