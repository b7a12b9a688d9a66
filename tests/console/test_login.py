"""Who may see the page's data: a token is asked for, kept where no script reads it, and given back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from stream.codec.records import Outgoing
from stream.core.durations import DAY
from stream.demo.shop import SHOP_CLOSED
from tests.console.browser import Watched, watched
from tests.console.product import MARKUP, Worker, prefix, send, strange, worker
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

READS = "0123456789abcdef-reads-customers"
OPERATES = "0123456789abcdef-operates"
BOTH = "0123456789abcdef-does-both"
ROLES = {READS: '"read"', OPERATES: '"operate"', BOTH: '"read", "operate"'}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(kafka: SharedKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    """A worker that asks for tokens."""
    folder = tmp_path_factory.mktemp("guarded")
    tokens = folder / "tokens.toml"
    write(tokens, ROLES)
    async with worker(kafka.bootstrap, prefix(), folder, "metrics", web_tokens=str(tokens)) as started:
        await send(started.settings, strange(), until=SHOP_CLOSED + DAY)
        unreadable = [Outgoing(MARKUP.encode(), f'{{"type": "{MARKUP}"'.encode())]
        await produce(kafka.bootstrap, started.settings.topics.interactions, unreadable)
        await started.is_ready()
        yield started


def write(file: Path, tokens: dict[str, str]) -> None:
    text = "\n".join(
        f'[[token]]\ntoken = "{token}"\nname = "{token[17:]}"\nroles = [{roles}]' for token, roles in tokens.items()
    )
    file.write_text(text, encoding="utf-8")


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, guarded: Worker) -> AsyncIterator[Watched]:
    async with watched(browser, guarded.url) as opened:
        yield opened


async def sign_in(page: Watched, token: str) -> None:
    """By the keyboard: the field has the focus."""
    await expect(page.page.get_by_label("Token")).to_be_focused()
    await page.page.keyboard.insert_text(token)
    await page.page.keyboard.press("Enter")


async def test_a_token_lets_in_and_is_kept_where_no_script_reads_it(page: Watched) -> None:
    await page.go(heading="Sign in")
    assert await page.flaws() == []
    await sign_in(page, BOTH)
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Customer life cycle metrics")
    [cookie] = await page.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    stored = await page.page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert BOTH not in stored
    await page.page.reload()
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Customer life cycle metrics")


async def test_whoever_signs_out_is_asked_again(page: Watched) -> None:
    await page.go(heading="Sign in")
    await sign_in(page, BOTH)
    await page.settled()
    await page.tab_to(page.page.get_by_role("button", name="Sign out"))
    await page.page.keyboard.press("Enter")
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert await page.page.context.cookies() == []


async def test_a_wrong_token_is_said_to_be_wrong_and_another_is_taken(page: Watched) -> None:
    page.allowed = {401}
    await page.go(heading="Sign in")
    await sign_in(page, "wrong")
    await expect(page.page.get_by_role("alert")).to_contain_text("No token like this is known.")
    await sign_in(page, READS)
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Customer life cycle metrics")


async def test_after_the_login_the_reader_is_where_the_address_says(page: Watched) -> None:
    await page.go("#/lifecycles/metrics/stages/dormant", heading="Sign in")
    await sign_in(page, READS)
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Dormant")


async def test_who_may_only_operate_sees_operations_and_no_customer(page: Watched) -> None:
    await page.go(heading="Sign in")
    await sign_in(page, OPERATES)
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Operations")
    await expect(page.page.locator(".verdict")).to_contain_text("The system is well")
    await expect(page.page.get_by_label("Customer or anonymous id")).to_have_count(0)
    await page.page.evaluate(f"location.hash = '#/customers/' + encodeURIComponent({MARKUP!r})")
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("No right to see this")
    await expect(page.page.get_by_text("This needs the role “read”")).to_be_visible()
    assert await page.flaws() == []


async def test_who_may_only_read_sees_customers_and_no_operations(page: Watched) -> None:
    await page.go(heading="Sign in")
    await sign_in(page, READS)
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Customer life cycle metrics")
    await expect(page.page.get_by_role("link", name="Operations")).to_have_count(0)
    await page.go("#/operations", heading="No right to see this")


async def test_a_dead_letter_is_shown_as_text_to_who_may_read_and_its_reason_to_who_may_operate(page: Watched) -> None:
    await page.go("#/operations", heading="Sign in")
    await sign_in(page, BOTH)
    letters = page.page.get_by_role("region", name="Dead letters")
    await expect(letters.get_by_role("table", name="Reasons").get_by_role("row")).to_have_count(2)
    await letters.locator("summary").click()
    await expect(letters.locator("pre")).to_have_text(f'{{"type": "{MARKUP}"')
    await expect(letters.locator("summary")).to_have_text(f"of {MARKUP}")
    await expect(page.page.locator(".verdict")).to_contain_text("Interactions that could not be read came")
    assert await page.page.evaluate("[window.hacked, document.images.length]") == [None, 0]
    assert await page.flaws() == []
    await page.page.get_by_role("button", name="Sign out").click()
    await sign_in(page, OPERATES)
    await expect(letters.get_by_role("table", name="Reasons").get_by_role("row")).to_have_count(2)
    await expect(letters).to_contain_text("needs the role “read”")
    await expect(letters.locator("pre")).to_have_count(0)
    assert "onerror" not in await page.page.locator("body").inner_text()


async def test_a_token_that_is_taken_back_asks_for_another(page: Watched, guarded: Worker, tmp_path: Path) -> None:
    """Whatever is shown goes with it."""
    page.allowed = {401}
    await page.go(heading="Sign in")
    await sign_in(page, BOTH)
    await page.settled()
    await page.page.context.clear_cookies()
    await page.page.evaluate("location.hash = '#/operations'")
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    await sign_in(page, BOTH)
    await expect(page.page.get_by_role("heading", level=1)).to_have_text("Operations")


async def test_without_tokens_another_machine_is_told_what_to_do(
    browser: Browser, kafka: SharedKafka, tmp_path: Path
) -> None:
    """As a request that came through a proxy."""
    async with worker(kafka.bootstrap, prefix(), tmp_path, "metrics") as started:
        await started.ready()
        async with watched(browser, started.url, extra_http_headers={"X-Forwarded-For": "10.0.0.9"}) as page:
            await page.go(heading="Only on this machine")
            assert await page.flaws() == []
