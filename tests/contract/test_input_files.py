"""Files as people have them: every record is read or rejected with its line, and none is lost."""

import csv
import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import Reading
from stream.codec.files import text_lines
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.input_files import read_interactions
from stream.codec.files.source_file import Record
from stream.codec.files.survey import OfferedError
from stream.codec.files.table_records import cell_value
from stream.codec.interactions import encode_native
from stream.core.interaction import Interaction
from stream.errors import InputFileError
from tests.kit.decoding import ANY_TIME

MAPPED = ColumnMapping.parse(["customer_id=who,type='Order Completed',time=day,id=no,properties.total=price"])


def read(path: Path, data: str | bytes, mapping: ColumnMapping | None = None) -> list[Record]:
    """Write the data, and read what is in them."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_interactions(path, mapping=mapping, reading=ANY_TIME))


def only(records: list[Record]) -> Interaction:
    """The one record that there is, which is an interaction."""
    [(_, record)] = records
    assert isinstance(record, Interaction), record
    return record


def refusal(path: Path, data: str | bytes, mapping: ColumnMapping | None = None) -> str:
    """What is said of a file that cannot be read."""
    with pytest.raises(InputFileError) as caught:
        read(path, data, mapping)
    assert str(path) in str(caught.value)
    return str(caught.value)


def lines_and_reasons(records: list[Record]) -> list[tuple[int, str]]:
    """Each record's line, and the reason where it was rejected."""
    return [(line, each.reason if isinstance(each, Rejected) else "") for line, each in records]


def order(number: int) -> Interaction:
    """An interaction as the native format has it."""
    return Interaction(f"c{number}", None, str(number), "visit", number, {"n": number}, {})


# --- JSON lines


def test_json_lines_are_native_or_segment_as_they_come(tmp_path: Path) -> None:
    """Without a mapping each line is decoded by itself; empty lines are none."""
    segment = '{"type":"track","event":"Order Completed","userId":"u","timestamp":"2017-01-01T00:00:00Z"}'
    records = read(tmp_path / "a.jsonl", encode_native(order(1)) + b"\n\n  \r\n" + segment.encode())
    assert [line for line, _ in records] == [1, 4]
    assert records[0][1] == order(1)
    assert records[1][1] == Interaction("u", None, None, "Order Completed", 1_483_228_800_000, {}, {})


def test_each_line_that_cannot_be_read_is_rejected_where_it_stands(tmp_path: Path) -> None:
    """A bad line costs itself alone."""
    good = encode_native(order(1)).decode()
    data = f'{good}\n{{"a":\n[1]\n{{"type":"visit","customer_id":"c"}}\n{good}'
    assert lines_and_reasons(read(tmp_path / "a.jsonl", data)) == [
        (1, ""),
        (2, "not_json"),
        (3, "not_an_object"),
        (4, "bad_time"),
        (5, ""),
    ]


def test_a_mapping_reads_paths_of_json_and_keeps_types(tmp_path: Path) -> None:
    """Numbers stay numbers and text stays text; what a path does not lead to, and null, is absent."""
    item = {
        "user": {"id": 17, "plan.name": "pro"},
        "at": 1_483_228_800_000,
        "items": [{"sku": "1"}],
        "flags": {"vip": False, "note": None},
        "price": "12.50",
    }
    mapping = ColumnMapping.parse(
        [
            "customer_id=user.id,type='it''s',time=at",
            'properties.plan=user."plan.name",properties.items=items,properties.price=price',
            "properties.vip=flags.vip,properties.note=flags.note,properties.gone=user.id.deeper,context.app='shop'",
        ]
    )
    assert only(read(tmp_path / "a.jsonl", json.dumps(item), mapping)) == Interaction(
        "17",
        None,
        None,
        "it's",
        1_483_228_800_000,
        {"plan": "pro", "items": [{"sku": "1"}], "price": "12.50", "vip": False},
        {"app": "shop"},
    )


