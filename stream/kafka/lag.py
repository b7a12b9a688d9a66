"""How far a partition is behind the end of its log, as last known, and how old that knowledge is."""

import time

from stream.kafka.partition_reader import Fetched


class Lag:
    """Of one partition; outlives the state, so that a partition that backs off does not look caught up."""

    def __init__(self) -> None:
        self.position: int | None = None
        """The next offset to process, when state and position were last dropped."""
        self.end: int | None = None
        """The offset after the last record, those of open transactions too; None: not heard yet."""
        self.heard_at: float | None = None
        """When, by time.monotonic(), a broker said so."""
        self.open_since: int | None = None
        """Since when the oldest transaction that is open has been seen, epoch milliseconds; None: there is none."""
        self._open_at: int | None = None

    def hear(self, fetched: Fetched) -> float | None:
        """Note what a fetch says of the log's end; how many seconds ago a broker said it, None where none did."""
        if fetched.log_end is None or fetched.heard_ms is None:
            return None
        age = max(time.time() - fetched.heard_ms / 1000, 0.0)
        self.end, self.heard_at = fetched.log_end, time.monotonic() - age
        open_at = (
            fetched.end_offset if fetched.end_offset is not None and fetched.end_offset < fetched.log_end else None
        )
        if open_at != self._open_at:  # another one is the oldest now
            self._open_at = open_at
            self.open_since = None if open_at is None else fetched.heard_ms
        return age
