"""A process of `lifecycle webhooks` that was stopped, and wakes when another one has its partitions."""

import asyncio
import signal
from pathlib import Path

from aiohttp import web

from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.kit.kafka import SharedKafka
from tests.kit.stage_changes import change, write
from tests.kit.webhooks import WebhookProcess, endpoint, receiver

NAME = "TEST_PROCESS"
CUSTOMERS = 20


async def test_whoever_wakes_sends_nothing_of_what_it_had_taken(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """It had taken all, and was waiting for the first answer: the others are another's by now, and delivered."""
    settings = Settings(bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=1)
    await ensure_webhook_topics(settings)
    answered = asyncio.Event()

    async def answers(request: web.Request) -> web.StreamResponse:
        if request.headers["x-sent-by"] == "sleeper":
            await answered.wait()
        return web.Response(status=204)

    async with receiver() as hook:
        hook.answers = answers
        file = tmp_path / "webhooks.yaml"
        headers = f"{{x-sent-by: {{env: {NAME}}}}}"
        file.write_text(f"endpoints:\n{endpoint('all', hook.url(), concurrency='1', headers=headers)}", "utf-8")
        sleeper = WebhookProcess(settings, file, tmp_path / "sleeper.log")
        other = WebhookProcess(settings, file, tmp_path / "other.log")
        sleeper.environment[NAME], other.environment[NAME] = "sleeper", "other"
        async with sleeper:
            await sleeper.until_ready(1)
            await write(settings, [change(f"c{number}") for number in range(CUSTOMERS)])
            async with asyncio.timeout(30):
                while 'lifecycle_webhook_sending{endpoint="all"} 1.0' not in await sleeper.metrics():
                    await asyncio.sleep(0.1)
            sleeper.process.send_signal(signal.SIGSTOP)
            async with other:
                await hook.until(lambda: len(hook.got) >= CUSTOMERS)
                answered.set()
                await hook.until(lambda: len(hook.got) > CUSTOMERS)
                sleeper.process.send_signal(signal.SIGCONT)
                async with asyncio.timeout(30):
                    while sleeper.log.count("this worker has partitions") < 2:
                        await asyncio.sleep(0.1)
        sent_by = [each.headers["x-sent-by"] for each in hook.got]
        assert sent_by == ["other"] * CUSTOMERS + ["sleeper"]
