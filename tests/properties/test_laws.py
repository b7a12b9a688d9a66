"""Laws that hold whatever the lifecycle and the history."""

from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import ANONYMOUS, CUSTOMER
from stream.core import scoring
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import Interaction
from stream.core.language.definition import define
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.snapshot import contributions_of, facts_of, scores_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.machine.batch import Batch
from stream.settings import Settings
from tests.kit.machines import compacted, machine, records_of, run_all
from tests.properties.histories import Scenario, histories, scenarios
from tests.properties.interactions import interaction_of
from tests.properties.lifecycles import lifecycles

STREAM = Settings(clock="stream", forget_after=None)


def lines(batches: list[Batch]) -> list[bytes]:
    """The stage changes on the topic."""
    return [change.value or b"" for batch in batches for change in batch.events]


@given(scenario=scenarios(), random=st.randoms(use_true_random=False))
def test_where_a_batch_is_cut_changes_nothing(scenario: Scenario, random: Random) -> None:
    """Same stage changes and same state, to the byte, with a restart after every cut."""
    model = model_of([define(each) for each in scenario.lifecycles], scenario.forget_after)
    records = records_of([interaction_of(each) for each in scenario.interactions], broker_time=2**48)
    whole = run_all(machine(model, STREAM), records)
    changelog: dict[bytes, bytes] = {}
    changes: list[bytes] = []
    left = records
    while left:
        size = random.randint(1, len(left))
        batches = run_all(machine(model, STREAM, changelog), left[:size])
        changelog = compacted(batches, changelog)
        changes += lines(batches)
        left = left[size:]
    assert changes == lines(whole)
    assert changelog == compacted(whole)


@given(scenario=scenarios())
def test_a_replay_gives_the_same_bytes(scenario: Scenario) -> None:
    """Twice the same records, twice the same output."""
    records = records_of([interaction_of(each) for each in scenario.interactions], broker_time=2**48)
    one, two = (
        run_all(machine(model_of([define(each) for each in scenario.lifecycles]), STREAM), records) for _ in range(2)
    )
    assert lines(one) == lines(two)
    assert compacted(one) == compacted(two)


@given(scenario=scenarios())
def test_sequences_have_no_gap_and_chain(scenario: Scenario) -> None:
    """Per life the sequence counts from 1, each change leaves the stage entered before, and every step ends final."""
    records = records_of([interaction_of(each) for each in scenario.interactions], broker_time=2**48)
    model = model_of([define(each) for each in scenario.lifecycles], scenario.forget_after)
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in lines(run_all(machine(model, STREAM), records)):
        change = orjson.loads(line)
        subject = "c" + change["customer_id"] if "customer_id" in change else "a" + change["anonymous_id"]
        life = (change["lifecycle"], subject, change["born"])
        before = last.get(life)
        assert change["sequence"] == (before["sequence"] + 1 if before else 1)
        assert change["from"] == (before["to"] if before else None)
        assert change["entered"] == (before["at"] if before else None)
        assert before is None or (before["to"] is not None and before["at"] <= change["at"])
        if before is not None and not before["final"]:
            assert before["at"] == change["at"]
        last[life] = change
    assert all(change["final"] for change in last.values())


@given(scenario=scenarios())
def test_the_signals_sum_to_the_score(scenario: Scenario) -> None:
    """Contributions, clamped as their score is, are the score."""
    chosen = [define(each) for each in scenario.lifecycles]
    model, step_counts = model_of(chosen, None), StepCounts()
    customers: dict[tuple[str, str], Any] = {}
    for each in scenario.interactions:
        interaction = interaction_of(each)
        key = (interaction.kind, interaction.subject)
        customers[key], _changes = step(model, customers.get(key), Arrival(interaction, 0, 0), step_counts)
        for lifecycle in chosen:
            life = customers[key].lives[lifecycle.id]
            told = dict(contributions_of(lifecycle, life, life.clock))
            for score in lifecycle.scores:
                total = sum(contribution.points for contribution in told[score.name])
                size = sum(abs(contribution.points) for contribution in told[score.name])
                read = scoring.read(score, life, life.clock)
                assert score.clamp(total) == pytest.approx(read, rel=1e-9, abs=max(1e-9 * size, 2e-9))


