"""What fails is made small enough to be read."""

from __future__ import annotations

from random import Random

from tests.properties.histories import Scenario
from tests.properties.lifecycles import Source
from tests.properties.rich_histories import rich_scenario
from tests.properties.smaller import smallest, told
from tests.properties.timelines import at, small


def test_all_is_left_out_that_is_not_needed() -> None:
    """Two of a hundred interactions are needed, of each its time, and one of two lifecycles with a fact."""
    lifecycle: Source = small([("a", "b", "n >= 1")], facts={"n": {"count": "x"}, "m": {"count": "y"}})
    scenario = rich_scenario(Random(1))
    interactions = [at(number, "x", n=number) for number in range(100)]
    scenario = Scenario([*scenario.lifecycles, lifecycle], interactions, 5, 6, 7)

    def fails(each: Scenario) -> bool:
        times = {interaction.get("time") for interaction in each.interactions}
        return {17, 80} <= times and "'n': {'count'" in str(each.lifecycles)

    found = smallest(scenario, fails)
    assert found == Scenario([{"facts": {"n": {"count": "x"}}}], [{"time": 17}, {"time": 80}], None, None, None)
    assert told(found).splitlines()[-3:-1] == ["{'time': 17}", "{'time': 80}"]
