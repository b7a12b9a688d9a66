"""Metrics of the lookup: how often it was asked, what was answered, and how long that took. No id is in one."""

from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from stream.metrics import FAST

Kind = Literal[
    "customer", "changes", "scores", "lifecycles", "stages", "stage_customers", "nearness", "moves", "figures"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""What is asked for."""


class LookupMetrics:
    """Counts answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Questions that were answered, by what was asked for and status; 503 while a partition moves.
        self.requests = Counter(
            "lifecycle_lookup_requests",
            "Questions over HTTP, by what was asked for and status",
            ["kind", "status"],
            registry=registry,
        )
        # From a question to its answer, of other workers included; of CSV and long pages also how fast it was read.
        self.seconds = Histogram(
            "lifecycle_lookup_seconds",
            "From a question over HTTP to its answer",
            ["kind"],
            buckets=FAST,
            registry=registry,
        )
        # Looked up once: that takes as long as the counting.
        self._good = {kind: (self.requests.labels(kind, "200"), self.seconds.labels(kind)) for kind in KINDS}

    def answered(self, kind: Kind, status: int, seconds: float) -> None:
        """A question was answered."""
        requests, observed = self._good[kind]
        if status != 200:
            requests = self.requests.labels(kind, str(status))
        requests.inc()
        observed.observe(seconds)
