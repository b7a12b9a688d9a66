"""`lifecycle webhooks` on Apache Kafka: changes arrive signed, once and in order, whatever becomes of the process."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import change, write
from tests.kit.topics import read_all
from tests.kit.webhooks import PICKY, SECRET, Receiver, WebhookProcess, endpoint, receiver

PARTITIONS = 2

Start = Callable[[str], AbstractAsyncContextManager[WebhookProcess]]


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    made = Settings(
        bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=PARTITIONS
    )
    await ensure_webhook_topics(made)
    return made


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest.fixture
def file(tmp_path: Path, hook: Receiver) -> Path:
    """One endpoint of everything."""
    made = tmp_path / "webhooks.yaml"
    made.write_text("endpoints:\n" + endpoint("all", hook.url()), encoding="utf-8")
    return made


def moves(subject: str, count: int, first: int = 2) -> list[str]:
    """The ids of so many changes of a subject."""
    return [f"shop:customer:{subject}:0-0:{number}" for number in range(first, first + count)]


async def move(settings: Settings, subject: str, count: int, first: int = 2, **more: object) -> list[str]:
    """Write so many changes of a subject; their ids."""
    changes = [change(subject, sequence=number, **more) for number in range(first, first + count)]
    await write(settings, changes)
    return moves(subject, count, first)


def firsts(ids: list[str], subject: str) -> list[str]:
    """The first arrival of each change of a subject, in order."""
    return list(dict.fromkeys(each for each in ids if f":{subject}:" in each))


async def test_each_change_arrives_once_signed_and_in_order_as_a_cloud_event(
    settings: Settings, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        wanted = await move(settings, "ann", 5)
        wanted += await move(settings, "bob", 5)
        await hook.until(lambda: len(hook.got) >= 10)
        assert sorted(hook.ids) == sorted(wanted)
        assert firsts(hook.ids, "ann") == wanted[:5]
        for each in hook.got:
            body = Webhook(SECRET).verify(each.body, dict(each.headers))
            assert body["id"] == each.id
            assert body["data"]["to"] == "customer"
            assert each.headers["Content-Type"] == "application/cloudevents+json"
        assert await process.end() == 0


async def test_what_failed_is_tried_again_before_the_customer_s_next_change_and_holds_up_nobody_else(
    settings: Settings, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    failures = iter([500, 302])

    async def answers(request: web.Request) -> web.StreamResponse:
        is_ann = ":ann:" in request.headers["webhook-id"]
        return web.Response(status=next(failures, 200) if is_ann else 200, headers={"Location": "/elsewhere"})

    hook.answers = answers
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        ann = await move(settings, "ann", 2)
        bob = await move(settings, "bob", 3)
        await hook.until(lambda: len([each for each in hook.got if ":bob:" in each.id]) == 3)
        assert [each for each in hook.ids if ":ann:" in each] == ann[:1]
        await hook.until(lambda: len(hook.got) >= 5)
        assert [each for each in hook.ids if ":ann:" in each] == [ann[0], ann[0]]
        assert firsts(hook.ids, "bob") == bob
        first, second = (each for each in hook.got if ":ann:" in each.id)
        assert second.at - first.at >= 5
        assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
        code, said = await process.command("deliveries", "--customer", "ann", "--json")
        assert code == 0
        tried = [json.loads(line) for line in said.splitlines()]
        assert [(each["attempt"], each["status"]) for each in tried] == [(1, 500), (2, 302)]
        assert process.log.count("endpoint all fails: it answers 500. Changes for it wait and are tried again") == 1
        assert process.log.count("endpoint all takes changes again, after ") == 1


async def test_410_ends_all_requests_until_somebody_resumes(
    settings: Settings, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    async def gone(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=410)

    hook.answers = gone
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        wanted = await move(settings, "ann", 1)
        await hook.until(lambda: len(hook.got) == 1)
        for subject in ("bob", "eve", "joe"):
            wanted += await move(settings, subject, 1)
        async with asyncio.timeout(30):
            while 'lifecycle_webhook_disabled{endpoint="all"} 1.0' not in await process.metrics():
                await asyncio.sleep(0.1)
            while 'lifecycle_webhook_waiting{endpoint="all"} 4.0' not in await process.metrics():
                await asyncio.sleep(0.1)
        assert len(hook.got) == 1
        assert await process.end() == 0
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        await asyncio.sleep(1)
        assert len(hook.got) == 1

        async def taken(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=200)

        hook.answers = taken
        assert (await process.command("resume", "all"))[0] == 0
        await hook.until(lambda: len(hook.got) == 5)
        assert sorted(hook.ids[1:]) == sorted(wanted)


async def test_what_waits_outlives_kill_9_and_goes_on_where_it_was(
    settings: Settings, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    async def failing(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    hook.answers = failing
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        wanted = await move(settings, "ann", 3)
        await until_attempted(settings)
        await process.end(signal.SIGKILL)
    failed = len(hook.got)
    hook.answers = taken_by_all
    async with WebhookProcess(settings, file, tmp_path / "log"):
        await hook.until(lambda: len(hook.got) >= failed + 3)
        assert hook.ids == [wanted[0]] * failed + wanted


async def test_an_hour_that_an_endpoint_asked_for_outlives_kill_9_too(
    settings: Settings, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    """Nothing is sent, and all of it is there still; `resume` ends the endpoint's hour, and not the delivery's own."""

    async def failing(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": "3600"})

    hook.answers = failing
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        await move(settings, "ann", 3)
        await until_attempted(settings)
        await process.end(signal.SIGKILL)
    hook.answers = taken_by_all
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        [bob] = await move(settings, "bob", 1)
        async with asyncio.timeout(30):
            while 'lifecycle_webhook_waiting{endpoint="all"} 4.0' not in await process.metrics():
                await asyncio.sleep(0.1)
        code, said = await process.command("pause", "all", "--reason", "trying")
        assert (code, "is paused" in said) == (0, True)
        assert len(hook.got) == 1
        assert (await process.command("resume", "all"))[0] == 0
        await hook.until(lambda: len(hook.got) >= 2)
        assert hook.ids[1:] == [bob]


async def until_attempted(settings: Settings) -> None:
    """Return once an attempt is written down."""
    async with asyncio.timeout(30):
        while not await attempts(settings):
            await asyncio.sleep(0.1)


async def taken_by_all(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=200)


def write_template(file: Path, template: str, more: str) -> None:
    """Put a template of the user's own beside the file, and let all its endpoints and one more have that."""
    (file.parent / "own.yaml").write_text(template, encoding="utf-8")
    text = file.read_text(encoding="utf-8") + more
    file.write_text(text.replace("template: generic", "template: ./own.yaml"), encoding="utf-8")


