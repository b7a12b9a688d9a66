"""How long customers stay, which share goes on and where to, worked out by hand.

ann    lead 0d ──── customer 10d ──────── dormant 40d ─ customer 45d …
bob    lead 0d ── customer 4d …
cy     lead 0d …
vi     lead 0d ─────────────────────────────────────────────── forgotten 90d
"""

import random
import statistics as reference

import pytest

from stream.core.interaction import Interaction
from stream.offline.simulation import Simulation
from stream.offline.stage_statistics import MOST_KNOWN, StageStatistics, Way, quantile
from tests.kit.lifecycles import buy, shop
from tests.kit.times import DAY, T0


def visit(customer: str | None, time: int, anonymous: str | None = None) -> Interaction:
    return Interaction(customer, anonymous, None, "page", time, {}, {})


def run(interactions: list[Interaction], until: int) -> StageStatistics:
    simulation = Simulation(shop())
    [lifecycle] = simulation.model.lifecycles
    found = StageStatistics(lifecycle)
    for change, _source in simulation.run((number, each) for number, each in enumerate(interactions, 1)):
        found.add(change)
    for change, _source in simulation.finish(until):
        found.add(change)
    for standing in simulation.standings(until):
        found.count(standing)
    return found


@pytest.fixture
def story() -> StageStatistics:
    return run(
        [
            *(visit(who, T0) for who in ("ann", "bob", "cy")),
            visit(None, T0, "vi"),
            buy("bob", T0 + 4 * DAY),
            buy("ann", T0 + 10 * DAY),
            buy("ann", T0 + 45 * DAY),
        ],
        T0 + 30 * DAY,
    )


@pytest.fixture
def whole(story: StageStatistics) -> StageStatistics:
    return run(
        [
            *(visit(who, T0) for who in ("ann", "bob", "cy")),
            visit(None, T0, "vi"),
            buy("bob", T0 + 4 * DAY),
            buy("ann", T0 + 10 * DAY),
            buy("ann", T0 + 45 * DAY),
        ],
        T0 + 100 * DAY,
    )


def test_stays_are_counted_by_stage_now_ever_and_as_often_as_it_was_entered(whole: StageStatistics) -> None:
    """At day 100 both who bought are dormant again: ann since day 75, bob since day 34; vi is forgotten."""
    assert dict(whole.now) == {"lead": 1, "dormant": 2}
    assert [whole.ever(stage) for stage in ("lead", "customer", "dormant")] == [4, 2, 2]
    assert dict(whole.entered) == {"lead": 4, "customer": 3, "dormant": 3}


def test_the_share_that_went_on_counts_neither_those_who_stay_nor_those_forgotten(whole: StageStatistics) -> None:
    """Of four leads two went on, one stays, one is forgotten; of three stays in dormancy one ended."""
    assert [whole.went_on(stage) for stage in ("lead", "customer", "dormant")] == [0.5, 1.0, 1 / 3]


def test_durations_are_those_of_stays_that_ended_in_another_stage(whole: StageStatistics) -> None:
    assert whole.stays("lead") == [4 * DAY, 10 * DAY]
    assert whole.stays("customer") == [30 * DAY] * 3
    assert whole.stays("dormant") == [5 * DAY]


def test_ways_have_times_share_and_stays_and_those_that_nobody_took_are_there(story: StageStatistics) -> None:
    """At day 45 of ann and day 30 of the others."""
    assert [(way.source, way.target, story.times(way), story.share(way)) for way in story.ways()] == [
        (None, "lead", 4, None),
        ("lead", "customer", 2, 0.5),
        ("customer", "dormant", 1, 1 / 3),
        ("dormant", "customer", 1, 1.0),
    ]
    assert story.stays_before(Way("lead", "customer", "orders >= 1")) == [4 * DAY, 10 * DAY]
    assert story.stays_before(story.ways()[0]) == []


def test_a_way_into_being_forgotten_has_its_stays_too(whole: StageStatistics) -> None:
    last = whole.ways()[-1]
    assert (last, whole.share(last), whole.stays_before(last)) == (Way("lead", None, None), 0.25, [90 * DAY])


def test_transitions_that_nobody_took_are_named() -> None:
    found = run([visit("ann", T0)], T0)
    assert [each.target for each in found.never_taken] == ["customer", "dormant", "customer"]
    found = run([buy("ann", T0)], T0)
    assert [each.condition.text for each in found.never_taken] == [
        "since(last_order) >= 30d",
        "since(last_order) < 30d",
    ]


def test_who_is_where_since_when_the_last_to_enter_first_and_of_equals_the_first_seen(whole: StageStatistics) -> None:
    assert [(each.id, each.since, each.at) for each in whole.latest("dormant")] == [
        ("ann", T0 + 75 * DAY, T0 + 100 * DAY),
        ("bob", T0 + 34 * DAY, T0 + 100 * DAY),
    ]
    many = run([visit(f"c{number}", T0 + number // 2) for number in range(100)], T0)
    known = [each.id for each in many.latest("lead")]
    assert len(known) == MOST_KNOWN
    assert known[:4] == ["c98", "c99", "c96", "c97"]


def test_a_stage_that_nobody_was_in_has_no_share() -> None:
    found = run([visit("ann", T0)], T0)
    assert found.went_on("customer") is None
    assert found.share(Way("customer", "dormant", "since(last_order) >= 30d")) is None


@pytest.mark.parametrize(("values", "median", "p90"), [([7], 7, 7), ([0, 10], 5, 9), (list(range(11)), 5, 9)])
def test_quantiles_of_a_few(values: list[int], median: float, p90: float) -> None:
    assert (quantile(values, 0.5), quantile(values, 0.9)) == (median, pytest.approx(p90))


def test_quantiles_are_those_of_spreadsheets() -> None:
    """`statistics.quantiles`, inclusive, is PERCENTILE.INC."""
    chance = random.Random(5)
    for size in range(2, 60):
        values = sorted(chance.randrange(10**12) for _ in range(size))
        tenths = reference.quantiles(values, n=10, method="inclusive")
        assert [quantile(values, part / 10) for part in range(1, 10)] == pytest.approx(tenths, rel=1e-12)
