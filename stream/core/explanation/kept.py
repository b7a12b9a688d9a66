"""What a life keeps entries of: what ledgers come to, and what has as many as it keeps.

Of that, earlier entries that would still count may have been dropped.

What goes first has the smallest time. So where the oldest that is kept is over, whatever went before is over, too.
"""

from typing import cast

from stream.core.customer import Life
from stream.core.exact import MILLION
from stream.core.explanation.explanation import Full, LedgerNow
from stream.core.ledgers import counts
from stream.core.lifecycle import Lifecycle
from stream.core.memory import TimedPoints


def full(lifecycle: Lifecycle, life: Life) -> tuple[Full, ...]:
    """Signals, facts and ledgers, at the life's clock."""
    found: list[Full] = []
    now = life.clock
    for signal in lifecycle.signals:
        if signal.expiring >= 0:
            assert life.memory is not None
            times = cast("TimedPoints", life.memory.signals[signal.expiring]).times
            if len(times) >= signal.keep and now - times[0] < signal.expires:
                found.append(Full("signal", signal.name, signal.keep, times[0], None))
    for fact in lifecycle.facts:
        if fact.kind in ("rolling", "rolling_sum"):
            state = life.facts[fact.index]
            times = state.times if isinstance(state, TimedPoints) else cast("list[int]", state)
            if len(times) >= fact.keep and now - times[0] < fact.within:
                found.append(Full("fact", fact.name, fact.keep, times[0], None))
    return (*found, *_full_ledgers(lifecycle, life))


def _full_ledgers(lifecycle: Lifecycle, life: Life) -> list[Full]:
    found: list[Full] = []
    for ledger in lifecycle.ledgers:
        assert life.memory is not None
        state = life.memory.ledgers[ledger.index]
        made = [entry for entry in state.entries if entry.made]
        if len(made) >= ledger.keep:
            dropped = state.count - sum(counts(entry) for entry in made)
            found.append(Full("ledger", ledger.name, ledger.keep, min(entry.time for entry in made), dropped))
    return found


def ledgers_now(lifecycle: Lifecycle, life: Life) -> tuple[LedgerNow, ...]:
    """What each ledger comes to, in the order of the file."""
    found: list[LedgerNow] = []
    for ledger in lifecycle.ledgers:
        assert life.memory is not None
        state = life.memory.ledgers[ledger.index]
        kept = sum(entry.made for entry in state.entries)
        total = state.total / MILLION
        found.append(LedgerNow(ledger.name, state.count, total, kept, len(state.entries) - kept))
    return tuple(found)
