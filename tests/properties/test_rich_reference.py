"""Laws of the reference on rich lifecycles, and its two ways to find a deadline against each other."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.histories import Scenario
from tests.properties.reference import Outcome, run
from tests.properties.reference_deadlines import deadline_by_trying
from tests.properties.reference_grammar import atoms, parse
from tests.properties.reference_values import listed, mapping, time_of
from tests.properties.rich_conditions import FEATURES
from tests.properties.rich_histories import rich_scenarios, seeds
from tests.properties.rich_lifecycles import rich_lifecycle


@pytest.mark.slow
@given(rich_scenarios())
def test_the_same_run_twice_gives_the_same(scenario: Scenario) -> None:
    """Nothing is kept between runs, and inputs are not changed."""
    assert outcome_of(scenario) == outcome_of(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("feature", [*sorted(FEATURES), "all of them"])
@given(data=st.data())
def test_bisection_finds_the_deadlines_that_trying_each_millisecond_finds(data: st.DataObject, feature: str) -> None:
    """With durations of milliseconds every millisecond can be asked."""
    gaps = [0, 0, 1, 2, 3, 5, 8, 13, 20, 21, 40, 41]
    scenario = data.draw(rich_scenarios(frozenset({feature}) & FEATURES or FEATURES, pace="tiny", gaps=gaps, most=8))
    until = max(time_of(each) for each in scenario.interactions) + 60
    trying = partial(deadline_by_trying, horizon_ms=200)
    tried = run(scenario.lifecycles, scenario.interactions, until=until, find_deadline=trying)
    found = run(scenario.lifecycles, scenario.interactions, until=until)
    assert found.changes == tried.changes
    assert found.customers == tried.customers


@given(chance=seeds())
def test_every_condition_parses(chance: Random) -> None:
    """What is written, the reference reads."""
    lifecycle = rich_lifecycle(chance)
    told = [*listed(lifecycle["transitions"]), *mapping(lifecycle["signals"]).values()]
    told += mapping(lifecycle["facts"]).values()
    for each in map(mapping, told):
        for key in ("when", "where"):
            assert key not in each or list(atoms(parse(str(each[key]))))


def outcome_of(scenario: Scenario) -> Outcome:
    """The run of a scenario with its own settings."""
    return run(
        scenario.lifecycles,
        scenario.interactions,
        until=scenario.until,
        forget_after=scenario.forget_after,
        forget_identified=scenario.forget_identified,
    )
