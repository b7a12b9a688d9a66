"""The machine of one partition: clock, deadlines, live_from, dead letters and isolation, without Kafka."""

import pytest

from stream.codec.controls import tick
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.positions import KEY, Position, decode_position, encode_position
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.errors import PositionError, StateError
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.kit.lifecycles import SHOP, buy, shop
from tests.kit.machines import TOPIC, compacted, finish, machine, moves, published, records_of, run_all
from tests.kit.times import DAY, T0


@pytest.fixture
def model() -> Model:
    return shop()


def test_a_deadline_fires_between_the_records_around_it(model: Model) -> None:
    """The deadline of one customer, fired by the clock that another one moves.

    a  o.............................|30d
    b  ..............................o  one millisecond after a's deadline
    """
    made = machine(model, Settings(clock="stream"))
    batches = run_all(made, records_of([buy("a", T0), buy("b", T0 + 30 * DAY + 1)]))
    assert moves(batches) == [
        (None, "lead", 0),
        ("lead", "customer", 0),
        (None, "lead", 30 * DAY + 1),
        ("lead", "customer", 30 * DAY + 1),
        ("customer", "dormant", 30 * DAY),
    ]
    assert published(batches)[-1]["source"] == {"topic": "interactions", "partition": 0, "offset": 2}
    assert published(batches)[-1]["trigger"] == {"kind": "deadline", "id": None, "type": None, "late": False}


def test_grace_lets_a_late_interaction_prevent_a_deadline(model: Model) -> None:
    """With a day of grace, an order a millisecond before the deadline counts although another customer was later."""
    late = [buy("a", T0), buy("b", T0 + 30 * DAY + 1000), buy("a", T0 + 30 * DAY - 1)]
    patient = run_all(machine(model, Settings(clock="stream", grace=DAY)), records_of(late))
    assert ("customer", "dormant", 30 * DAY) not in moves(patient)
    hasty = run_all(machine(model, Settings(clock="stream")), records_of(late))
    assert ("customer", "dormant", 30 * DAY) in moves(hasty)


def test_a_tick_moves_an_idle_partition_on(model: Model) -> None:
    """The tick's time fires what came due, and nothing after it."""
    made = machine(model, Settings(clock="stream"))
    batches = run_all(made, records_of([buy("a", T0), tick(T0 + 30 * DAY - 1)], broker_time=T0))
    assert ("customer", "dormant", 30 * DAY) not in moves(batches)
    batches = run_all(made, records_of([tick(T0 + 30 * DAY)], broker_time=T0, first=2))
    assert moves(batches) == [("customer", "dormant", 30 * DAY)]
    assert batches[0].counts.results["tick"] == 1


def test_wall_time_fires_deadlines_only_when_caught_up(model: Model) -> None:
    """A worker that was away reads what waits before it lets wall time decide."""
    settings = Settings(clock="wall", live_from=T0 - DAY)
    made = machine(model, settings)
    wall = T0 + 40 * DAY
    behind = run_all(made, records_of([buy("a", T0)]), wall=wall, caught_up=False)
    assert ("customer", "dormant", 30 * DAY) not in moves(behind)
    again = run_all(made, records_of([buy("a", T0 + 29 * DAY)], first=1), wall=wall, caught_up=True)
    assert moves(again) == []
    assert made.next_due() == T0 + 59 * DAY
    later = run_all(made, [], wall=T0 + 59 * DAY, caught_up=True)
    assert moves(later) == [("customer", "dormant", 59 * DAY)]


def test_loading_history_publishes_nothing_and_shows_current_stages(model: Model) -> None:
    """Changes before live_from are applied only; after the tick the past's deadlines are, too; then all is live."""
    first_start = T0 + 400 * DAY
    made = machine(model, Settings(clock="wall"))
    started = run_all(made, [], wall=first_start, caught_up=True)
    assert decode_position(compacted(started)[KEY]).live_from == first_start
    history = run_all(
        made, records_of([buy("a", T0), buy("b", T0 + DAY)], broker_time=first_start + 1), wall=first_start
    )
    assert moves(history) == []
    assert made.clock == T0 + DAY
    assert {each.key for batch in history for each in batch.latest} == {b"shop:customer:a", b"shop:customer:b"}
    ended = run_all(made, records_of([tick(T0 + DAY)], broker_time=first_start + 2, first=2), wall=first_start + 2)
    assert moves(ended) == []
    assert made.stages["shop", "dormant"] == 2
    live = run_all(made, records_of([buy("a", first_start + 3)], first=3), wall=first_start + 3)
    assert moves(live) == [("dormant", "customer", 400 * DAY + 3)]


