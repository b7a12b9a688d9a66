"""What the values of a state record stand for: the layout that a lifecycle had when it was written.

A record names the digest of each lifecycle; the layout of that digest is kept beside the records. So signals,
facts and stages are found by name whatever their position in the file, and an edited file keeps every signal
and fact that still means the same.
"""

from typing import Final

import msgspec

from stream.core.calendar_windows import OnCalendar
from stream.core.customer import WINDOW_NUMBERS, Life
from stream.core.deadlines import schedule
from stream.core.exact import number_of_fact, points_of, set_number_of_fact, set_points
from stream.core.facts import SUM, has_state
from stream.core.lifecycle import Lifecycle
from stream.core.memory import Memory


class Layout(msgspec.Struct, frozen=True, array_like=True):
    """The names behind the positions of one version of a lifecycle.

    The last seven are there where the lifecycle remembers more than the first versions did, `figures` where these do.
    """

    lifecycle: str
    digest: bytes
    stages: tuple[str, ...]
    signals: tuple[tuple[str, str, int], ...]
    """Name, fingerprint, and index in the windows or -1."""
    slots: tuple[tuple[int, str], ...]
    """The signal's index, and the score's name."""
    facts: tuple[tuple[str, str, str], ...]
    """Name, fingerprint and kind."""
    memories: tuple[tuple[int, str], ...] = ()
    """Per place of a signal's memory: the signal's index, and the kind."""
    resets: tuple[str, ...] = ()
    """Names of the scores that signals reset."""
    ledgers: tuple[tuple[str, str], ...] = ()
    """Name and fingerprint."""
    time_zone: str = ""
    """Of calendar windows; empty: UTC."""
    taken: tuple[str, ...] = ()
    """Transitions of which it is kept when they were taken."""
    held: tuple[str, ...] = ()
    """Transitions of which it is kept since when their condition holds."""
    figures: tuple[tuple[str, str], ...] = ()
    """Name and fingerprint of those of which it is kept when a customer counted."""


_FIRST: Final = 6
"""Names of a layout that the first versions knew."""
_BEFORE_FIGURES: Final = 12


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Layout)


def layout_of(lifecycle: Lifecycle) -> Layout:
    """The layout in which this version writes its lives."""
    return Layout(
        lifecycle=lifecycle.id,
        digest=lifecycle.digest,
        stages=tuple(lifecycle.stages),
        signals=tuple((each.name, each.fingerprint, each.window) for each in lifecycle.signals),
        slots=lifecycle.slots,
        facts=tuple(
            (fact.name, fingerprint, fact.kind)
            for fact, fingerprint in zip(lifecycle.facts, lifecycle.fact_fingerprints, strict=True)
        ),
        memories=lifecycle.memories,
        resets=lifecycle.resets,
        ledgers=tuple(
            (ledger.name, fingerprint)
            for ledger, fingerprint in zip(lifecycle.ledgers, lifecycle.ledger_fingerprints, strict=True)
        ),
        time_zone=lifecycle.time_zone,
        taken=lifecycle.taken,
        held=lifecycle.held,
        figures=() if lifecycle.figures is None else lifecycle.figures.windows,
    )


def encode_layout(layout: Layout) -> bytes:
    """The record of a layout; one without what the first versions did not know is as they wrote it."""
    names = msgspec.structs.astuple(layout)
    if layout.figures:
        return _encoder.encode(names)
    return _encoder.encode(names[: _BEFORE_FIGURES if any(names[_FIRST:]) else _FIRST])


def adopt(life: Life, old: Layout, lifecycle: Lifecycle) -> Life:
    """A life written with the layout `old`, as `lifecycle` keeps it, its next deadline computed again."""
    new = layout_of(lifecycle)
    adopted = lifecycle.begin(life.clock, life.born, life.identified)
    adopted.stage, adopted.entered, adopted.sequence = life.stage, life.entered, life.sequence
    adopted.active, adopted.fired = life.active, life.fired
    zone_changed = (old.time_zone or "UTC") != (new.time_zone or "UTC")
    signals = {(name, fingerprint): index for index, (name, fingerprint, _window) in enumerate(old.signals)}
    slots = {(old.signals[signal][:2], score): slot for slot, (signal, score) in enumerate(old.slots)}
    for index, (name, fingerprint, window) in enumerate(new.signals):
        before = signals.get((name, fingerprint))
        if before is not None:
            adopted.counts[index] = life.counts[before]
            if window >= 0 and not (zone_changed and isinstance(lifecycle.signals[index].limit, OnCalendar)):
                now, then = window * WINDOW_NUMBERS, old.signals[before][2] * WINDOW_NUMBERS
                for each in range(WINDOW_NUMBERS):
                    adopted.windows[now + each] = life.windows[then + each]
    for slot, (signal, score) in enumerate(new.slots):
        before = slots.get((new.signals[signal][:2], score))
        if before is not None:
            adopted.sums[slot], adopted.ats[slot] = life.sums[before], life.ats[before]
            set_points(adopted, slot, points_of(life, before))
    facts = {each: index for index, each in enumerate(old.facts)}
    for index, (fact, kind) in enumerate(zip(new.facts, lifecycle.facts, strict=True)):
        before = facts.get(fact)
        if before is None:
            continue
        if has_state(kind.code):
            adopted.facts[index] = life.facts[before]
        elif kind.code <= SUM:
            set_number_of_fact(adopted, index, number_of_fact(life, before))
        else:
            adopted.numbers[index] = life.numbers[before]
    if life.memory is not None and adopted.memory is not None:
        adopt_memory(life.memory, old, adopted.memory, new)
    schedule(lifecycle, adopted)
    return adopted


def adopt_memory(before: Memory, old: Layout, after: Memory, new: Layout) -> None:
    """Take over what still means the same into a memory that begins."""
    places = {(old.signals[signal][:2], kind): place for place, (signal, kind) in enumerate(old.memories)}
    for place, (signal, kind) in enumerate(new.memories):
        known = places.get((new.signals[signal][:2], kind))
        if known is not None:
            after.signals[place] = before.signals[known]
    for then, now, kept, names in (
        (before.resets, after.resets, old.resets, new.resets),
        (before.taken, after.taken, old.taken, new.taken),
        (before.held, after.held, old.held, new.held),
    ):
        for place, name in enumerate(names):
            if name in kept:
                now[place] = then[kept.index(name)]
    for place, ledger in enumerate(new.ledgers):
        if ledger in old.ledgers:
            after.ledgers[place] = before.ledgers[old.ledgers.index(ledger)]
    if (old.time_zone or "UTC") == (new.time_zone or "UTC"):
        for place, figure in enumerate(new.figures):
            if figure in old.figures:
                after.figures[place] = before.figures[old.figures.index(figure)]


def lifecycle_of(record: bytes) -> str:
    """Whose layout a layout record holds; its first byte is the format. Raises msgspec.DecodeError."""
    return _decoder.decode(record[1:]).lifecycle
