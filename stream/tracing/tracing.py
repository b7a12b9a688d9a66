"""The tracing of one process: where its spans go, and what makes them.

All but whether there is any is said by OpenTelemetry's own environment variables. Nothing global is set: whoever uses
this product inside a program of their own keeps theirs.
"""

import logging
import os
import socket
import threading
from typing import Final

from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from stream.build import product_version
from stream.errors import SettingsError
from stream.events import Event, report
from stream.tracing.attempt_spans import AttemptSpans
from stream.tracing.batch_spans import BatchSpans
from stream.tracing.exporting import CountingProcessor, exporter
from stream.tracing.request_spans import RequestSpans
from stream.tracing.span_counts import SpanCounts

log = logging.getLogger(__name__)

_SCOPE: Final = "customer-lifecycle"
_END_WITHIN: Final = 2.0
"""Seconds that the last spans may take; an endpoint that does not answer must not keep a process from ending."""


class Tracing:
    """Makes what makes spans."""

    def __init__(self, provider: TracerProvider, endpoint: str, counts: SpanCounts) -> None:
        """`endpoint`, for people, is where the spans of the provider go."""
        self._provider, self._endpoint, self._counts = provider, endpoint, counts
        self._tracer = provider.get_tracer(_SCOPE, product_version())

    def introduce(self) -> None:
        """Say where spans go."""
        report(
            log.info,
            Event.TRACING_STARTED,
            "traces of {service} go to {endpoint}",
            service=self._provider.resource.attributes[SERVICE_NAME],
            endpoint=self._endpoint,
        )

    def batches(self, topic: str, group: str) -> BatchSpans:
        """Of batches of this topic's records, read as this consumer group."""
        return BatchSpans(self._tracer, topic, group)

    def requests(self) -> RequestSpans:
        """Of requests over HTTP that are answered."""
        return RequestSpans(self._tracer)

    def attempts(self) -> AttemptSpans:
        """Of requests to endpoints."""
        return AttemptSpans(self._tracer)

    def show(self, registry: CollectorRegistry) -> None:
        """Let metrics show how many spans there were."""
        registry.register(self._counts)

    def end(self) -> None:
        """Send what is left, for two seconds at most."""
        # The SDK waits for half a minute, and only a thread that Python does not wait for can be left behind.
        ending = threading.Thread(target=self._provider.shutdown, name="tracing-end", daemon=True)
        ending.start()
        ending.join(_END_WITHIN)


def start(role: str) -> Tracing:
    """Begin to send the spans of a process of this role. Raises SettingsError where the environment is wrong."""
    # Of contexts that strangers send, and of a queue that is full, which is counted.
    for name in ("opentelemetry.trace", "opentelemetry.sdk._shared_internal"):
        logging.getLogger(name).setLevel(logging.ERROR)
    counts = SpanCounts()
    try:
        sends, endpoint = exporter(counts)
        provider = TracerProvider(resource=_resource(role), shutdown_on_exit=False)
        provider.add_span_processor(CountingProcessor(sends, counts))
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        raise SettingsError(
            f"OpenTelemetry cannot be used as its environment variables (OTEL_…) say: {error}"
        ) from None
    return Tracing(provider, endpoint, counts)


def _resource(role: str) -> Resource:
    """What this process is, where the environment does not say otherwise."""
    said = OTELResourceDetector().detect().attributes
    ours = {
        SERVICE_NAME: f"lifecycle-{role}",
        "service.version": product_version(),
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    return Resource.create({name: value for name, value in ours.items() if name not in said})
