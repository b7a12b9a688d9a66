"""What was seen in files that could not be read, or would not count, and by which options it could.

A survey never changes how anything is read: what it finds is offered to whoever knows the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from stream.codec.files.column_mapping import Path
from stream.codec.files.foreign_bytes import LIKELY_ENCODING, is_foreign, meant
from stream.codec.files.notation import EXCEL, ISO
from stream.codec.files.reading_options import FROM_THE_FILE, ReadingOptions
from stream.codec.files.written_numbers import NumberColumn, fitting
from stream.codec.files.written_times import TimeColumn, needs_zone, readable
from stream.errors import InputFileError

_ZONES: Final = (
    ("Europe/Berlin", ("datum", "kunde", "betrag", "bestell", "umsatz", "uhrzeit", "zeitpunkt", "rechnung")),
    ("Europe/Paris", ("commande", "montant", "horodat", "prénom")),
    ("Europe/Madrid", ("fecha", "importe", "pedido")),
    ("Europe/Amsterdam", ("bedrag", "klant", "bestelling")),
    ("Europe/Rome", ("importo", "ordine")),
    ("Europe/Warsaw", ("kwota", "klient", "zamówien")),
)
"""Zones in whose language a header may be, for the offer only."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What options would read, in words, and the options."""

    findings: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    """Each is a way to read it, as arguments to add; more than one where it cannot be told which is right."""
    remarks: tuple[str, ...] = ()
    unsaid: bool = True
    """Whether nothing was said yet of at least one of the things found: then nobody has chosen to leave them."""


class OfferedError(InputFileError):
    """A file that cannot be read as it is, but could with options that are offered."""

    def __init__(self, message: str, offer: Offer) -> None:
        super().__init__(message)
        self.offer = offer