def test_live_from_survives_a_restart(model: Model) -> None:
    """The first start is what counts, not the latest."""
    settings = Settings(clock="wall")
    changelog = compacted(run_all(machine(model, settings), [], wall=T0, caught_up=True))
    restarted = machine(model, settings, changelog)
    batches = run_all(restarted, records_of([buy("a", T0 + 5)]), wall=T0 + DAY)
    assert moves(batches) == [(None, "lead", 5), ("lead", "customer", 5)]


def test_an_interaction_far_ahead_of_its_broker_time_is_taken_at_that(model: Model) -> None:
    """Five minutes are let pass, a millisecond more is not."""
    made = machine(model, Settings(clock="stream"))
    batches = run_all(made, records_of([buy("a", T0 + 300_000), buy("b", T0 + 300_001)], broker_time=T0))
    assert [each["at"] - T0 for each in published(batches)] == [300_000, 300_000, 0, 0]
    assert batches[0].counts.ahead == 1


def test_a_repeated_offset_counts_once(model: Model) -> None:
    """What a crash without transactions may hand over again is skipped by the offset kept with the customer."""
    made = machine(model, Settings(clock="stream"))
    records = records_of([buy("a", T0), buy("a", T0 + 1)])
    changelog = compacted(run_all(made, records))
    position = decode_position(changelog.pop(KEY))
    assert position.offsets == {"interactions": 2}
    again = machine(model, Settings(clock="stream"), changelog)
    batches = run_all(again, records)
    assert published(batches) == []
    assert batches[0].counts.results["repeated"] == 2


def test_a_customer_comes_back_in_the_batch_in_which_it_was_forgotten(model: Model) -> None:
    """One record is left of it, that of the new life, wherever the batch is cut."""
    visit = Interaction(None, "v", None, "page", T0, {}, {})
    again = Interaction(None, "v", None, "page", T0 + 91 * DAY, {}, {})
    records = records_of([visit, tick(T0 + 90 * DAY), again])
    whole = run_all(machine(model, Settings(clock="stream")), records)
    assert [move[:2] for move in moves(whole)] == [(None, "lead"), ("lead", None), (None, "lead")]
    made = machine(model, Settings(clock="stream"))
    apart = [batch for record in records for batch in run_all(made, [record])]
    assert published(apart) == published(whole)
    assert compacted(apart) == compacted(whole)
    assert list(compacted(whole)).count(b"av") == 1


@pytest.mark.long
def test_many_deadlines_at_once_are_fired_in_bounded_transactions(model: Model) -> None:
    """More customers than one transaction takes come due at one tick: several batches, each fires once."""
    customers = 12_000
    made = machine(model, Settings(clock="stream"))
    run_all(made, records_of([buy(str(n), T0) for n in range(customers)]))
    batches = run_all(made, records_of([tick(T0 + 30 * DAY)], broker_time=T0, first=customers))
    assert len(batches) > 2
    assert len(moves(batches)) == customers
    assert made.stages["shop", "dormant"] == customers


def test_a_forgotten_subject_leaves_no_record(model: Model) -> None:
    """The changelog gets a tombstone, current-stages too, and the change says `to: null`."""
    made = machine(model, Settings(clock="stream"))
    visit = Interaction(None, "v", None, "page", T0, {}, {})
    batches = run_all(made, records_of([visit, tick(T0 + 90 * DAY)], broker_time=T0))
    assert moves(batches) == [(None, "lead", 0), ("lead", None, 90 * DAY)]
    assert [each.value for each in batches[-1].latest] == [None]
    assert b"av" not in compacted(batches)
    assert made.customers == 0
    assert made.stages["shop", "lead"] == 0


