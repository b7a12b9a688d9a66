"""The core through a scenario of the reference, and both their changes held against each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from stream.codec import stage_changes
from stream.codec.stage_changes import ChangeSource
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Passing
from stream.core.language.definition import define
from stream.core.model import Model, model_of
from stream.core.snapshot import facts_of, scores_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.properties.histories import Scenario
from tests.properties.interactions import interaction_of
from tests.properties.reference import Outcome

Key = tuple[str, str]
Data = Mapping[str, Any]
SAME = ("sequence", "from", "to", "at", "final", "entered", "identified", "facts", "trigger")
"""Fields of a change that are equal to the last bit."""


class CoreRun:
    """What the core makes of a scenario; with `through_bytes` every customer is encoded and decoded each time."""

    def __init__(self, scenario: Scenario, *, through_bytes: bool) -> None:
        self.model: Model = model_of(
            [define(each) for each in scenario.lifecycles], scenario.forget_after, scenario.forget_identified
        )
        self.codec = CustomerCodec(self.model)
        self.through_bytes = through_bytes
        self.customers: dict[Key, Customer] = {}
        self.changes: list[StageChange] = []
        self.step_counts = StepCounts()
        for number, each in enumerate(scenario.interactions):
            interaction = interaction_of(each)
            self._step((interaction.kind, interaction.subject), Arrival(interaction, 0, number))
        if scenario.until is not None:
            for key in list(self.customers):
                self._step(key, Passing(scenario.until))

    def _step(self, key: Key, cause: Arrival | Passing) -> None:
        customer, caused = step(self.model, self.customers.get(key), cause, self.step_counts)
        self.changes += caused
        if customer is None:
            self.customers.pop(key, None)
            return
        record_key = customer_key(customer.kind, customer.id)
        encoded = self.codec.encode(customer) if self.through_bytes else b""
        self.customers[key] = self.codec.decode(record_key, encoded) if self.through_bytes else customer

    def standings(self) -> dict[Key, dict[str, Data]]:
        """Where each customer stands in each lifecycle at the end, as the reference tells it."""
        return {
            (f"{kind}_id", subject): {
                lifecycle.id: {
                    "stage": life.stage,
                    "entered": life.entered,
                    "clock": life.clock,
                    "sequence": life.sequence,
                    "scores": scores_of(lifecycle, life, life.clock),
                    "facts": facts_of(lifecycle, life, life.clock),
                }
                for lifecycle in self.model.lifecycles
                for life in [customer.lives[lifecycle.id]]
            }
            for (kind, subject), customer in self.customers.items()
        }


def by_life(changes: Sequence[Data]) -> dict[tuple[str, str, str], list[Data]]:
    """Changes per subject and lifecycle, in order."""
    lives: dict[tuple[str, str, str], list[Data]] = {}
    for change in changes:
        kind = "customer_id" if "customer_id" in change else "anonymous_id"
        lives.setdefault((kind, str(change[kind]), str(change["lifecycle"])), []).append(change)
    return lives


def published(run: CoreRun) -> list[Data]:
    """The changes as they are published."""
    return [stage_changes.data(change, ChangeSource("t", 0, 0)) for change in run.changes]


def assert_same(run: CoreRun, expected: Outcome, *, points: bool = False) -> None:
    """Same changes, in the same order per life, and the same end; all is equal, and decaying scores nearly.

    With `points` also which signals contributed how much.
    """
    found, wanted = by_life(published(run)), by_life(expected.changes)
    assert found.keys() == wanted.keys()
    for life, changes_of_life in wanted.items():
        short = [{name: each[name] for name in SAME} for each in found[life]]
        assert short == [{name: each[name] for name in SAME} for each in changes_of_life]
        near = Near(run, life[2], expected)
        for one, two in zip(found[life], changes_of_life, strict=True):
            assert one["scores"] == {score: near(score, value) for score, value in two["scores"].items()}
            for score in two["contributions"]:
                of_core, contributions = (that_count(each["contributions"][score]) for each in (one, two))
                assert [each["count"] for each in of_core] == [each["count"] for each in contributions]
                if points:
                    told = [(each["signal"], near(score, each["points"])) for each in contributions]
                    assert [(each["signal"], each["points"]) for each in of_core] == told
    assert run.step_counts.duplicates == expected.duplicates
    standings = run.standings()
    assert standings.keys() == expected.customers.keys()
    for customer, lives in expected.customers.items():
        for lifecycle, standing in lives.items():
            near = Near(run, lifecycle, expected)
            scores = standing["scores"]
            assert isinstance(scores, dict)
            nearly = {score: near(score, value) for score, value in scores.items()}
            assert standings[customer][lifecycle] == {**standing, "scores": nearly}


def that_count(contributions: Sequence[Data]) -> list[Data]:
    """Contributions without those of a count of 0: whether these are listed, the language does not say."""
    return [each for each in contributions if each["count"]]


class Near:
    """What a score of a lifecycle must equal: exactly, and where it decays as far as doubles can be added up."""

    def __init__(self, run: CoreRun, lifecycle: str, expected: Outcome) -> None:
        scores = next(each.scores for each in run.model.lifecycles if each.id == lifecycle)
        self.decaying = {score.name for score in scores if score.half_life is not None}
        self.reach = 1e-9 + 1e-13 * expected.size

    def __call__(self, score: str, value: float) -> object:
        """The value, or what is as good."""
        return pytest.approx(value, rel=1e-9, abs=self.reach) if score in self.decaying else value
