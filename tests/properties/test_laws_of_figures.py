"""What must hold of figures whatever happened: no order of arrival, cut, restart or crash changes a sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import orjson
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.packed_records import PackedRecords
from stream.codec.partitioners import home_of
from stream.codec.records import Outgoing
from stream.codec.state import keys
from stream.codec.state.figures import Cell, read_figure_key, read_figure_value
from stream.codec.state.keys import customer_key
from stream.core.interaction import Interaction
from stream.core.model import Model
from stream.machine.batch import Batch
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.offline.simulation import Simulation
from stream.settings import Settings
from tests.kit.machines import TOPIC, Record, compacted, finish, records_of, run_all
from tests.properties.figure_histories import INDEPENDENT, OF_ENTRIES, WITH_TIME, histories, lifecycle

Key = tuple[object, ...]
"""Figure, from, to, by, kind, segment and day."""
MODEL = lifecycle()
TIMED = lifecycle(WITH_TIME)
SETTINGS = Settings(clock="stream", forget_after=None)


def sums(rows: Iterable[bytes]) -> dict[Key, str]:
    """The rows by what names them in one partition, without those that are 0."""
    found: dict[Key, str] = {}
    for each in map(orjson.loads, rows):
        found[tuple(each[name] for name in ("figure", "from", "to", "by", "kind", "segment", "day"))] = each["exact"]
    return {key: value for key, value in found.items() if value != "0"}


def rows_of(batches: Iterable[Batch]) -> dict[Key, str]:
    """What batches leave on the topic."""
    return sums(each.value for batch in batches for each in batch.figures if each.value is not None)


def simulated(history: Iterable[Interaction], model: Model = MODEL) -> dict[Key, str]:
    simulation = Simulation(model)
    for _ in simulation.run(enumerate(history)):
        pass
    return sums(simulation.figures())


def machine_of(changelog: dict[bytes, bytes] | None = None, model: Model = MODEL, partition: int = 0, of: int = 1):
    made = PartitionMachine(model, SETTINGS, SourcePartition(TOPIC, partition, of))
    finish(made.restore(dict(changelog or {})))
    return made


def in_batches(made: PartitionMachine, records: Sequence[Record], cuts: Iterable[int]) -> list[Batch]:
    """Run the records, a batch ending at each cut."""
    batches: list[Batch] = []
    places = [0, *sorted({cut % (len(records) + 1) for cut in cuts}), len(records)]
    for begin, end in pairwise(places):
        if begin < end:
            batches += run_all(made, records[begin:end])
    return batches


def whole(figures: dict[Key, str], names: set[str]) -> dict[Key, str]:
    return {key: value for key, value in figures.items() if key[0] in names}


@given(data=st.data())
def test_the_order_of_arrival_changes_no_sum(data):
    """Where no fact changes, and no more is returned than was ordered."""
    history = data.draw(histories(devices=False, modest=True))
    again = data.draw(st.permutations(history))
    assert whole(simulated(again), INDEPENDENT) == whole(simulated(history), INDEPENDENT)


@given(data=st.data())
def test_the_sum_over_the_segments_of_a_fact_is_the_whole(data):
    figures = simulated(data.draw(histories()))
    for by in ("country", "device"):
        found: dict[Key, float] = defaultdict(float)
        for key, value in figures.items():
            if key[3] == by:
                found[(*key[:3], key[6])] += round(float(value) * 1e6)
        everybody = {
            (*key[:3], key[6]): round(float(value) * 1e6)
            for key, value in figures.items()
            if key[4] == "all" and key[0] != "customers"
        }
        assert {key: value for key, value in found.items() if value} == everybody


@given(history=histories(), cuts=st.lists(st.integers(0, 30), max_size=5))
def test_where_a_batch_is_cut_changes_nothing(history, cuts):
    for model in (MODEL, TIMED):
        records = records_of(history)
        one, many = machine_of(model=model), machine_of(model=model)
        assert rows_of(in_batches(many, records, cuts)) == rows_of(run_all(one, records))


@given(history=histories(), cuts=st.lists(st.integers(0, 30), max_size=5))
def test_partitions_together_are_the_whole(history, cuts):
    """Each customer lives on one of three; levels of a day are those of the latest day before that has any."""
    found: dict[Key, int] = defaultdict(int)
    for partition in range(3):
        own = [
            each for each in history if home_of("murmur2", customer_key("customer", each.subject), 3, 1) == partition
        ]
        for key, value in rows_of(in_batches(machine_of(partition=partition, of=3), records_of(own), cuts)).items():
            if key[0] != "customers":
                found[key] += round(float(value) * 1e6)
    expected = {key: round(float(value) * 1e6) for key, value in simulated(history).items() if key[0] != "customers"}
    assert {key: value for key, value in found.items() if value} == expected


@given(history=histories(), cuts=st.lists(st.integers(0, 30), max_size=5), stop=st.integers(0, 5))
def test_restored_from_the_changelog_at_any_batch_it_goes_on_alike(history, cuts, stop):
    for model in (MODEL, TIMED):
        records = records_of(history)
        batches = in_batches(machine_of(model=model), records, cuts)
        before = batches[: stop % len(batches) + 1]
        restored = machine_of(compacted(before), model)
        after = run_all(restored, records[before[-1].next_offset :])
        assert rows_of([*before, *after]) == rows_of(batches)


@given(
    history=histories(),
    cuts=st.lists(st.integers(0, 30), max_size=5),
    stop=st.integers(0, 5),
    written=st.integers(0, 200),
    again=st.lists(st.integers(0, 30), max_size=3),
)
def test_a_write_that_was_cut_off_counts_nothing_twice_and_loses_nothing(history, cuts, stop, written, again):
    """Without transactions: rows are acknowledged, then state follows in its order, and any beginning may be there."""
    records = records_of(history)
    batches = in_batches(machine_of(), records, cuts)
    stop %= len(batches)
    broken, before = batches[stop], batches[:stop]
    changelog = compacted([*before, partly(broken, written % (len(broken.state) + 1))])
    restored = machine_of(changelog)
    begun = restored.next_offset or 0
    after = in_batches(restored, records[begun:], again)
    assert kept(compacted(after, changelog)) == kept(compacted(batches))
    if written % (len(broken.state) + 1):
        # Of what was not kept at all, a row may stand until its figure changes: batches end elsewhere then.
        expected = rows_of(batches)
        assert whole_of(rows_of([*before, broken, *after]), expected) == expected


def kept(changelog: dict[bytes, bytes]) -> dict[tuple[str, int, Cell], int]:
    """The figures of a changelog that are not 0."""
    found = {
        read_figure_key(key): read_figure_value(value)[0] for key, value in changelog.items() if key[:1] == keys.FIGURE
    }
    return {key: number for key, number in found.items() if number}


def whole_of(found: dict[Key, str], names: Iterable[Key]) -> dict[Key, str]:
    return {key: found[key] for key in names if key in found}


def partly(batch: Batch, records: int) -> Batch:
    """Only so many records of its state were written."""
    made = Batch(next_offset=batch.next_offset)
    made.state = PackedRecords([*batch.state][:records])
    return made


def test_what_is_written_last_is_the_position():
    """So that any beginning of a batch's state is before its position."""
    history = [Interaction("ann", None, "1", "order", 1_711_756_800_000, {"id": 1, "total": 1}, {})]
    state: list[Outgoing] = run_all(machine_of(), records_of(history))[0].state
    kinds = [each.key[:1] for each in state if each.key is not None]
    assert kinds == sorted(kinds, key=[b"f", b"t", b"c", b"p"].index)


def test_the_reference_to_entries_is_complete():
    assert OF_ENTRIES < INDEPENDENT
