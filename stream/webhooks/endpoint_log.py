"""Says once that an endpoint begins to fail, and once that it takes changes again.

What a tool answers is not in it: it may quote what it was sent.
"""

import logging
import time

from stream.events import Event, report
from stream.kafka.log_throttle import Throttle
from stream.webhooks.exchange import Verdict
from stream.webhooks.sending.sender import AttemptResult

log = logging.getLogger(__name__)


class EndpointLog:
    """Of all endpoints of a process. One that fails now and then is told of at most every ten seconds."""

    def __init__(self) -> None:
        self._throttle = Throttle()
        self._failing: dict[str, float] = {}
        """Those that fail, as was said: since when, by time.monotonic()."""

    def heard(self, endpoint: str, result: AttemptResult) -> None:
        """An attempt ended."""
        verdict = result.outcome.verdict
        if verdict is Verdict.AGAIN:
            if endpoint not in self._failing and (kept := self._throttle.passes(endpoint)) is not None:
                self._failing[endpoint] = time.monotonic()
                report(
                    log.warning,
                    Event.WEBHOOK_FAILS,
                    "endpoint {endpoint} fails: {reason}. Changes for it wait and are tried again, later each time",
                    endpoint=endpoint,
                    reason=result.outcome.reason if result.status is None else f"it answers {result.status}",
                    kept_back=kept,
                )
        elif verdict is Verdict.DELIVERED and (since := self._failing.pop(endpoint, None)) is not None:
            report(
                log.info,
                Event.WEBHOOK_WORKS,
                "endpoint {endpoint} takes changes again, after {seconds:.0f} s; what waits is sent as its time comes",
                endpoint=endpoint,
                seconds=time.monotonic() - since,
            )
