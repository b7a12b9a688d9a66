"""Ledgers: one entry per order, so that reloads, updates, partial and repeated returns come out right (rule 18).

A ledger's totals are kept beside its entries, and changed by what an entry was worth before and after. So an entry that
is kept no more stays in them as it was.
"""

from dataclasses import dataclass
from typing import Final

from mypy_extensions import i64

from stream.core import known_values
from stream.core.amounts import Amount
from stream.core.event import Event, PropertyPath, lookup
from stream.core.interaction import MAX_TIME
from stream.core.memory import LedgerEntry, LedgerState
from stream.core.scoring import number
from stream.core.timed_points import Steps

DEFAULT_KEEP: Final = 64
MAX_KEEP: Final = 256
"""Made entries that are kept at most."""
MAX_WAITING: Final = 8
"""Entries that wait for their word of `each` and are kept at most, besides the made ones."""

EACH: Final = 0
UPDATE: Final = 1
MINUS: Final = 2
"""What a word does to a ledger."""


@dataclass(frozen=True)
class Ledger:
    """One ledger of a lifecycle."""

    name: str
    index: int
    by: PropertyPath | None
    """The key of an entry."""
    amount: Amount | None
    returned: PropertyPath | None
    """What is returned; None: everything."""
    return_id: PropertyPath | None
    """Tells one return of an entry from another."""
    keep: int

    def paths(self, role: int) -> list[PropertyPath]:
        """The properties that it reads of a word of that role."""
        read = (self.by, self.returned, self.return_id) if role == MINUS else (self.by,)
        found = [path for path in read if path is not None]
        if role != MINUS and self.amount is not None:
            found += self.amount.paths
        return found


def empty() -> LedgerState:
    """A ledger in which nothing happened yet."""
    return LedgerState([], b"", 0, 0)


def left(entry: LedgerEntry) -> int:
    """Millionths that are left of an entry."""
    if not entry.made or entry.all_returned:
        return 0
    amount = entry.update if entry.update >= 0 else entry.amount
    return max(0, amount - entry.returned)


def counts(entry: LedgerEntry) -> bool:
    """Whether an entry counts: something is left, or it had no amount and was not returned as a whole."""
    if not entry.made or entry.all_returned:
        return False
    amount = entry.update if entry.update >= 0 else entry.amount
    return amount <= 0 or amount > entry.returned


def is_new(ledger: Ledger, state: LedgerState, event: Event) -> bool:
    """Whether no word of `each` has made the entry of an interaction yet; always so where it has no key."""
    key = None if ledger.by is None else known_values.key_of(lookup(ledger.by, event))
    if key is None:
        return True
    entry = find(state, known_values.hash_of(key))
    return entry is None or not entry.made


def apply(ledger: Ledger, state: LedgerState, role: int, time: int, event: Event) -> bool:
    """Enter an interaction at `time` by a word of `each`, `update` or `minus`.

    Returns False where a property is there but of a type or magnitude that the ledger cannot use.
    """
    key = None if ledger.by is None else known_values.key_of(lookup(ledger.by, event))
    if role == MINUS:
        return _return(ledger, state, key, event)
    amount, usable = _amount(ledger, event)
    if key is None:
        if role == EACH:
            entry = LedgerEntry(b"", True, time, amount, time if amount >= 0 else 0)
            state.entries.append(entry)
            _add(state, entry)
            _prune(ledger, state)
        return usable or role == UPDATE
    entry = _entry(state, known_values.hash_of(key))
    before_left, before_counts = left(entry), counts(entry)
    if role == EACH:
        if not entry.made or time < entry.time:
            entry.time = time
        entry.made = True
        if amount >= 0 and (entry.amount < 0 or time < entry.amount_time):
            entry.amount, entry.amount_time = amount, time
    elif amount >= 0 and (entry.update < 0 or time >= entry.update_time):
        entry.update, entry.update_time = amount, time
    _changed(ledger, state, entry, before_left, before_counts)
    return usable or role == UPDATE


def _return(ledger: Ledger, state: LedgerState, key: bytes | None, event: Event) -> bool:
    found = None if ledger.returned is None else lookup(ledger.returned, event)
    size = None if found is None else number(found)
    if found is not None and size is None:
        return False
    if key is None and size is None:
        return False
    returned = 0 if size is None else round(abs(size) * 1e6)
    return_id = None if ledger.return_id is None else known_values.key_of(lookup(ledger.return_id, event))
    if return_id is not None:
        return_hash = known_values.hash_of_two(key or b"", return_id)
        if known_values.is_known(state.returns, return_hash):
            return True
        state.returns = known_values.remember(state.returns, return_hash)
    if key is None:
        state.total -= returned
        return True
    entry = _entry(state, known_values.hash_of(key))
    before_left, before_counts = left(entry), counts(entry)
    if size is None:
        entry.all_returned = True
    else:
        entry.returned += returned
    _changed(ledger, state, entry, before_left, before_counts)
    return True


