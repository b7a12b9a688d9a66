"""One record by a decoder of its own, for tests that need no more."""

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import Reading
from stream.codec.interactions import DEFAULT_BLOCKED, InteractionDecoder
from stream.core.interaction import Interaction

ANY_TIME = Reading(DEFAULT_BLOCKED, earliest_time=None)
"""For tests whose times are small numbers."""


def decode(
    value: bytes | None, received: int | None, blocked: frozenset[str] = DEFAULT_BLOCKED
) -> Interaction | Rejected:
    """Read one record with the defaults of the settings."""
    return InteractionDecoder(Reading(blocked)).decode(value, received)
