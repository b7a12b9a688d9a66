"""What the machine of deliveries hears besides stage changes."""

from collections.abc import Mapping
from typing import NamedTuple

from stream.codec.records import SourceRecord
from stream.codec.trace_context import TraceContext
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.exchange import Outcome


class Taken(NamedTuple):
    """A delivery that was handed out to be sent, and which attempt that is."""

    endpoint: str
    subject: str
    event_id: str
    came: int
    """When it began to wait, epoch milliseconds: one that is delivered again has another."""
    attempts: int
    """Those that failed before."""
    value: bytes
    """The change, as on the topic of stage changes."""
    context: TraceContext | None = None
    """The trace that it belongs to, where tracing is on."""


class Attempted(NamedTuple):
    """An attempt ended. Heard twice, or about a delivery that went another way meanwhile, it changes nothing."""

    taken: Taken
    outcome: Outcome
    status: int | None
    """Of the last answer; None where there was none."""
    at: int
    """When it began, epoch milliseconds."""
    seconds: float
    last_delivered: int | None = None
    """When the endpoint last took a delivery, of whichever partition, epoch milliseconds; None: not known."""

    @property
    def ended(self) -> int:
        """When it ended, epoch milliseconds."""
        return self.at + round(self.seconds * 1000)


class GivenBack(NamedTuple):
    """A delivery that was taken was not sent."""

    taken: Taken


class Commanded(NamedTuple):
    """Records of the topic of commands, in their order."""

    records: tuple[SourceRecord, ...]
    next_offset: int
    """Where to read that topic on."""
    anew: bool = False
    """The topic was created again: offsets that were known mean nothing any more."""


class Configured(NamedTuple):
    """The endpoints are these from now on."""

    endpoints: Mapping[str, Endpoint]
