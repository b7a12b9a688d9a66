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

KEPT_RETURNS: Final = 4
"""Returns of one entry that are told apart; what is returned beyond stands on the day of the last of them."""
EVERYTHING: Final = -1
"""In place of an amount: the return named none."""


class Worth(NamedTuple):
    """What an entry of a ledger comes to, in millionths, or as a count."""

    time: int
    gross: int
    left: int
    gone: tuple[Window, ...]
    """Time and size of what each return took away, in the order of arrival; those that took nothing are not there."""


_NOTHING: Final = Worth(0, 0, 0, ())


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
        zone = tally.figures.zone
        if not self._key:
            self._without_key(figures, tally, segments, zone.window(self._event.time, "day"))
            return
        entry = self._entry or ledgers.find(self._state, self._key)
        if entry is None:
            return
        if self._role == MINUS and (entry.returned, entry.all_returned) != self._returned:
            for figure in figures:
                if figure.takes_returns and not figure.on_order_day:
                    self._remember_return(entry)
                    break
        for figure in figures:
            before = self._amounts if figure.is_money else self._counts
            after = _amounts(entry) if figure.is_money else _counts(entry)
            old, new = zone.window(before.time, "day"), zone.window(after.time, "day")
            if figure.takes_returns and figure.on_order_day:
                _move(tally, segments, figure.index, (old, before.left), (new, after.left))
                continue
            _move(tally, segments, figure.index, (old, before.gross), (new, after.gross))
            if figure.takes_returns and after.gone != before.gone:
                _restate(tally, segments, figure.index, before.gone, after.gone)

    def _remember_return(self, entry: LedgerEntry) -> None:
        time = self._event.time
        amount = entry.returned - self._returned[0] if entry.all_returned == self._returned[1] else EVERYTHING
        kept = entry.returns
        if len(kept) >= KEPT_RETURNS and EVERYTHING not in (amount, kept[-1][1]):
            time, amount = kept[-1][0], kept[-1][1] + amount
            kept = kept[:-1]
        entry.returns = (*kept, (time, amount))

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


def _restate(tally: Tally, segments: Segments, figure: int, old: tuple[Window, ...], new: tuple[Window, ...]) -> None:
    """Returns took that much on these days until now, and now this on these."""
    zone = tally.figures.zone
    changes: dict[int, int] = {}
    for sign, gone in ((1, old), (-1, new)):
        for time, size in gone:
            day = zone.window(time, "day")
            changes[day] = changes.get(day, 0) + sign * size
    for day, change in changes.items():
        if change:
            tally.add(day, segments, figure, change)


def _amounts(entry: LedgerEntry) -> Worth:
    if not entry.made:
        return _NOTHING
    gross = _gross(entry)
    return Worth(entry.time, gross, ledgers.left(entry), _taken(entry, gross))


def _counts(entry: LedgerEntry) -> Worth:
    """As an order that counts, or counts no more from the return on that took the last of it."""
    if not entry.made:
        return _NOTHING
    if ledgers.counts(entry):
        return Worth(entry.time, 1, 1, ())
    gross, taken = _gross(entry), 0
    for time, amount in entry.returns:
        if amount == EVERYTHING:
            return Worth(entry.time, 1, 0, ((time, 1),))
        taken += amount
        if gross and taken + _untold(entry) >= gross:
            return Worth(entry.time, 1, 0, ((time, 1),))
    return Worth(entry.time, 1, 0, ())


def _gross(entry: LedgerEntry) -> int:
    return max(0, entry.update if entry.update >= 0 else entry.amount)


def _untold(entry: LedgerEntry) -> int:
    """What was returned before any figure took returns on their own day."""
    return entry.returned - sum([amount for _time, amount in entry.returns if amount != EVERYTHING])


def _taken(entry: LedgerEntry, gross: int) -> tuple[Window, ...]:
    """What each return took: the later to arrive takes what is left."""
    if not entry.returns:
        return ()
    left = max(0, gross - _untold(entry))
    gone: list[Window] = []
    for time, amount in entry.returns:
        took = left if amount == EVERYTHING else min(amount, left)
        left -= took
        if took:
            gone.append((time, took))
    return tuple(gone)
