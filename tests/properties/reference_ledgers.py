"""Ledgers (rule 18): all that came for each order, written down in order of arrival and read from the start.

Where the text was silent, or has two readings:
- An interaction that has no value at `by` is as one of a ledger without `by`.
- The amount is the one that came with the smallest time among the words of `each` that have an amount: where the
  earliest order has none, a later one's counts.
- `returned` may be a text that is a number, as an amount may. One not below 1e15 in magnitude is no number.
- A return that gives everything back is remembered as others are; without a value at `by` it does nothing, and is not.
- Without a value at `by` a return is known by its `return` alone.
- A known return, and one whose `returned` is no number, are no arrival of an entry's word: neither lets an entry wait.
  A word of `update` is one, also without an amount.
- Of the made entries the `keep` whose first arrival is latest are kept. So an entry that waited for long may go at
  the moment at which it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.properties.reference_grammar import milliseconds
from tests.properties.reference_history import Written
from tests.properties.reference_values import MILLION, Source

KEPT = 64
WAITING = 8
KNOWN_RETURNS = 64


@dataclass
class Entry:
    """One order: everything that came for it."""

    by: object
    written: list[Written] = field(default_factory=list)

    @property
    def orders(self) -> list[Written]:
        """Its words of `each`, in order of arrival."""
        return [each for each in self.written if each.role == "each"]

    @property
    def first_arrival(self) -> int:
        """When anything came for it first."""
        return self.written[0].arrival

    @property
    def time(self) -> int:
        """When it was ordered: the smallest time, whichever arrived first."""
        return min(each.at for each in self.orders)

    @property
    def amount(self) -> int | None:
        """What it came to, in millionths; None where nothing told."""
        told = [(each.at, each.amount) for each in self.orders if each.amount is not None]
        updates = [(each.at, each.amount) for each in self.written if each.role == "update" and each.amount is not None]
        if updates:
            return [amount for at, amount in updates if at == max(updates)[0]][-1]
        return next((amount for at, amount in told if at == min(told)[0]), None)

    @property
    def everything_returned(self) -> bool:
        """Whether a return said no number."""
        return any(each.role == "minus" and each.returned is None for each in self.written)

    @property
    def left(self) -> int:
        """What is left, in millionths."""
        returned = sum(each.returned or 0 for each in self.written if each.role == "minus")
        return 0 if self.everything_returned else max(0, (self.amount or 0) - returned)

    @property
    def counts(self) -> bool:
        """Whether something is left; of an entry without amount, unless everything was returned."""
        return self.left > 0 or (not self.amount and not self.everything_returned)


class Ledger:
    """A ledger that is read from its first arrival on."""

    def __init__(self, told: Source, history: Sequence[Written]) -> None:
        keep = told.get("keep", KEPT)
        assert isinstance(keep, int)
        self.keep = keep
        self.entries: list[Entry] = []
        """In the order of their first arrival."""
        self.frozen: list[Entry] = []
        self.taken_off = 0
        """By returns that name no entry, in millionths."""
        self.returns: list[tuple[object, object]] = []
        for written in history:
            self.write(written)

    def write(self, written: Written) -> None:
        """Apply one interaction."""
        if written.role == "minus":
            if written.unreadable or (written.by is None and written.returned is None) or self.is_known(written):
                return
            if written.return_id is not None:
                self.returns.append((written.by, written.return_id))
        if written.by is None and written.role == "minus":
            self.taken_off += written.returned or 0
        elif written.by is not None or written.role == "each":
            self.entry(written.by).written.append(written)
        self.forget()

    def is_known(self, written: Written) -> bool:
        """Whether a return came before."""
        return written.return_id is not None and (written.by, written.return_id) in self.returns[-KNOWN_RETURNS:]

    def entry(self, by: object) -> Entry:
        """The entry of this key; a new one where none is kept, and always without a key."""
        found = None if by is None else next((each for each in self.entries if each.by == by), None)
        if found is None:
            found = Entry(by)
            self.entries.append(found)
        return found

    def forget(self) -> None:
        """Let go what is too much: made entries are frozen, those that wait are gone."""
        made = [each for each in self.entries if each.orders]
        waiting = [each for each in self.entries if not each.orders]
        self.frozen += made[: -self.keep]
        self.entries = sorted(made[-self.keep :] + waiting[-WAITING:], key=lambda each: each.first_arrival)

    def has_made(self, by: object) -> bool:
        """Whether a word of `each` made the entry of this key."""
        return by is not None and any(each.by == by and each.orders for each in self.entries)

    def value(self, fact: Source, t: int) -> float:
        """What a fact over this ledger is worth at t."""
        made = [each for each in self.entries if each.orders]
        if "within" in fact:
            made = [each for each in made if t - each.time < milliseconds(str(fact["within"]))]
        else:
            made += self.frozen
        if "count" in fact:
            return sum(each.counts for each in made)
        return (sum(each.left for each in made) - (0 if "within" in fact else self.taken_off)) / MILLION
