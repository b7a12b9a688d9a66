"""Figures that are made of a ledger's entries: each order on the day of its time, with what it is worth by now.

So a reload moves an order to its earlier day, a correction restates its day, and it does not matter in which order they
arrive. What is returned is taken from its own day, or from the day of its order.
"""

from typing import Final, NamedTuple

from stream.core import ledgers
from stream.core.customer import Life, Window
from stream.core.event import Event
from stream.core.figures import Figure, Segments
from stream.core.ledgers import EACH, MINUS, Ledger
from stream.core.memory import LedgerEntry
from stream.core.tally import Tally


class Worth(NamedTuple):
    """What an entry of a ledger comes to, in millionths, or as a count."""

    time: int
    gross: int
    gone: int
    """What of that was returned."""


_NOTHING: Final = Worth(0, 0, 0)


class EntryBefore:
    """A ledger as it was before an interaction was entered; `tally` says what figures of it changed by."""

    def __init__(self, ledger: Ledger, life: Life, role: int, event: Event) -> None:
        assert life.memory is not None
        self._state = life.memory.ledgers[ledger.index]
        self._ledger = ledger
        self._role = role
        self._event = event
        self._key = ledgers.key_of(ledger, event)
        self._total = self._state.total
        self._count = self._state.count
        self._entry = ledgers.find(self._state, self._key) if self._key else None
        entry = self._entry
        self._amounts = _amounts(entry) if entry is not None else _NOTHING
        self._counts = _counts(entry) if entry is not None else _NOTHING
        self._returned = (entry.returned, entry.all_returned) if entry is not None else (0, False)

    def tally(self, figures: tuple[Figure, ...], tally: Tally, segments: Segments) -> None:
        """The interaction was entered: add what changed to the tally."""
        event_day = tally.figures.zone.window(self._event.time, "day")
        if not self._key:
            self._without_key(figures, tally, segments, event_day)
            return
        entry = self._entry or ledgers.find(self._state, self._key)
        if entry is None:
            return
        if self._role == MINUS and (entry.returned, entry.all_returned) != self._returned:
            for figure in figures:
                if figure.takes_returns and not figure.on_order_day:
                    entry.returned_at = max(entry.returned_at, self._event.time)
        zone = tally.figures.zone
        for figure in figures:
            before = self._amounts if figure.is_money else self._counts
            after = _amounts(entry) if figure.is_money else _counts(entry)
            old, new = zone.window(before.time, "day"), zone.window(after.time, "day")
            if figure.takes_returns and figure.on_order_day:
                _move(tally, segments, figure.index, (old, before.gross - before.gone), (new, after.gross - after.gone))
                continue
            _move(tally, segments, figure.index, (old, before.gross), (new, after.gross))
            if figure.takes_returns and after.gone != before.gone:
                day = event_day if self._role == MINUS else zone.window(entry.returned_at, "day")
                tally.add(day, segments, figure.index, before.gone - after.gone)

    def _without_key(self, figures: tuple[Figure, ...], tally: Tally, segments: Segments, day: int) -> None:
        amount, count = self._state.total - self._total, self._state.count - self._count
        for figure in figures:
            change = amount if figure.is_money else count
            if change and (self._role == EACH or figure.takes_returns):
                tally.add(day, segments, figure.index, change)


def _move(tally: Tally, segments: Segments, figure: int, old: Window, new: Window) -> None:
    """An entry is worth that much on that day now, no more this on this."""
    if old == new:
        return
    if old[1]:
        tally.add(old[0], segments, figure, -old[1])
    if new[1]:
        tally.add(new[0], segments, figure, new[1])


def _amounts(entry: LedgerEntry) -> Worth:
    if not entry.made:
        return _NOTHING
    gross = max(0, entry.update if entry.update >= 0 else entry.amount)
    return Worth(entry.time, gross, gross - ledgers.left(entry))


def _counts(entry: LedgerEntry) -> Worth:
    return Worth(entry.time, 1, 0 if ledgers.counts(entry) else 1) if entry.made else _NOTHING
