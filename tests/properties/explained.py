"""Lifecycles and customers to be explained: random ones of the whole language, with bands and with guards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.customer import Customer
from stream.core.inputs import Arrival
from stream.core.interaction import MAX_TIME
from stream.core.language.definition import define
from stream.core.lifecycle import Condition, DefinitionError, Lifecycle
from stream.core.model import Model, due, model_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.properties.histories import Scenario
from tests.properties.interactions import interaction_of
from tests.properties.lifecycles import DURATIONS, Source
from tests.properties.reference_values import listed, mapping
from tests.properties.rich_conditions import FEATURES
from tests.properties.rich_histories import rich_scenario

GRADES = (
    'grade == "A1"',
    'grade != "B2"',
    'grade in ["A2", "B1"]',
    'grade starts "A"',
    '"B2" == grade',
    'grade ends "2"',
)


def scenario(chance: Random) -> Scenario:
    """Random lifecycles and a history, as the core is held against the reference with, and what that does not know."""
    found = rich_scenario(chance, FEATURES if chance.random() < 0.5 else frozenset(chance.sample(sorted(FEATURES), 2)))
    return replace(found, lifecycles=[with_guards(chance, each) for each in found.lifecycles])


def with_guards(chance: Random, given: Source) -> Source:
    """The lifecycle with a band that some conditions ask for, and with guards of some transitions."""
    scores = [*mapping(given["scores"])]
    ranges = {"A": chance.choice([1, 5, 20]), "B": chance.choice([-1, 0, None])}
    parts = {scores[0]: ranges, scores[-1]: {"1": 2, "2": None}}
    told = dict(given)
    if len(parts) == 2 and chance.random() < 0.7:
        told["bands"] = {"grade": parts}
    transitions = []
    for each in listed(given["transitions"]):
        transition = dict(mapping(each))
        if "bands" in told and chance.random() < 0.5:
            grade = chance.choice(GRADES)
            grade = f"not {grade}" if chance.random() < 0.4 else grade
            transition["when"] = f"({transition['when']}) {chance.choice(['and', 'or'])} {grade}"
        for guard in ("hold", "at_most_every"):
            if chance.random() < 0.3:
                transition[guard] = chance.choice(DURATIONS[chance.choice(["tiny", "human"])])
        transitions.append(transition)
    told["transitions"] = transitions
    return loadable(told, given)


def loadable(told: Source, given: Source) -> Source:
    """With as many of the additions as are allowed together."""
    for leave_out in ((), ("hold",), ("hold", "at_most_every")):
        transitions = [
            {key: value for key, value in mapping(each).items() if key not in leave_out}
            for each in listed(told["transitions"])
        ]
        try:
            define({**told, "transitions": transitions})
        except DefinitionError:
            continue
        return {**told, "transitions": transitions}
    return given


class Met:
    """A customer at a moment that its deadlines have come to."""

    def __init__(self, model: Model, customer: Customer, now: int, sources: Mapping[str, Source]) -> None:
        self.model = model
        self.customer = customer
        self.now = now
        self.sources = sources
        """By lifecycle what it is read from."""

    def copy(self) -> Customer:
        """The customer anew, by way of its record."""
        codec = CustomerCodec(self.model)
        return codec.decode(customer_key(self.customer.kind, self.customer.id), codec.encode(self.customer))


def met(chance: Random, given: Scenario) -> Iterator[Met]:
    """The customers of a scenario as they are after some interactions, at once and some time later."""
    sources = {str(each["lifecycle"]): each for each in given.lifecycles}
    model = model_of([define(each) for each in given.lifecycles], given.forget_after, given.forget_identified)
    customers: dict[tuple[str, str], Customer] = {}
    counts = StepCounts()
    for number, each in enumerate(given.interactions):
        interaction = interaction_of(each)
        key = (interaction.kind, interaction.subject)
        customer, _ = step(model, customers.get(key), Arrival(interaction, 0, number), counts)
        assert customer is not None
        customers[key] = customer
        if number + 1 == len(given.interactions) or chance.random() < 0.1:
            clock = max(life.clock for life in customer.lives.values())
            first = due(model, customer)
            later = min(clock + chance.choice([0, 1, 5, 1000, 86_400_000]), MAX_TIME)
            yield Met(model, customer, later if first is None else max(clock, min(later, first - 1)), sources)


def asking_alone(lifecycle: Lifecycle, source: Source, conditions: list[str]) -> list[Condition]:
    """Each of these conditions by itself, as the lifecycle would have it; lives of both are alike."""
    stages = [*lifecycle.stages]
    ways: list[Any] = [{"from": stages[0], "to": stages[1], "when": text} for text in conditions]
    told = define({**source, "transitions": [*ways, *listed(source["transitions"])]})
    return [each.condition for each in told.transitions[: len(conditions)]]
