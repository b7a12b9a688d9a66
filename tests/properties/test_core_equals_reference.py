"""The core against the slow reference, on random lifecycles and histories."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given

from stream.codec import stage_changes
from stream.codec.stage_changes import ChangeSource
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Passing
from stream.core.language.definition import define
from stream.core.model import Model, model_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.properties.histories import Scenario, scenarios
from tests.properties.interactions import interaction_of
from tests.properties.reference import run

Key = tuple[str, str]


def core_changes(scenario: Scenario, *, through_bytes: bool) -> tuple[list[StageChange], StepCounts]:
    """What the core makes of a scenario; with `through_bytes` every customer is encoded and decoded each time."""
    model: Model = model_of(
        [define(each) for each in scenario.lifecycles], scenario.forget_after, scenario.forget_identified
    )
    codec = CustomerCodec(model)
    customers: dict[Key, Customer] = {}
    changes: list[StageChange] = []
    step_counts = StepCounts()

    def keep(key: Key, customer: Customer | None) -> None:
        if customer is None:
            customers.pop(key, None)
            return
        record_key = customer_key(customer.kind, customer.id)
        customers[key] = codec.decode(record_key, codec.encode(customer)) if through_bytes else customer

    for number, each in enumerate(scenario.interactions):
        interaction = interaction_of(each)
        key = (interaction.kind, interaction.subject)
        customer, caused = step(model, customers.get(key), Arrival(interaction, 0, number), step_counts)
        keep(key, customer)
        changes += caused
    if scenario.until is not None:
        for key, kept in list(customers.items()):
            customer, caused = step(model, kept, Passing(scenario.until), step_counts)
            keep(key, customer)
            changes += caused
    return changes, step_counts


def by_life(changes: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
    """Changes per subject and lifecycle, in order."""
    lives: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for change in changes:
        kind = "customer_id" if "customer_id" in change else "anonymous_id"
        lives.setdefault((kind, str(change[kind]), str(change["lifecycle"])), []).append(change)
    return lives


SAME = ("sequence", "from", "to", "at", "final", "entered", "identified", "facts", "trigger")


@pytest.mark.parametrize("through_bytes", [False, True])
@given(scenario=scenarios())
def test_every_change_of_the_core_is_the_reference_s(scenario: Scenario, through_bytes: bool) -> None:
    """Same changes, in the same order per life, with equal facts and scores equal to 1e-9."""
    expected = run(
        scenario.lifecycles,
        scenario.interactions,
        until=scenario.until,
        forget_after=scenario.forget_after,
        forget_identified=scenario.forget_identified,
    )
    if expected.doubtful:
        return
    changes, step_counts = core_changes(scenario, through_bytes=through_bytes)
    found = by_life([stage_changes.data(change, ChangeSource("t", 0, 0)) for change in changes])
    wanted = by_life(expected.changes)
    assert found.keys() == wanted.keys()
    for life, changes_of_life in wanted.items():
        short = [{name: each[name] for name in SAME} for each in found[life]]
        assert short == [{name: each[name] for name in SAME} for each in changes_of_life]
        for one, two in zip(found[life], changes_of_life, strict=True):
            assert one["scores"] == pytest.approx(two["scores"], rel=1e-9, abs=1e-9)
            for score, contributions in two["contributions"].items():
                assert [each["count"] for each in one["contributions"][score]] == [
                    each["count"] for each in contributions
                ]
    assert step_counts.duplicates == expected.duplicates
