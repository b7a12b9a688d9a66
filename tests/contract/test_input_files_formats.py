"""Workbooks, JSON lists, compressed files: read in bounded memory; and the file of what was rejected."""

import csv
import gzip
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.files import json_list as json_list_module
from stream.codec.files import xlsx_rows
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.input_files import read_interactions
from stream.codec.files.json_list import json_list
from stream.codec.files.notation import Notation
from stream.codec.files.reading_options import FROM_THE_FILE, ReadingOptions
from stream.codec.files.rejected_rows import RejectedRows
from stream.codec.files.source_file import Record
from stream.core.interaction import Interaction
from stream.errors import InputFileError, LifecycleError
from tests.kit.times import T0

try:
    from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # from Python 3.14 on
except ImportError:
    from backports import zstd  # type: ignore[no-redef, unused-ignore]

MAPPING = ColumnMapping.parse(["customer_id=who,type='x',time=when,properties.total=sum,id=no"])
AT = datetime(2026, 3, 5, 10, 15, 30)  # noqa: DTZ001 - a workbook has local times
MIDNIGHT = datetime(2026, 7, 1)  # noqa: DTZ001


def workbook(path: Path, *rows: list[Any], more: tuple[str, ...] = ()) -> Path:
    """A workbook with these rows in its first sheet, and further sheets."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Orders"
    for row in rows:
        sheet.append(row)
    for name in more:
        book.create_sheet(name).append(["nothing"])
    book.save(path)
    return path


def read(path: Path, options: ReadingOptions = FROM_THE_FILE) -> list[Record]:
    return list(read_interactions(path, mapping=MAPPING, options=options))


def only(records: list[Record]) -> Interaction:
    [(_, record)] = records
    assert isinstance(record, Interaction), record
    return record


def peak(call: Callable[[], object]) -> int:
    """The most memory, in bytes, that `call` took at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- Workbooks


def test_a_workbook_has_dates_as_dates_and_numbers_as_numbers(tmp_path: Path) -> None:
    """An id that is a number there is one without a fraction, whatever Excel keeps."""
    rows = [["who", "when", "sum", "no"], [42.0, AT, 19.9, "007"]]
    record = only(read(workbook(tmp_path / "a.xlsx", *rows)))
    assert (record.customer_id, record.id, record.time) == ("42", "007", 1_772_705_730_000)
    assert record.properties == {"total": 19.9}


def test_dates_of_a_workbook_are_local_times_of_its_zone(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"], ["c", date(2026, 7, 1), MIDNIGHT, 1])
    record = only(read(path, ReadingOptions(Notation(time_zone="Europe/Berlin"))))
    assert record.time == 1_782_856_800_000  # 2026-06-30T22:00:00Z
    assert record.properties == {"total": "2026-07-01T00:00:00+02:00"}
    assert only(read(path)).properties == {"total": "2026-07-01T00:00:00"}


def test_cells_of_every_kind_and_rows_with_nothing_in_them(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["who", "when", "sum", "no", None],
        [],
        ["a", 1_772_705_730_000, True, None],
        ["b", "2026-03-05", time(10, 15), 3.5],
        [None, None, None, None, "total"],
        ["c", "2026-03-05", "5"],
    ]
    records = read(workbook(tmp_path / "a.xlsx", *rows))
    assert [line for line, _ in records] == [3, 4, 5, 6]
    a, b, nobody, c = (each for _, each in records)
    assert isinstance(a, Interaction)
    assert isinstance(b, Interaction)
    assert isinstance(c, Interaction)
    assert (a.time, a.properties, a.id) == (1_772_705_730_000, {"total": True}, None)
    assert (b.properties, b.id) == ({"total": "10:15:00"}, "3.5")
    assert c.properties == {"total": 5}
    assert isinstance(nobody, Rejected)


def test_day_numbers_in_a_workbook_are_read_where_that_was_said_and_else_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"], ["c", 46087.75, 1, 1], ["c", 46087, 1, 1])
    assert [each.reason for _, each in read(path) if isinstance(each, Rejected)] == [Reason.BAD_TIME] * 2
    said = read(path, ReadingOptions(Notation(time_formats=("excel",))))
    assert [each.time for _, each in said if isinstance(each, Interaction)] == [1_772_820_000_000, 1_772_755_200_000]


def test_of_several_sheets_one_has_to_be_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"], ["c", date(2026, 1, 1), 1, 1], more=("Other",))
    with pytest.raises(InputFileError, match="2 sheets; say with --sheet which is meant: 'Orders', 'Other'"):
        read(path)
    assert only(read(path, ReadingOptions(sheet="Orders"))).customer_id == "c"
    with pytest.raises(InputFileError, match="no sheet is called 'orders'; there are 'Orders', 'Other'"):
        read(path, ReadingOptions(sheet="orders"))


def test_a_workbook_is_known_by_how_it_begins_compressed_too(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"], ["c", date(2026, 1, 1), 1, 1])
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read(tmp_path / "a.csv.gz") == read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx or CSV"),
        (b"PAR1\x15\x04", "export it as CSV or JSON lines"),
        (b"BZh91AY&SY", "unpack it"),
        (b"PK\x03\x04broken", "no Excel workbook"),
    ],
)
def test_other_kinds_of_files_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputFileError, match=said):
        read(tmp_path / "a.csv")


