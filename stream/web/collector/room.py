"""How much may wait in memory at once, over all requests: bytes that are read and not yet acknowledged by Kafka."""

from typing import Final

from stream.web.collector.answers import Refused

_LEAST: Final = 64 << 20
_BODIES: Final = 8
"""So many requests of the largest size may wait at once, at the least."""
RETRY_AFTER: Final = 2.0
"""Seconds after which a sender that found no room should come back."""


class Room:
    """Counts bytes that wait."""

    def __init__(self, max_body: int) -> None:
        """`max_body` is the setting: most bytes of one request."""
        self.size = max(_LEAST, _BODIES * max_body)
        self.taken = 0

    def hold(self) -> "Hold":
        """A part of the room for one request, which has nothing yet."""
        return Hold(self)


class Hold:
    """What one request holds of the room."""

    __slots__ = ("_bytes", "_room")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bytes = 0

    def add(self, count: int) -> None:
        """Hold so many bytes more. Raises Refused, 429, where there is no room for them."""
        room = self._room
        if room.taken + count > room.size:
            raise Refused(
                429,
                "busy",
                "more is waiting for Kafka than this collector may hold; try again",
                retry_after=RETRY_AFTER,
            )
        room.taken += count
        self._bytes += count

    def release(self) -> None:
        """Hold nothing any more."""
        self._room.taken -= self._bytes
        self._bytes = 0