@given(
    points=st.lists(
        st.tuples(
            st.sampled_from(["one", "two"]),
            st.integers(0, 10**10),
            st.floats(0.01, 1e6) | st.integers(1, 1000),
        ),
        min_size=1,
        max_size=30,
    ),
    half_life=st.sampled_from([60_000, 86_400_000, 14 * 86_400_000]),
    random=st.randoms(use_true_random=False),
)
def test_a_decaying_score_does_not_depend_on_the_order_of_arrival(
    points: list[tuple[str, int, float]], half_life: int, random: Random
) -> None:
    """Whatever the order, within 1e-9 relative."""
    lifecycle = define(
        {
            "lifecycle": "law",
            "scores": {"s": {"half_life": f"{half_life}ms"}},
            "signals": {name: {"each": name, "add": {"s": "properties.points"}} for name in ("one", "two")},
            "stages": {"only": {}},
        }
    )
    shuffled = list(points)
    random.shuffle(shuffled)
    end = max(time for _name, time, _points in points)

    def score(order: list[tuple[str, int, float]]) -> float:
        customer = None
        for name, time, amount in order:
            interaction = Interaction("c", None, None, name, time, {"points": amount}, {})
            customer, _ = step(model_of([lifecycle]), customer, Arrival(interaction, 0, 0), StepCounts())
        assert customer is not None
        return scoring.raw(lifecycle.scores[0], customer.lives["law"], end)

    assert score(shuffled) == pytest.approx(score(points), rel=1e-9)


@given(scenario=scenarios())
def test_a_deadline_is_true_at_its_millisecond_and_false_one_before(scenario: Scenario) -> None:
    """At every deadline that a customer waits for, some condition holds that did not hold a millisecond earlier."""
    chosen = [define(each) for each in scenario.lifecycles]
    model = model_of(chosen, None)
    customers: dict[tuple[str, str], Any] = {}
    for each in scenario.interactions:
        interaction = interaction_of(each)
        key = (interaction.kind, interaction.subject)
        customers[key], _ = step(model, customers.get(key), Arrival(interaction, 0, 0), StepCounts())
        for lifecycle in chosen:
            life = customers[key].lives[lifecycle.id]
            if life.due is None:
                continue
            edges = [
                (
                    condition.without_event.holds(life, life.deadline - 1, None),
                    condition.without_event.holds(life, life.deadline, None),
                )
                for condition in lifecycle.timed_from[life.stage]
                if condition.without_event is not None
            ]
            assert (False, True) in edges
            before = life.deadline - 1
            stage = life.stage
            if before > life.clock:
                customers[key], changes = step(model, customers[key], Passing(before), StepCounts())
                assert not any(change.lifecycle == lifecycle.id for change in changes)
                assert life.stage == stage


@given(source=lifecycles(), data=st.data())
def test_a_state_is_read_right_with_signals_and_facts_in_another_order(
    source: dict[str, Any], data: st.DataObject
) -> None:
    """The same definitions in another order read every score and fact from the same record."""
    names = {key: data.draw(st.permutations(list(source.get(key) or {}))) for key in ("signals", "facts")}
    other = {**source, **{key: {name: source[key][name] for name in order} for key, order in names.items() if order}}
    old, new = define(source), define(other)
    scenario = data.draw(st.just(source).flatmap(_history_of))
    changelog: dict[bytes, bytes] = {}
    batches = run_all(machine(model_of([old]), STREAM), records_of(scenario, broker_time=2**48))
    changelog = compacted(batches)
    with_new = machine(model_of([new]), STREAM, changelog)
    codec = CustomerCodec(model_of([old]))
    for key, value in changelog.items():
        if key[:1] not in (CUSTOMER, ANONYMOUS):
            continue
        before, after = codec.decode(key, value), with_new.customer(key)
        assert after is not None
        one, two = before.lives[old.id], after.lives[new.id]
        assert (one.clock, one.stage, one.entered, one.sequence) == (two.clock, two.stage, two.entered, two.sequence)
        assert _values(old, one) == pytest.approx(_values(new, two), rel=1e-12)


def _history_of(source: dict[str, Any]) -> st.SearchStrategy[list[Interaction]]:
    return histories([source], most=15).map(lambda found: [interaction_of(each) for each in found])


def _values(lifecycle: Lifecycle, life: Any) -> dict[str, float]:
    values = {**scores_of(lifecycle, life, life.clock), **facts_of(lifecycle, life, life.clock)}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
