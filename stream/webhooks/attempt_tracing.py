"""What those who send ask of tracing, where that is on: a span for each request. `stream.tracing` makes spans."""

from contextlib import AbstractContextManager
from typing import Protocol

from stream.codec.trace_context import TraceContext


class RequestSpan(Protocol):
    """The span of one request."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the request says of its trace."""

    def ended(self, status: int | None, verdict: str) -> None:
        """It was answered so, which means that; None: there was no answer."""


class AttemptTrace(Protocol):
    """Makes the spans of the requests of one attempt."""

    def request(self, method: str, host: str, port: int) -> AbstractContextManager[RequestSpan]:
        """The span of one request, entered as long as it lasts."""


class AttemptTracing(Protocol):
    """Makes the spans of all attempts of a process."""

    def attempt(self, endpoint: str, context: TraceContext | None, failed: int) -> AttemptTrace:
        """Of an attempt to deliver a change with this context to an endpoint, after so many that failed."""