def test_a_changed_partition_count_is_refused(model: Model) -> None:
    """The message names both numbers and the command that helps."""
    changelog = compacted(run_all(machine(model, Settings(clock="stream")), records_of([buy("a", T0)])))
    other = PartitionMachine(model, Settings(clock="stream"), SourcePartition("interactions", 0, 8))
    with pytest.raises(PositionError, match=r"has 8 partitions.*written with 1.*lifecycle reset"):
        finish(other.restore(changelog))


def test_a_record_of_a_newer_format_is_refused(model: Model) -> None:
    """Before anything is written."""
    made = PartitionMachine(model, Settings(clock="stream"), SourcePartition("interactions", 0, 1))
    with pytest.raises(StateError, match="newer version"):
        finish(made.restore({b"ca": b"\x63" + b"\x00" * 20}))


def test_an_edited_lifecycle_reschedules_everyone(model: Model) -> None:
    """After 30d became 10d in the file, a restart finds the earlier deadline without any interaction."""
    changelog = compacted(run_all(machine(model, Settings(clock="stream")), records_of([buy("a", T0)])))
    edited = model_of([parse(SHOP.replace("30d", "10d"), "shop.yaml").lifecycle])
    made = machine(edited, Settings(clock="stream"), changelog)
    batches = run_all(made, records_of([tick(T0 + 10 * DAY)], broker_time=T0, first=1))
    assert moves(batches) == [("customer", "dormant", 10 * DAY)]
    assert published(batches)[0]["scores"] == {"value": 10.0}


def test_a_customer_whose_stage_was_removed_begins_at_the_first_at_the_partition_s_clock(model: Model) -> None:
    """The change says that the lifecycle caused it; the next interaction finds the customer there."""
    changelog = compacted(run_all(machine(model, Settings(clock="stream")), records_of([buy("a", T0)])))
    text = """
lifecycle: shop
interactions: {buy: [Order Completed]}
facts: {orders: {count: buy}}
stages: {new: {}, regular: {}}
transitions: [{from: new, to: regular, when: orders >= 9}]
"""
    made = machine(model_of([parse(text, "shop.yaml").lifecycle]), Settings(clock="stream"), changelog)
    batches = run_all(made, records_of([buy("a", T0 + 1)], first=1))
    (change,) = published(batches)
    assert (change["from"], change["to"], change["trigger"]["kind"], change["sequence"]) == (
        "customer",
        "new",
        "lifecycle",
        3,
    )
    assert (change["at"], change["final"], change["facts"]) == (T0, True, {"orders": 1})


def test_another_forget_after_reaches_customers_that_are_already_kept() -> None:
    """Kept with forgetting off; restarted with 90 days, a visitor of long ago is forgotten at the next tick."""
    lifecycle = parse(SHOP, "shop.yaml").lifecycle
    visit = Interaction(None, "v", None, "page", T0, {}, {})
    never = machine(model_of([lifecycle], None), Settings(clock="stream"))
    changelog = compacted(run_all(never, records_of([visit])))
    made = machine(model_of([lifecycle], 90 * DAY), Settings(clock="stream"), changelog)
    batches = run_all(made, records_of([tick(T0 + 100 * DAY)], broker_time=T0, first=1))
    assert moves(batches) == [("lead", None, 90 * DAY)]


@pytest.mark.long
def test_deadlines_that_moved_on_are_only_looked_at(model: Model) -> None:
    """Thousands of customers bought again before their first deadline: when its time passes, nothing is written."""
    customers = 6_000
    made = machine(model, Settings(clock="stream"))
    again = [buy(str(n), T0 + day * DAY) for day in (0, 10) for n in range(customers)]
    run_all(made, records_of(again))
    batches = run_all(made, records_of([tick(T0 + 30 * DAY)], broker_time=T0, first=len(again)))
    assert moves(batches) == []
    assert [batch.inputs for batch in batches] == [1]


def test_deadlines_are_fired_in_the_order_of_their_times(model: Model) -> None:
    """The first customer's deadline moved behind the second's; one tick passes both."""
    made = machine(model, Settings(clock="stream"))
    run_all(made, records_of([buy("a", T0), buy("b", T0 + DAY), buy("a", T0 + 2 * DAY)]))
    batches = run_all(made, records_of([tick(T0 + 40 * DAY)], broker_time=T0, first=3))
    assert [each["customer_id"] for each in published(batches)] == ["b", "a"]


