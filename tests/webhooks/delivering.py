"""Send what a template makes of a change, over HTTP, and judge the answers, as an attempt does."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp
from yarl import URL

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.exchange import Answer, Outcome, Verdict
from stream.webhooks.templating.template_file import load_template


async def deliver(
    template: str, values: Mapping[str, str], change: SubscribedChange, folder: Path = Path()
) -> Outcome | None:
    """The outcome of the first request that is not delivered, else of the last; None where there was none to send."""
    loaded = load_template(template, folder)
    assert loaded.problems(values) == {}
    outcome: Outcome | None = None
    async with aiohttp.ClientSession() as session:
        for method, url, headers, body in loaded.requests(change, change.event_id, values):
            sent = session.request(
                method, URL(url, encoded=True), headers=list(headers), data=body, allow_redirects=False
            )
            async with sent as response:
                answer = Answer(response.status, response.headers, await response.read())
            outcome = loaded.outcome(answer)
            if outcome.verdict is not Verdict.DELIVERED:
                return outcome
    return outcome
