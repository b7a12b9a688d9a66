"""Imports of random files, broken off anywhere and run again: each row counts once.

Written as `import` writes it, row by row, nothing left out, into the one partition of all customers.
"""

import itertools
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import Reading
from stream.codec.files.import_sources import Sources
from stream.codec.files.sorting import sort_by_time
from stream.codec.import_rows import HEADER, encode_row, row_of
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.customer import Customer
from stream.core.inputs import Arrival
from stream.core.interaction import ImportedRow, Interaction
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts

T = 1_767_225_600_000
MODEL = model_of(
    [
        parse(
            """
lifecycle: shop
facts: {orders: {count: buy}, revenue: {sum: properties.total, each: buy}}
stages: {lead: {}, buyer: {}, asleep: {}}
transitions:
  - {from: "*", to: buyer, when: event.type == "buy"}
  - {from: buyer, to: asleep, when: idle >= 2ms}
""",
            "shop.yaml",
        ).lifecycle
    ],
    None,
)
# Few times, so that many rows have the same; in days, as CSV exports have them, or milliseconds.
orders = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["a", "b", "c"]),
        "time": st.integers(0, 4).map(lambda n: T + n) | st.integers(0, 4).map(lambda n: T + n * 86_400_000),
        "type": st.just("buy"),
        "properties": st.fixed_dictionaries({"total": st.integers(1, 9)}),
    },
    optional={"id": st.sampled_from([f"i{n}" for n in range(8)])},
)
lines = st.lists(st.one_of(orders.map(json.dumps), st.sampled_from(["{", "", "null"])), max_size=12)
files = st.lists(lines, min_size=1, max_size=3)


class Written(NamedTuple):
    """What the topic has of a row."""

    interaction: Interaction
    row: bytes


def written(paths: Sequence[str], *, as_is: bool, memory: int = 1 << 20) -> list[Written]:
    """The whole import, in the order in which it is written."""
    sources = Sources(paths, None, Reading(frozenset(), earliest_time=None), as_is=as_is, name=None)
    read: list[Interaction] = []
    for _file, _line, record in sources.read():
        if not isinstance(record, Rejected):
            read.append(record)
    ordered = read if as_is else list(sort_by_time(read, memory=memory))
    found: list[Written] = []
    for each in ordered:
        assert each.row is not None
        name = sources.names[int.from_bytes(each.row.source, "big")]
        assert name is not None
        found.append(Written(each, encode_row(name, each.row.time, each.row.number)))
    return found


class Partition:
    """One partition and its worker."""

    def __init__(self) -> None:
        self.customers: dict[str, Customer] = {}
        self.changes: list[StageChange] = []
        self.step_counts = StepCounts()

    def take(self, records: Sequence[Written]) -> None:
        """Apply records as they stand on the topic."""
        for given_, header in records:
            row = row_of([(HEADER, header)])
            assert isinstance(row, ImportedRow)
            fresh = Interaction(
                given_.customer_id, None, given_.id, given_.name, given_.time, given_.properties, given_.context, row
            )
            found, changes = step(MODEL, self.customers.get(given_.subject), Arrival(fresh, 0, 0), self.step_counts)
            assert found is not None
            self.customers[given_.subject] = found
            self.changes += changes

    def total(self) -> Any:
        """Orders and revenue of each customer."""
        return {name: list(each.lives["shop"].numbers) for name, each in self.customers.items()}


def write(folder: str, contents: Sequence[Sequence[str]]) -> list[str]:
    """Files of lines; those of one content are two files all the same."""
    paths = []
    for number, content in enumerate(contents):
        path = Path(folder, f"{number}.jsonl")
        path.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
        paths.append(str(path))
    return paths


@given(
    contents=files,
    cuts=st.lists(st.floats(0, 1), max_size=4),
    as_is=st.booleans(),
    memory=st.sampled_from([1, 600, 1 << 20]),
)
def test_an_import_that_broke_off_and_is_run_again_is_as_one_that_did_not(
    contents: list[list[str]], cuts: list[float], as_is: bool, memory: int
) -> None:
    """Customers, to the last bit, and changes, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        whole = written(write(folder, contents), as_is=as_is, memory=memory)
    once, often = Partition(), Partition()
    once.take(whole)
    for cut in cuts:
        often.take(whole[: round(cut * len(whole))])
    for _ in range(2):
        often.take(whole)
    assert often.customers == once.customers
    assert often.changes == once.changes


@given(
    contents=files,
    runs=st.lists(st.tuples(st.permutations([0, 1, 2]), st.integers(1, 3), st.floats(0, 1)), min_size=1, max_size=4),
    as_is=st.booleans(),
)
def test_a_row_counts_once_whichever_files_are_given_together(
    contents: list[list[str]], runs: list[tuple[list[int], int, float]], as_is: bool
) -> None:
    """First one month, then two, then both the other way round, some broken off; rows without ids.

    Files of one content are one import, here as on the command line.
    """
    plain = [[line for line in content if '"id"' not in line] for content in contents]
    with tempfile.TemporaryDirectory() as folder:
        paths = write(folder, plain)
        partition = Partition()
        wanted: dict[bytes, Written] = {}
        for order, number, cut in runs:
            chosen = [paths[place] for place in order[:number] if place < len(paths)]
            records = written(chosen, as_is=as_is)
            records = records[: round(cut * len(records))]
            partition.take(records)
            wanted |= {each.row: each for each in records}
    counts: dict[str, list[int]] = {}
    for each in wanted.values():
        total = each.interaction.properties["total"]
        assert isinstance(total, int)
        found = counts.setdefault(each.interaction.subject, [0, 0])
        found[0] += 1
        found[1] += total
    told = {name: [state[0], round(state[1] / 1_000_000)] for name, state in partition.total().items()}
    assert told == counts


@given(content=lines, removed=st.sets(st.integers(0, 11), max_size=3), as_is=st.booleans())
def test_a_row_that_could_not_be_read_moves_no_other(content: list[str], removed: set[int], as_is: bool) -> None:
    """What is unreadable for one version, or with one list of blocked ids, shifts no number: nothing counts twice."""
    with tempfile.TemporaryDirectory() as folder:
        whole = written(write(folder, [content]), as_is=as_is)
        less = [line if number not in removed else "{" for number, line in enumerate(content)]
        partial = written(write(folder, [less]), as_is=as_is)
    names = {each.row.split(b":")[0] for each in whole}
    assert {each.row.split(b":", 1)[1] for each in partial} <= {each.row.split(b":", 1)[1] for each in whole}
    for one, two in itertools.pairwise(each.row.split(b":")[1:] for each in whole):
        assert [int(part) for part in one] < [int(part) for part in two]
    assert len(names) <= 1
