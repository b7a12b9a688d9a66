"""The core against the slow reference, on random lifecycles that use rules 16 to 27.

`FEATURES` in `rich_conditions.py` names the parts of the language: each is tested alone, and all of them together.
"""

from random import Random

import pytest
from hypothesis import Phase, given, settings

from stream.core.lifecycle import DefinitionError
from tests.properties.core_runs import CoreRun, assert_same
from tests.properties.histories import Scenario
from tests.properties.reference import Outcome, run
from tests.properties.rich_conditions import FEATURES
from tests.properties.rich_histories import rich_scenario, seeds
from tests.properties.smaller import smallest, told

# Hypothesis would only look for smaller seeds; `smallest` makes a scenario smaller.
THOROUGH = settings(phases=[Phase.generate])


@pytest.mark.long
@pytest.mark.parametrize("feature", ["none", *sorted(FEATURES), "all"])
@THOROUGH
@given(chance=seeds())
def test_the_core_is_the_reference(chance: Random, feature: str) -> None:
    """Beside rules 1 to 15: none of the rich language, one part of it, or all parts together in one lifecycle.

    Same changes and contributions, in the same order per life, and the same state after each interaction and at the
    end; in every second scenario each customer is encoded and decoded each time.
    """
    features = FEATURES if feature == "all" else FEATURES & {feature}
    through_bytes = chance.random() < 0.5
    scenario = rich_scenario(chance, features)
    expected = expected_of(scenario)
    if expected.doubtful:
        return
    try:
        assert_same(CoreRun(scenario, through_bytes=through_bytes), expected)
    except DefinitionError:
        raise
    except Exception as failure:
        small = smallest(scenario, lambda each: differs(each, through_bytes=through_bytes))
        raise AssertionError(told(small)) from failure


def differs(scenario: Scenario, *, through_bytes: bool) -> bool:
    """Whether the core is not as the reference in this scenario."""
    try:
        expected = expected_of(scenario)
    except Exception:  # noqa: BLE001 - it is no scenario any more
        return False
    try:
        assert_same(CoreRun(scenario, through_bytes=through_bytes), expected)
    except DefinitionError:
        return False
    except Exception:  # noqa: BLE001 - whatever goes wrong is what is looked for
        return not expected.doubtful
    return False


def expected_of(scenario: Scenario) -> Outcome:
    """What the reference makes of a scenario."""
    return run(
        scenario.lifecycles,
        scenario.interactions,
        until=scenario.until,
        forget_after=scenario.forget_after,
        forget_identified=scenario.forget_identified,
    )
