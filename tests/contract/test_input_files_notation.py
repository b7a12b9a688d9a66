"""Numbers, times and texts as other countries and programs write them: read as was said, and never by a guess."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.import_sources import name_of
from stream.codec.files.input_files import read_interactions
from stream.codec.files.notation import Notation
from stream.codec.files.reading_options import ReadingOptions
from stream.codec.files.table_records import cell_value
from stream.codec.interactions import DEFAULT_READING
from stream.core.interaction import Interaction
from stream.errors import InputFileError

MAPPING = ColumnMapping.parse(["customer_id=who,type='Order Completed',time=when,properties.total=sum"])
GERMAN = Notation(decimal="comma", thousands="point", currencies=("€", "EUR"))


def ms(text: str) -> int:
    """A moment of RFC 3339 as epoch milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def read(path: Path, content: str | bytes, **said: Any) -> list[Interaction | Rejected]:
    """The records of a file with the columns of MAPPING."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    encoding = said.pop("encoding", None)
    options = ReadingOptions(Notation(**said), encoding)
    return [each for _line, each in read_interactions(path, mapping=MAPPING, options=options)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.234,56 €", 1234.56),
        ("49,90 €", 49.9),
        ("€ 12", 12),
        ("EUR1.000", 1000),
        ("1.234.567", 1234567),
        ("-3,5", -3.5),
        ("\u22123,5", -3.5),
        ("3,5-", -3.5),
        ("-€5", -5),
        ("(12,50 €)", -12.5),
        ("+3", 3),
        (" 12,50\u00a0€ ", 12.5),
        ("0,5", 0.5),
        ("true", True),
        # None of these is a number of that notation, and a wrong guess would be off by a thousand.
        ("12.50", "12.50"),
        ("1.23", "1.23"),
        ("1.2345", "1.2345"),
        ("$5,00", "$5,00"),
        ("007", "007"),
        ("-3-", "-3-"),
        ("(5", "(5"),
        ("1,5 kg", "1,5 kg"),
        ("€", "€"),
        ("03.01.2025", "03.01.2025"),
        ("9" * 400, "9" * 400),
    ],
)
def test_numbers_are_read_as_was_said(cell: str, value: object) -> None:
    assert cell_value("properties", cell, GERMAN) == value
    assert type(cell_value("properties", cell, GERMAN)) is type(value)


@pytest.mark.parametrize(
    ("notation", "cell", "value"),
    [
        (Notation(thousands="comma", currencies=("$",)), "$1,234.00", 1234.0),
        (Notation(thousands="comma"), "12,34,567.50", 1234567.5),
        (Notation(thousands="comma"), "1,2345", "1,2345"),
        (Notation(decimal="point"), " 12.50", 12.5),
        (Notation(decimal="point"), "49,90", "49,90"),
        (Notation(decimal="comma", thousands="space"), "1\u202f234,5", 1234.5),
        (Notation(thousands="apostrophe"), "1\u2019234.50", 1234.5),
        (Notation(), " 12.50", " 12.50"),
        (Notation(), "19,90", "19,90"),
    ],
)
def test_each_separator_is_one_only_where_it_was_said(notation: Notation, cell: str, value: object) -> None:
    assert cell_value("properties", cell, notation) == value


def test_ids_and_types_are_no_numbers_whatever_was_said() -> None:
    for target in ("customer_id", "anonymous_id", "id", "type"):
        assert cell_value(target, "1.234", GERMAN) == "1.234"


@pytest.mark.parametrize(
    ("zone", "local", "moment"),
    [
        ("Europe/Berlin", "2026-03-28 03:30", "2026-03-28T02:30:00+00:00"),
        ("Europe/Berlin", "2026-03-29 03:30", "2026-03-29T01:30:00+00:00"),
        # Left out by the change of the clocks: with the offset before it.
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29T01:30:00+00:00"),
        # Twice: the first.
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00+00:00"),
        ("Asia/Tokyo", "2026-03-05T08:30:15.250", "2026-03-04T23:30:15.250+00:00"),
        # A bare date is its day's first instant: not midnight where the clocks are changed then.
        ("Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00+00:00"),
        ("Europe/Berlin", "20260701", "2026-06-30T22:00:00+00:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00+00:00"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00+00:00"),
        # Who says their zone keeps it.
        ("Asia/Tokyo", "2026-03-05T08:30:00Z", "2026-03-05T08:30:00+00:00"),
        ("Asia/Tokyo", "2026-03-05T08:30:00+01:00", "2026-03-05T07:30:00+00:00"),
        (None, "2026-03-05 08:30", "2026-03-05T08:30:00+00:00"),
    ],
)
def test_a_local_time_is_one_of_the_zone_of_the_file(tmp_path: Path, zone: str | None, local: str, moment: str) -> None:
    [record] = read(tmp_path / "a.csv", f"who,when,sum\nc,{local},1\n", time_zone=zone)
    assert isinstance(record, Interaction)
    assert record.time == ms(moment)
    line = f'{{"type":"a","customer_id":"c","time":"{local}"}}\n'
    (tmp_path / "a.jsonl").write_text(line)
    options = ReadingOptions(Notation(time_zone=zone))
    if local != "20260701":  # in JSON a native time of eight digits is none without a zone, and must stay so
        [(_, native)] = read_interactions(tmp_path / "a.jsonl", options=options)
        assert isinstance(native, Interaction)
        assert native.time == ms(moment)


def test_a_day_is_a_day_where_the_customer_is(tmp_path: Path) -> None:
    """22:00 and 08:00 of the next day in Tokyo are one day in UTC, and two there."""
    visits = read(
        tmp_path / "a.csv", "who,when,sum\nc,2026-03-05 22:00,\nc,2026-03-06 08:00,\n", time_zone="Asia/Tokyo"
    )
    times = [each.time for each in visits if isinstance(each, Interaction)]
    assert times == [ms("2026-03-05T22:00:00+09:00"), ms("2026-03-06T08:00:00+09:00")]


@pytest.mark.parametrize(
    ("formats", "cell", "moment"),
    [
        (["%d.%m.%Y %H:%M"], "03.01.2025 19:49", "2025-01-03T18:49:00+00:00"),
        (["%d.%m.%Y"], "03.01.2025", "2025-01-02T23:00:00+00:00"),
        (["%m/%d/%y %I:%M %p"], "12/31/25 1:05 PM", "2025-12-31T12:05:00+00:00"),
        (["%d.%m.%Y", "%d.%m.%Y %H:%M"], "03.01.2025 19:49", "2025-01-03T18:49:00+00:00"),
        (["iso", "%d.%m.%Y"], "2025-01-03T19:49:00Z", "2025-01-03T19:49:00+00:00"),
        (["%Y-%m-%d %H:%M:%S %z"], "2026-03-05 10:15:22 +0100", "2026-03-05T09:15:22+00:00"),
        (["excel"], "46087", "2026-03-05T23:00:00+00:00"),
        (["excel"], "46087,75", "2026-03-06T17:00:00+00:00"),
        (["excel"], "45660.8256944444", "2025-01-03T18:49:00+00:00"),
    ],
)
def test_a_time_is_read_by_the_first_format_that_fits(
    tmp_path: Path, formats: list[str], cell: str, moment: str
) -> None:
    said = {"time_formats": tuple(formats), "time_zone": "Europe/Berlin"}
    [record] = read(tmp_path / "a.csv", f"who;when;sum\nc;{cell};1\n", **said)
    assert isinstance(record, Interaction), record
    assert record.time == ms(moment)


def test_what_no_format_fits_is_rejected_even_if_it_could_be_read_otherwise(tmp_path: Path) -> None:
    """2025-01-13 is no day of %Y-%d-%m: read as 13 January it would be a guess against what was said."""
    good, bad = read(tmp_path / "a.csv", "who,when,sum\nc,2025-13-01,1\nc,2025-01-13,1\n", time_formats=("%Y-%d-%m",))
    assert isinstance(good, Interaction)
    assert isinstance(bad, Rejected)
    assert bad.reason is Reason.BAD_TIME
    assert "'2025-01-13' is not written as --time-format '%Y-%d-%m' says" in bad.detail


@pytest.mark.parametrize("cell", ["46087", "46087.5", "45321"])
def test_a_day_number_of_excel_is_never_a_time_of_1970(tmp_path: Path, cell: str) -> None:
    [record] = read(tmp_path / "a.csv", f"who,when,sum\nc,{cell},1\n")
    assert isinstance(record, Rejected)
    assert record.reason is Reason.BAD_TIME
    assert "--time-format excel" in record.detail


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"time_zone": "Europe/Belin"}, "did you mean Europe/Berlin?"),
        ({"time_zone": "berlin"}, "did you mean Europe/Berlin?"),
        ({"time_zone": "../etc/passwd"}, "no time zone is called"),
        ({"time_formats": ("DD.MM.YYYY HH:MM",)}, "such as '%d.%m.%Y %H:%M'"),
        ({"time_formats": ("TT.MM.JJJJ",)}, "such as '%d.%m.%Y'"),
        ({"time_formats": ("%H:%M",)}, "it names no year"),
        ({"time_formats": ("%Y",)}, "does not say year, month and day"),
        ({"time_formats": ("%Y-%m-%Q",)}, "cannot be used"),
        ({"decimal": "comma", "thousands": "comma"}, "cannot stand both"),
        ({"thousands": "point"}, "say --decimal comma"),
        ({"currencies": ("1",)}, "is no currency"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_right(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InputFileError) as caught:
        Notation(**said)
    assert message in str(caught.value)


def test_no_encoding_of_that_name() -> None:
    for name in ("windows-1525", "hex", "rot13", ""):
        with pytest.raises(InputFileError, match="right is for example windows-1252"):
            ReadingOptions(encoding=name)


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "utf-16", "utf-16-le", "utf-32", "cp850", "utf-8-sig"])
def test_text_of_any_encoding_is_read_where_it_was_named(tmp_path: Path, encoding: str) -> None:
    mapping = ColumnMapping.parse(["customer_id=Käufer,type='x',time=when,properties.size=größe"])
    rows = "".join(f'K{n};2026-03-05;"Größe\r\n{n} ü"\r\n' for n in range(9000))
    (tmp_path / "a.csv").write_bytes(("Käufer;when;größe\r\n" + rows).encode(encoding))
    options = ReadingOptions(encoding=encoding)
    records = [each for _, each in read_interactions(tmp_path / "a.csv", mapping=mapping, options=options)]
    assert len(records) == 9000
    assert all(isinstance(each, Interaction) for each in records)
    assert records[-1].properties == {"size": "Größe\r\n8999 ü"}


def test_bytes_that_are_none_of_the_encoding_cost_their_record_alone(tmp_path: Path) -> None:
    """0x81 is nothing in Windows-1252."""
    one, two = read(
        tmp_path / "a.csv", b"who,when,sum\nc,2026-01-01,a\x81\nd,2026-01-01,\x80\n", encoding="windows-1252"
    )
    assert isinstance(one, Rejected)
    assert (one.reason, "windows-1252" in one.detail) == (Reason.NOT_UTF8, True)
    assert isinstance(two, Interaction)
    assert two.properties == {"total": "€"}


def test_utf16_that_ends_in_the_middle_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="not text in utf-16"):
        read(tmp_path / "a.csv", "who,when,sum\nc,1,1\n".encode("utf-16")[:-1], encoding="utf-16")


def test_text_in_json_is_a_number_of_the_notation_where_that_was_said(tmp_path: Path) -> None:
    line = '{"who":"c","when":"03.01.2025 19:49","sum":"1.234,56 €"}\n'
    said: dict[str, Any] = {"time_formats": ("%d.%m.%Y %H:%M",), "time_zone": "Europe/Berlin"}
    [record] = read(tmp_path / "a.jsonl", line, decimal="comma", thousands="point", currencies=("€",), **said)
    assert isinstance(record, Interaction)
    assert (record.time, record.properties) == (ms("2025-01-03T18:49:00+00:00"), {"total": 1234.56})


def test_other_options_are_another_import_and_none_is_the_one_it_was() -> None:
    """Names that were given before there were options stay."""
    content = b"12345678"
    before = "41ffff9d41aa91f2"
    assert name_of(content, None, "by time") == before
    options = [
        ReadingOptions(Notation(decimal="comma")),
        ReadingOptions(Notation(decimal="comma", thousands="point")),
        ReadingOptions(Notation(currencies=("€",))),
        ReadingOptions(Notation(time_formats=("%d.%m.%Y",))),
        ReadingOptions(Notation(time_formats=("%d.%m.%Y", "iso"))),
        ReadingOptions(Notation(time_zone="Europe/Berlin")),
        ReadingOptions(encoding="latin-1"),
        ReadingOptions(sheet="Orders"),
    ]
    names = {name_of(content, None, "by time", each) for each in options}
    assert len(names | {before}) == len(options) + 1
    readings = [
        DEFAULT_READING._replace(ids="trimmed"),
        DEFAULT_READING._replace(ids="folded"),
        DEFAULT_READING._replace(earliest_time=None),
        DEFAULT_READING._replace(earliest_time=0),
        DEFAULT_READING._replace(ids="folded", earliest_time=0),
    ]
    with_readings = {
        name_of(content, None, "by time", each, reading)
        for each in (ReadingOptions(), options[0])
        for reading in readings
    }
    assert len(with_readings | names | {before}) == 2 * len(readings) + len(options) + 1
    other_blocked = DEFAULT_READING._replace(blocked=frozenset({"nobody"}))
    assert name_of(content, None, "by time", ReadingOptions(), other_blocked) == before


def test_the_zone_of_a_time_of_its_own_is_kept() -> None:
    assert Notation(time_zone="Asia/Tokyo").moment(datetime(2026, 1, 1, tzinfo=UTC)) == ms("2026-01-01T00:00:00+00:00")
