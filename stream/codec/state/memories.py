"""What only some lifecycles remember of a life: how it is written and read (format 3 of customer records).

MessagePack: [what each signal remembers, the largest time of each score's resets, ledgers, when transitions were taken
that have `at_most_every`, since when the conditions of those hold that have `hold`] and, where figures remember
anything, per figure its windows, each with what counted in it. Times are milliseconds
before the life's clock. A ledger is [count, total, hashes of returns, number of entries], then each entry as its flags
and what they say is there.
"""

from typing import Final, cast

from librt.strings import BytesWriter
from mypy_extensions import i64

from stream.codec.state.packing import NIL, pack_array, pack_bytes, pack_int, pack_large
from stream.codec.state.unpacking import Unpacker
from stream.core.memory import HASH_BYTES, LedgerEntry, LedgerState, Memory, SignalMemory, TimedPoints

_MADE: Final = 1
_KEYED: Final = 2
_AMOUNT: Final = 4
_OTHER_TIME: Final = 8
"""The amount came with another word of `each` than the one whose time the entry has."""
_UPDATED: Final = 16
_RETURNED: Final = 32
_ALL_RETURNED: Final = 64
_RETURNS: Final = 128
"""Each of its returns: time and millionths."""


def pack_memory(out: BytesWriter, memory: Memory, kinds: tuple[str, ...], clock: i64) -> None:
    """The memory of a life whose clock that is; `kinds` says what each signal remembers."""
    pack_array(out, 6 if memory.figures else 5)
    pack_array(out, len(kinds))
    for place, kind in enumerate(kinds):
        kept = memory.signals[place]
        if kind == "values":
            pack_bytes(out, cast("bytes", kept))
        elif kind == "points":
            pack_points(out, cast("TimedPoints", kept), clock)
        else:
            _pack_times(out, cast("list[int]", kept), kind, clock)
    _pack_moments(out, memory.resets, clock)
    pack_array(out, len(memory.ledgers))
    for ledger in memory.ledgers:
        _pack_ledger(out, ledger, clock)
    _pack_moments(out, memory.taken, clock)
    _pack_moments(out, memory.held, clock)
    if memory.figures:
        pack_array(out, len(memory.figures))
        for windows in memory.figures:
            _pack_windows(out, windows)


def _pack_windows(out: BytesWriter, windows: list[tuple[int, int]]) -> None:
    """How much further each window is than the one before, twice, and one more where it does not count one."""
    pack_array(out, len(windows))
    before = 0
    for window, counted in windows:
        pack_int(out, (window - before) * 2 + (counted != 1))
        if counted != 1:
            pack_large(out, counted)
        before = window


def _pack_moments(out: BytesWriter, moments: list[int | None], clock: i64) -> None:
    pack_array(out, len(moments))
    for moment in moments:
        if moment is None:
            out.append(NIL)
        else:
            pack_int(out, clock - moment)


def _pack_times(out: BytesWriter, kept: list[int], kind: str, clock: i64) -> None:
    pack_array(out, len(kept))
    for place, number in enumerate(kept):
        pack_int(out, number if kind == "latest" and place == 1 else clock - number)


def pack_points(out: BytesWriter, points: TimedPoints, clock: i64) -> None:
    """[number of columns, then time by time its time and the points in each column]."""
    pack_array(out, 1 + len(points.times) * (1 + len(points.columns)))
    pack_int(out, len(points.columns))
    for place, time in enumerate(points.times):
        pack_int(out, clock - time)
        for column in points.columns:
            pack_large(out, column[place])