class Survey:
    """What one run sees of cells that are not read as they were probably meant."""

    def __init__(self, options: ReadingOptions = FROM_THE_FILE, *, zone: str = "UTC") -> None:
        """`options`: what was said; `zone`: the time zone that is offered where nothing tells another."""
        self.options = options
        self.read = 0
        """Times that could be read as they are."""
        self._zone = zone
        self._numbers: dict[str, NumberColumn] = {}
        self._times: dict[str, TimeColumn] = {}
        self._foreign = 0
        self._first_foreign = ("", "")
        self._impossible = False
        self._zone_named: str | None = None
        self._encoding: str | None = None

    def number_column(self, name: str) -> NumberColumn:
        """The column of this name that is read as a property."""
        return self._numbers.setdefault(name, NumberColumn(name))

    def time_column(self, name: str) -> TimeColumn:
        """The column of this name that is read as a time."""
        return self._times.setdefault(name, TimeColumn(name))

    def header(self, columns: Sequence[str]) -> None:
        """Note the names of a file's columns."""
        words = " ".join(columns).lower()
        for zone, signs in _ZONES:
            if self._zone_named is None and any(each in words for each in signs):
                self._zone_named = zone

    def is_in(self, encoding: str) -> None:
        """The file says that it is in this encoding, which nobody named."""
        self._encoding = encoding

    def foreign(self, cell: str, where: str) -> None:
        """Note a cell with bytes that are not UTF-8, as lone surrogates."""
        if not self._foreign:
            self._first_foreign = (meant(cell), where)
        self._foreign += 1
        self._impossible = self._impossible or is_foreign(meant(cell))

    def offer(self) -> Offer | None:
        """What is offered of all that was seen; None: there is nothing."""
        parts = [each for each in (self._encodings(), self._written_numbers(), self._written_times()) if each]
        if not parts:
            return None
        ways: list[tuple[str, ...]] = [()]
        for part in parts:
            ways = [(*before, *more) for before in ways for more in part.options or ((),)]
        return Offer(
            tuple(text for part in parts for text in part.findings),
            tuple(each for each in ways if each),
            tuple(text for part in parts for text in part.remarks),
            unsaid=any(part.unsaid for part in parts),
        )

    def offer_with(self, *more: str) -> Offer:
        """The same with further options before the others, which are needed in any case."""
        found = self.offer() or Offer((), ((),))
        ways = tuple((*more, *way) for way in found.options or ((),))
        return Offer(found.findings, ways, found.remarks)

    def _encodings(self) -> Offer | None:
        if self._encoding is not None:
            return Offer((f"the file looks like {self._encoding}",), (("--encoding", self._encoding),))
        if not self._foreign:
            return None
        first, where = self._first_foreign
        rows = f"{self._foreign:,} {'cell' if self._foreign == 1 else 'cells'} with bytes that are not UTF-8"
        if self.options.encoding is not None:
            return Offer((f"{rows} or {self.options.encoding} ({where})",), (), unsaid=False)
        if self._impossible:
            remark = "name the encoding with --encoding, such as cp850 (DOS), mac-roman or windows-1250"
            return Offer((f"{rows} ({where}), nor Windows-1252",), (), (remark,), unsaid=True)
        return Offer(
            (f"{rows}, such as {first[:40]!r} ({where}), look like Windows-1252",), (("--encoding", LIKELY_ENCODING),)
        )

    def _written_numbers(self) -> Offer | None:
        columns = [each for each in self._numbers.values() if each.looks_numeric]
        said = self.options.notation
        ways = fitting(columns, said)
        if not ways:
            return None
        currencies = {sign for each in columns for sign in each.currencies if sign not in said.currencies}
        findings = tuple(
            f"{each.unread:,} {'number' if each.unread == 1 else 'numbers'} of the column {each.name!r}, such as "
            f"{each.first[0]!r} ({each.first[1]}), {'is' if each.unread == 1 else 'are'} text and would add nothing"
            for each in columns
            if each.first is not None
        )
        options = []
        for decimal, thousands in ways:
            added: list[str] = []
            # A point is what nobody needs to say, unless nothing else would be said.
            if said.decimal is None and (decimal == "comma" or not (thousands or currencies)):
                added += ["--decimal", decimal]
            if thousands is not None and said.thousands is None:
                added += ["--thousands", thousands]
            for sign in sorted(currencies):
                added += ["--currency", sign]
            options.append(tuple(added))
        remarks: list[str] = []
        if len(ways) > 1:
            remarks.append("The comma may stand before decimals or between thousands: say which is right.")
        if len(currencies) > 1:
            remarks.append("There are several currencies: their amounts would be added as if they were one.")
        return Offer(findings, tuple(options), tuple(remarks), unsaid=not said.says_numbers)

    def _written_times(self) -> Offer | None:
        columns = [each for each in self._times.values() if each.unread]
        if not columns:
            return None
        said = self.options.notation
        findings: list[str] = []
        ways: dict[tuple[str, ...], None] = {}
        local = any(needs_zone(form) for each in columns for forms in each.formats() for form in forms)
        zone = () if said.time_zone is not None or not local else ("--time-zone", self._zone_named or self._zone)
        for column in columns:
            formats = list(column.formats())
            assert column.first is not None  # noted with the first that looks like a time
            shown = " or ".join(", ".join(map(readable, forms)) for forms in formats)
            findings.append(
                f"{column.unread:,} {'row' if column.unread == 1 else 'rows'}: times of the column {column.name!r} "
                f"such as {column.first[0]!r} ({column.first[1]}) look like {shown}"
            )
        found = [list(each.formats()) for each in columns]
        for place in range(max(map(len, found))):
            chosen = (each[min(place, len(each) - 1)] for each in found)
            forms = dict.fromkeys(form for forms in chosen for form in forms if form not in said.time_formats)
            # A time that is read already would not be read by the formats of the others.
            before = ("--time-format", ISO) if self.read and not said.time_formats else ()
            ways[(*before, *(part for form in forms for part in ("--time-format", form)), *zone)] = None
        remarks = []
        if len(ways) > 1:
            remarks.append("Day and month could stand in either order: every row fits both, so say which is right.")
        if zone:
            remarks.append(f"{zone[1]} is a guess: name the zone of the place whose clock wrote these times.")
        if any(EXCEL in each.shapes for each in columns):
            remarks.append("As epoch milliseconds these numbers would be times of January 1970.")
        return Offer(tuple(findings), tuple(ways), tuple(remarks), unsaid=not said.time_formats)


@dataclass(slots=True)
class ColumnsSeen:
    """The columns of one mapping in a survey, by their places in it."""

    survey: Survey
    times: dict[int, TimeColumn] = field(default_factory=dict)
    numbers: dict[int, NumberColumn] = field(default_factory=dict)

    def add(self, place: int, target: Path, name: str) -> None:
        """The source of this target has a place and a name."""
        if target == ("time",):
            self.times[place] = self.survey.time_column(name)
        elif len(target) > 1:
            self.numbers[place] = self.survey.number_column(name)
