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
from stream.core.snapshot import contributions_of, facts_of, scores_of
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
STANDING = ("stage", "entered", "clock", "sequence", "facts")
"""Those of a standing."""


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
        self.standings: list[dict[str, Data]] = []
        """After each interaction, where its subject stands in each lifecycle."""
        for number, each in enumerate(scenario.interactions):
            interaction = interaction_of(each)
            key: Key = (interaction.kind, interaction.subject)
            self._step(key, Arrival(interaction, 0, number))
            self.standings.append(self._standings_of(self.customers[key]))
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

    def at_the_end(self) -> dict[Key, dict[str, Data]]:
        """Where each customer stands in each lifecycle at the end, by subject as the reference has it."""
        return {
            (f"{kind}_id", subject): self._standings_of(customer)
            for (kind, subject), customer in self.customers.items()
        }

    def _standings_of(self, customer: Customer) -> dict[str, Data]:
        return {
            lifecycle.id: {
                "stage": life.stage,
                "entered": life.entered,
                "clock": life.clock,
                "sequence": life.sequence,
                "scores": scores_of(lifecycle, life, life.clock),
                "facts": facts_of(lifecycle, life, life.clock),
                "contributions": {
                    score: [{"signal": each.signal, "points": each.points, "count": each.count} for each in told]
                    for score, told in contributions_of(lifecycle, life, life.clock).items()
                },
            }
            for lifecycle in self.model.lifecycles
            for life in [customer.lives[lifecycle.id]]
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


def assert_same(run: CoreRun, expected: Outcome) -> None:
    """Same changes, in the same order per life, and the same standing after each interaction and at the end."""
    found, wanted = by_life(published(run)), by_life(expected.changes)
    assert found.keys() == wanted.keys()
    for life, changes_of_life in wanted.items():
        near = Near(run, life[2], expected)
        assert [near.told(each, SAME) for each in found[life]] == [near.wanted(each, SAME) for each in changes_of_life]
    assert run.step_counts.duplicates == expected.duplicates
    end = run.at_the_end()
    assert end.keys() == expected.customers.keys()
    pairs = [*zip(run.standings, expected.standings, strict=True)]
    pairs += [(end[customer], standings) for customer, standings in expected.customers.items()]
    for one, two in pairs:
        for lifecycle, standing in two.items():
            near = Near(run, lifecycle, expected)
            assert near.told(one[lifecycle], STANDING) == near.wanted(standing, STANDING)


class Near:
    """What the core says of a lifecycle: all is equal, and what decays as far as doubles can be added up."""

    def __init__(self, run: CoreRun, lifecycle: str, expected: Outcome) -> None:
        scores = next(each.scores for each in run.model.lifecycles if each.id == lifecycle)
        self.decaying = {score.name for score in scores if score.half_life is not None}
        self.reach = 1e-9 + 1e-13 * expected.size

    def told(self, data: Data, same: Sequence[str]) -> Data:
        """What is compared of a change or a standing: of contributions those that count.

        Whether those of a count of 0 are listed, the language does not say.
        """
        contributions = {
            score: [(each["signal"], each["points"], each["count"]) for each in parts if each["count"]]
            for score, parts in data["contributions"].items()
        }
        return {**{name: data[name] for name in same}, "scores": data["scores"], "contributions": contributions}

    def wanted(self, data: Data, same: Sequence[str]) -> Data:
        """What it must be."""
        told = self.told(data, same)
        contributions = {
            score: [(signal, self.nearly(score, points), count) for signal, points, count in parts]
            for score, parts in told["contributions"].items()
        }
        scores = {score: self.nearly(score, value) for score, value in told["scores"].items()}
        return {**told, "scores": scores, "contributions": contributions}

    def nearly(self, score: str, value: float) -> object:
        """The value, or what is as good."""
        return pytest.approx(value, rel=1e-9, abs=self.reach) if score in self.decaying else value
