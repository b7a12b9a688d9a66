"""What happened that is only counted."""

from typing import Final, Protocol

from stream.core.tally import Tallies

MAX_NAMES: Final = 1_000
"""Event names that no word covers and that are told from each other."""
REST: Final = ""
"""The name under which all further ones are counted; no event name is empty."""

Label = tuple[str, str]
"""A lifecycle's id, and the name of one of its signals or facts."""


class Labelled(Protocol):
    """A signal; by itself, since it is found faster than by its label."""

    @property
    def label(self) -> Label:
        """The lifecycle's id and the signal's name."""


class StepCounts:
    """Counts of one batch, for metrics and summaries."""

    def __init__(self) -> None:
        self.duplicates = 0
        """Interactions whose id was remembered."""
        self.known_rows = 0
        """Interactions that were known as a row of an earlier import."""
        self.untouched = 0
        """Those of both kinds that left their customer exactly as it was."""
        self.late = 0
        """Interactions before a life's clock, counted once per lifecycle."""
        self.waiting = 0
        """Lives that reached the most deadlines without an interaction."""
        self.fired: list[int] = []
        """The times of deadlines fired, forgetting included."""
        self.wrong_types: dict[Label, int] = {}
        """By signal or fact: properties of a type it cannot use, a list in the way of the path among them; for a
        signal and a sum, absent ones too."""
        self.unknown_names: dict[Label, int] = {}
        """By lifecycle and event name: interactions whose name no word of the lifecycle covers; bounded, see REST."""
        self.lost_points: dict[Label, int] = {}
        """By signal or fact: entries that `keep` dropped before their time was over."""
        self.long_lists: dict[Label, int] = {}
        """By signal or fact: elements of lists beyond those that are looked at."""
        self.figures: Tallies = {}
        """By how much the figures changed, by lifecycle that has any."""
        self._signals: dict[Labelled, int] = {}

    @property
    def signals(self) -> dict[Label, int]:
        """How often each signal counted."""
        return {signal.label: count for signal, count in self._signals.items()}

    def signal(self, signal: "Labelled") -> None:
        """A signal counted."""
        self._signals[signal] = self._signals.get(signal, 0) + 1

    def wrong_type(self, label: Label) -> None:
        """A property could not be used."""
        self.wrong_types[label] = self.wrong_types.get(label, 0) + 1

    def lost(self, label: Label, entries: int) -> None:
        """Entries were dropped before their time was over."""
        self.lost_points[label] = self.lost_points.get(label, 0) + entries

    def too_long(self, label: Label, elements: int) -> None:
        """A list had so many elements more than are looked at."""
        self.long_lists[label] = self.long_lists.get(label, 0) + elements

    def unknown_name(self, lifecycle: str, name: str) -> None:
        """No word of the lifecycle covers the name of an interaction."""
        label = (lifecycle, name)
        known = self.unknown_names.get(label)
        if known is None and len(self.unknown_names) >= MAX_NAMES:
            label = (lifecycle, REST)
            known = self.unknown_names.get(label)
        self.unknown_names[label] = 1 if known is None else known + 1