def test_mapped_json_that_cannot_be_read_is_rejected_with_its_reason(tmp_path: Path) -> None:
    """The reasons are those of the native format."""
    deep = '{"who":"c","day":1,"price":' + "[" * 300 + "]" * 300 + "}"
    lines = ['{"who":"c","day":1}', "{", "7", '{"day":1}', '{"who":"c","day":"soon"}', deep, '{"who":"c"}']
    data = "\n".join(lines)
    assert lines_and_reasons(read(tmp_path / "a.jsonl", data, MAPPED)) == [
        (1, ""),
        (2, "not_json"),
        (3, "not_an_object"),
        (4, "no_subject"),
        (5, "bad_time"),
        (6, "too_deep"),
        (7, "bad_time"),
    ]


# --- CSV


def test_columns_with_native_names_need_no_mapping(tmp_path: Path) -> None:
    """Dots nest; other columns are left out; empty cells are absent."""
    data = (
        "customer_id,anonymous_id,type,time,id,properties.total,properties.a.b,context.vip,colour\n"
        "00001,,visit,2017-01-01 11:53:26,7,12.50,x,true,red\n"
        ",a,visit,1483228800000,,,,,\n"
    )
    records = read(tmp_path / "a.csv", data)
    assert records == [
        (
            2,
            Interaction(
                "00001",
                None,
                "7",
                "visit",
                1_483_271_606_000,
                {"total": 12.5, "a": {"b": "x"}},
                {"vip": True},
            ),
        ),
        (3, Interaction(None, "a", None, "visit", 1_483_228_800_000, {}, {})),
    ]


def test_a_mapping_reads_the_columns_of_any_file(tmp_path: Path) -> None:
    """Ids stay as written, a day of eight digits is that day, a constant is the same in each record."""
    data = "no,who,day,price,note\n007,00001,19970101,11.77,x\n"
    assert only(read(tmp_path / "a.csv", data, MAPPED)) == Interaction(
        "00001", None, "007", "Order Completed", 852_076_800_000, {"total": 11.77}, {}
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str, end: str) -> None:
    """Other delimiters may stand in quoted names and in cells."""
    header = ["who", "day", '"price, net; gross | all"', "no"]
    row = ["c;1", '"2017-01-01"', "1,5;x", '"a""b"'] if delimiter == "\t" else ["c", "2017-01-01", '"1,5;|"', '"a""b"']
    data = delimiter.join(header) + end + delimiter.join(row) + end
    mapping = ColumnMapping.parse(["customer_id=who,type='x',time=day,id=no,properties.p=\"price, net; gross | all\""])
    read_back = only(read(tmp_path / "a.csv", data, mapping))
    assert (read_back.id, read_back.time) == ('a"b', 1_483_228_800_000)
    assert read_back.properties == {"p": "1,5;x" if delimiter == "\t" else "1,5;|"}


def test_a_column_with_dots_is_named_as_it_is(tmp_path: Path) -> None:
    """In CSV a source is a column's name, dots and all, quoted or not."""
    mapping = ColumnMapping.parse(["customer_id=user.id,type='x',time=\"when.\""])
    assert only(read(tmp_path / "a.csv", "user.id,when.\nc,1\n", mapping)).customer_id == "c"


def test_quotes_inside_a_bare_name_or_cell_are_text(tmp_path: Path) -> None:
    """An inch is an inch, and the rows after it are rows."""
    mapping = ColumnMapping.parse(["customer_id=who,type='x',time=day,properties.size='5\"'"])
    records = read(tmp_path / "a.csv", 'who,day,5" disc\nc,1,3"\nd,2,4\n', mapping)
    assert lines_and_reasons(records) == [(2, ""), (3, "")]


def test_line_ends_in_quotes_are_part_of_their_cell(tmp_path: Path) -> None:
    """A record is counted by the line on which it begins."""
    data = 'who,day,"price\nnet",no\nc,1,"a\nb\r\nc",1\nd,2,x,2\n\ne,3,y,3\n'
    mapping = ColumnMapping.parse(["customer_id=who,type='x',time=day,properties.p=\"price\nnet\""])
    records = read(tmp_path / "a.csv", data, mapping)
    assert [line for line, _ in records] == [3, 6, 8]
    assert isinstance(records[0][1], Interaction)
    assert records[0][1].properties == {"p": "a\nb\r\nc"}


