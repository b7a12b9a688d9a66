"""Customer records: one compact binary value each, its header readable alone.

byte 0       format
byte 1       flags: 1 identified, 2 quarantined
bytes 2-9    the next deadline of all lives, signed little-endian epoch milliseconds; NO_DEADLINE where there is none
bytes 10-17  the last sign of life, likewise: when the customer is forgotten depends on settings, too
bytes 18-19  length of the header
header       MessagePack: per life [digest, clock, next deadline, stage, entered, born, sequence]
body         MessagePack: [latest, offset, id hashes, their times, per life [active, fired, counts,
             windows, sums, times, facts]]; from format 2 on then [import, time, row] of the imports that are
             remembered; from format 3 on a life may go on with what only some lifecycles remember, see `memories`

Format 2 is written for customers with imports alone, format 3 for those in a lifecycle that remembers more than the
first versions did, format 4 where its figures remember something; so that every other record can be read by older
versions, too.
"""

from typing import Final, NamedTuple

import msgspec
from librt.strings import BytesWriter, read_i64_le, write_i16_le, write_i64_le
from librt.vecs import vec
from mypy_extensions import i64

from stream.codec.state.keys import CUSTOMER, LAYOUT
from stream.codec.state.layouts import Layout, adopt, encode_layout, layout_of
from stream.codec.state.lives import KnownLayout, pack_body, pack_head, unpack_body, unpack_head, unpack_stage
from stream.codec.state.packing import pack_array, pack_bytes, pack_int
from stream.codec.state.unpacking import Unpacker
from stream.core.customer import NEVER, Customer, Life
from stream.core.interaction import ImportedRow
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model, forgotten_at
from stream.errors import StateError, UnknownLayout

FORMAT: Final = 1
WITH_IMPORTS: Final = 2
"""The format of a customer who remembers imports."""
WITH_MEMORY: Final = 3
"""The format of a customer in a lifecycle that remembers more than the first versions did, with imports or without."""
WITH_FIGURES: Final = 4
"""The format of a customer in a lifecycle whose figures remember anything of a customer."""
NEWEST: Final = WITH_FIGURES
NO_DEADLINE: Final = 2**63 - 1
NEWER: Final = (
    "written by a newer version; upgrade this worker to that one, or forget all customers and begin again "
    "with `lifecycle reset --to earliest`"
)
"""How an error about a record that cannot be read goes on."""

PREFIX: Final = 20
"""Bytes before the header."""
_CUSTOMER_BYTE: Final = CUSTOMER[0]
LENGTH_AT: Final = 18
"""Where the prefix has the length of the header."""
_IDENTIFIED: Final = 1
_QUARANTINED: Final = 2
_decode_layout: Final = msgspec.msgpack.Decoder(Layout).decode


class Header(NamedTuple):
    """What a record says without decoding the rest."""

    due: int | None
    """The next deadline, forgetting included, in epoch milliseconds; None where there is none."""
    stages: tuple[tuple[str, str], ...]
    """Per life: lifecycle and stage."""
    current: bool
    """Written with the lifecycles as they are now."""
    edited: bool
    """A lifecycle of which it holds a life was edited since, and time may still move that."""


Standing = tuple[str, str, int]
"""Where a customer stands in one lifecycle: that, its stage, and since when, epoch milliseconds."""


