"""One exchange with an endpoint: what is sent, what came back, and what that means."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class HttpRequest(NamedTuple):
    """One request to a tool. Its repr would show credentials: it is never logged."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    """Without those that every request gets: signature, User-Agent, Content-Length."""
    body: bytes
    """As it is sent, and signed."""


class Answer(NamedTuple):
    """What a tool answered."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    """At most the first 64 KiB."""


class Verdict(StrEnum):
    """What becomes of a delivery after an attempt."""

    DELIVERED = "delivered"
    AGAIN = "again"
    """It failed, and is tried again when its time has come."""
    REFUSED = "refused"
    """The tool will never take this one: it is given up, and the customer's next change goes on."""
    GONE = "gone"
    """The endpoint wants no more requests at all: it is disabled."""


class Outcome(NamedTuple):
    """What an answer means."""

    verdict: Verdict
    reason: str
    """For people, at most 200 characters: the status, and what the tool's own error form says; no credentials."""
    wait: float | None = None
    """Seconds that the tool asked to be left alone, all of the endpoint's deliveries; None: it did not say."""
