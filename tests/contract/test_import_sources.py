"""What an import is named, so that the same rows are known again, and others are not."""

import gzip
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.file_bytes import content_hash
from stream.codec.files.import_sources import MAX_GIVEN, Sources
from stream.codec.import_rows import is_name
from stream.core.imported import REMEMBERED
from stream.core.interaction import ImportedRow
from stream.errors import InputFileError
from tests.kit.decoding import ANY_TIME

T = 1_767_225_600_000
LINE = f'{{"type":"buy","customer_id":"c1","time":{T}}}\n'
MAPPING = ColumnMapping.parse(["customer_id=customer_id,time=time,type=type"])


def sources(
    files: Sequence[str], mapping: ColumnMapping | None = None, *, as_is: bool = False, name: str | None = None
) -> Sources:
    return Sources(files, mapping, ANY_TIME, as_is=as_is, name=name)


def names(
    files: Sequence[str], mapping: ColumnMapping | None = None, *, as_is: bool = False, name: str | None = None
) -> list[str | None]:
    made = sources(files, mapping, as_is=as_is, name=name)
    list(made.read())
    return made.names


def written(path: Path, text: str = LINE) -> str:
    path.write_text(text)
    return str(path)


def test_the_name_is_that_of_content_mapping_and_order_wherever_the_file_is(tmp_path: Path) -> None:
    one, copy = written(tmp_path / "a.jsonl"), written(tmp_path / "b.jsonl")
    packed = tmp_path / "c.jsonl.gz"
    packed.write_bytes(gzip.compress(LINE.encode()))
    [name] = names([one])
    assert name is not None
    assert len(name) == 16
    assert is_name(name)
    assert names([copy, str(packed)]) == [name, name]
    reordered = ColumnMapping.parse(["type=type,time=time", "customer_id=customer_id"])
    assert names([one], MAPPING) == names([one], reordered)
    other = names([written(tmp_path / "d.jsonl", LINE + LINE)])
    assert len({name, *names([one], as_is=True), *names([one], MAPPING), *other}) == 4


def test_as_is_has_its_names_before_anything_is_read_and_they_are_the_same_afterwards(tmp_path: Path) -> None:
    made = sources([written(tmp_path / "a.jsonl"), written(tmp_path / "b.jsonl", LINE * 2)], as_is=True)
    before = made.names
    assert len(set(before)) == 2
    list(made.read())
    assert made.names == before


def test_rows_are_lines_and_sorted_ones_have_their_times(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", f"{{\n\n{LINE}null\n{LINE}")
    for as_is, time in ((False, T), (True, 0)):
        read = list(sources([file, file], as_is=as_is).read())
        rows = [record.row for _file, _line, record in read if not isinstance(record, Rejected)]
        assert rows == [ImportedRow(bytes([0, 0, 0, place]), time, line) for place in (0, 1) for line in (3, 5)]
        assert len(read) == 8


def test_more_files_than_a_customer_remembers_are_one_import_with_rows_that_go_on(tmp_path: Path) -> None:
    files = [written(tmp_path / f"{n}.jsonl", LINE * 2) for n in range(REMEMBERED + 1)]
    assert len(names(files[1:])) == REMEMBERED
    made = sources(files)
    rows = [record.row for *_place, record in made.read() if not isinstance(record, Rejected)]
    assert rows == [ImportedRow(bytes(4), T, number + 1) for number in range(2 * len(files))]
    [name] = made.names
    assert name is not None
    assert [name] == names(files)
    assert [name] != names([*files[:-1], written(tmp_path / "other.jsonl", LINE)])


def test_a_name_that_is_given_names_each_file_by_its_place(tmp_path: Path) -> None:
    one, two = written(tmp_path / "a.jsonl"), written(tmp_path / "b.jsonl")
    assert names([one, two], name="orders") == ["orders", "orders.2"]
    assert names([one], name="orders", as_is=True) == ["orders.as-is"]
    longest = "n" * MAX_GIVEN
    assert all(each is not None and is_name(each) for each in names([one] * REMEMBERED, name=longest, as_is=True))


@pytest.mark.parametrize("name", ["", "a:b", "two words", "é", "n" * (MAX_GIVEN + 1)])
def test_a_name_that_cannot_be_one_is_refused_with_what_is_right(name: str) -> None:
    with pytest.raises(InputFileError, match="right is up to 40 letters, digits and signs"):
        sources(["none.jsonl"], name=name)


def test_the_standard_input_is_named_like_a_file_where_it_is_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is it is sent while it is read, and has a name only if one is given."""
    for as_is, expected in ((False, names([written(tmp_path / "a.jsonl")])), (True, [None])):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
        assert names(["-"], as_is=as_is) == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    assert names(["-"], as_is=True, name="live") == ["live.as-is"]


def test_a_pipe_is_not_read_for_its_name(tmp_path: Path) -> None:
    """It can be read only once; this would wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert content_hash(str(pipe)) is None
    assert sources([str(pipe)], as_is=True).names == [None]


def test_damaged_gzip_is_named_as_such_before_anything_is_sent(tmp_path: Path) -> None:
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(LINE.encode())[:-6])
    with pytest.raises(InputFileError, match="compressed data are damaged or incomplete"):
        sources([str(packed)], as_is=True)
