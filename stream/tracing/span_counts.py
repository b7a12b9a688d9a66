"""How many spans there were, and how many arrived: what is between the two for long is lost."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class SpanCounts(Collector):
    """Counted by the process itself, and read by scrapes."""

    def __init__(self) -> None:
        self.ended = 0
        self.sent = 0

    def collect(self) -> Iterator[Metric]:
        # Spans of traces that are sampled.
        yield CounterMetricFamily("lifecycle_spans", "Spans that ended", value=self.ended)
        # Those of them that the endpoint of OpenTelemetry took.
        yield CounterMetricFamily("lifecycle_spans_sent", "Spans that the endpoint took", value=self.sent)
