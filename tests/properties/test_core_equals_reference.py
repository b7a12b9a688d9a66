"""The core against the slow reference, on random lifecycles and histories."""

import pytest
from hypothesis import given

from tests.properties.core_runs import CoreRun, assert_same
from tests.properties.histories import Scenario, scenarios
from tests.properties.reference import run
from tests.properties.rich_histories import rich_scenarios


def same(scenario: Scenario, *, through_bytes: bool) -> None:
    """Same changes, in the same order per life, and the same state after each interaction and at the end."""
    expected = run(
        scenario.lifecycles,
        scenario.interactions,
        until=scenario.until,
        forget_after=scenario.forget_after,
        forget_identified=scenario.forget_identified,
    )
    if not expected.doubtful:
        assert_same(CoreRun(scenario, through_bytes=through_bytes), expected)


@pytest.mark.parametrize("through_bytes", [False, True])
@given(scenario=scenarios())
def test_every_change_of_the_core_is_the_reference_s(scenario: Scenario, through_bytes: bool) -> None:
    """Of scenarios that hypothesis draws choice by choice, and makes small where they fail."""
    same(scenario, through_bytes=through_bytes)


@given(scenario=rich_scenarios(frozenset()))
def test_the_core_is_the_reference_where_no_two_scenarios_are_alike(scenario: Scenario) -> None:
    """Of scenarios that come from a seed each, with many interactions at equal times and few orders."""
    same(scenario, through_bytes=True)
