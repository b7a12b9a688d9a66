"""Stage changes as they are written: lines that are none, other lifecycles, stages that are gone, and resets."""

import gzip
from pathlib import Path

import polars as pl
import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.stage_changes import ChangeSource, encode
from stream.core.stage_change import StageChange
from stream.errors import InputFileError
from stream.report.change_files import read_changes
from stream.report.change_rows import ChangeRows, shown
from tests.kit.stage_changes import change

METRICS = load("metrics").lifecycle
SOURCE = ChangeSource("interactions", 0, 7)


def written(**more: object) -> bytes:
    return encode(a_change(**more), SOURCE)


def a_change(**more: object) -> StageChange:
    return change(**{"lifecycle": "metrics", "from_stage": "awareness", "to_stage": "engagement", **more})


def read(*lines: bytes, facts: tuple[str, ...] = ()) -> ChangeRows:
    rows = ChangeRows(METRICS, facts)
    assert rows.add_lines(b"\n".join(lines)) >= 0
    return rows


def test_a_line_is_the_same_row_as_the_change_itself() -> None:
    facts = {"last_nps": 9.0, "orders": 3, "spent": 2.5, "new": True}
    changes = [
        a_change(facts=facts),
        a_change(kind="anonymous", to_stage=None),
        a_change(from_stage=None, entered=None),
    ]
    directly = ChangeRows(METRICS, tuple(facts))
    for each in changes:
        directly.add(each)
    lines = read(*(encode(each, SOURCE) for each in changes), facts=tuple(facts)).frame()
    assert lines.equals(directly.frame())
    assert lines.row(0)[6:] == ("9", "3", "2.5", "true")


def test_what_is_no_stage_change_is_counted_and_the_rest_is_read() -> None:
    lines = (written(), b"{", b"", b'{"lifecycle": 5}', b"\xff\xfe", written(sequence=3), b"null")
    rows = read(*lines)
    assert (rows.frame().height, rows.unreadable, rows.foreign) == (2, 4, 0)


def test_other_lifecycles_are_left_out_and_stages_that_are_gone_are_counted() -> None:
    rows = read(written(), written(lifecycle="other", to_stage="somewhere"), written(to_stage="abolished"))
    assert (rows.frame().height, rows.foreign) == (1, 1)


def test_after_a_reset_only_what_was_made_last_counts() -> None:
    born = ("0-1", "1-5", "2.0-1", "2.1-7", "2.1-7")
    rows = read(*(written(born=each, sequence=number) for number, each in enumerate(born)))
    assert rows.frame()["born"].to_list() == ["2.0-1", "2.1-7", "2.1-7"]
    assert read(*(written(born=each) for each in born[:2])).frame().height == 2


def test_customers_and_visitors_of_one_id_are_two() -> None:
    who = read(written(subject="=7"), written(subject="=7", kind="anonymous")).frame()["who"].to_list()
    assert len(set(who)) == 2
    assert [shown(each) for each in who] == ["=7", "=7 (anonymous)"]


@pytest.mark.parametrize("at_once", [7, 1_000, 1 << 24])
def test_lines_are_whole_however_much_is_read_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Also the last one, which has no end."""
    monkeypatch.setattr("stream.report.change_files._AT_ONCE", at_once)
    lines = [written(sequence=number, subject=f"c{number}") for number in range(20)]
    path = tmp_path / "changes.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(lines)))
    rows, heard = ChangeRows(METRICS, ()), list[int]()
    read_changes(str(path), rows, heard.append)
    assert rows.frame()["who"].to_list() == [f"=c{number}" for number in range(20)]
    assert (sum(heard), rows.unreadable) == (20, 0)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "changes.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputFileError, match=r"changes\.parquet: cannot be read: "):
        read_changes(str(tmp_path / "changes.parquet"), ChangeRows(METRICS, ()), list[int]().append)
    pl.DataFrame({"customer_id": ["a"]}).write_csv(tmp_path / "changes.csv")
    with pytest.raises(InputFileError, match=r"there is no column 'anonymous_id'; right is a file that lifecycle sim"):
        read_changes(str(tmp_path / "changes.csv"), ChangeRows(METRICS, ()), list[int]().append)
    with pytest.raises(InputFileError, match="No such file"):
        read_changes(str(tmp_path / "none.jsonl"), ChangeRows(METRICS, ()), list[int]().append)
