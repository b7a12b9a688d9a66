"""Lives within a customer's record: how each of their values is written and read.

Times of a life are kept as milliseconds before its clock, which takes fewer bytes. Stage, counts and the rest are
positions in the layout of the digest.
"""

from typing import Final

from librt.strings import BytesWriter
from librt.vecs import vec
from mypy_extensions import i64

from stream.codec.state.layouts import Layout
from stream.codec.state.memories import pack_memory, pack_points, unpack_memory, unpack_points
from stream.codec.state.packing import (
    NIL,
    pack_array,
    pack_bytes,
    pack_count,
    pack_float,
    pack_int,
    pack_large,
    pack_scalar,
    pack_text,
)
from stream.codec.state.unpacking import Unpacker
from stream.core.customer import IN_LARGE, NEVER, NONE, WINDOW_NUMBERS, FactState, Life
from stream.core.exact import LIMIT, number_of_fact, points_of, set_number_of_fact, set_points
from stream.core.facts import CODES, LAST, LEDGER_COUNT, ROLLING, ROLLING_SUM, SUM, has_state
from stream.core.lifecycle import Lifecycle
from stream.core.memory import TimedPoints


class KnownLayout:
    """A layout, and whether records are written with it now."""

    def __init__(self, layout: Layout, current: bool, place: int = -1) -> None:
        self.layout = layout
        self.current = current
        self.place = place
        """Of its lifecycle in the model; -1 where records are not written with it."""
        self.digest: bytes = layout.digest
        self.lifecycle: str = layout.lifecycle
        self.stages: tuple[str, ...] = layout.stages
        self.indexes: dict[str, int] = {stage: index for index, stage in enumerate(layout.stages)}
        self.facts: vec[i64] = vec[i64]([CODES.get(kind, LAST) for _name, _mark, kind in layout.facts])
        """The kind of each, as in CODES; one that nobody knows is read as a time, and nobody asks for it."""
        self.has_states = any(has_state(code) for code in self.facts)
        """A fact stands in `Life.facts`."""
        self.memories: tuple[str, ...] = tuple(kind for _signal, kind in layout.memories)


_NONE: Final = vec[i64]()
_NO_SUMS: Final = vec[float]()
_NO_STATES: Final[list[FactState]] = []
"""Of lives that have none, or whose body is still to be read; never changed."""


def pack_head(out: BytesWriter, layout: KnownLayout, life: Life) -> None:
    """The part of a life that can be read without the rest."""
    clock = life.clock
    pack_array(out, 7)
    pack_bytes(out, layout.digest)
    pack_int(out, clock)
    if life.deadline == NEVER:
        out.append(NIL)
    else:
        pack_int(out, life.deadline - clock)
    index = layout.indexes.get(life.stage)
    if index is None:
        pack_text(out, life.stage)
    else:
        pack_int(out, index)
    pack_int(out, clock - life.entered)
    pack_text(out, life.born)
    pack_count(out, life.sequence)


def pack_body(out: BytesWriter, lifecycle: Lifecycle, layout: KnownLayout, life: Life) -> None:
    """The rest of a life."""
    clock = life.clock
    memory = life.memory
    pack_array(out, 7 if memory is None else 8)
    pack_int(out, clock - life.active)
    pack_count(out, life.fired)
    pack_array(out, len(life.counts))
    for count in life.counts:
        pack_count(out, count)
    _pack_windows(out, life.windows)
    sums, ats = life.sums, life.ats
    pack_array(out, len(sums))
    for slot, decays in enumerate(lifecycle.decays):
        if decays:
            pack_float(out, sums[slot])
        elif life.millionths[slot] == IN_LARGE:
            pack_large(out, points_of(life, slot))
        else:
            pack_int(out, life.millionths[slot])
    pack_array(out, len(ats))
    for at in ats:
        if at:
            pack_int(out, clock - at)
        else:
            out.append(NIL)
    _pack_facts(out, layout, life)
    if memory is not None:
        pack_memory(out, memory, layout.memories, clock)


