"""What the collector asks of tracing, where that is on: a span for each request. `stream.tracing` makes spans."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from stream.codec.records import Headers

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RequestTracing(Protocol):
    """Makes the spans of all requests."""

    def traced(self, answer: Answer, path: str | None) -> Answer:
        """The same answer within a span; `path` is that of the route, None where no route is meant."""

    def headers(self) -> Headers:
        """What the records that the present request makes get, so that their trace goes on."""
