"""What a life remembers, by the names of its lifecycle: for those who ask how a number came about."""

from typing import cast

from stream.core import ledgers
from stream.core.customer import Life
from stream.core.exact import MILLION
from stream.core.lifecycle import Lifecycle
from stream.core.memory import HASH_BYTES, LedgerEntry, LedgerState, Memory, SignalMemory, TimedPoints


def remembered(lifecycle: Lifecycle, life: Life) -> dict[str, object]:
    """Everything, so that two lives that remember differently read differently; times are epoch milliseconds.

    `ledgers`: what is counted and left, each kept entry, and hashes of known returns. `signals`: what each remembers
    for its limit, of points that expire [time, points by score], of the latest value [time, 1 or for null 0].
    `sums`: of rolling sums [time, amount]. `windows`: of `at_most` [number of the window, how often it counted].
    `resets`: by score the largest time of a reset. `taken`, `held`: by transition when it was last taken, and since
    when its condition holds. Left out is what a lifecycle has none of.
    """
    windows = {each.name: life.windows_of(each.window) for each in lifecycle.signals if each.window >= 0}
    sums = {
        each.name: points_in(cast("TimedPoints", life.facts[each.index]))
        for each in lifecycle.facts
        if each.kind == "rolling_sum"
    }
    found: dict[str, object] = {"windows": windows, "sums": sums}
    if life.memory is not None:
        found |= _memory(lifecycle, life.memory)
    return {key: value for key, value in found.items() if value}


def points_in(points: TimedPoints) -> list[list[int | float]]:
    """Each time with what is added there in each column."""
    return [[time, *(column[place] / MILLION for column in points.columns)] for place, time in enumerate(points.times)]


def _memory(lifecycle: Lifecycle, memory: Memory) -> dict[str, object]:
    signals: dict[str, dict[str, object]] = {}
    for place, (signal, kind) in enumerate(lifecycle.memories):
        signals.setdefault(lifecycle.signals[signal].name, {})[kind] = _signal(memory.signals[place])
    return {
        "ledgers": {each.name: _ledger(memory.ledgers[each.index]) for each in lifecycle.ledgers},
        "signals": signals,
        "resets": _moments(lifecycle.resets, memory.resets),
        "taken": _moments(lifecycle.taken, memory.taken),
        "held": _moments(lifecycle.held, memory.held),
    }


def _moments(names: tuple[str, ...], moments: list[int | None]) -> dict[str, int]:
    return {name: time for name, time in zip(names, moments, strict=True) if time is not None}


def _signal(kept: SignalMemory) -> object:
    if isinstance(kept, TimedPoints):
        return points_in(kept)
    return _hashes(kept) if isinstance(kept, bytes) else kept


def _hashes(hashes: bytes) -> list[str]:
    return [hashes[at : at + HASH_BYTES].hex() for at in range(0, len(hashes), HASH_BYTES)]


def _ledger(state: LedgerState) -> dict[str, object]:
    return {
        "count": state.count,
        "sum": state.total / MILLION,
        "entries": [_entry(each) for each in state.entries],
        "returns": _hashes(state.returns),
    }


def _entry(entry: LedgerEntry) -> dict[str, object]:
    """One entry; what it does not have is left out."""
    found: dict[str, object] = {"key": entry.key.hex() or None, "left": ledgers.left(entry) / MILLION}
    found["counts"] = ledgers.counts(entry)
    if entry.made:
        found["time"] = entry.time
    if entry.amount >= 0:
        found["amount"] = [entry.amount / MILLION, entry.amount_time]
    if entry.update >= 0:
        found["update"] = [entry.update / MILLION, entry.update_time]
    if entry.returned:
        found["returned"] = entry.returned / MILLION
    if entry.all_returned:
        found["all_returned"] = True
    return found
