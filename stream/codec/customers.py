"""Customer records: one compact binary value each, its header readable alone.

    byte 0       format
    byte 1       flags: 1 identified, 2 quarantined
    bytes 2-9    the next deadline of all lives, signed little-endian epoch milliseconds; NEVER where there is none
    bytes 10-17  the last sign of life, likewise: when the customer is forgotten depends on settings, too
    bytes 18-19  length of the header
    header       MessagePack: per life [digest, clock, next deadline, stage, entered, born, sequence]
    body         MessagePack: [latest, offset, id hashes, their times, per life [active, fired, counts,
                 windows, sums, times, facts]]

Times of a life are kept as milliseconds before its clock, which takes fewer bytes. Stage, counts and the rest
are positions in the layout of the digest.
"""

from struct import Struct
from typing import Any, Final, NamedTuple

import msgspec

from stream.codec.layouts import Layout, adopt, layout_of
from stream.core.customer import Customer, FactState, Life
from stream.core.facts import FactKind
from stream.core.interaction import Kind
from stream.core.lifecycle import Lifecycle
from stream.core.step import Model, forgotten_at
from stream.errors import StateError

FORMAT: Final = 1
NEVER: Final = 2**63 - 1
CUSTOMER: Final = b"c"
ANONYMOUS: Final = b"a"
LAYOUT: Final = b"t"
POSITION: Final = b"p"
"""The first byte of a changelog key: what the record is."""

_PREFIX: Final = Struct("<BBqqH")
_IDENTIFIED: Final = 1
_QUARANTINED: Final = 2
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode
_decode_layout: Final = msgspec.msgpack.Decoder(Layout).decode


class Header(NamedTuple):
    """What a record says without decoding the rest."""

    due: int | None
    """The next deadline, forgetting included, in epoch milliseconds; None where there is none."""
    stages: tuple[tuple[str, str], ...]
    """Per life: lifecycle and stage."""
    current: bool
    """Written with the lifecycles as they are now."""


def customer_key(kind: Kind, subject: str) -> bytes:
    """The changelog key of a subject."""
    return (CUSTOMER if kind == "customer" else ANONYMOUS) + subject.encode()


class CustomerCodec:
    """Encodes and decodes customer records for one model; knows every layout that it was shown."""

    def __init__(self, model: Model) -> None:
        self._lifecycles: dict[str, Lifecycle] = {each.id: each for each in model.lifecycles}
        self._model = model
        self._layouts: dict[bytes, Layout] = {}
        self._stages: dict[str, dict[str, int]] = {}
        for lifecycle in model.lifecycles:
            layout = layout_of(lifecycle)
            self._layouts[layout.digest] = layout
            self._stages[lifecycle.id] = {stage: place for place, stage in enumerate(layout.stages)}
        self._current = frozenset(self._layouts)

    def layout_records(self) -> list[tuple[bytes, bytes]]:
        """Key and value of the layouts that this codec writes with, in the model's order."""
        return [
            (LAYOUT + each.digest, bytes([FORMAT]) + _encode(self._layouts[each.digest]))
            for each in self._model.lifecycles
        ]

    def learn(self, value: bytes) -> None:
        """Take over a layout record. Raises StateError."""
        _check_format(value, "a layout")
        layout = _decode_layout(value[1:])
        self._layouts.setdefault(layout.digest, layout)

    def header(self, value: bytes) -> Header:
        """The header of a customer record. Raises StateError."""
        _check_format(value, "a customer record")
        _format, flags, deadline, active, length = _PREFIX.unpack_from(value)
        lives = _decode(value[_PREFIX.size : _PREFIX.size + length])
        stages = []
        current = len(lives) == len(self._current)
        for life in lives:
            layout = self._layout(life[0])
            current = current and life[0] in self._current
            stages.append((layout.lifecycle, _stage(life[3], layout)))
        forgotten = forgotten_at(self._model, active, bool(flags & _IDENTIFIED))
        due = deadline if forgotten is None else min(deadline, forgotten)
        return Header(None if due == NEVER or flags & _QUARANTINED else due, tuple(stages), current)

    def encode(self, customer: Customer) -> bytes:
        """The record of a customer."""
        header: list[tuple[bytes, int, int | None, int | str, int, str, int]] = []
        bodies: list[tuple[object, ...]] = []
        first = NEVER
        for lifecycle in self._model.lifecycles:
            life = customer.lives.get(lifecycle.id)
            if life is None:
                continue
            stage: int | str = self._stages[lifecycle.id].get(life.stage, life.stage)
            clock = life.clock
            deadline = life.deadline
            if deadline is not None and deadline < first:
                first = deadline
            until = None if deadline is None else deadline - clock
            header.append((lifecycle.digest, clock, until, stage, clock - life.entered, life.born, life.sequence))
            bodies.append(_pack_life(life, lifecycle))
        packed = _encode(header)
        flags = (_IDENTIFIED if customer.identified else 0) | (_QUARANTINED if customer.quarantined else 0)
        latest = customer.latest
        moments = [latest - moment for moment in customer.moments]
        body = _encode((latest, customer.offset, customer.marks, moments, bodies))
        return _PREFIX.pack(FORMAT, flags, first, customer.active, len(packed)) + packed + body

    def decode(self, key: bytes, value: bytes) -> Customer:
        """The customer of a record, in the layout of the lifecycles as they are now. Raises StateError."""
        _check_format(value, "a customer record")
        _format, flags, _deadline, active, length = _PREFIX.unpack_from(value)
        start = _PREFIX.size + length
        header = _decode(value[_PREFIX.size : start])
        latest, offset, marks, times, bodies = _decode(value[start:])
        identified = bool(flags & _IDENTIFIED)
        customer = Customer(
            kind="customer" if key[:1] == CUSTOMER else "anonymous",
            id=key[1:].decode(),
            identified=identified,
            latest=latest,
            active=active,
            marks=marks,
            moments=[latest - time for time in times],
            offset=offset,
            quarantined=bool(flags & _QUARANTINED),
        )
        for head, body in zip(header, bodies, strict=True):
            layout = self._layout(head[0])
            lifecycle = self._lifecycles.get(layout.lifecycle)
            if lifecycle is None:
                continue
            life = _unpack_life(head, body, layout, identified)
            if layout.digest != lifecycle.digest:
                life = adopt(life, layout, lifecycle)
            customer.lives[lifecycle.id] = life
        return customer

    def _layout(self, digest: bytes) -> Layout:
        layout = self._layouts.get(digest)
        if layout is None:
            raise StateError(f"a customer record has the layout {digest.hex()}, of which there is no layout record")
        return layout


