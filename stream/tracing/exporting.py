"""Sends spans by OTLP, in a thread of the SDK's own, and says now and then where they do not arrive.

Nothing waits for it: spans that find its queue full take the place of older ones.
"""

import logging
import os
import re
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from yarl import URL

from stream.errors import SettingsError
from stream.events import Event, report
from stream.kafka.log_throttle import Throttle
from stream.tracing.span_counts import SpanCounts

log = logging.getLogger(__name__)

PROTOCOL: Final = "http/protobuf"
_SAY_AGAIN: Final = 60.0
"""Seconds."""
_LONGEST_REASON: Final = 300
_QUERY: Final = re.compile(r"\?[^\s)]*")
"""Some endpoints have a key in it."""


class CountingProcessor(BatchSpanProcessor):
    """The SDK's queue and thread, with a count of what goes in."""

    def __init__(self, exporter: SpanExporter, counts: SpanCounts) -> None:
        super().__init__(exporter)
        self._counts = counts

    def on_end(self, span: ReadableSpan) -> None:
        """See `SpanProcessor`."""
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled:
            self._counts.ended += 1
        super().on_end(span)


class ReportingExporter(SpanExporter):
    """Another exporter's work, counted, and told in the log where it fails."""

    def __init__(self, exporter: SpanExporter, endpoint: str, counts: SpanCounts) -> None:
        self._exporter, self._endpoint, self._counts = exporter, endpoint, counts
        self._complaints = _Complaints()
        self._throttle = Throttle(_SAY_AGAIN)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter`."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._counts.sent += len(spans)
        else:
            kept = self._throttle.passes("lost")
            if kept is not None:
                report(
                    log.warning,
                    Event.SPANS_LOST,
                    "{spans} spans are lost, {endpoint} did not take them: {reason}",
                    spans=len(spans),
                    endpoint=self._endpoint,
                    reason=self._complaints.last,
                    kept_back=kept,
                )
        return result

    def shutdown(self) -> None:
        """See `SpanExporter`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SpanExporter`."""
        return self._exporter.force_flush(timeout_millis)


class _Complaints(logging.Handler):
    """Takes what the library says of each try, in place of the log; the last of it is why an export failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = "it did not say why"
        for name in ("opentelemetry.exporter", "urllib3"):
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [self], False
            logger.setLevel(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        self.last = _QUERY.sub("", record.getMessage())[:_LONGEST_REASON]


def exporter(counts: SpanCounts) -> tuple[SpanExporter, str]:
    """One as the environment says, and where it sends to. Raises SettingsError."""
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = os.environ.get(name, PROTOCOL)
        if protocol != PROTOCOL:
            raise SettingsError(
                f"{name} is {protocol!r}, but spans are sent by {PROTOCOL}; most endpoints' port is 4318"
            )
    made = OTLPSpanExporter()
    shown = _shown(made._endpoint)  # noqa: SLF001 nothing else says where it sends to
    return ReportingExporter(made, shown, counts), shown


def _shown(endpoint: str) -> str:
    """Without what opens doors."""
    try:
        return str(URL(endpoint).with_user(None).with_query(None))
    except ValueError:
        raise SettingsError("OTEL_EXPORTER_OTLP_ENDPOINT is no URL such as http://127.0.0.1:4318") from None