def test_rows_that_are_none_are_rejected_where_they_stand(tmp_path: Path) -> None:
    """Cells too few or too many, and quotes that do not fit; those around them are read."""
    data = 'who,day,price,no\na,1,1,1\nb,2,2\nc,3,3,3,left over\nd,4,4,4,,\ne,5,"5,5\nf,6,"6",6\ng,7,7,7\nh,8,8,"8'
    records = read(tmp_path / "a.csv", data, MAPPED)
    assert lines_and_reasons(records) == [
        (2, ""),
        (3, "bad_shape"),
        (4, "bad_shape"),
        (5, ""),
        (6, "bad_shape"),
        (8, ""),
        (9, "bad_shape"),
    ]
    details = [each.detail for _, each in records if isinstance(each, Rejected)]
    assert details[0] == "line 3: 3 cells for 4 columns"
    assert details[1] == "line 4: 5 cells for 4 columns"
    assert details[2].startswith("lines 6 to 7: ")
    assert details[3].startswith("line 9: ")


def test_rows_without_what_an_interaction_needs_are_rejected(tmp_path: Path) -> None:
    """The reasons are those of the native format."""
    data = "who,day,price,no\n,1,1,1\nnull,1,1,1\nc,,1,1\nc,19971399,1,1\nc,yesterday,1,1\n"
    assert [reason for _, reason in lines_and_reasons(read(tmp_path / "a.csv", data, MAPPED))] == [
        "no_subject",
        "blocked_subject",
        "bad_time",
        "bad_time",
        "bad_time",
    ]


def test_a_cell_that_is_not_utf8_costs_its_record_only_where_it_is_read(tmp_path: Path) -> None:
    """Latin-1 in a column that nobody mapped hurts nobody."""
    data = b"who,day,price,no,city\na,1,caf\xe9,1,x\nb,2,2,2,M\xfcnchen\n"
    assert lines_and_reasons(read(tmp_path / "a.csv", data, MAPPED)) == [(2, "not_utf8"), (3, "")]


def test_large_cells_are_read(tmp_path: Path) -> None:
    """The limit of Python's csv, 128 kB, is not ours."""
    data = f"who,day,price,no\nc,1,{'x' * 200_000},1\n"
    assert len(str(only(read(tmp_path / "a.csv", data, MAPPED)).properties["total"])) == 200_000


@pytest.mark.parametrize(
    ("target", "cell", "value"),
    [
        ("properties", "0", 0),
        ("properties", "-12", -12),
        ("properties", "12.50", 12.5),
        ("properties", "1e3", 1000.0),
        ("properties", "00001", "00001"),
        ("properties", "+1", "+1"),
        ("properties", ".5", ".5"),
        ("properties", "1.", "1."),
        ("properties", " 1", " 1"),
        ("properties", "1,000", "1,000"),
        ("properties", "1e999", "1e999"),
        ("properties", "٣", "٣"),
        ("properties", "NaN", "NaN"),
        ("properties", "true", True),
        ("properties", "false", False),
        ("context", "True", "True"),
        ("context", "null", "null"),
        ("context", "", None),
        ("customer_id", "00001", "00001"),
        ("customer_id", "3146.0", "3146"),
        ("anonymous_id", "-7.0", "-7"),
        ("customer_id", "3146.5", "3146.5"),
        ("customer_id", "v1.0", "v1.0"),
        ("customer_id", ".0", ".0"),
        ("type", "1.0", "1.0"),
        ("id", "1e3", "1e3"),
        ("type", "true", "true"),
        ("type", "", None),
        ("time", "20170101", "2017-01-01"),
        ("time", "20170230", "20170230"),
        ("time", "1483228800000", 1_483_228_800_000),
        ("time", "-1", -1),
        ("time", "1" * 5_000, "1" * 5_000),
        ("time", "2017-01-01T00:00:00Z", "2017-01-01T00:00:00Z"),
        ("time", "", None),
    ],
)
def test_a_cell_becomes_what_it_looks_like_and_nothing_more(target: str, cell: str, value: object) -> None:
    """Only an exact JSON number or boolean is one, and only where a value may be one."""
    assert cell_value(target, cell) == value
    assert type(cell_value(target, cell)) is type(value)


