"""What the machine of deliveries hears besides stage changes."""

from collections.abc import Mapping
from typing import NamedTuple

from stream.codec.records import SourceRecord
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.exchange import Outcome


class Attempted(NamedTuple):
    """An attempt ended."""

    endpoint: str
    subject: str
    event_id: str
    outcome: Outcome
    status: int | None
    at: int
    """When it began, epoch milliseconds."""
    seconds: float


class GivenBack(NamedTuple):
    """A delivery that was taken was not sent."""

    endpoint: str
    subject: str
    event_id: str


class Commanded(NamedTuple):
    """Records of the topic of commands, in their order."""

    records: tuple[SourceRecord, ...]
    next_offset: int
    """Where to read that topic on."""


class Configured(NamedTuple):
    """The endpoints are these from now on."""

    endpoints: Mapping[str, Endpoint]