def read_layout(value: bytes) -> Layout:
    """The layout of a record. Raises StateError."""
    _check_format(value, "a layout")
    try:
        return _decode_layout(value[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise StateError(f"a layout record cannot be read: {error}") from None


class CustomerCodec:
    """Encodes and decodes customer records for one model; knows every layout that it was shown."""

    def __init__(self, model: Model) -> None:
        self._places: dict[str, int] = {each.id: place for place, each in enumerate(model.lifecycles)}
        self._model = model
        self._known: dict[bytes, KnownLayout] = {}
        self._formats: dict[str, int] = {each.id: _format_of(each) for each in model.lifecycles}
        """By lifecycle the format of whoever has a life there."""
        for place, lifecycle in enumerate(model.lifecycles):
            layout = layout_of(lifecycle)
            self._known[layout.digest] = KnownLayout(layout, True, place)
        self._layouts = [self._known[each.digest] for each in model.lifecycles]
        """By place, those that records are written with."""
        self._format = max([self._formats[each.id] for each in model.lifecycles], default=FORMAT)
        """Of a customer with a life in each lifecycle, and without imports."""

    def layout_records(self) -> list[tuple[bytes, bytes]]:
        """Key and value of the layouts that this codec writes with, in the model's order."""
        return [
            (LAYOUT + each.digest, bytes([FORMAT]) + encode_layout(self._known[each.digest].layout))
            for each in self._model.lifecycles
        ]

    def learn(self, value: bytes) -> None:
        """Take over a layout record. Raises StateError."""
        layout = read_layout(value)
        self._known.setdefault(layout.digest, KnownLayout(layout, False))

    def header(self, value: bytes) -> Header:
        """The header of a customer record. Raises StateError."""
        _check_format(value, "a customer record", NEWEST)
        try:
            return self._header(value)
        except (ValueError, IndexError, OverflowError) as error:
            raise _malformed(error) from None

    def _header(self, value: bytes) -> Header:
        flags, deadline, active = value[1], read_i64_le(value, 2), read_i64_le(value, 10)
        source = Unpacker(value, PREFIX)
        count = source.length()
        stages: list[tuple[str, str]] = []
        current, edited = count == len(self._model.lifecycles), False
        for _ in range(count):
            source.expect(7)
            known = self._known_layout(source.raw())
            if not known.current:
                current, edited = False, edited or known.lifecycle in self._places
            source.integer()
            if not source.is_nil():
                source.integer()
            stages.append((known.lifecycle, unpack_stage(source, known)))
            source.integer()
            source.text()
            source.integer()
        forgotten = forgotten_at(self._model, active, bool(flags & _IDENTIFIED))
        due = deadline if forgotten is None else min(deadline, forgotten)
        quarantined = flags & _QUARANTINED != 0
        return Header(
            None if due == NO_DEADLINE or quarantined else due, tuple(stages), current, edited and not quarantined
        )

    def standings(self, value: bytes) -> list[Standing]:
        """Where a customer stands in each lifecycle, from the header alone, of a record that was read before."""
        source = Unpacker(value, PREFIX)
        standings: list[Standing] = []
        for _ in range(source.length()):
            source.expect(7)
            known = self._known_layout(source.raw())
            clock = source.integer()
            if not source.is_nil():
                source.integer()
            stage = unpack_stage(source, known)
            standings.append((known.lifecycle, stage, clock - source.integer()))
            source.text()
            source.integer()
        return standings

    def encode(self, customer: Customer) -> bytes:
        """The record of a customer."""
        first: i64 = NEVER
        count: i64 = 0
        by_place = customer.by_place
        for life in by_place:
            if life is not None:
                count += 1
                first = min(first, life.deadline)
        out = BytesWriter()
        rows = customer.rows
        record_format = self._format if count == len(by_place) else self._format_of(by_place)
        if rows is not None:
            record_format = max(record_format, WITH_IMPORTS)
        out.append(record_format)
        out.append((_IDENTIFIED if customer.identified else 0) | (_QUARANTINED if customer.quarantined else 0))
        write_i64_le(out, NO_DEADLINE if first == NEVER else first)
        write_i64_le(out, customer.active)
        write_i16_le(out, 0)  # the header's length, known below
        pack_array(out, count)
        for place, life in enumerate(by_place):
            if life is not None:
                pack_head(out, self._layouts[place], life)
        length = len(out) - PREFIX
        out[LENGTH_AT] = length & 0xFF
        out[LENGTH_AT + 1] = length >> 8
        pack_array(out, 5 if record_format == FORMAT else 6)
        latest = customer.latest
        pack_int(out, latest)
        pack_int(out, customer.offset)
        pack_bytes(out, customer.id_hashes)
        pack_array(out, len(customer.id_times))
        for id_time in customer.id_times:
            pack_int(out, latest - id_time)
        pack_array(out, count)
        for place, life in enumerate(by_place):
            if life is not None:
                pack_body(out, self._model.lifecycles[place], self._layouts[place], life)
        if record_format != FORMAT:
            pack_array(out, 0 if rows is None else len(rows))
            for row in rows or ():
                pack_array(out, 3)
                pack_bytes(out, row.source)
                pack_int(out, row.time)
                pack_int(out, row.number)
        return out.getvalue()

    def _format_of(self, by_place: list[Life | None]) -> int:
        """Of a customer with these lives, and without imports."""
        return max([self._formats[life.lifecycle] for life in by_place if life is not None], default=FORMAT)

    def decode(self, key: bytes, value: bytes) -> Customer:
        """The customer of a record, in the layout of the lifecycles as they are now. Raises StateError."""
        _check_format(value, "a customer record", NEWEST)
        try:
            return self._decode(key, value)
        except (ValueError, IndexError, OverflowError) as error:
            raise _malformed(error) from None

    def _decode(self, key: bytes, value: bytes) -> Customer:
        flags = value[1]
        identified = flags & _IDENTIFIED != 0
        source = Unpacker(value, PREFIX)
        lives: list[Life] = []
        layouts: list[KnownLayout] = []
        for _ in range(source.length()):
            source.expect(7)
            known = self._known_layout(source.raw())
            layouts.append(known)
            lives.append(unpack_head(source, known, identified))
        source.expect(5 if value[0] == FORMAT else 6)
        latest = source.integer()
        by_place: list[Life | None] = [None] * len(self._layouts)
        customer = Customer(
            "customer" if key[0] == _CUSTOMER_BYTE else "anonymous",
            key[1:].decode(),
            identified,
            latest,
            read_i64_le(value, 10),
            by_place,
        )
        customer.quarantined = flags & _QUARANTINED != 0
        customer.offset = source.integer()
        customer.id_hashes = source.raw()
        count = source.length()
        id_times = vec[i64]([0] * count)
        for each in range(count):
            id_times[each] = latest - source.integer()
        customer.id_times = id_times
        source.expect(len(lives))
        for index, life in enumerate(lives):
            known = layouts[index]
            unpack_body(source, known, life)
            if known.current:
                by_place[known.place] = life
                continue
            place = self._places.get(known.lifecycle)
            if place is None:
                continue
            by_place[place] = adopt(life, known.layout, self._model.lifecycles[place])
            edited = customer.edited
            if edited is None:
                edited = customer.edited = {}
            edited[known.lifecycle] = life.due
        if value[0] != FORMAT:
            customer.rows = _rows(source) or None
        return customer

    def _known_layout(self, digest: bytes) -> KnownLayout:
        known = self._known.get(digest)
        if known is None:
            raise UnknownLayout(digest)
        return known


def _format_of(lifecycle: Lifecycle) -> int:
    """Format 2 is of customers, not of lifecycles: it is below those that remember more."""
    if lifecycle.figures_remember:
        return WITH_FIGURES
    return WITH_MEMORY if lifecycle.is_extended else FORMAT


def _malformed(error: Exception) -> StateError:
    return StateError(f"a customer record is damaged ({error}): it is not what this application wrote")


def _rows(source: Unpacker) -> list[ImportedRow]:
    rows: list[ImportedRow] = []
    for _ in range(source.length()):
        source.expect(3)
        name, time = source.raw(), source.integer()
        rows.append(ImportedRow(name, time, source.integer()))
    return rows


def _check_format(value: bytes, what: str, newest: int = FORMAT) -> None:
    if not value or not FORMAT <= value[0] <= newest:
        found = value[0] if value else "none"
        readable = f"{FORMAT}" if newest == FORMAT else f"{FORMAT} to {newest}"
        raise StateError(f"{what} has format {found}, this version reads {readable}: it was {NEWER}")