def rezipped(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """A workbook, some of whose parts are others."""
    whole = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path


def test_a_zip_that_is_no_workbook_or_a_damaged_one_is_said_to_be_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("orders.csv", "who,when\n")
    with pytest.raises(InputFileError, match="a zip, but no Excel workbook"):
        read(tmp_path / "a.zip")
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"])
    rezipped(path, lambda name, part: part[: len(part) // 2] if "sheet1" in name else part)
    with pytest.raises(InputFileError, match="damaged, or no Excel workbook"):
        read(path)


def test_a_small_workbook_that_unpacks_to_very_much_is_refused_before_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_rows, "MAX_OTHER", 4_000_000)
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"])
    rezipped(path, lambda name, part: part + b" " * 8_000_000 if "styles" in name else part)

    def refused() -> None:
        with pytest.raises(InputFileError, match="would be 8,0"):
            read(path)

    assert peak(refused) < 4_000_000


def test_a_row_without_end_is_refused_before_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_rows, "MAX_ROW", 4_000_000)
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"])
    cells = b"<c><v>1</v></c>" * 600_000
    rezipped(path, lambda name, part: part.replace(b"</row>", cells + b"</row>") if "sheet1" in name else part)
    with pytest.raises(InputFileError, match="larger than any sheet's"):
        read(path)


def test_a_sheet_that_claims_to_be_as_large_as_can_be_takes_no_more_than_its_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ["who", "when", "sum", "no"], ["c", date(2026, 1, 1), 1, 1])
    rezipped(path, lambda _, part: part.replace(b'ref="A1:D2"', b'ref="A1:XFD1048576"'))
    assert b"XFD1048576" in zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    assert only(read(path)).customer_id == "c"


# --- JSON lists


def test_a_json_list_is_read_element_by_element_with_its_lines(tmp_path: Path) -> None:
    items = [{"who": f"c{n}", "when": T0 + n, "sum": n, "note": 'a]}",\n["ü'} for n in range(3_000)]
    items.insert(1, 7)  # type: ignore[arg-type]  # what is no object costs itself alone
    path = tmp_path / "a.json"
    path.write_text("\ufeff " + json.dumps(items, indent=1, ensure_ascii=False), encoding="utf-8")
    records = read(path)
    assert [line for line, _ in records[:4]] == [2, 8, 9, 15]
    bad = [each for _, each in records if isinstance(each, Rejected)]
    assert [each.reason for each in bad] == [Reason.NOT_AN_OBJECT]
    totals = [each.properties["total"] for _, each in records if isinstance(each, Interaction)]
    assert totals == list(range(3_000))


@pytest.mark.parametrize("text", ["[]", " [ ] \n"])
def test_an_empty_list_has_no_records(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert read(tmp_path / "a.json") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a":1}', "2: the list does not end"),
        ('[{"a":1}\n{"b":2}]', "2: a comma or ] was expected, not '{'"),
        ('[{"a":1},\n', "no JSON"),
        ('[{"a":1},\n{"b":}]', "2: no JSON"),
        ('[{"a":1}]\n{"b":2}', "goes on behind its list"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_what_ends_a_list_too_early_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text + "\n")
    with pytest.raises(InputFileError) as caught:
        read(tmp_path / "a.json")
    assert said in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(json_values, max_size=6), st.sampled_from([None, 1]), st.booleans(), st.integers(1, 9))