def _stage(kept: int | str, layout: Layout) -> str:
    """A stage is kept as its place, or by name where the file has it no more and the customer has not left yet."""
    return kept if isinstance(kept, str) else layout.stages[kept]


def _check_format(value: bytes, what: str) -> None:
    if value[:1] != bytes([FORMAT]):
        found = value[0] if value else "none"
        raise StateError(
            f"{what} has format {found}, this version reads {FORMAT}: it was written by a newer version; run that one"
        )


def _pack_life(life: Life, lifecycle: Lifecycle) -> tuple[object, ...]:
    clock = life.clock
    sums: list[object] = [*life.sums]
    for score in lifecycle.scores:
        if score.half_life is None:
            for slot in score.slots:
                sums[slot] = _small(life.millionths[slot])
    ats: list[int | None] = []
    for at in life.ats:
        ats.append(clock - at if at else None)  # noqa: PERF401 - compiled, as fast, and typed
    facts: list[object] = []
    for fact, state in zip(lifecycle.facts, life.facts, strict=True):
        facts.append(_pack_fact(fact.kind, state, clock))
    return clock - life.active, life.fired, life.counts, life.windows, sums, ats, facts


def _small(number: int) -> int | str:
    """Integers beyond 64 bits go as text."""
    return number if -(2**63) <= number < 2**63 else str(number)


def _pack_fact(kind: FactKind, state: FactState, clock: int) -> object:
    if isinstance(state, int):
        return _small(state) if kind in ("count", "sum") else clock - state
    if isinstance(state, list):
        return [clock - time for time in state]
    return None if state is None else (clock - state[0], state[1])


def _unpack_fact(kind: str, kept: Any, clock: int) -> FactState:
    if kind in ("count", "sum"):
        return int(kept)
    if kind == "rolling":
        return [clock - time for time in kept]
    if kept is None:
        return None
    return (clock - kept[0], kept[1]) if kind == "latest" else clock - int(kept)


def _unpack_life(head: list[Any], body: list[Any], layout: Layout, identified: bool) -> Life:
    _digest, clock, deadline, stage, entered, born, sequence = head
    active, fired, counts, windows, sums, ats, states = body
    return Life(
        identified=identified,
        clock=clock,
        stage=_stage(stage, layout),
        entered=clock - entered,
        born=born,
        sequence=sequence,
        active=clock - active,
        fired=fired,
        deadline=None if deadline is None else clock + deadline,
        counts=counts,
        windows=[[(window, counted) for window, counted in each] for each in windows],
        sums=[each if isinstance(each, float) else 0.0 for each in sums],
        ats=[0 if at is None else clock - at for at in ats],
        millionths=[0 if isinstance(each, float) else int(each) for each in sums],
        facts=[
            _unpack_fact(kind, kept, clock) for (_name, _mark, kind), kept in zip(layout.facts, states, strict=True)
        ],
    )
