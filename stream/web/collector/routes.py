"""The paths of the collector: those of Segment's API as SDKs call them, our own, and health and metrics.

Every path is there with and without a slash at its end, since a redirect would be "delivered" to some SDKs.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from stream.web.authentication import refusal_without
from stream.web.collector.access import Access
from stream.web.collector.answers import Refused
from stream.web.collector.connection import Connection
from stream.web.collector.cors import expose, preflight
from stream.web.collector.metrics import CollectorMetrics
from stream.web.collector.request_tracing import RequestTracing
from stream.web.collector.sdk_settings import SdkSettings
from stream.web.collector.taking import Taker
from stream.web.openapi import PATH as OPENAPI
from stream.web.openapi import description
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
_HEALTH: Final = "health"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def collector_routes(
    taker: Taker,
    access: Access,
    connection: Connection,
    metrics: CollectorMetrics,
    tokens: Tokens,
    sdk_settings: SdkSettings,
    tracing: RequestTracing | None = None,
) -> web.Application:
    """The application that the collector serves; `tracing` makes a span of each request but those about health."""
    paths = _Paths(access, metrics, tracing)

    def call(name: str) -> Answer:
        async def take(request: web.Request) -> web.StreamResponse:
            return await taker.calls(request, name)

        return take

    for path in BATCHES:
        paths.add("POST", path, "segment", call(""))
    for name, short in CALLS.items():
        for path in (f"/v1/{name}", f"/v1/{short}", f"/api/s/{name}"):
            paths.add("POST", path, "segment", call(name))
    paths.add("POST", "/v1/interactions", "native", taker.interactions)
    paths.add("POST", "/v1/events", "cloudevents", taker.events)
    paths.add("GET", "/v1/projects/{key}/settings", "settings", sdk_settings.of_segment)
    paths.add("GET", "/sourceConfig", "settings", sdk_settings.of_rudderstack)
    paths.add("GET", OPENAPI, "settings", description)
    _add_health(paths, connection, metrics, tokens)
    return paths.application()


def _add_health(paths: "_Paths", connection: Connection, metrics: CollectorMetrics, tokens: Tokens) -> None:
    async def livez(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "live"})

    async def readyz(_request: web.Request) -> web.StreamResponse:
        ready = connection.ready
        body = {"status": "ready" if ready else "not ready", "kafka": shown_contact(connection.contact.status())}
        return web.json_response(body, status=200 if ready else 503)

    async def shown_metrics(request: web.Request) -> web.StreamResponse:
        return refusal_without("operate", request, tokens) or metrics_answer(request, metrics.registry)

    paths.add("GET", "/livez", _HEALTH, livez)
    paths.add("GET", "/readyz", _HEALTH, readyz)
    paths.add("GET", "/metrics", _HEALTH, shown_metrics)


class _Paths:
    """Paths, each with and without a slash at its end."""

    def __init__(self, access: Access, metrics: CollectorMetrics, tracing: RequestTracing | None) -> None:
        self._access, self._metrics, self._tracing = access, metrics, tracing
        self._app = web.Application()
        self._methods: dict[str, set[str]] = {}

    def add(self, method: str, path: str, kind: str, answer: Answer) -> None:
        """Let `answer` answer a path; where it can be read, its head can be, too."""
        whole = self._whole(answer, kind, path)
        for each in (path, path + "/"):
            resource = self._app.router.add_resource(each)
            for name in ("GET", "HEAD") if method == "GET" else (method,):
                resource.add_route(name, whole)
                self._methods.setdefault(each, set()).add(name)

    def application(self) -> web.Application:
        """All of them, and an answer for every other path and method."""
        self._app.router.add_route("*", "/{path:.*}", self._whole(self._elsewhere, _OTHER, None))
        return self._app

    def _whole(self, answer: Answer, kind: str, path: str | None) -> Answer:
        whole = _answered(answer, kind, self._access, self._metrics)
        return whole if self._tracing is None or kind == _HEALTH else self._tracing.traced(whole, path)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        """Preflights of every path, and paths and methods that there are not. Raises Refused."""
        if request.method == "OPTIONS":
            return preflight(request, self._access)
        allowed = sorted(self._methods.get(request.path, ()))
        if not allowed:
            raise Refused(404, "not_found", f"there is no path {request.path[:100]}; see docs/collector.md")
        raise Refused(405, "method_not_allowed", f"this path takes {', '.join(allowed)}", allowed=allowed)


def _answered(answer: Answer, kind: str, access: Access, metrics: CollectorMetrics) -> Answer:
    """The same, with every refusal as an answer that programs can read, and counted.

    Not a middleware, which would take longer.
    """

    async def whole(request: web.Request) -> web.StreamResponse:
        try:
            response = await answer(request)
        except Refused as refused:
            metrics.refused.labels(refused.code).inc()
            response = refused.answer()
        expose(request, response, access)
        metrics.answered(kind, response.status)
        return response

    return whole