def test_the_position_tells_where_the_state_began_and_since_when_it_is_made_as_now(model: Model) -> None:
    """From what a verification can start; an edit of a lifecycle or of a setting that decides begins a new time."""
    records = records_of([buy("a", T0 + number) for number in range(6)], first=10)

    def next_of(
        changelog: dict[bytes, bytes], until: int, settings: Settings, used: Model = model
    ) -> dict[bytes, bytes]:
        made = machine(used, settings, changelog)
        return compacted(run_all(made, [each for each in records if each.offset < until]), changelog)

    def begun_and_since(changelog: dict[bytes, bytes]) -> tuple[int | None, int | None]:
        position = decode_position(changelog[KEY])
        return position.begun, position.since

    stream, patient = Settings(clock="stream"), Settings(clock="stream", grace=5)
    other = model_of([parse(SHOP.replace("30d", "31d"), "shop.yaml").lifecycle])
    changelog = next_of({}, 12, stream)
    assert begun_and_since(changelog) == (10, 10)
    changelog = next_of(changelog, 13, stream)
    assert begun_and_since(changelog) == (10, 10)
    changelog = next_of(changelog, 14, patient)
    assert begun_and_since(changelog) == (10, 13)
    changelog = next_of(changelog, 15, patient, other)
    assert begun_and_since(changelog) == (10, 14)
    reset = {KEY: encode_position(Position(offsets={TOPIC: 12}, partitions=1, changes_from={"0": 40}))}
    changelog = next_of(reset, 14, stream)
    assert begun_and_since(changelog) == (12, 12)
    assert decode_position(changelog[KEY]).changes_from == {"0": 40}


def test_of_a_state_that_never_kept_where_it_began_that_stays_unknown(model: Model) -> None:
    """As written before positions kept it."""
    old = Position(offsets={TOPIC: 11}, partitions=1, lifecycles={"shop": "00"})
    made = machine(model, Settings(clock="stream"), {KEY: encode_position(old)})
    changelog = compacted(run_all(made, records_of([buy("a", T0)], first=11)))
    position = decode_position(changelog[KEY])
    assert (position.begun, position.since) == (None, 11)


def test_what_was_committed_is_known_until_the_next_commit(model: Model) -> None:
    """In every slice of the work, of everybody; who was changed since is known, too."""
    made = machine(model, Settings(clock="stream"))
    run_all(made, records_of([buy(f"c{number}", T0) for number in range(2_000)]))
    keys = [b"cc%d" % number for number in range(2_001)]
    made.commit()
    before = {key: made.customer(key) for key in keys}
    assert before[b"cc2000"] is None
    later = records_of([buy(f"c{number}", T0 + 1) for number in (*range(1_499), 2_000)], first=2_000)
    work = made.run(later, 3_500, wall=0, caught_up=False)
    seen: set[int] = set()
    for _slice in work:
        touched = {key for key in keys if made.touches(key)}
        seen.add(len(touched))
        assert all((made.customer(key) == before[key]) is (key not in touched) for key in keys)
        assert all(made.committed_customer(key) == before[key] for key in keys)
    assert len(seen) > 2
    assert {key for key in keys if made.touches(key)} == {*keys[:1_499], b"cc2000"}
    assert made.customers == 2_001
    made.commit()
    assert not any(made.touches(key) for key in keys)
    assert all(made.committed_customer(key) == made.customer(key) for key in keys)
    run_all(made, records_of([buy("c1999", T0 + 2)], first=3_500))
    assert {key for key in keys if made.touches(key)} == {b"cc1999"}


def test_whom_a_batch_forgets_is_known_until_that_is_committed(model: Model) -> None:
    """And counted no more at once."""
    made = machine(model, Settings(clock="stream"))
    run_all(made, records_of([Interaction(None, "v", None, "page", T0, {}, {}), buy("b", T0)]))
    made.commit()
    run_all(made, records_of([tick(T0 + 100 * DAY)], broker_time=T0, first=2))
    assert made.customer(b"av") is None
    assert made.committed_customer(b"av") is not None
    assert made.customers == 1
    made.commit()
    assert made.committed_customer(b"av") is None
    assert made.customers == 1
