"""Numbers in files that are read though they are not as they should be, and what is counted of them."""

from pathlib import Path

import pytest

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.column_mapping import ColumnMapping
from stream.codec.files.input_files import read_interactions
from stream.codec.files.notation import Notation
from stream.codec.files.reading_options import ReadingOptions
from stream.core.interaction import Interaction

MAPPING = ColumnMapping.parse(["customer_id=who,type='Order Completed',time=when,id=no,properties.total=sum"])
COMMA = ReadingOptions(Notation(decimal="comma"))
LONG = "123456789012345678901234567890"


def read(
    path: Path, text: str, mapping: ColumnMapping | None = None, options: ReadingOptions | None = None
) -> tuple[list[Interaction | Rejected], dict[str, int]]:
    path.write_text(text)
    flaws: dict[str, int] = {}
    records = read_interactions(path, mapping=mapping, options=options or ReadingOptions(), flaws=flaws)
    return [record for _, record in records], flaws


@pytest.mark.parametrize(
    ("cell", "time", "flaws"),
    [
        ("1772359200", 1_772_359_200_000, {"time_unit": 1}),
        ("1772359200000", 1_772_359_200_000, {}),
        ("1772359200000000", 1_772_359_200_000, {"time_unit": 1}),
    ],
)
def test_seconds_and_microseconds_in_a_cell_are_told_from_milliseconds(tmp_path, cell, time, flaws):
    rows = f"customer_id,type,time\nc,visit,{cell}\n"
    [record], counted = read(tmp_path / "a.csv", rows)
    assert isinstance(record, Interaction), record
    assert (record.time, counted) == (time, flaws)
    [record], counted = read(tmp_path / "b.csv", f"who,when,no,sum\nc,{cell},1,5\n", MAPPING)
    assert isinstance(record, Interaction), record
    assert (record.time, counted) == (time, flaws)


def test_digits_in_a_text_of_json_are_no_time(tmp_path):
    [record], counted = read(tmp_path / "a.jsonl", '{"type":"visit","customer_id":"c","time":"1772359200"}\n')
    assert isinstance(record, Rejected)
    assert counted == {}


@pytest.mark.parametrize("options", [None, COMMA])
def test_a_number_that_json_does_not_have_costs_its_value_with_a_mapping_too(tmp_path, options):
    rows = '{"who":"c","when":1772359200000,"no":1,"sum":NaN}\n{"who":null,"when":1772359200000,"no":1,"sum":NaN}\n'
    records, counted = read(tmp_path / "a.jsonl", rows, MAPPING, options)
    assert [isinstance(each, Interaction) for each in records] == [True, False]
    assert isinstance(records[0], Interaction)
    assert records[0].properties == {}
    assert counted == {"not_a_number": 1}


@pytest.mark.parametrize("options", [None, COMMA])
def test_an_id_keeps_its_digits_with_a_mapping_and_with_another_notation(tmp_path, options):
    row = f'{{"who":{LONG},"when":1772359200000,"no":{LONG},"sum":{LONG}}}\n'
    [record], _ = read(tmp_path / "a.jsonl", row, MAPPING, options)
    assert isinstance(record, Interaction), record
    assert (record.customer_id, record.id, record.properties) == (LONG, LONG, {"total": 1.2345678901234568e29})
    for keys in ('"customer_id":%s,"id":%s,"type":"visit"', '"userId":%s,"messageId":%s,"type":"track","event":"a"'):
        text = "{" + keys % (LONG, LONG) + ',"timestamp":1772359200000,"time":1772359200000}\n'
        [record], _ = read(tmp_path / "b.jsonl", text, None, options)
        assert isinstance(record, Interaction), record
        assert (record.customer_id, record.id) == (LONG, LONG)
