"""Between OpenTelemetry's contexts and those that records and requests carry."""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags, TraceState

from stream.codec.trace_context import TraceContext

ROOT = Context()
"""In which nothing is: what begins in it begins a trace."""


def span_context(context: TraceContext) -> SpanContext:
    """What OpenTelemetry calls it."""
    state = context.tracestate.decode()
    return SpanContext(
        int(context.trace_id, 16),
        int(context.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(int(context.traceparent[-2:], 16)),
        trace_state=TraceState.from_header([state]) if state else None,
    )


def parent(context: TraceContext | None) -> Context:
    """The one in which the next span continues that trace; None begins one."""
    return ROOT if context is None else trace.set_span_in_context(NonRecordingSpan(span_context(context)), ROOT)


def link(context: TraceContext) -> Link:
    """To a span of another trace."""
    return Link(span_context(context))


def context_of_span(span: Span) -> TraceContext | None:
    """The one that what the span causes is to carry; None where tracing is disabled."""
    own = span.get_span_context()
    if not own.is_valid:
        return None
    parent_text = f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"
    return TraceContext(parent_text.encode(), own.trace_state.to_header().encode() if own.trace_state else b"")


def current_trace() -> str | None:
    """The trace within which this runs, 32 hex digits."""
    own = trace.get_current_span().get_span_context()
    return f"{own.trace_id:032x}" if own.is_valid else None


def fail(span: Span, error: str) -> None:
    """The span's work failed. Of an exception only its kind is told: its words may quote a record."""
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))
