"""What a life remembers beyond counts, sums and times; only lifecycles that ask for it have any of it."""

from dataclasses import dataclass
from typing import Final

HASH_BYTES: Final = 8
"""Bytes of the hash of a value that is remembered."""


@dataclass(init=False)
class TimedPoints:
    """Points that leave a score, or a sum, by and by: the largest times, ascending, equal ones by arrival."""

    times: list[int]
    columns: list[list[int]]
    """Per score that the signal adds to (a fact has one column): millionths at each time."""

    def __init__(self, times: list[int], columns: list[list[int]]) -> None:
        self.times = times
        self.columns = columns


@dataclass(init=False)
class LedgerEntry:
    """One order (or whatever `by` names): what was asked for it and what was returned."""

    key: bytes
    """The hash of its key, HASH_BYTES bytes; empty where the interaction had none: nothing refers to it."""
    made: bool
    """A word of `each` came; else it waits for it."""
    time: int
    """The smallest interaction time of its words of `each`."""
    amount: int
    """Millionths, of the word of `each` with the smallest time that had an amount; -1: absent."""
    amount_time: int
    """The time of that word."""
    update: int
    """Millionths, of the word of `update` with the largest time; -1: absent."""
    update_time: int
    """The time of that word."""
    returned: int
    """Millionths that were returned."""
    all_returned: bool
    """A return named no amount: nothing is left, whatever comes before or after."""
    returns: tuple[tuple[int, int], ...]
    """Time and millionths of each return in the order of arrival (-1: everything), where a figure takes them on their
    own day; else empty."""

    def __init__(
        self,
        key: bytes,
        made: bool = False,
        time: int = 0,
        amount: int = -1,
        amount_time: int = 0,
        update: int = -1,
        update_time: int = 0,
        returned: int = 0,
        all_returned: bool = False,
        returns: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.key = key
        self.made = made
        self.time = time
        self.amount = amount
        self.amount_time = amount_time
        self.update = update
        self.update_time = update_time
        self.returned = returned
        self.all_returned = all_returned
        self.returns = returns


@dataclass(init=False)
class LedgerState:
    """The entries of a ledger that are kept, and the totals over all that were ever made."""

    entries: list[LedgerEntry]
    """In the order of their first arrival."""
    returns: bytes
    """Hashes of the returns that are remembered, HASH_BYTES bytes each, in order of arrival."""
    count: int
    """Entries of which something is left, those that are kept no more included."""
    total: int
    """Millionths that are left of all entries, those that are kept no more and nameless returns included."""

    def __init__(self, entries: list[LedgerEntry], returns: bytes, count: int, total: int) -> None:
        self.entries = entries
        self.returns = returns
        self.count = count
        self.total = total


SignalMemory = bytes | list[int] | TimedPoints
"""Hashes of known values in order of arrival; the largest times that counted, ascending, or the one time of the latest
value; points that expire."""


@dataclass(init=False)
class Memory:
    """What one life remembers."""

    signals: list[SignalMemory]
    """By `Signal`'s places for its limit, its latest value and its points that expire."""
    resets: list[int | None]
    """Per score that a signal resets: the largest time at which one did."""
    ledgers: list[LedgerState]
    taken: list[int | None]
    """Per transition with `at_most_every`: when it was taken last."""
    held: list[int | None]
    """Per transition with `hold`: since when its condition holds, where the life is in a stage that it leaves."""
    figures: list[list[tuple[int, int]]]
    """Per figure in which the customer counts so often at most: the latest windows in which it counted, older first,
    and how often; of one that counts once: the time, and by how much."""

    def __init__(
        self,
        signals: list[SignalMemory],
        resets: list[int | None],
        ledgers: list[LedgerState],
        taken: list[int | None],
        held: list[int | None],
        figures: list[list[tuple[int, int]]],
    ) -> None:
        self.signals = signals
        self.resets = resets
        self.ledgers = ledgers
        self.taken = taken
        self.held = held
        self.figures = figures
