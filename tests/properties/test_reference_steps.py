"""Steps of the reference, worked out by hand: transitions, deadlines, duplicates, lateness, forgetting."""

from __future__ import annotations

from tests.kit.times import DAY
from tests.properties.reference import run
from tests.properties.reference_life import END_OF_TIME
from tests.properties.timelines import START, at, small, steps


def test_one_purchase_moves_one_purchase_step() -> None:
    """After a transition that needs the interaction, the rest of the step sees only what it changed."""
    when = 'event.type == "buy"'
    unless = 'not event.type == "other"'
    ways = [("a", "b", when), ("b", "c", when), ("b", "c", unless), ("b", "d", "n >= 1"), ("d", "c", when)]
    outcome = run([small(ways, facts={"n": {"count": "buy"}})], [at(START, "buy")])
    assert [each["to"] for each in outcome.changes] == ["a", "b", "d"]


def test_a_transition_that_needs_no_interaction_leaves_it_to_be_seen() -> None:
    """The first transition would be taken anyway, so the second one still sees the purchase."""
    ways = [("a", "b", "n >= 1"), ("b", "c", 'event.type == "buy"')]
    outcome = run([small(ways, facts={"n": {"count": "buy"}})], [at(START, "buy")])
    assert steps(outcome)[1:] == [(START, "a>b", False), (START, "b>c", True)]


def test_forgetting_comes_after_the_deadlines_of_its_millisecond() -> None:
    """A stage left after 10 ms and a subject forgotten after 10 ms."""
    lifecycle = small([("a", "b", "in_stage >= 10ms")])
    outcome = run([lifecycle], [at(START, "x", who="a")], until=START + 10, forget_after=10)
    assert steps(outcome)[1:] == [(START + 10, "a>b", True), (START + 10, "b>None", True)]


def test_a_cycle_waits_after_64_deadlines_for_an_interaction() -> None:
    """Two stages that each last 1 ms: 64 changes, then silence until the next interaction, then 64 more."""
    lifecycle = small([("a", "b", "in_stage >= 1ms"), ("b", "a", "in_stage >= 1ms")])
    outcome = run([lifecycle], [at(START, "x"), at(START + 1000, "x")], until=START + 2000)
    times = [each["at"] for each in outcome.changes]
    # the interaction's own step leaves the stage entered long ago, and 64 deadlines follow it
    assert times == [START, *range(START + 1, START + 65), *range(START + 1000, START + 1065)]


def test_a_duplicate_has_no_effect_until_a_day_has_passed() -> None:
    """The largest interaction time decides: at most 24 h past what it was when the id was first applied."""
    lifecycle = small([("a", "b", "n >= 100")], facts={"n": {"count": "x"}})
    times = [START, START + DAY, START - DAY, START + DAY + 1]
    arrived = [at(time, "x", key="1") for time in times]
    outcomes = [run([lifecycle], arrived[:number]) for number in (1, 2, 3, 4)]
    assert [each.duplicates for each in outcomes] == [0, 1, 2, 2]
    assert outcomes[-1].customers["customer_id", "c"]["l"]["facts"] == {"n": 2}


def test_the_128_latest_ids_are_remembered() -> None:
    """Of ids 0 to 128 the first has been pushed out, the second has not."""
    lifecycle = small([("a", "b", "n >= 1000")], facts={"n": {"count": "x"}})
    arrived = [at(START, "x", key=str(number)) for number in range(129)]
    outcome = run([lifecycle], [*arrived, at(START, "x", key="1"), at(START, "x", key="0")])
    assert outcome.duplicates == 1
    assert outcome.customers["customer_id", "c"]["l"]["facts"] == {"n": 130}


def test_late_interactions_count_at_their_own_time_and_act_at_the_clock() -> None:
    """A point from one half-life ago is worth a half, and what it causes happens at the clock."""
    lifecycle = small(
        [("a", "b", "heat >= 1.5")],
        scores={"heat": {"half_life": "1d"}},
        signals={"s": {"each": "x", "add": {"heat": 1}}},
        facts={"first": {"first": "x"}},
    )
    outcome = run([lifecycle], [at(START, "x"), at(START - DAY, "x")])
    change = outcome.changes[-1]
    assert (change["at"], change["to"], change["scores"], change["facts"]) == (
        START,
        "b",
        {"heat": 1.5},
        {"first": START - DAY},
    )
    assert change["trigger"] == {"kind": "interaction", "id": None, "type": "x", "late": True}


def test_there_is_no_deadline_after_the_year_9999() -> None:
    """A day before the end of time, two days are too long."""
    lifecycle = small([("a", "b", "in_stage >= 2d"), ("a", "c", "in_stage >= 1d"), ("c", "d", "idle > 1d")])
    outcome = run([lifecycle], [at(END_OF_TIME - DAY, "x")], until=END_OF_TIME * 2)
    assert [each["to"] for each in outcome.changes] == ["a", "c"]
