"""The paths of the collector: those of Segment's API as SDKs call them, our own, and health and metrics.

Every path is there with and without a slash at its end, since a redirect would be "delivered" to some SDKs.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from stream.web.authentication import refusal_without
from stream.web.collector.access import Access
from stream.web.collector.answers import Refused
from stream.web.collector.connection import Connection
from stream.web.collector.cors import expose, preflight
from stream.web.collector.metrics import CollectorMetrics
from stream.web.collector.sdk_settings import SdkSettings
from stream.web.collector.taking import Taker
from stream.web.routes import metrics_answer, shown_contact
from stream.web.tokens import Tokens

CALLS: Final = {
    "track": "t",
    "page": "p",
    "screen": "s",
    "identify": "i",
    "group": "g",
    "alias": "a",
}
"""Each call of the Segment spec, and its short path, which browsers use."""
BATCHES: Final = ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")
_OTHER: Final = "other"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def collector_routes(
    taker: Taker,
    access: Access,
    connection: Connection,
    metrics: CollectorMetrics,
    tokens: Tokens,
    sdk_settings: SdkSettings,
) -> web.Application:
    """The application that the collector serves."""
    kinds: dict[str, str] = {}
    app = web.Application(middlewares=[_answered(access, metrics, kinds)])

    def add(method: str, path: str, kind: str, answer: Answer) -> None:
        for each in (path, path + "/"):
            kinds[each] = kind
            app.router.add_route(method, each, answer)

    def call(name: str) -> Answer:
        async def take(request: web.Request) -> web.StreamResponse:
            return await taker.calls(request, name)

        return take

    async def livez(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "live"})

    async def readyz(_request: web.Request) -> web.StreamResponse:
        ready = connection.ready
        body = {"status": "ready" if ready else "not ready", "kafka": shown_contact(connection.contact.status())}
        return web.json_response(body, status=200 if ready else 503)

    async def shown_metrics(request: web.Request) -> web.StreamResponse:
        return refusal_without("operate", request, tokens) or metrics_answer(request, metrics.registry)

    for path in BATCHES:
        add("POST", path, "segment", call(""))
    for name, short in CALLS.items():
        for path in (f"/v1/{name}", f"/v1/{short}", f"/api/s/{name}"):
            add("POST", path, "segment", call(name))
    add("POST", "/api/s/batch", "segment", call(""))
    add("POST", "/v1/interactions", "native", taker.interactions)
    add("POST", "/v1/events", "cloudevents", taker.events)
    add("GET", "/v1/projects/{key}/settings", "settings", sdk_settings.of_segment)
    add("GET", "/sourceConfig", "settings", sdk_settings.of_rudderstack)
    add("GET", "/livez", "health", livez)
    add("GET", "/readyz", "health", readyz)
    add("GET", "/metrics", "health", shown_metrics)
    return app


def _answered(
    access: Access, metrics: CollectorMetrics, kinds: dict[str, str]
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Whatever happens is an answer that programs can read, and counted."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.method == "OPTIONS":
                response: web.StreamResponse = preflight(request, access)
            else:
                response = await handler(request)
        except Refused as refused:
            metrics.refused.labels(refused.code).inc()
            response = refused.answer()
        except web.HTTPException as error:
            response = _of_router(request, error)
        expose(request, response, access)
        metrics.answered(kinds.get(_path_of(request), _OTHER), response.status)
        return response

    return answer


def _path_of(request: web.Request) -> str:
    """The path as it was added here, empty where there is none."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical


def _of_router(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    """Paths and methods that there are not, in JSON like all other errors."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        response = Refused(405, "method_not_allowed", f"this path takes {allowed}").answer()
        response.headers["Allow"] = allowed
        return response
    if error.status == 404:
        return Refused(404, "not_found", f"there is no path {request.path[:100]}; see docs/collector.md").answer()
    return Refused(error.status, "refused", error.reason).answer()
