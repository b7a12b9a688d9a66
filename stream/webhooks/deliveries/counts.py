"""What batches of a machine of deliveries did, for metrics and for what works beside it."""

from collections import Counter


class DeliveryCounts:
    """Since they were last taken."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        """By endpoint, changes that began to wait."""
        self.attempts: Counter[tuple[str, str]] = Counter()
        """By endpoint and verdict."""
        self.given_up: Counter[tuple[str, str]] = Counter()
        """By endpoint and reason, deliveries that became dead letters."""
        self.superseded: Counter[str] = Counter()
        """By endpoint, deliveries whose place a later change took."""
        self.delivered: list[tuple[str, int]] = []
        """Endpoint, and milliseconds from when the change began to wait to the attempt that was taken."""
        self.disabled: dict[str, str] = {}
        """Endpoints that were disabled, with the reason."""
        self.skipped = 0
        """Records of the source that hold no stage change."""