def _pack_windows(out: BytesWriter, windows: vec[i64]) -> None:
    """Per signal the windows that are there, each with how often it counted."""
    end: i64 = len(windows)
    pack_array(out, end // WINDOW_NUMBERS)
    at: i64 = 0
    while at < end:
        pack_array(out, 0 if not windows[at + 1] else 1 if not windows[at + 3] else 2)
        for window in (at, at + 2):
            if windows[window + 1]:
                pack_array(out, 2)
                pack_int(out, windows[window])
                pack_count(out, windows[window + 1])
        at += WINDOW_NUMBERS


def _pack_facts(out: BytesWriter, layout: KnownLayout, life: Life) -> None:
    clock, numbers = life.clock, life.numbers
    pack_array(out, len(numbers))
    for index, code in enumerate(layout.facts):
        if code <= LAST:
            number = numbers[index]
            if code <= SUM:
                if number == IN_LARGE:
                    pack_large(out, number_of_fact(life, index))
                else:
                    pack_int(out, number)
            elif number == NONE:
                out.append(NIL)
            else:
                pack_int(out, clock - number)
        elif code >= LEDGER_COUNT:
            out.append(NIL)
        else:
            _pack_state(out, life.facts[index], clock)


def _pack_state(out: BytesWriter, state: FactState, clock: i64) -> None:
    if state is None:
        out.append(NIL)
    elif isinstance(state, list):
        pack_array(out, len(state))
        for time in state:
            pack_int(out, clock - time)
    elif isinstance(state, TimedPoints):
        pack_points(out, state, clock)
    else:
        value = state[1]
        pack_array(out, 2)
        pack_int(out, clock - state[0])
        if value is None:
            out.append(NIL)
        else:
            pack_scalar(out, value)


def unpack_stage(source: Unpacker, layout: KnownLayout) -> str:
    """A stage is kept as its index, or by name where the file has it no more and the customer has not left yet."""
    return source.text() if source.is_text() else layout.stages[source.integer()]


def unpack_head(source: Unpacker, layout: KnownLayout, identified: bool) -> Life:
    """A life whose layout is known and whose digest is read already; the rest follows."""
    clock = source.integer()
    deadline: i64 = NEVER
    if not source.is_nil():
        deadline = clock + source.integer()
    stage = unpack_stage(source, layout)
    entered = clock - source.integer()
    born, sequence = source.text(), source.integer()
    none, no_sums = _NONE, _NO_SUMS
    return Life(
        layout.lifecycle,
        identified,
        clock,
        stage,
        entered,
        born,
        sequence,
        clock,
        0,
        deadline,
        none,
        none,
        no_sums,
        none,
        none,
        none,
        _NO_STATES,
    )


def unpack_body(source: Unpacker, layout: KnownLayout, life: Life) -> None:
    """The rest of the life."""
    clock = life.clock
    parts = source.length()
    life.active = clock - source.integer()
    life.fired = source.integer()
    length = source.length()
    counts = vec[i64]([0] * length)
    for signal in range(length):
        counts[signal] = source.integer()
    life.counts = counts
    life.windows = _unpack_windows(source)
    slots = source.length()
    sums = vec[float]([0.0] * slots)
    ats = vec[i64]([0] * slots)
    life.sums, life.ats, life.millionths = sums, ats, vec[i64]([0] * slots)
    for slot in range(slots):
        if source.is_double():
            sums[slot] = source.number()
        elif source.is_text():
            set_points(life, slot, source.large())
        else:
            points = source.integer()
            if -LIMIT < points < LIMIT:
                life.millionths[slot] = points
            else:
                set_points(life, slot, points)
    source.expect(slots)
    for slot in range(slots):
        if not source.is_nil():
            ats[slot] = clock - source.integer()
    _unpack_facts(source, layout, life)
    if parts == 8:
        life.memory = unpack_memory(source, layout.memories, clock)
    elif parts != 7:
        raise ValueError(f"a life has 7 or 8 parts, not {parts}")


def _unpack_windows(source: Unpacker) -> vec[i64]:
    signals = source.length()
    windows = vec[i64]([0] * (WINDOW_NUMBERS * signals))
    at: i64 = 0
    for _ in range(signals):
        there = source.length()
        if there > 2:
            raise ValueError(f"a signal has at most two windows, not {there}")
        for each in range(there):
            source.expect(2)
            windows[at + 2 * each] = source.integer()
            windows[at + 2 * each + 1] = source.integer()
        at += WINDOW_NUMBERS
    return windows


def _unpack_facts(source: Unpacker, layout: KnownLayout, life: Life) -> None:
    clock = life.clock
    codes = layout.facts
    source.expect(len(codes))
    numbers = vec[i64]([0] * len(codes))
    life.numbers = numbers
    if layout.has_states:
        life.facts = [None] * len(codes)
    for index, code in enumerate(codes):
        if code <= SUM:
            if source.is_text():
                set_number_of_fact(life, index, source.large())
            else:
                number = source.integer()
                if -LIMIT < number < LIMIT:
                    numbers[index] = number
                else:
                    set_number_of_fact(life, index, number)
        elif code <= LAST:
            numbers[index] = NONE if source.is_nil() else clock - source.integer()
        elif code >= LEDGER_COUNT:
            if not source.is_nil():
                raise ValueError("a fact of a ledger keeps nothing of its own")
        else:
            life.facts[index] = _unpack_state(source, code, clock)


def _unpack_state(source: Unpacker, code: i64, clock: i64) -> FactState:
    if source.is_nil():
        return None
    if code == ROLLING:
        return [clock - source.integer() for _ in range(source.length())]
    if code == ROLLING_SUM:
        return unpack_points(source, clock)
    source.expect(2)
    time = clock - source.integer()
    return time, None if source.is_nil() else source.scalar()
