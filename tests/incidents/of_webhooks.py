"""Incidents of webhooks: an endpoint that fails, is gone, or refuses."""

from collections.abc import AsyncIterator

from aiohttp import web

from tests.incidents.incident import incident
from tests.incidents.site import CRM, Site
from tests.incidents.traffic import Traffic
from tests.kit.webhooks import Answers, always_taken


def answering(status: int, path: str) -> Answers:
    """Answer one endpoint with this status, all others with 204."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status) if request.path == path else await always_taken(request)

    return answer


@incident(
    "tool-fails",
    "a tool answers 500, and more waits for it than may",
    *("WebhookFails", "WebhooksLate", "WebhooksGivenUp"),
    within=180,
)
async def tool_fails(site: Site, _: Traffic) -> AsyncIterator[None]:
    site.endpoints["crm"] = {**CRM, "most_waiting": "300"}
    site.write_endpoints()
    site.tools.answers = answering(500, "/crm")
    yield
    site.tools.answers = always_taken
    site.endpoints["crm"] = dict(CRM)
    site.write_endpoints()


@incident("tool-gone", "an endpoint answers 410", "WebhookDisabled")
async def tool_gone(site: Site, _: Traffic) -> AsyncIterator[None]:
    site.endpoints["chat"] = {}
    site.write_endpoints()
    site.tools.answers = answering(410, "/chat")
    yield
    site.tools.answers = always_taken
    await site.command("webhooks", "resume", "chat")


@incident("tool-refuses", "a tool refuses changes for good", "WebhooksRefused", within=120)
async def tool_refuses(site: Site, _: Traffic) -> AsyncIterator[None]:
    site.endpoints["mail"] = {"template": "./picky.yaml"}
    site.write_endpoints()
    site.tools.answers = answering(422, "/mail")
    yield
    site.tools.answers = always_taken
    await site.command("webhooks", "replay", "--endpoint", "mail", "--yes")
    del site.endpoints["mail"]
    site.write_endpoints()
