"""What cannot be read as it is: how it could be is offered, for whoever knows the file to say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.input_files import read_interactions
from stream.codec.files.notation import Notation
from stream.codec.files.reading_options import FROM_THE_FILE, ReadingOptions
from stream.codec.files.survey import Offer, OfferedError, Survey
from stream.errors import InputFileError

MAPPING = ColumnMapping.parse(["customer_id=who,type='Order Completed',time=when,properties.total=sum"])


def offered(path: Path, content: str | bytes, options: ReadingOptions = FROM_THE_FILE) -> Offer | None:
    """What is offered of a file with the columns of MAPPING."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    survey = Survey(options)
    for _ in read_interactions(path, mapping=MAPPING, options=options, survey=survey):
        pass
    return survey.offer()


def ways(path: Path, *, times: tuple[str, ...] = ("2026-01-01",), sums: tuple[str, ...] = ("1",)) -> list[str]:
    """The options that are offered for these times and sums, each way as one text."""
    rows = [f'c;"{when}";"{each}"' for when in times for each in sums]
    offer = offered(path, "\n".join(["who;when;sum", *rows]) + "\n")
    return [] if offer is None else [" ".join(each) for each in offer.options]


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (("19.90", "1e3", "5"), []),
        (("19,90",), ["--decimal comma"]),
        (("1.234,56 €", "49,90 €"), ["--decimal comma --thousands point --currency €"]),
        # 1.234 is a number of JSON, but here it is a thousand and more.
        (("1.234", "49,90"), ["--decimal comma --thousands point"]),
        (("1.234", "49.90"), []),
        (("$1,234.00", "$5.00"), ["--thousands comma --currency $"]),
        (("1 234,50", "5"), ["--decimal comma --thousands space"]),
        (("1'234.50", "CHF 5"), ["--thousands apostrophe --currency CHF"]),
        ((" 12.50",), ["--decimal point"]),
        # A thousand and more, or one and some: nothing in the file tells.
        (("1,234", "2,345"), ["--decimal comma", "--thousands comma"]),
        (("blue", "red"), []),
        (("S", "36,5", "M", "L"), []),
        (("007", "12,5"), []),
    ],
)
def test_numbers_that_would_not_count_are_answered_with_their_notation(
    tmp_path: Path, sums: tuple[str, ...], expected: list[str]
) -> None:
    assert ways(tmp_path / "a.csv", sums=sums) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("2026-01-01", "2026-01-01 10:00"), []),
        (("03.01.2025 19:49", "13.01.2025 19:49"), ["--time-format %d.%m.%Y %H:%M"]),
        (("03.01.2025",), ["--time-format %d.%m.%Y"]),
        (("12/31/2025", "1/2/2025"), ["--time-format %m/%d/%Y"]),
        (("31/12/2025", "1/2/2025"), ["--time-format %d/%m/%Y"]),
        (("1/2/2025",), ["--time-format %d/%m/%Y", "--time-format %m/%d/%Y"]),
        (("31/12/2025", "1/2/2025 10:00"), ["--time-format %d/%m/%Y --time-format %d/%m/%Y %H:%M"]),
        # Those that can be read as they are must still be read.
        (("2026-01-01", "03.01.2025"), ["--time-format iso --time-format %d.%m.%Y"]),
        (("46087", "46088.5"), ["--time-format excel"]),
        (("5 Mar 2026 10:15 PM",), ["--time-format %d %b %Y %I:%M %p"]),
        (("yesterday", "12"), []),
        (("99.99.2025",), []),
    ],
)
def test_times_that_cannot_be_read_are_answered_with_their_format(
    tmp_path: Path, times: tuple[str, ...], expected: list[str]
) -> None:
    zone = " --time-zone UTC"
    assert ways(tmp_path / "a.csv", times=times) == [each + zone for each in expected]


@pytest.mark.parametrize("time", ["2026-03-05 10:15:22 +0100", "2026-03-05 10:15:22 UTC"])
def test_a_zone_is_not_asked_for_where_the_times_have_one(tmp_path: Path, time: str) -> None:
    [way] = ways(tmp_path / "a.csv", times=(time,))
    assert "--time-zone" not in way


def test_what_was_found_is_said_with_its_number_its_first_cell_and_its_line(tmp_path: Path) -> None:
    rows = "who;when;sum\nc;2026-01-01;5\n" + 'c;03.01.2025 19:49;"1.234,56 €"\n' * 3
    offer = offered(tmp_path / "a.csv", rows)
    assert offer is not None
    number, time = offer.findings
    assert number.startswith("3 numbers of the column 'sum', such as '1.234,56 €'")
    assert f"({tmp_path / 'a.csv'}:3)" in number
    assert time.startswith("3 rows: times of the column 'when' such as '03.01.2025 19:49'")
    assert "look like DD.MM.YYYY HH:MM" in time


def test_day_and_month_in_either_order_is_said(tmp_path: Path) -> None:
    offer = offered(tmp_path / "a.csv", "who,when,sum\nc,03/04/2025,1\n")
    assert offer is not None
    assert "DD/MM/YYYY or MM/DD/YYYY" in offer.findings[0]
    assert any("either order" in each for each in offer.remarks)


