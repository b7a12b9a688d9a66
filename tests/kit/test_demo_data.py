"""The demonstration data in the package are what the script makes, and what the product reads."""

import gzip
from collections import Counter
from pathlib import Path

import orjson
import pytest

import stream.demo
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.files.input_files import read_interactions
from tests.kit.make_demo_data import demo_data

FOLDER = Path(stream.demo.__file__).parent


@pytest.mark.real_data
def test_the_shipped_files_hold_what_the_script_makes() -> None:
    """Record by record: another zlib or another order of keys makes no other data."""
    made = demo_data()
    assert {path.name for path in FOLDER.glob("*.gz")} == set(made)
    for name, lines in made.items():
        shipped = gzip.decompress((FOLDER / name).read_bytes())
        assert [orjson.loads(line) for line in shipped.splitlines()] == [
            orjson.loads(line) for line in lines.splitlines()
        ]


def test_the_shipped_files_carry_no_time_and_are_small() -> None:
    """A file made again is the same file: no time and no name in its header."""
    for path in FOLDER.glob("*.gz"):
        data = path.read_bytes()
        assert data[3:8] == b"\0\0\0\0\0"
        assert len(data) < 300_000


def test_every_line_is_an_interaction() -> None:
    """Nothing in the demonstration is rejected."""
    counts = Counter[str]()
    for path in FOLDER.glob("*.gz"):
        for number, read in read_interactions(path):
            assert not isinstance(read, Rejected), (path.name, number, read)
            counts[path.name] += 1
    assert counts == {"purchases.jsonl.gz": 6_919}
