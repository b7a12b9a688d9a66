"""One change that waits for one endpoint."""

from typing import Final

from stream.codec.packed_changes import PackedChange
from stream.codec.trace_context import TraceContext

WAITS: Final = 0
UNDER_WAY: Final = 1
"""It was handed out, and what became of it is not known."""
ENDED: Final = 2
"""It was delivered, given up or dropped."""


class Delivery:
    """One change that waits for one endpoint; times are epoch milliseconds."""

    __slots__ = ("_like", "_value", "attempts", "came", "context", "due", "event_id", "order", "stands")

    def __init__(
        self,
        event_id: str,
        kept: bytes | PackedChange,
        order: int,
        came: int,
        *,
        attempts: int = 0,
        due: int = 0,
        context: TraceContext | None = None,
    ) -> None:
        """`kept` is the value, packed or not."""
        self.event_id = event_id
        self.order = order
        """Deliveries of one customer are sent in this order."""
        self.came = came
        """When it began to wait."""
        self.attempts = attempts
        """Those that failed."""
        self.due = due
        """When it may be tried again; means nothing before the first attempt, which is due at once."""
        self.context = context
        """The trace that the change belongs to, where tracing is on."""
        self.stands = WAITS
        """WAITS, UNDER_WAY or ENDED."""
        self._like: bytes | None = None
        self._value = b""
        self.keep(kept)

    @property
    def value(self) -> bytes:
        """The change, as on the topic of stage changes."""
        return self._value if self._like is None else PackedChange(self._value, self._like).value

    @property
    def is_packed(self) -> bool:
        """Whether the value is kept so."""
        return self._like is not None

    def keep(self, kept: bytes | PackedChange) -> None:
        """Keep the value so from now on."""
        if isinstance(kept, bytes):
            self._value, self._like = kept, None
        else:
            self._value, self._like = kept
