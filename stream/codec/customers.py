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

from typing import Final, NamedTuple

import msgspec
from librt.strings import BytesWriter, read_i64_le, write_i16_le, write_i64_le

from stream.codec.layouts import Layout, adopt, layout_of
from stream.codec.packing import (
    NIL,
    pack_array,
    pack_bytes,
    pack_float,
    pack_int,
    pack_large,
    pack_scalar,
    pack_text,
)
from stream.codec.unpacking import Unpacker
from stream.core.customer import Customer, FactState, Life, Window
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

_PREFIX: Final = 20
"""Bytes before the header."""
_CUSTOMER_BYTE: Final = CUSTOMER[0]
_LENGTH: Final = 18
"""Where the prefix has the length of the header."""
_IDENTIFIED: Final = 1
_QUARANTINED: Final = 2
_encode_layout: Final = msgspec.msgpack.Encoder().encode
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
        self._known: dict[bytes, _Known] = {}
        self._stages: dict[str, dict[str, int]] = {}
        for lifecycle in model.lifecycles:
            layout = layout_of(lifecycle)
            self._known[layout.digest] = _Known(layout, True)
            self._stages[lifecycle.id] = {stage: place for place, stage in enumerate(layout.stages)}

    def layout_records(self) -> list[tuple[bytes, bytes]]:
        """Key and value of the layouts that this codec writes with, in the model's order."""
        return [
            (LAYOUT + each.digest, bytes([FORMAT]) + _encode_layout(self._known[each.digest].layout))
            for each in self._model.lifecycles
        ]

    def learn(self, value: bytes) -> None:
        """Take over a layout record. Raises StateError."""
        _check_format(value, "a layout")
        layout = _decode_layout(value[1:])
        self._known.setdefault(layout.digest, _Known(layout, False))

    def header(self, value: bytes) -> Header:
        """The header of a customer record. Raises StateError."""
        _check_format(value, "a customer record")
        flags, deadline, active = value[1], read_i64_le(value, 2), read_i64_le(value, 10)
        source = Unpacker(value, _PREFIX)
        count = source.length()
        stages: list[tuple[str, str]] = []
        current = count == len(self._model.lifecycles)
        for _ in range(count):
            source.expect(7)
            known = self._known_layout(source.raw())
            current = current and known.current
            source.integer()
            if not source.is_nil():
                source.integer()
            stages.append((known.lifecycle, _stage(source, known)))
            source.integer()
            source.text()
            source.integer()
        forgotten = forgotten_at(self._model, active, bool(flags & _IDENTIFIED))
        due = deadline if forgotten is None else min(deadline, forgotten)
        return Header(None if due == NEVER or flags & _QUARANTINED else due, tuple(stages), current)

    def encode(self, customer: Customer) -> bytes:
        """The record of a customer."""
        lives: list[tuple[Lifecycle, Life]] = []
        first = NEVER
        for lifecycle in self._model.lifecycles:
            life = customer.lives.get(lifecycle.id)
            if life is not None:
                lives.append((lifecycle, life))
                if life.deadline is not None and life.deadline < first:
                    first = life.deadline
        out = BytesWriter()
        out.append(FORMAT)
        out.append((_IDENTIFIED if customer.identified else 0) | (_QUARANTINED if customer.quarantined else 0))
        write_i64_le(out, first)
        write_i64_le(out, customer.active)
        write_i16_le(out, 0)  # the header's length, known below
        pack_array(out, len(lives))
        for lifecycle, life in lives:
            self._pack_head(out, lifecycle, life)
        length = len(out) - _PREFIX
        out[_LENGTH] = length & 0xFF
        out[_LENGTH + 1] = length >> 8
        pack_array(out, 5)
        latest = customer.latest
        pack_int(out, latest)
        pack_int(out, customer.offset)
        pack_bytes(out, customer.marks)
        pack_array(out, len(customer.moments))
        for moment in customer.moments:
            pack_int(out, latest - moment)
        pack_array(out, len(lives))
        for lifecycle, life in lives:
            _pack_body(out, lifecycle, life)
        return out.getvalue()

    def _pack_head(self, out: BytesWriter, lifecycle: Lifecycle, life: Life) -> None:
        clock = life.clock
        pack_array(out, 7)
        pack_bytes(out, lifecycle.digest)
        pack_int(out, clock)
        if life.deadline is None:
            out.append(NIL)
        else:
            pack_int(out, life.deadline - clock)
        stage = self._stages[lifecycle.id].get(life.stage)
        if stage is None:
            pack_text(out, life.stage)
        else:
            pack_int(out, stage)
        pack_int(out, clock - life.entered)
        pack_text(out, life.born)
        pack_int(out, life.sequence)

    def decode(self, key: bytes, value: bytes) -> Customer:
        """The customer of a record, in the layout of the lifecycles as they are now. Raises StateError."""
        _check_format(value, "a customer record")
        flags = value[1]
        identified = flags & _IDENTIFIED != 0
        source = Unpacker(value, _PREFIX)
        lives: list[Life] = []
        layouts: list[_Known] = []
        for _ in range(source.length()):
            source.expect(7)
            known = self._known_layout(source.raw())
            layouts.append(known)
            lives.append(_unpack_head(source, known, identified))
        source.expect(5)
        latest = source.integer()
        customer = Customer(
            "customer" if key[0] == _CUSTOMER_BYTE else "anonymous",
            key[1:].decode(),
            identified,
            latest,
            read_i64_le(value, 10),
        )
        customer.quarantined = flags & _QUARANTINED != 0
        customer.offset = source.integer()
        customer.marks = source.raw()
        for _ in range(source.length()):
            customer.moments.append(latest - source.integer())
        source.expect(len(lives))
        for place, life in enumerate(lives):
            known = layouts[place]
            _unpack_body(source, known, life)
            lifecycle = self._lifecycles.get(known.lifecycle)
            if lifecycle is not None:
                customer.lives[lifecycle.id] = life if known.current else adopt(life, known.layout, lifecycle)
        return customer

    def _known_layout(self, digest: bytes) -> "_Known":
        known = self._known.get(digest)
        if known is None:
            raise StateError(f"a customer record has the layout {digest.hex()}, of which there is no layout record")
        return known