def test_a_header_that_lacks_what_is_needed_is_answered_with_a_mapping(tmp_path: Path) -> None:
    """The example is made of the file's own columns, and all that is missing is named."""
    with pytest.raises(OfferedError) as caught:
        read(tmp_path / "a.csv", "household_id,day,sales_value\n1,2017-01-01,3\n")
    said = str(caught.value)
    assert "no column is named customer_id or anonymous_id" in said
    assert "The columns are household_id, day, sales_value" in said
    mapping = "customer_id=household_id,time=day,type='Order Completed',properties.total=sales_value"
    assert caught.value.offer.options == (("--map", mapping),)
    assert "no column is named time" in refusal(tmp_path / "a.csv", "customer_id,type,day\n1,x,2017-01-01\n")
    said = refusal(tmp_path / "a.csv", "name,sales_value\n1,3\n")
    assert (
        "for example with --map \"customer_id=WHO,time=WHEN,type='Order Completed',properties.total=sales_value" in said
    )


def test_a_mapped_column_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """All columns are listed, up to thirty."""
    said = refusal(tmp_path / "a.csv", "whom,day,price,no\nc,1,1,1\n", MAPPED)
    assert "the column 'who', which the header does not have; did you mean 'whom'?" in said
    assert "The columns are whom, day, price, no" in said
    wide = ",".join(f"column{number}" for number in range(35))
    assert refusal(tmp_path / "a.csv", wide + "\n", MAPPED).endswith("column29 and 5 more")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "no header"),
        ("\n\n", "no header"),
        ("who,day,price,no,who\n", "more than one column is named 'who'"),
        (b"\xff\xfew\0h\0o\0", "not text in UTF-8"),
        (b"PK\x03\x04\0\0", "no Excel workbook"),
        (b"who,day\rc,1\rd,2\r", "the header cannot be read"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(tmp_path: Path, data: str | bytes, said: str) -> None:
    """No record of such a file could be read."""
    assert said in refusal(tmp_path / "a.csv", data, MAPPED)


def test_native_columns_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    """A property cannot be a value and hold others."""
    said = refusal(tmp_path / "a.csv", "customer_id,type,time,properties.a,properties.a.b\n")
    assert "'properties.a' cannot be a value and hold 'properties.a.b'" in said


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=8), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_every_cell_that_csv_can_write_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, end: str
) -> None:
    """Whatever the text, with quotes, delimiters and line ends in it, and the lines count themselves."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("who", "day", "a", "b"), *(("c", "1", *row) for row in rows)])
    mapping = ColumnMapping.parse(["customer_id=who,type='x',time=day,properties.a=a,properties.b=b"])
    records = read(tmp_path_factory.mktemp("csv") / "a.csv", file.getvalue(), mapping)
    expected = [
        {
            name: value
            for name, cell in zip("ab", row, strict=True)
            if (value := cell_value("properties", cell)) is not None
        }
        for row in rows
    ]
    assert [each.properties for _, each in records if isinstance(each, Interaction)] == expected
    assert len(records) == len(rows)


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from('a,;"\r\n\x00é'), max_size=12), max_size=12))
def test_any_text_after_a_header_is_records_or_rejections(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    """No content breaks the reader; without quotes the good row at the end is always read."""
    data = "who,day,price,no\n" + "\n".join(lines).replace('"', "") + "\nlast,1,1,1\n"
    records = read(tmp_path_factory.mktemp("csv") / "a.csv", data, MAPPED)
    numbers = [line for line, _ in records]
    assert numbers == sorted(set(numbers))
    last = records[-1][1]
    assert isinstance(last, Interaction)
    assert last.customer_id == "last"
    read(tmp_path_factory.mktemp("csv") / "b.csv", "who,day,price,no\n" + "\n".join(lines), MAPPED)


# --- any file


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.ndjson", "a.NDJSON.GZ", "a", "a.txt", "a.gz"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_json_lines_are_known_by_name_or_first_character(
    tmp_path: Path, name: str, *, compressed: bool, mark: bytes
) -> None:
    """Compression is known by the content, and a byte order mark is no part of it."""
    data = mark + encode_native(order(1))
    assert only(read(tmp_path / name, gzip.compress(data, mtime=0) if compressed else data)) == order(1)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv", "a.txt", "a"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_is_known_by_name_or_first_character(tmp_path: Path, name: str, *, compressed: bool, mark: bytes) -> None:
    """The first column's name is without the byte order mark."""
    data = mark + b"customer_id,type,time\nc,visit,1\n"
    assert only(read(tmp_path / name, gzip.compress(data, mtime=0) if compressed else data)).customer_id == "c"


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """Unless its name promises a header."""
    assert read(tmp_path / "a.jsonl", "") == []
    assert read(tmp_path / "a", "") == []


