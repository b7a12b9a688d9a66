"""Lives within a customer's record: how each of their values is written and read.

Times of a life are kept as milliseconds before its clock, which takes fewer bytes. Stage, counts and the rest are
positions in the layout of the digest.
"""

from librt.strings import BytesWriter

from stream.codec.state.layouts import Layout
from stream.codec.state.memories import pack_memory, pack_points, unpack_memory, unpack_points
from stream.codec.state.packing import (
    NIL,
    pack_array,
    pack_bytes,
    pack_float,
    pack_int,
    pack_large,
    pack_scalar,
    pack_text,
)
from stream.codec.state.unpacking import Unpacker
from stream.core.customer import FactState, Life, Window
from stream.core.facts import FactKind
from stream.core.lifecycle import Lifecycle
from stream.core.memory import TimedPoints


class KnownLayout:
    """A layout, and whether records are written with it now."""

    def __init__(self, layout: Layout, current: bool) -> None:
        self.layout = layout
        self.current = current
        self.digest: bytes = layout.digest
        self.lifecycle: str = layout.lifecycle
        self.stages: tuple[str, ...] = layout.stages
        self.indexes: dict[str, int] = {stage: index for index, stage in enumerate(layout.stages)}
        self.kinds: tuple[str, ...] = tuple(kind for _name, _mark, kind in layout.facts)
        self.memories: tuple[str, ...] = tuple(kind for _signal, kind in layout.memories)


def pack_head(out: BytesWriter, layout: KnownLayout, life: Life) -> None:
    """The part of a life that can be read without the rest."""
    clock = life.clock
    pack_array(out, 7)
    pack_bytes(out, layout.digest)
    pack_int(out, clock)
    if life.deadline is None:
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
    pack_int(out, life.sequence)


def pack_body(out: BytesWriter, lifecycle: Lifecycle, layout: KnownLayout, life: Life) -> None:
    """The rest of a life."""
    clock = life.clock
    memory = life.memory
    pack_array(out, 7 if memory is None else 8)
    pack_int(out, clock - life.active)
    pack_int(out, life.fired)
    pack_array(out, len(life.counts))
    for count in life.counts:
        pack_int(out, count)
    pack_array(out, len(life.windows))
    for windows in life.windows:
        pack_array(out, len(windows))
        for window, counted in windows:
            pack_array(out, 2)
            pack_int(out, window)
            pack_int(out, counted)
    pack_array(out, len(life.sums))
    for slot, decays in enumerate(lifecycle.decays):
        if decays:
            pack_float(out, life.sums[slot])
        else:
            pack_large(out, life.millionths[slot])
    pack_array(out, len(life.ats))
    for at in life.ats:
        if at:
            pack_int(out, clock - at)
        else:
            out.append(NIL)
    pack_array(out, len(life.facts))
    for fact in lifecycle.facts:
        _pack_fact(out, fact.kind, life.facts[fact.index], clock)
    if memory is not None:
        pack_memory(out, memory, layout.memories, clock)


def _pack_fact(out: BytesWriter, kind: FactKind, state: FactState, clock: int) -> None:
    if state is None:
        out.append(NIL)
    elif isinstance(state, int):
        if kind == "count" or kind == "sum":  # noqa: PLR1714 - compiled, faster than `in`
            pack_large(out, state)
        else:
            pack_int(out, clock - state)
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
    deadline = None if source.is_nil() else clock + source.integer()
    stage = unpack_stage(source, layout)
    entered = clock - source.integer()
    born = source.text()
    return Life(identified, clock, stage, entered, born, source.integer(), clock, 0, deadline, [], [], [], [], [], [])


def unpack_body(source: Unpacker, layout: KnownLayout, life: Life) -> None:
    """The rest of the life."""
    clock = life.clock
    parts = source.length()
    life.active = clock - source.integer()
    life.fired = source.integer()
    life.counts = counts = [0] * source.length()
    for signal in range(len(counts)):
        counts[signal] = source.integer()
    for _ in range(source.length()):
        windows: list[Window] = []
        for _each in range(source.length()):
            source.expect(2)
            window = source.integer()
            windows.append((window, source.integer()))
        life.windows.append(windows)
    slots = source.length()
    life.sums = sums = [0.0] * slots
    life.millionths = millionths = [0] * slots
    life.ats = ats = [0] * slots
    for slot in range(slots):
        if source.is_double():
            sums[slot] = source.number()
        else:
            millionths[slot] = source.large()
    source.expect(slots)
    for slot in range(slots):
        if not source.is_nil():
            ats[slot] = clock - source.integer()
    source.expect(len(layout.kinds))
    for kind in layout.kinds:
        life.facts.append(_unpack_fact(source, kind, clock))
    if parts == 8:
        life.memory = unpack_memory(source, layout.memories, clock)
    elif parts != 7:
        raise ValueError(f"a life has 7 or 8 parts, not {parts}")


def _unpack_fact(source: Unpacker, kind: str, clock: int) -> FactState:
    if kind == "count" or kind == "sum":  # noqa: PLR1714 - compiled, faster than `in`
        return source.large()
    if source.is_nil():
        return None
    if kind == "rolling":
        return [clock - source.integer() for _ in range(source.length())]
    if kind == "latest" or kind == "latest_time":  # noqa: PLR1714
        source.expect(2)
        time = clock - source.integer()
        return time, None if source.is_nil() else source.scalar()
    if kind == "rolling_sum":
        return unpack_points(source, clock)
    return clock - source.integer()
