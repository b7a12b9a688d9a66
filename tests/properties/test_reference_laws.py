"""Laws of the reference alone, and its two ways to find a deadline against each other."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.properties.histories import Scenario, scenarios
from tests.properties.lifecycles import Source, lifecycles, to_yaml
from tests.properties.reference import Outcome, run
from tests.properties.reference_deadlines import deadline_by_trying
from tests.properties.reference_grammar import atoms, parse
from tests.properties.reference_values import time_of

pytestmark = pytest.mark.slow

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(scenarios())
def test_the_same_run_twice_gives_the_same(scenario: Scenario) -> None:
    """Nothing is kept between runs, and inputs are not changed."""
    assert outcome_of(scenario) == outcome_of(scenario)


@SLOW
@given(scenarios(pace="tiny", gaps=[0, 0, 1, 2, 3, 5, 8, 13, 20, 21, 40, 41], most=8))
def test_bisection_finds_the_deadlines_that_trying_each_millisecond_finds(scenario: Scenario) -> None:
    """With durations of milliseconds every millisecond can be asked."""
    until = max(time_of(each) for each in scenario.interactions) + 60
    trying = partial(deadline_by_trying, horizon_ms=1000)
    tried = run(scenario.lifecycles, scenario.interactions, until=until, find_deadline=trying)
    found = run(scenario.lifecycles, scenario.interactions, until=until)
    assert found.changes == tried.changes
    assert found.customers == tried.customers


@SLOW
@given(scenarios())
def test_sequences_stages_and_finals_are_sound(scenario: Scenario) -> None:
    """Of each life: no gap in sequences, each change leaves where the last arrived, no time goes back."""
    outcome = outcome_of(scenario)
    kinds = {next(iter(each.items())) for each in outcome.changes}
    for kind, name in kinds:
        for lifecycle in scenario.lifecycles:
            before: dict[str, object] = {"sequence": 0, "to": None, "at": -10}
            for change in outcome.of((kind, str(name)), str(lifecycle["lifecycle"])):
                born = change["from"] is None
                assert change["from"] == before["to"]
                assert change["sequence"] == (1 if born else int(str(before["sequence"])) + 1)
                assert int(str(change["at"])) >= int(str(before["at"])) or born
                assert before.get("final", True) or change["at"] == before["at"]
                before = change
            assert before.get("final", True)


@SLOW
@given(scenarios())
def test_lifecycles_side_by_side_are_each_as_if_alone(scenario: Scenario) -> None:
    """Without forgetting, which is the customer's, the other lifecycles change nothing."""
    together = run(scenario.lifecycles, scenario.interactions, until=scenario.until, forget_after=None)
    for lifecycle in scenario.lifecycles:
        alone = run([lifecycle], scenario.interactions, until=scenario.until, forget_after=None)
        for subject in alone.customers:
            name = str(lifecycle["lifecycle"])
            assert together.of(subject, name) == alone.of(subject, name)
            assert together.customers[subject][name] == alone.customers[subject][name]


@SLOW
@given(lifecycles())
def test_a_lifecycle_reads_back_from_its_yaml(lifecycle: Source) -> None:
    """The text means the same lifecycle, the order of its parts included."""
    read = YAML(typ="safe", pure=True).load(to_yaml(lifecycle))
    assert read == lifecycle
    for part in ("signals", "stages"):
        assert list(mapping_of(read[part])) == list(mapping_of(lifecycle[part]))


@SLOW
@given(st.data())
def test_every_condition_parses(data: st.DataObject) -> None:
    """What the strategies write, the reference reads."""
    lifecycle = data.draw(lifecycles())
    transitions = lifecycle["transitions"]
    assert isinstance(transitions, list)
    for transition in transitions:
        assert list(atoms(parse(transition["when"])))


def outcome_of(scenario: Scenario) -> Outcome:
    """The run of a scenario with its own settings."""
    return run(
        scenario.lifecycles,
        scenario.interactions,
        until=scenario.until,
        forget_after=scenario.forget_after,
        forget_identified=scenario.forget_identified,
    )


def mapping_of(value: object) -> dict[str, object]:
    """A value that is known to be a mapping."""
    assert isinstance(value, dict)
    return value
