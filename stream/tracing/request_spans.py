"""A span for each request to the collector, which continues the caller's trace."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from stream.codec.records import Headers
from stream.codec.trace_context import TRACEPARENT, TRACESTATE, TraceContext, context_of
from stream.tracing.contexts import context_of_span, fail, parent

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_OTHER: Final = "_OTHER"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RequestSpans:
    """Makes them. No span has a URL, an address of a sender, a key or a body."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def traced(self, answer: Answer, path: str | None) -> Answer:
        """The same answer, within a span; `path` is that of the route, None where there is none for it."""
        tracer = self._tracer
        about: dict[str, AttributeValue] = {} if path is None else {"http.route": path}

        async def within(request: web.Request) -> web.StreamResponse:
            method = request.method if request.method in _METHODS else _OTHER
            name = ("HTTP" if method is _OTHER else method) + ("" if path is None else f" {path}")
            attributes = {**about, "http.request.method": method, "url.scheme": request.scheme}
            with tracer.start_as_current_span(
                name,
                parent(_caller(request)),
                SpanKind.SERVER,
                attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    response = await answer(request)
                except BaseException as error:
                    fail(span, type(error).__qualname__)
                    raise
                span.set_attribute("http.response.status_code", response.status)
                if response.status >= 500:
                    fail(span, str(response.status))
                return response

        return within

    def headers(self) -> Headers:
        """Those of records that the present request makes."""
        context = context_of_span(trace.get_current_span())
        return () if context is None else context.headers


def _caller(request: web.Request) -> TraceContext | None:
    """The context that the caller sent; None where it sent none that is valid."""
    said = request.headers.get(TRACEPARENT)
    if said is None:
        return None
    state = ",".join(request.headers.getall(TRACESTATE, ()))
    return context_of(said.encode(errors="replace"), state.encode(errors="replace"))
