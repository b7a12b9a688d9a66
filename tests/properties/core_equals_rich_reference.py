"""The core against the slow reference, on random lifecycles that use rules 16 to 27.

pytest does not collect this file by itself, for the core may lack rules that it tests. To run what is there:

    pytest tests/properties/core_equals_rich_reference.py -k numbers

`FEATURES` in `rich_conditions.py` names the parts of the language. Once the core has all of them, this file is
`test_core_equals_rich_reference.py`.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.core_runs import CoreRun, assert_same
from tests.properties.histories import Scenario
from tests.properties.reference import run
from tests.properties.rich_conditions import FEATURES, Features
from tests.properties.rich_histories import rich_scenarios


@pytest.mark.parametrize("through_bytes", [False, True])
@pytest.mark.parametrize("feature", sorted(FEATURES))
@given(data=st.data())
def test_the_core_is_the_reference_in_one_feature(data: st.DataObject, feature: str, through_bytes: bool) -> None:
    """Beside rules 1 to 15, one part of the rich language alone."""
    same(data, frozenset({feature}), through_bytes=through_bytes)


@pytest.mark.parametrize("through_bytes", [False, True])
@given(data=st.data())
def test_the_core_is_the_reference_with_all_features_together(data: st.DataObject, through_bytes: bool) -> None:
    """All parts of the language meet in one lifecycle."""
    same(data, FEATURES, through_bytes=through_bytes)


@given(data=st.data())
def test_the_core_is_the_reference_without_any_feature(data: st.DataObject) -> None:
    """The generators of rich lifecycles and interactions, with rules 1 to 15 alone."""
    same(data, frozenset(), through_bytes=False)


def same(data: st.DataObject, features: Features, *, through_bytes: bool) -> None:
    """Same changes and contributions, in the same order per life, and the same state at the end."""
    scenario: Scenario = data.draw(rich_scenarios(features))
    expected = run(
        scenario.lifecycles,
        scenario.interactions,
        until=scenario.until,
        forget_after=scenario.forget_after,
        forget_identified=scenario.forget_identified,
    )
    if not expected.doubtful:
        assert_same(CoreRun(scenario, through_bytes=through_bytes), expected, points=True)
