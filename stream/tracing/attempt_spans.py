"""A span for each request to an endpoint, a child of what caused the change; see `stream.webhooks.attempt_tracing`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from stream.codec.trace_context import TraceContext
from stream.tracing.contexts import context_of_span, fail, parent


class AttemptSpans:
    """Makes them. No span has a URL, an id or a property of a customer, a header or a body."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def attempt(self, endpoint: str, context: TraceContext | None, failed: int) -> "_Attempt":
        """See `AttemptTracing`."""
        return _Attempt(self._tracer, endpoint, context, failed)


class _Attempt:
    def __init__(self, tracer: Tracer, endpoint: str, context: TraceContext | None, failed: int) -> None:
        self._tracer, self._endpoint = tracer, endpoint
        self._parent = parent(context)
        self._failed = failed

    def request(self, method: str, host: str, port: int) -> AbstractContextManager["_Request"]:
        """See `AttemptTrace`."""
        return self._request(method, host, port)

    @contextmanager
    def _request(self, method: str, host: str, port: int) -> Iterator["_Request"]:
        attributes: dict[str, AttributeValue] = {
            "http.request.method": method,
            "server.address": host,
            "server.port": port,
            "lifecycle.endpoint": self._endpoint,
        }
        if self._failed:
            attributes["http.request.resend_count"] = self._failed
        span = self._tracer.start_span(f"{method} {self._endpoint}", self._parent, SpanKind.CLIENT, attributes)
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield _Request(span)


class _Request:
    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """See `RequestSpan`."""
        context = context_of_span(self._span)
        return () if context is None else tuple((name, value.decode()) for name, value in context.headers)

    def ended(self, status: int | None, verdict: str) -> None:
        """See `RequestSpan`."""
        span = self._span
        span.set_attribute("lifecycle.verdict", verdict)
        if status is None:
            fail(span, "no_answer")
            return
        span.set_attribute("http.response.status_code", status)
        if status >= 400:
            fail(span, str(status))
