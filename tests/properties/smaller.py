"""Makes a scenario that fails as small as it can be while it fails, for a human to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from tests.properties.histories import Scenario
from tests.properties.lifecycles import to_yaml

Fails = Callable[[Scenario], bool]
"""Whether a scenario still fails; False for one that no longer is valid."""
MOST_TRIALS = 2_000


def smallest(scenario: Scenario, fails: Fails) -> Scenario:
    """The scenario with everything left out without which it fails as well."""
    trials = 0
    size = len(scenario.interactions)
    while size and trials < MOST_TRIALS:
        for first in range(0, len(scenario.interactions), size):
            trials += 1
            left = scenario.interactions[:first] + scenario.interactions[first + size :]
            if left and fails(replace(scenario, interactions=left)):
                scenario = replace(scenario, interactions=left)
                break
        else:
            size //= 2
    going_on = True
    while going_on and trials < MOST_TRIALS:
        going_on = False
        for candidate in simpler(scenario):
            trials += 1
            if fails(candidate):
                scenario, going_on = candidate, True
                break
    return scenario


def simpler(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario with one thing less each time."""
    if len(scenario.lifecycles) > 1:
        for each in scenario.lifecycles:
            yield replace(scenario, lifecycles=[each])
    without: list[dict[str, Any]] = [{"until": None}, {"forget_after": None}, {"forget_identified": None}]
    for change in without:
        if replace(scenario, **change) != scenario:
            yield replace(scenario, **change)
    for interactions in without_one(scenario.interactions):
        if interactions:
            yield replace(scenario, interactions=interactions)
    for lifecycles in without_one(scenario.lifecycles):
        yield replace(scenario, lifecycles=lifecycles)


def without_one(value: Any) -> Iterator[Any]:
    """A list or mapping with one of its parts less each time, or with a part that has one less."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        left = deepcopy(value)
        del left[key]
        yield left
        for part in without_one(value[key]):
            yield {**value, key: part} if isinstance(value, dict) else [*value[:key], part, *value[key + 1 :]]


def told(scenario: Scenario) -> str:
    """The scenario as text."""
    settings = f"until {scenario.until}, forget after {scenario.forget_after}, identified {scenario.forget_identified}"
    interactions = "\n".join(map(repr, scenario.interactions))
    return "\n".join([*map(to_yaml, scenario.lifecycles), interactions, settings])