def test_whoever_said_it_is_offered_only_what_is_still_missing(tmp_path: Path) -> None:
    """And nothing that contradicts what was said."""
    rows = "who;when;sum\nc;2026-01-01;1.234,56 €\n"
    said = ReadingOptions(Notation(decimal="comma", currencies=("€",)))
    offer = offered(tmp_path / "a.csv", rows, said)
    assert offer is not None
    assert (offer.options, offer.unsaid) == ((("--thousands", "point"),), False)
    assert offered(tmp_path / "a.csv", rows, ReadingOptions(Notation(decimal="point"))) is None
    said = ReadingOptions(Notation(time_formats=("iso",)))
    offer = offered(tmp_path / "a.csv", "who,when,sum\nc,03.01.2025,1\n", said)
    assert offer is not None
    assert not offer.unsaid


def test_other_bytes_than_utf8_are_shown_as_they_were_probably_meant(tmp_path: Path) -> None:
    offer = offered(tmp_path / "a.csv", 'who;when;sum\nMüller;2026-01-01;"5,00 €"\n'.encode("windows-1252"))
    assert offer is not None
    assert offer.options == (("--encoding", "windows-1252", "--decimal", "comma", "--currency", "€"),)
    assert offer.findings[0].startswith("2 cells with bytes that are not UTF-8, such as 'Müller'")


def test_bytes_that_are_not_windows_1252_either_are_not_guessed_at(tmp_path: Path) -> None:
    """ü is 0x81 on DOS, which Windows-1252 does not have."""
    offer = offered(tmp_path / "a.csv", "who;when;sum\nMüller;2026-01-01;5\n".encode("cp850"))
    assert offer is not None
    assert offer.options == ()
    assert "nor Windows-1252" in offer.findings[0]
    assert "cp850" in offer.remarks[0]


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-8-sig", "utf-16"])
def test_a_german_export_is_answered_with_all_that_it_needs(tmp_path: Path, encoding: str) -> None:
    """And with that all of it is read."""
    rows = "".join(
        f'B-{n};{10000 + n % 9};Müller;{n % 28 + 1:02}.01.2025 19:49;Order Completed;"1.{n:03},50 €";"a\nb ""c"""\r\n'
        for n in range(200)
    )
    path = tmp_path / "export.csv"
    header = "Bestellnr.;Kundennr.;Name;Bestelldatum;Vorgang;Gesamtbetrag;Größe\r\n"
    path.write_bytes((header + rows).encode(encoding))
    survey = Survey()
    with pytest.raises(OfferedError, match="no column is named customer_id or anonymous_id") as caught:
        list(read_interactions(path, survey=survey))
    [way] = caught.value.offer.options
    given_ = dict(zip(way[::2], way[1::2], strict=True))
    assert given_["--time-zone"] == "Europe/Berlin"
    assert given_.get("--encoding") == {"utf-8-sig": None}.get(encoding, encoding)
    notation = Notation("comma", "point", (given_["--currency"],), (given_["--time-format"],), given_["--time-zone"])
    assert (given_["--decimal"], given_["--thousands"]) == (notation.decimal, notation.thousands)
    options = ReadingOptions(notation, given_.get("--encoding"))
    mapping = ColumnMapping.parse([given_["--map"]])
    records = [each for _, each in read_interactions(path, mapping=mapping, options=options)]
    assert len(records) == 200
    for number, each in enumerate(records):
        assert not isinstance(each, Rejected), each
        assert each.properties == {"total": 1000.5 + number, "order_id": f"B-{number}"}


def test_a_mapping_that_names_columns_as_the_encoding_has_them_is_answered_with_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Käufer;Datum\nc;2026-01-01\n".encode("windows-1252"))
    mapping = ColumnMapping.parse(["customer_id=Käufer,type='x',time=Datum"])
    with pytest.raises(OfferedError) as caught:
        list(read_interactions(path, mapping=mapping))
    assert caught.value.offer.options == (("--encoding", "windows-1252"),)
    with pytest.raises(InputFileError) as error:
        list(read_interactions(path, mapping=mapping, options=ReadingOptions(encoding="utf-8")))
    assert "which the header does not have" in str(error.value)


def test_json_is_looked_at_as_csv_is(tmp_path: Path) -> None:
    line = '{"who":"c","when":"03.01.2025","sum":"19,90"}\n'
    offer = offered(tmp_path / "a.jsonl", line)
    assert offer is not None
    assert offer.options == (("--decimal", "comma", "--time-format", "%d.%m.%Y", "--time-zone", "UTC"),)
    assert offered(tmp_path / "b.jsonl", '{"who":"c","when":"2025-01-03","sum":"19.90"}\n') is None
    path = tmp_path / "c.jsonl"
    path.write_text('{"type":"a","customer_id":"c","time":"03.01.2025"}\n')
    survey = Survey()
    list(read_interactions(path, survey=survey))
    native = survey.offer()
    assert native is not None
    assert native.options == (("--time-format", "%d.%m.%Y", "--time-zone", "UTC"),)


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text("0123456789.,-/: €$'", max_size=12)


@given(st.lists(st.tuples(cells, cells), max_size=6))
def test_no_cell_whatever_it_holds_upsets_the_survey(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """And an offer that is made is one that can be given."""
    quoted = [";".join('"' + each.replace('"', '""') + '"' for each in ("c", *row)) for row in rows]
    offer = offered(tmp_path_factory.mktemp("csv") / "a.csv", "\n".join(["who;when;sum", *quoted]) + "\n")
    for way in offer.options if offer is not None else ():
        named = list(zip(way[::2], way[1::2], strict=True))
        of = dict(named)
        Notation(
            of.get("--decimal"),  # type: ignore[arg-type]  # one of the two
            of.get("--thousands"),  # type: ignore[arg-type]
            tuple(value for name, value in named if name == "--currency"),
            tuple(value for name, value in named if name == "--time-format"),
            of.get("--time-zone"),
        )
