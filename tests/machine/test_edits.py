"""A partition's machine over edits of its lifecycles: what it keeps, whom it moves, and when."""

import pytest

from stream.codec.controls import tick
from stream.codec.state.keys import LAYOUT
from stream.codec.state.positions import KEY, decode_position, encode_position
from stream.core.interaction import Interaction
from stream.errors import StateError
from stream.machine.batch import Batch
from stream.machine.budget import MAX_FIRED
from stream.machine.machine import PartitionMachine
from stream.settings import ApplyEdits, Settings
from tests.kit.lifecycles import funnel
from tests.kit.machines import compacted, finish, machine, moves, published, records_of, run_all
from tests.kit.times import DAY, T0

STREAM = Settings(clock="stream")


def visits(*customers: str, time: int = T0) -> list[Interaction]:
    """One visit each, with one millisecond between."""
    return [
        Interaction(customer, None, None, "visit", time + number, {}, {}) for number, customer in enumerate(customers)
    ]


def idle(made: PartitionMachine) -> list[Batch]:
    """What a machine writes that finds no interaction; as the worker does it, nothing for a batch without inputs."""
    return [batch for batch in run_all(made, []) if batch.inputs]


def written(made: PartitionMachine, customers: list[Interaction], before: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The changelog after some interactions, an empty fetch before them."""
    first = made.next_offset or 0
    return compacted([*idle(made), *run_all(made, records_of(customers, first=first))], before)


def test_a_file_may_be_edited_twenty_times() -> None:
    """Each version writes a customer of its own, and all are there at the end.

    A restart begins with a batch without interactions, and what a version needs to be read is kept from then on.
    """
    changelog: dict[bytes, bytes] = {}
    for version in range(20):
        changelog = written(machine(funnel(100 + version), STREAM, changelog), visits(f"c{version}"), changelog)
    made = machine(funnel(1_000), STREAM, changelog)
    assert made.customers == 20
    assert sum(key[:1] == LAYOUT for key in changelog) == 20


def test_what_an_edited_lifecycle_needs_is_written_before_any_interaction() -> None:
    """Layout and position, in a batch of their own; the position names the lifecycles that run now."""
    changelog = written(machine(funnel(100), STREAM), visits("a"), {})
    model = funnel(50)
    changelog = compacted(idle(machine(model, STREAM, changelog)), changelog)
    assert LAYOUT + model.lifecycles[0].digest in changelog
    position = decode_position(changelog[KEY])
    assert position.lifecycles == {"funnel": model.lifecycles[0].digest.hex()}
    assert (position.begun, position.since) == (0, 1)
    assert idle(machine(model, STREAM, changelog)) == []  # nothing is left to write


def test_a_former_version_that_runs_again_reads_what_the_edited_one_wrote() -> None:
    """As in a rolling restart, where partitions go forth and back."""
    changelog = written(machine(funnel(100), STREAM), visits("a"), {})
    changelog = written(machine(funnel(50), STREAM, changelog), visits("b"), changelog)
    made = machine(funnel(100), STREAM, changelog)
    assert made.customers == 2
    assert dict(made.edited) == {"funnel": funnel(50).lifecycles[0].digest.hex()}


def test_a_state_that_lost_its_layout_says_which_file_to_start_with() -> None:
    """And opens with that file, which then keeps the layout for the next edit."""
    changelog = written(machine(funnel(100), STREAM), visits("a"), {})
    lost = funnel(50)
    changelog = written(machine(lost, STREAM, changelog), visits("b"), changelog)
    digest = lost.lifecycles[0].digest
    del changelog[LAYOUT + digest]
    with pytest.raises(
        StateError,
        match=f"topic lifecycle-customers, partition 0: .* the file of lifecycle funnel .* digest was {digest.hex()}",
    ):
        machine(funnel(20), STREAM, changelog)
    changelog = compacted(idle(machine(lost, STREAM, changelog)), changelog)
    assert machine(funnel(20), STREAM, changelog).customers == 2


def test_whoever_satisfies_a_lowered_threshold_moves_once_at_the_partition_s_clock() -> None:
    """W8 of the field reports: x1 and x2 have 30 points, b has 10; from 50 to 20."""
    changelog = written(machine(funnel(50), STREAM), visits(*["x1", "x2"] * 3, "b"), {})
    made = machine(funnel(20), STREAM, changelog)
    assert made.to_reconsider == 3
    batches = idle(made)
    assert moves(batches) == [("lead", "mql", 6), ("lead", "mql", 6)]
    for change in published(batches):
        assert (change["trigger"]["kind"], change["final"], change["source"]["offset"]) == ("lifecycle", True, 7)
        assert change["transition"] == "heat >= 20"
    assert [(each.counts.reconsidered, each.counts.moved_by_edit) for each in batches] == [(3, 2)]
    changelog = compacted(batches, changelog)
    again = machine(funnel(20), STREAM, changelog)
    assert (again.to_reconsider, moves(idle(again))) == (0, [])


def test_an_edit_that_is_interrupted_goes_on_and_moves_nobody_twice() -> None:
    """More customers than one transaction takes; the worker is killed after the first."""
    crowd = [f"c{number}" for number in range(MAX_FIRED + 100)]
    changelog = written(machine(funnel(50), STREAM), visits(*crowd), {})
    made = machine(funnel(10), STREAM, changelog)
    first = finish(made.run([], made.next_offset or 0, wall=0, caught_up=False))
    assert first.more
    assert 0 < first.counts.moved_by_edit < len(crowd)
    changelog = compacted([first], changelog)
    rest = idle(machine(funnel(10), STREAM, changelog))
    moved = [each["customer_id"] for each in published([first, *rest])]
    assert sorted(moved) == sorted(crowd)


def test_an_interaction_of_a_customer_who_was_not_considered_yet_comes_after_the_edit() -> None:
    """With wall time interactions go on between: the edit comes first for each customer."""
    settings = Settings(clock="wall", live_from=0)
    crowd = [f"c{number}" for number in range(MAX_FIRED + 100)]
    before = machine(funnel(50), settings)
    changelog = compacted(run_all(before, records_of(visits(*crowd)), wall=T0 + DAY), {})
    made = machine(funnel(20, days=40), settings, changelog)
    late = crowd[-1]
    records = records_of(visits(late, late, late, time=T0 + DAY), first=made.next_offset or 0)
    batch = finish(made.run(records, records[-1].offset + 1, wall=T0 + DAY + 9, caught_up=True))
    assert batch.counts.applied == 3
    assert made.to_reconsider == 99
    assert [(each["customer_id"], each["trigger"]["kind"]) for each in published([batch])] == [(late, "interaction")]


@pytest.mark.parametrize("apply_edits", ["at_once", "when_touched"])
def test_no_change_of_an_edit_is_before_it_though_the_partition_was_idle(apply_edits: ApplyEdits) -> None:
    """The position's clock stood still for three days, in which nothing happened; with 2 days, all would be asleep.

    T0: visits of a, b ...... T0 + 3d: the worker stops, a visits, it starts with the edited file
    """
    settings = Settings(clock="wall", live_from=0, apply_edits=apply_edits)
    before = machine(funnel(50), settings)
    changelog = compacted(run_all(before, records_of(visits("a", "b")), wall=T0 + 9, caught_up=True))
    made, start = machine(funnel(50, days=2), settings, changelog), T0 + 3 * DAY
    records = records_of(visits("a", time=start), first=2)
    (batch,) = run_all(made, records, wall=start + 5, caught_up=True)
    assert [(each["customer_id"], each["trigger"]["kind"], each["at"] - start) for each in published([batch])] == [
        ("a", "lifecycle", 0),  # before its visit, which arrived while no worker ran
        ("b", "lifecycle", 5),
    ]
    assert (batch.counts.reconsidered, made.to_reconsider) == (2, 0)


def test_a_deadline_that_an_edit_brings_into_the_past_fires_after_the_edit_also_where_nobody_is_considered() -> None:
    """The clock stood past it when the worker stopped, a day before it started with the edited file."""
    settings = Settings(clock="wall", live_from=0, apply_edits="when_touched")
    before = machine(funnel(50), settings)
    changelog = compacted(run_all(before, records_of(visits("a")), wall=T0 + 3 * DAY, caught_up=True))
    made = machine(funnel(50, days=2), settings, changelog)
    (batch,) = run_all(made, [], wall=T0 + 4 * DAY, caught_up=True)
    (change,) = published([batch])
    assert (change["to"], change["at"], change["trigger"]["kind"]) == ("asleep", T0 + 4 * DAY, "lifecycle")


def test_edits_may_wait_until_a_customer_is_touched() -> None:
    """By an interaction, or by a deadline that the edit brought into the past; both at the partition's clock."""
    settings = Settings(clock="stream", apply_edits="when_touched")
    changelog = written(machine(funnel(50), settings), visits(*["a", "b"] * 3), {})
    made = machine(funnel(20), settings, changelog)
    begun = idle(made)
    assert moves(begun) == []
    batches = run_all(made, records_of(visits("a", time=T0 + DAY), first=6))
    assert moves(batches) == [("lead", "mql", 5)]
    assert published(batches)[0]["trigger"]["kind"] == "lifecycle"
    batches = [*begun, *batches, *run_all(made, records_of([tick(T0 + 2 * DAY)], first=7))]
    changelog = compacted(batches, changelog)
    made = machine(funnel(100, days=1), settings, changelog)
    batches = idle(made)
    assert [(each["customer_id"], each["to"], each["at"]) for each in published(batches)] == [
        ("b", "asleep", T0 + 2 * DAY)
    ]
    assert published(batches)[0]["trigger"]["kind"] == "lifecycle"


def test_a_life_that_begins_after_a_reset_names_its_generation() -> None:
    """So that no id of a change stands for another one: `2.0-5` is not `0-5`."""
    made = machine(funnel(50), STREAM)
    changelog = compacted(run_all(made, records_of(visits("a"))), {})
    position = decode_position(changelog[KEY])
    position.generation = 2
    made = machine(funnel(50), STREAM, {KEY: encode_position(position)})
    batches = run_all(made, records_of(visits("a"), first=1))
    assert [each["born"] for each in published(batches)] == ["2.0-1"]
    assert dict(batches[0].events[0].headers)["ce_id"] == b"funnel:customer:a:2.0-1:1"
    assert decode_position(compacted(batches)[KEY]).generation == 2
