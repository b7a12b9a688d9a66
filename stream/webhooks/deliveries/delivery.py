"""One change that waits for one endpoint."""

from stream.codec.packed_changes import pack, unpack


class Delivery:
    """One change that waits for one endpoint; times are epoch milliseconds."""

    __slots__ = ("_packed", "_value", "attempts", "came", "due", "event_id", "order", "waits")

    def __init__(
        self,
        event_id: str,
        value: bytes,
        order: int,
        came: int,
        *,
        attempts: int = 0,
        due: int = 0,
        packed: bool = False,
    ) -> None:
        """`packed`: the value is so already."""
        self.event_id = event_id
        self.order = order
        """Deliveries of one customer are sent in this order."""
        self.came = came
        """When it began to wait."""
        self.attempts = attempts
        """Those that failed."""
        self.due = due
        """When it may be tried again; means nothing before the first attempt, which is due at once."""
        self.waits = True
        """False once it was delivered, given up or dropped."""
        self._value = value
        self._packed = packed

    @property
    def value(self) -> bytes:
        """The change, as on the topic of stage changes."""
        return unpack(self._value) if self._packed else self._value

    def pack(self) -> None:
        """Keep it in less memory."""
        if not self._packed:
            self._value, self._packed = pack(self._value), True