class _Known:
    """A layout, and whether records are written with it now."""

    def __init__(self, layout: Layout, current: bool) -> None:
        self.layout = layout
        self.current = current
        self.lifecycle: str = layout.lifecycle
        self.stages: tuple[str, ...] = layout.stages
        self.kinds: tuple[str, ...] = tuple(kind for _name, _mark, kind in layout.facts)


def _stage(source: Unpacker, known: _Known) -> str:
    """A stage is kept as its place, or by name where the file has it no more and the customer has not left yet."""
    return source.text() if source.is_text() else known.stages[source.integer()]


def _check_format(value: bytes, what: str) -> None:
    if not value or value[0] != FORMAT:
        found = value[0] if value else "none"
        raise StateError(
            f"{what} has format {found}, this version reads {FORMAT}: it was written by a newer version; run that one"
        )


def _pack_body(out: BytesWriter, lifecycle: Lifecycle, life: Life) -> None:
    clock = life.clock
    pack_array(out, 7)
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
    else:
        pack_array(out, 2)
        pack_int(out, clock - state[0])
        pack_scalar(out, state[1])


def _unpack_head(source: Unpacker, known: _Known, identified: bool) -> Life:
    clock = source.integer()
    deadline = None if source.is_nil() else clock + source.integer()
    stage = _stage(source, known)
    entered = clock - source.integer()
    born = source.text()
    return Life(identified, clock, stage, entered, born, source.integer(), clock, 0, deadline, [], [], [], [], [], [])


def _unpack_body(source: Unpacker, known: _Known, life: Life) -> None:
    clock = life.clock
    source.expect(7)
    life.active = clock - source.integer()
    life.fired = source.integer()
    for _ in range(source.length()):
        life.counts.append(source.integer())
    for _ in range(source.length()):
        windows: list[Window] = []
        for _each in range(source.length()):
            source.expect(2)
            window = source.integer()
            windows.append((window, source.integer()))
        life.windows.append(windows)
    for _ in range(source.length()):
        decays = source.is_double()
        life.sums.append(source.number() if decays else 0.0)
        life.millionths.append(0 if decays else source.large())
    for _ in range(source.length()):
        life.ats.append(0 if source.is_nil() else clock - source.integer())
    source.expect(len(known.kinds))
    for kind in known.kinds:
        life.facts.append(_unpack_fact(source, kind, clock))


def _unpack_fact(source: Unpacker, kind: str, clock: int) -> FactState:
    if kind == "count" or kind == "sum":  # noqa: PLR1714 - compiled, faster than `in`
        return source.large()
    if source.is_nil():
        return None
    if kind == "rolling":
        times: list[int] = []
        for _ in range(source.length()):
            times.append(clock - source.integer())
        return times
    if kind == "latest":
        source.expect(2)
        time = clock - source.integer()
        return time, source.scalar()
    return clock - source.integer()