@pytest.mark.parametrize("data", [encode_native(order(1)), gzip.compress(encode_native(order(1)), mtime=0)])
def test_a_dash_is_the_standard_input_which_stays_open(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Compressed or not; a test's stand-in for it has no `peek`."""
    stdin = io.TextIOWrapper(io.BytesIO(data))
    monkeypatch.setattr("sys.stdin", stdin)
    assert only(list(read_interactions("-", reading=ANY_TIME))) == order(1)
    assert not stdin.buffer.closed


def test_a_message_about_the_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash would not be understood."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n")))
    with pytest.raises(InputFileError, match=r"^the standard input: no column"):
        list(read_interactions("-", reading=ANY_TIME))


@pytest.mark.parametrize(
    ("header", "line"), [("", encode_native(order(1)).decode()), ("customer_id,type,time\n", "c,x,1")]
)
def test_a_record_is_there_before_what_follows_it(monkeypatch: pytest.MonkeyPatch, header: str, line: str) -> None:
    """What comes through a pipe is read as it comes, so a file need not fit in memory."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as stdin, os.fdopen(writing, "wb", buffering=0) as sender:
        monkeypatch.setattr("sys.stdin", stdin)
        sender.write(f"{header}{line}\n".encode())
        records = read_interactions("-", reading=ANY_TIME)
        first = next(records)
        sender.write(f"{line}\n".encode())
        assert next(records)[1] == first[1]
        sender.close()
        assert list(records) == []


def test_a_line_that_is_too_long_is_rejected_and_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never held in memory as a whole, and the lines after it keep their numbers."""
    monkeypatch.setattr(text_lines, "MAX_LINE", 1_000)
    good = encode_native(order(1))
    data = good + b"\n" + b"{" * 200_000 + b"\n" + good + b"\n" + b"x" * 1_001
    assert lines_and_reasons(read(tmp_path / "a.jsonl", data)) == [
        (1, ""),
        (2, "too_large"),
        (3, ""),
        (4, "too_large"),
    ]
    data = b"customer_id,type,time\n" + b"a,b" * 100_000 + b"\nc,x,1\n"
    assert lines_and_reasons(read(tmp_path / "a.csv", data)) == [(2, "bad_shape"), (3, "")]


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:200] + b"\xff" * 50 + data[250:]])
def test_compressed_data_that_break_off_are_an_error_after_what_could_be_read(tmp_path: Path, damage: Any) -> None:
    """An import must not take half a file for a whole one."""
    lines = b"".join(encode_native(order(number)) + b"\n" for number in range(1_000))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(damage(gzip.compress(lines, mtime=0)))
    with pytest.raises(InputFileError, match="damaged or incomplete"):
        list(read_interactions(path))


@pytest.mark.parametrize(("name", "said"), [("gone.jsonl", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str, said: str) -> None:
    """With the system's reason."""
    with pytest.raises(InputFileError, match=said) as caught:
        list(read_interactions(tmp_path / name))
    assert str(tmp_path) in str(caught.value)


def test_blocked_subjects_are_those_that_are_given(tmp_path: Path) -> None:
    """The default list can be replaced."""
    path = tmp_path / "a.csv"
    path.write_text("customer_id,type,time\nnull,x,1\nme,x,1\n")
    reasons = lines_and_reasons(list(read_interactions(path, reading=Reading(frozenset({"me"}), earliest_time=None))))
    assert reasons == [(2, ""), (3, "blocked_subject")]