def test_every_element_of_a_list_comes_out_as_it_went_in(
    values: list[object], indent: int | None, ascii_: bool, piece: int
) -> None:
    """Wherever the pieces in which the file is read end, in the middle of a character too."""
    content = json.dumps(values, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(piece, size or piece))

    assert [json.loads(each) for _, each in json_list(Slow(content), "file")] == values


def test_a_list_of_any_length_is_held_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    item = json.dumps({"type": "a", "customer_id": "c", "time": T0, "properties": {"text": "x" * 1_000}})
    path.write_text("[" + ",".join([item] * 20_000) + "]")
    counted: list[int] = []
    assert peak(lambda: counted.append(sum(1 for _ in read_interactions(path)))) < 2_000_000 < path.stat().st_size / 9
    assert counted == [20_000]


def test_an_element_without_end_is_refused_before_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_list_module, "MAX_LINE", 1_000_000)
    (tmp_path / "a.json").write_text('[{"a":"' + "x" * 5_000_000)
    with pytest.raises(InputFileError, match="an element longer than"):
        read(tmp_path / "a.json")


# --- Compressed files


@pytest.mark.parametrize("name", ["a.jsonl.zst", "a.csv", "a"])
def test_zstd_is_known_by_its_first_bytes_and_hashed_as_what_it_holds(tmp_path: Path, name: str) -> None:
    content = b'{"type":"a","customer_id":"c","time":1772705730000}\n' * 3
    (tmp_path / "plain.jsonl").write_bytes(content)
    # Two frames one after the other, as `cat` makes them.
    (tmp_path / name).write_bytes(zstd.compress(content[:60]) + zstd.compress(content[60:]))
    if name != "a.csv":
        assert len(list(read_interactions(tmp_path / name))) == 3
    assert content_hash(str(tmp_path / name)) == content_hash(str(tmp_path / "plain.jsonl"))


def test_damaged_zstd_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.zst").write_bytes(zstd.compress(b'{"type":"a"}\n' * 99)[:-6])
    with pytest.raises(InputFileError, match="compressed data are damaged or incomplete"):
        list(read_interactions(tmp_path / "a.jsonl.zst"))


# --- What was rejected


def test_rejected_rows_are_written_with_their_place_their_reason_and_their_cells(tmp_path: Path) -> None:
    """The columns of all files, each by its name, in the order in which they came."""
    first, second, third = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.jsonl"
    first.write_bytes(b'who,when,sum,no,line\n,2026-01-01,"1\n2",7,x\nc,2026-01-01,1,1,\nc,soon,caf\xe9,2,y\nc,1,2\n')
    second.write_text("when;who;sum;no;city\n2026-13-01;c;1;1;Köln\n", encoding="utf-8")
    third.write_text('{"who":"c"}\n')
    with RejectedRows(str(tmp_path / "rejected.csv")) as rows:
        for path in (first, second, third):
            list(read_interactions(path, mapping=MAPPING, rejected=rows))
    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *written = list(csv.reader(file))
    assert header == ["file", "line", "reason", "detail", "who", "when", "sum", "no", "its line", "city", "record"]
    told = [(Path(row[0]).name, row[1], row[2], *row[4:]) for row in written]
    assert told == [
        ("a.csv", "2", "no_subject", "", "2026-01-01", "1\n2", "7", "x", "", ""),
        ("a.csv", "5", "not_utf8", "c", "soon", "caf\\xe9", "2", "y", "", ""),
        ("a.csv", "6", "bad_shape", "c", "1", "2", "", "", "", ""),
        ("b.csv", "2", "bad_time", "c", "2026-13-01", "1", "1", "", "Köln", ""),
        ("c.jsonl", "1", "bad_time", "", "", "", "", "", "", '{"who":"c"}'),
    ]


def test_a_file_that_cannot_be_written_is_said_to_be_so_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="cannot be written"):
        RejectedRows(str(tmp_path / "nowhere" / "rejected.csv"))
