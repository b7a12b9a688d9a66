"""Whatever happens before and after it, a repartition changes neither a customer nor a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from stream.codec.partitioners import home_of
from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.figures import Cell
from stream.codec.state.keys import customer_key, kind_of
from stream.codec.state.positions import encode_position
from stream.codec.state.spans import with_none_applied
from stream.core.interaction import Interaction
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.operations.repartition.figures import Cells, Stages, read_cells, records, spread
from stream.operations.repartition.sources import Sources, split
from stream.settings import Settings
from tests.kit.machines import TOPIC, compacted, finish, records_of, run_all
from tests.properties.figure_histories import histories, lifecycle

MODEL = lifecycle()
SETTINGS = Settings(clock="stream", forget_after=None)
PARTITIONER = "murmur2"
Changelog = dict[bytes, bytes]


@given(histories(), st.integers(0, 24), st.integers(1, 4), st.integers(1, 4))
def test_customers_and_figures_are_those_of_one_partition_that_was_never_divided(
    history: list[Interaction], cut: int, before: int, after: int
) -> None:
    [alone] = processed(history, 1, [{}])
    carried = carry(processed(history[:cut], before, [{} for _ in range(before)]), after)
    found = processed(history[cut:], after, carried)

    customers = {key: unnamed(key, value) for changelog in found for key, value in changelog.items() if kind_of(key)}
    assert customers == {key: unnamed(key, value) for key, value in alone.items() if kind_of(key)}
    expected, cells = read_cells(MODEL, alone), [read_cells(MODEL, each) for each in found]
    assert {place: number for place, number in summed(cells).items() if number} == {
        place: number for place, number in summed([expected]).items() if number
    }
    for day in sorted({day for _, day, _ in expected}):
        for stage in ("one", "two", "three", "four"):
            assert sum(level(each, day, stage) for each in cells) == level(expected, day, stage), (day, stage)


def processed(history: Sequence[Interaction], partitions: int, changelogs: list[Changelog]) -> list[Changelog]:
    """The changelogs after machines of so many partitions went on with these."""
    left: list[Changelog] = []
    for number, changelog in enumerate(changelogs):
        made = PartitionMachine(MODEL, SETTINGS, SourcePartition(TOPIC, number, partitions))
        finish(made.restore(dict(changelog)))
        own = [each for each in history if home(each, partitions) == number]
        left.append(compacted(run_all(made, records_of(own, first=made.next_offset or 0)), changelog))
    return left


def home(interaction: Interaction, partitions: int) -> int:
    return int(home_of(PARTITIONER, interaction.subject.encode(), partitions))


def carry(old: list[Changelog], partitions: int) -> list[Changelog]:
    """What `lifecycle repartition` writes, without Kafka."""
    sources, codec = Sources(), CustomerCodec(MODEL)
    new: list[Changelog] = [{} for _ in range(partitions)]
    before, after = ({number: Stages() for number in range(count)} for count in (len(old), partitions))
    for number, changelog in enumerate(old):
        sources.add(number, len(old), PARTITIONER, changelog)
    for number, changelog in enumerate(old):
        for target, customers in enumerate(split(sources, number, changelog, PARTITIONER, partitions)):
            for key, value in customers:
                new[target][key] = with_none_applied(value)
                stages = codec.header(value).stages
                before[number].update(stages)
                after[target].update(stages)
    cells = spread({number: read_cells(MODEL, each) for number, each in enumerate(old)}, before, after)
    position = encode_position(sources.position(TOPIC, partitions))
    for number, changelog in enumerate(new):
        changelog.update({each.key or b"": each.value or b"" for each in records(MODEL, cells[number])})
        changelog.update(sources.layouts | {positions.KEY: position})
    return new


def unnamed(key: bytes, value: bytes) -> bytes:
    """A customer's record without what says where its interactions stood."""
    codec = CustomerCodec(MODEL)
    customer = codec.decode(key, with_none_applied(value))
    assert customer_key(customer.kind, customer.id) == key
    for life in customer.lives.values():
        life.born = ""
    return codec.encode(customer)


def summed(partitions: Iterable[Cells]) -> Cells:
    """Over all partitions, of all but the customers of each stage, which only some days say."""
    found: Cells = {}
    for cells in partitions:
        for place, number in cells.items():
            if not place[2].figure.startswith("customers/"):
                found[place] = found.get(place, 0) + number
    return found


def level(cells: Cells, day: int, stage: str) -> int:
    """Customers of a partition in a stage at the end of a day, as docs/figures.md says it is read."""
    said = sorted({of for _, of, cell in cells if cell.figure.startswith("customers/")})
    latest = max((of for of in said if of <= day), default=None)
    if latest is not None:
        return cells.get(("shop", latest, Cell(f"customers/{stage}", "", "")), 0)
    if not said:
        return 0
    moved = [cells.get(("shop", said[0], Cell(f"{what}/{stage}", "", "")), 0) for what in ("entered", "left")]
    return cells.get(("shop", said[0], Cell(f"customers/{stage}", "", "")), 0) - moved[0] + moved[1]
