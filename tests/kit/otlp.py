"""An endpoint of OpenTelemetry that keeps the spans that it gets, read by the protocol's own classes."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

KINDS = {Span.SPAN_KIND_CONSUMER: "consumer", Span.SPAN_KIND_CLIENT: "client", Span.SPAN_KIND_SERVER: "server"}


class SeenSpan(NamedTuple):
    """A span as it arrived; ids in hex."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    """Empty where it begins its trace."""
    attributes: Mapping[str, Any]
    links: tuple[tuple[str, str], ...]
    """Trace and span of each."""
    failed: bool
    start: int
    end: int
    """Nanoseconds since the epoch."""
    resource: Mapping[str, Any]
    text: str
    """All of it as the protocol's own class shows it."""


class Endpoint:
    """Takes spans at `url`; `status` is what it answers."""

    def __init__(self) -> None:
        self.spans: list[SeenSpan] = []
        self.requests = 0
        self.status = 200
        self.url = ""
        self._came = threading.Condition()

    def of(self, service: str = "", name: str = "") -> list[SeenSpan]:
        """Those of a service, whose names begin so."""
        with self._came:
            found = list(self.spans)
        return [each for each in found if service in ("", each.service) and each.name.startswith(name)]

    def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `holds()`, looked at after each request. Raises TimeoutError; blocks its thread."""
        deadline = time.monotonic() + seconds
        while not holds():
            with self._came:
                self._came.wait(0.2)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{[(each.service, each.name) for each in self.spans]}")

    def environment(self, **more: str) -> dict[str, str]:
        """What lets a process send its spans here, soon; `more` are variables without `OTEL_`."""
        given = {"EXPORTER_OTLP_ENDPOINT": self.url, "BSP_SCHEDULE_DELAY": "200", **more}
        return {f"OTEL_{name}": value for name, value in given.items()}

    def take(self, body: bytes) -> None:
        """A request came."""
        with self._came:
            self.requests += 1
            if self.status == 200:
                self.spans += _spans(ExportTraceServiceRequest.FromString(body))
            self._came.notify_all()


@contextmanager
def otlp_endpoint() -> Iterator[Endpoint]:
    """One that listens on a free port of this machine."""
    made = Endpoint()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            assert self.headers["Content-Type"] == "application/x-protobuf"
            made.take(self.rfile.read(int(self.headers["Content-Length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(made.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[SeenSpan]:
    for each in request.resource_spans:
        resource = {pair.key: _value(pair.value) for pair in each.resource.attributes}
        for scope in each.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    str(resource["service.name"]),
                    span.name,
                    KINDS[span.kind],
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    {pair.key: _value(pair.value) for pair in span.attributes},
                    tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    span.status.code == Status.STATUS_CODE_ERROR,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    resource,
                    str(span),
                )


def _value(value: AnyValue) -> Any:
    return getattr(value, str(value.WhichOneof("value")))