def _pack_ledger(out: BytesWriter, ledger: LedgerState, clock: i64) -> None:
    pack_array(out, 4)
    pack_int(out, ledger.count)
    pack_large(out, ledger.total)
    pack_bytes(out, ledger.returns)
    pack_int(out, len(ledger.entries))
    for entry in ledger.entries:
        has_amount, has_update = entry.amount >= 0, entry.update >= 0
        other_time = has_amount and entry.amount_time != entry.time
        flags = (_MADE if entry.made else 0) | (_KEYED if entry.key else 0) | (_AMOUNT if has_amount else 0)
        flags |= (_OTHER_TIME if other_time else 0) | (_UPDATED if has_update else 0)
        flags |= (_RETURNED if entry.returned else 0) | (_ALL_RETURNED if entry.all_returned else 0)
        flags |= _RETURNS if entry.returns else 0
        pack_int(out, flags)
        if entry.key:
            out.write(entry.key)
        if entry.made:
            pack_int(out, clock - entry.time)
        if has_amount:
            pack_large(out, entry.amount)
        if other_time:
            pack_int(out, clock - entry.amount_time)
        if has_update:
            pack_large(out, entry.update)
            pack_int(out, clock - entry.update_time)
        if entry.returned:
            pack_large(out, entry.returned)
        if entry.returns:
            _pack_returns(out, entry.returns, clock)


def _pack_returns(out: BytesWriter, returns: tuple[tuple[int, int], ...], clock: i64) -> None:
    pack_array(out, len(returns))
    for time, amount in returns:
        pack_int(out, clock - time)
        pack_large(out, amount)


def unpack_memory(source: Unpacker, kinds: tuple[str, ...], clock: i64) -> Memory:
    """The memory of a life. Raises ValueError or IndexError where it is none."""
    parts = source.length()
    if parts not in (5, 6):
        raise ValueError(f"what a life remembers has 5 or 6 parts, not {parts}")
    source.expect(len(kinds))
    signals: list[SignalMemory] = []
    for kind in kinds:
        if kind == "values":
            signals.append(source.raw())
        elif kind == "points":
            signals.append(unpack_points(source, clock))
        else:
            numbers: list[int] = []
            for place in range(source.length()):
                number = source.integer()
                numbers.append(number if kind == "latest" and place == 1 else clock - number)
            signals.append(numbers)
    resets = _unpack_moments(source, clock)
    ledgers = [_unpack_ledger(source, clock) for _ in range(source.length())]
    taken = _unpack_moments(source, clock)
    held = _unpack_moments(source, clock)
    figures = [_unpack_windows(source) for _ in range(source.length())] if parts == 6 else []
    return Memory(signals, resets, ledgers, taken, held, figures)


def _unpack_windows(source: Unpacker) -> list[tuple[int, int]]:
    windows: list[tuple[int, int]] = []
    window = 0
    for _ in range(source.length()):
        step = source.integer()
        window += step >> 1
        windows.append((window, source.large() if step & 1 else 1))
    return windows


def _unpack_moments(source: Unpacker, clock: i64) -> list[int | None]:
    return [None if source.is_nil() else clock - source.integer() for _ in range(source.length())]


def unpack_points(source: Unpacker, clock: i64) -> TimedPoints:
    """Points that expire."""
    values = source.length() - 1
    count = source.integer()
    columns: list[list[int]] = [[] for _ in range(count)]
    times: list[int] = []
    for _ in range(values // (1 + count)):
        times.append(clock - source.integer())
        for column in columns:
            column.append(source.large())
    return TimedPoints(times, columns)


def _unpack_ledger(source: Unpacker, clock: i64) -> LedgerState:
    source.expect(4)
    count, total, returns = source.integer(), source.large(), source.raw()
    entries: list[LedgerEntry] = []
    for _ in range(source.integer()):
        flags = source.integer()
        entry = LedgerEntry(source.fixed(HASH_BYTES) if flags & _KEYED else b"")
        entry.made = flags & _MADE != 0
        entry.all_returned = flags & _ALL_RETURNED != 0
        if entry.made:
            entry.time = clock - source.integer()
        if flags & _AMOUNT:
            entry.amount = source.large()
            entry.amount_time = clock - source.integer() if flags & _OTHER_TIME else entry.time
        if flags & _UPDATED:
            entry.update = source.large()
            entry.update_time = clock - source.integer()
        if flags & _RETURNED:
            entry.returned = source.large()
        if flags & _RETURNS:
            entry.returns = tuple([(clock - source.integer(), source.large()) for _ in range(source.length())])
        entries.append(entry)
    return LedgerState(entries, returns, count, total)