async def attempts(settings: Settings) -> list[bytes]:
    """The records of the topic of attempts."""
    found = await read_all(settings.bootstrap, settings.webhook_topics.events)
    return [record.value for records in found.values() for record in records]


async def test_what_a_tool_refuses_is_given_up_and_replayed_once(
    settings: Settings, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    picky = endpoint("picky", hook.url("/picky"), when="'to == \"vip\"'")
    write_template(file, PICKY, picky)

    async def refusing(request: web.Request) -> web.StreamResponse:
        return web.Response(status=422 if request.path == "/picky" else 200)

    hook.answers = refusing
    async with WebhookProcess(settings, file, tmp_path / "log") as process:
        await process.until_ready(PARTITIONS)
        lost = await move(settings, "ann", 1, to_stage="vip")
        went_on = await move(settings, "ann", 1, first=3, to_stage="vip")
        await hook.until(lambda: len(hook.got) == 4)
        code, said = await process.command("replay", "--endpoint", "picky", "--dry-run")
        assert (code, said.strip()) == (0, "2 changes to replay: 2 refused by picky")
        hook.answers = taken_by_all
        code, said = await process.command("replay", "--customer", "ann", "--yes")
        assert (code, said.splitlines()[-1]) == (0, "2 changes on the way")
        await hook.until(lambda: len(hook.got) == 6)
        assert [each.id for each in hook.got if each.path == "/picky"] == [*lost, *went_on] * 2
        code, said = await process.command("replay", "--all", "--yes")
        assert (code, said.splitlines()) == (0, ["0 changes to replay", "2 left out: replayed since"])
