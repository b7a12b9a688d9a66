"""What happened that is only counted."""

from collections import Counter


class Tally:
    """Counts of one batch, for metrics and summaries."""

    __slots__ = ("duplicates", "fired", "late", "signals", "waiting", "wrong_types")

    def __init__(self) -> None:
        self.duplicates = 0
        """Interactions whose id was remembered."""
        self.late = 0
        """Interactions before a life's clock, counted once per lifecycle."""
        self.waiting = 0
        """Lives that reached the most deadlines without an interaction."""
        self.fired: list[int] = []
        """The times of deadlines fired, forgetting included."""
        self.signals: Counter[tuple[str, str]] = Counter()
        """By (lifecycle, signal): how often it counted."""
        self.wrong_types: Counter[tuple[str, str]] = Counter()
        """By (lifecycle, signal or fact): properties of a type it cannot take; of a signal, absent ones too."""

    def signal(self, lifecycle: str, signal: str) -> None:
        """A signal counted."""
        self.signals[lifecycle, signal] += 1

    def wrong_type(self, lifecycle: str, name: str) -> None:
        """A property could not be taken."""
        self.wrong_types[lifecycle, name] += 1
