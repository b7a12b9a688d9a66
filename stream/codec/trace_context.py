"""The trace that a record belongs to: W3C's `traceparent` and `tracestate`, as headers of Kafka and in what is kept.

What is no valid context is none: a sender's tracing must never cost an interaction.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
_PARENT: Final = re.compile(rb"([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE: Final = re.compile(rb"[ -~\t]{1,512}")
"""Printable ASCII; W3C asks nobody to hand on more than 512 characters."""
_NO_VERSION: Final = b"ff"
_VERSION: Final = b"00"
_SAMPLED: Final = 0x01


class TraceContext(NamedTuple):
    """Which trace, and which span of it is the parent of what comes next."""

    traceparent: bytes
    """In version 00 of its format."""
    tracestate: bytes = b""
    """What tracing systems add for themselves; often nothing."""

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """As headers of a record."""
        found = [(TRACEPARENT, self.traceparent)]
        if self.tracestate:
            found.append((TRACESTATE, self.tracestate))
        return found

    @property
    def is_sampled(self) -> bool:
        """Whether whoever made the parent recorded it."""
        return bool(int(self.traceparent[-2:], 16) & _SAMPLED)

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return self.traceparent[3:35].decode()

    @property
    def span_id(self) -> str:
        """16 hex digits, of the parent."""
        return self.traceparent[36:52].decode()


def context_in(headers: Iterable[tuple[str, bytes | None]]) -> TraceContext | None:
    """The context that headers of a record say; None where they say none, or none that is valid.

    Of a header that stands there more than once the last counts, as for other readers of Kafka.
    """
    parent, state = b"", b""
    for name, value in headers:
        if name == TRACEPARENT:
            parent = value or b""
        elif name == TRACESTATE:
            state = value or b""
    return context_of(parent, state) if parent else None


def context_of(traceparent: bytes, tracestate: bytes = b"") -> TraceContext | None:
    """The context of these two values; None where the first is not valid. A second that is not valid is left out."""
    found = _PARENT.fullmatch(traceparent)
    if found is None:
        return None
    version, trace, span, flags, rest = found.groups()
    if version == _NO_VERSION or (version == _VERSION and rest is not None):
        return None
    kept = tracestate if tracestate and _STATE.fullmatch(tracestate) else b""
    return TraceContext(b"-".join((_VERSION, trace, span, flags)), kept)
