"""A stage change in plain values, and what a life shows to a reader."""

from __future__ import annotations

from tests.properties.reference_conditions import Missing
from tests.properties.reference_grammar import Time
from tests.properties.reference_life import Life
from tests.properties.reference_values import Source

Change = dict[str, object]
"""One stage change, with the fields of the published one that a life alone decides."""


def scores_and_facts(life: Life, t: int) -> dict[str, dict[str, object]]:
    """The values that a reader sees at t; absent facts are left out, a time is in ms."""
    facts = {name: life.fact(name, t) for name in life.lifecycle.facts}
    return {
        "scores": {name: life.score(name, t) for name in life.lifecycle.scores},
        "facts": {
            name: value.ms if isinstance(value, Time) else value
            for name, value in facts.items()
            if value is not Missing.ABSENT
        },
    }


def contributions(life: Life, t: int) -> dict[str, list[dict[str, object]]]:
    """Of each score: what each of its signals that ever counted is worth at t."""
    scores = {name: life.score_of(name) for name in life.lifecycle.scores}
    return {
        name: [
            {"signal": signal, "points": score.points(signal, t), "count": score.count(signal)}
            for signal in score.signals
            if score.counted(signal)
        ]
        for name, score in scores.items()
    }


def trigger_of(kind: str, interaction: Source | None = None, word: str | None = None, late: bool = False) -> Change:
    """What caused a change."""
    return {"kind": kind, "id": interaction and interaction.get("id"), "type": word, "late": late}


def change_stage(life: Life, to: str | None, trigger: Change) -> Change:
    """Enter a stage (None: forgotten) at the clock; the change is final unless its step goes on."""
    born = life.sequence == 0
    life.sequence += 1
    kind, name = life.subject
    change: Change = {
        kind: name,
        "lifecycle": life.lifecycle.id,
        "identified": life.identified,
        "sequence": life.sequence,
        "from": None if born else life.stage,
        "to": to,
        "at": life.clock,
        "final": True,
        "entered": None if born else life.entered,
        "trigger": trigger,
        **scores_and_facts(life, life.clock),
        "contributions": contributions(life, life.clock),
    }
    life.stage, life.entered = to or life.stage, life.clock
    return change


def standing(life: Life) -> dict[str, object]:
    """Where a customer stands in a lifecycle, at its clock."""
    return {
        "stage": life.stage,
        "entered": life.entered,
        "clock": life.clock,
        "sequence": life.sequence,
        **scores_and_facts(life, life.clock),
        "contributions": contributions(life, life.clock),
    }