def _amount(ledger: Ledger, event: Event) -> tuple[int, bool]:
    """Millionths of the interaction's amount, -1 where it has none, and whether what is there can be used."""
    if ledger.amount is None:
        return -1, True
    found = ledger.amount.of(event)
    if found is None or found < 0:
        return -1, False
    return round(found * 1e6), True


def key_of(ledger: Ledger, event: Event) -> bytes:
    """The hash of the key of an interaction's entry; empty where it has none."""
    key = None if ledger.by is None else known_values.key_of(lookup(ledger.by, event))
    return b"" if key is None else known_values.hash_of(key)


def find(state: LedgerState, key_hash: bytes) -> LedgerEntry | None:
    """The entry of a key, where it is kept."""
    for entry in state.entries:
        if entry.key == key_hash:
            return entry
    return None


def _entry(state: LedgerState, key_hash: bytes) -> LedgerEntry:
    """The entry of a key; a new one waits for its word of `each`."""
    entry = find(state, key_hash)
    if entry is None:
        entry = LedgerEntry(key_hash)
        state.entries.append(entry)
    return entry


def _add(state: LedgerState, entry: LedgerEntry) -> None:
    state.total += left(entry)
    if counts(entry):
        state.count += 1


def _changed(ledger: Ledger, state: LedgerState, entry: LedgerEntry, before_left: int, before_counts: bool) -> None:
    """Take the entry's change into the totals, and let go of entries that are too many."""
    state.total += left(entry) - before_left
    state.count += int(counts(entry)) - int(before_counts)
    _prune(ledger, state)


def _prune(ledger: Ledger, state: LedgerState) -> None:
    """Of made entries keep the latest `keep` by first arrival, of those that wait the latest MAX_WAITING."""
    entries = state.entries
    if len(entries) <= MAX_WAITING and len(entries) <= ledger.keep:
        return
    made = 0
    for entry in entries:
        if entry.made:
            made += 1
    waiting = len(entries) - made
    if made > ledger.keep:
        _drop_first(entries, True)
    if waiting > MAX_WAITING:
        _drop_first(entries, False)


def _drop_first(entries: list[LedgerEntry], made: bool) -> None:
    for place, entry in enumerate(entries):
        if entry.made == made:
            del entries[place]
            return


def count_within(state: LedgerState, now: i64, within: int) -> int:
    """Kept entries that count and whose time is less than `within` before `now`."""
    found = 0
    for entry in state.entries:
        if now - entry.time < within and counts(entry):
            found += 1
    return found


def sum_within(state: LedgerState, now: i64, within: int) -> int:
    """Millionths that are left of the kept entries whose time is less than `within` before `now`."""
    total = 0
    for entry in state.entries:
        if now - entry.time < within:
            total += left(entry)
    return total


def ends(state: LedgerState, now: i64, within: int, by_count: bool, steps: Steps) -> None:
    """Add when entries are no more within, after `now`, and what that takes from the count or from the sum."""
    for entry in state.entries:
        end = entry.time + within
        if now < end <= MAX_TIME:
            worth = int(counts(entry)) if by_count else left(entry)
            if worth:
                steps.append((end, -worth))


def unite(ledger: Ledger, state: LedgerState, other: LedgerState) -> None:
    """Take over another record's ledger: entries of one key become one, all else adds.

    The other record's entries count as those that arrived first.
    """
    state.returns = known_values.unite(other.returns, state.returns)
    state.count += other.count
    state.total += other.total
    kept: list[LedgerEntry] = []
    for theirs in other.entries:
        ours = find(state, theirs.key) if theirs.key else None
        if ours is None:
            kept.append(theirs)
        else:
            state.total -= left(ours) + left(theirs)
            state.count -= int(counts(ours)) + int(counts(theirs))
            _unite_entry(ours, theirs)
            _add(state, ours)
    state.entries = kept + state.entries
    while True:
        before = len(state.entries)
        _prune(ledger, state)
        if len(state.entries) == before:
            return


def _unite_entry(entry: LedgerEntry, other: LedgerEntry) -> None:
    if other.made:
        entry.time = min(entry.time, other.time) if entry.made else other.time
        entry.made = True
    if other.amount >= 0 and (entry.amount < 0 or other.amount_time < entry.amount_time):
        entry.amount, entry.amount_time = other.amount, other.amount_time
    if other.update >= 0 and (entry.update < 0 or other.update_time > entry.update_time):
        entry.update, entry.update_time = other.update, other.update_time
    entry.returned += other.returned
    entry.all_returned = entry.all_returned or other.all_returned
    entry.returns = other.returns + entry.returns
