"""A partition's clock: decides when a deadline is due, and only moves forward."""

from stream.settings import Clock


class PartitionClock:
    """One partition's time in epoch milliseconds.

    `stream`: the largest interaction time seen. `wall`: wall time while the partition is caught up, the broker
    time of the last record read while it is behind, so that a worker that was away never fires a deadline
    before the interactions that would have prevented it; before `live_from` (old data being loaded) the largest
    interaction time seen.
    """

    def __init__(self, mode: Clock, live_from: int | None, now: int | None) -> None:
        self.mode = mode
        self.live_from = live_from
        self.now = now

    @property
    def follows_wall(self) -> bool:
        """Wall time moves the clock on."""
        return self.mode == "wall" and self.now is not None and self.now >= (self.live_from or 0)

    def record(self, time: int, broker_time: int) -> None:
        """An interaction of `time` was read."""
        self._move(broker_time if self.follows_wall else time)

    def tick(self, time: int, broker_time: int) -> None:
        """An import ended at `time`; with `wall`, what follows is live."""
        self._move(max(time, broker_time) if self.mode == "wall" else time)

    def caught_up(self, wall: int) -> None:
        """The source held nothing more at `wall`."""
        if self.follows_wall:
            self._move(wall)

    def _move(self, time: int) -> None:
        if self.now is None or time > self.now:
            self.now = time
