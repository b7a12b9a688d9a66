"""Random valid lifecycles that use the whole language, or such parts of it as are asked for.

Valid means what it means in `lifecycles.py`, and what rules 16 to 27 ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.properties.lifecycles import DURATIONS, EVENTS, ORDERS, STAGES, Source, Tempo
from tests.properties.rich_conditions import (
    FEATURES,
    SEARCHED,
    Comparisons,
    Features,
    Subjects,
    about_the_customer,
    about_the_element,
    about_what_is_said,
    among,
    any_of,
    any_text,
    compared,
    compared_once,
    condition,
    written,
)
from tests.properties.rich_parts import Named, rich_fact, rich_ledger
from tests.properties.rich_signals import rich_score, rich_signal, score_comparisons

RICH_WORDS = ["visit", "form", "buy", "refund", "change"]
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]


def rich_lifecycle(
    chance: Random, name: str = "shop", features: Features = FEATURES, pace: Tempo | None = None
) -> Source:
    """A lifecycle of this name that loads without an error."""
    tempo: Tempo = pace or ("tiny" if chance.random() < 0.4 else "human")
    words = chance.sample(RICH_WORDS, chance.randint(2, 4))
    events = chance.sample(EVENTS, len(EVENTS))
    named = {word: [events.pop()] for word in words}
    vocabulary = [*named, *(events[:1] if chance.random() < 0.3 else [])]
    told: Source = {"lifecycle": name, "interactions": named}
    if features & {"calendar", "times"} and chance.random() < 0.75:
        told["time_zone"] = chance.choice(ZONES)
    if chance.random() < 0.3:
        told["passive"] = [chance.choice(vocabulary)]
    stages = STAGES[: chance.randint(2, 4)]
    scores = {each: rich_score(chance, tempo, features) for each in ["heat", "value", "trust"][: chance.randint(1, 3)]}
    ledgers: dict[str, Source] = {}
    if "ledgers" in features:
        ledgers = {
            each: rich_ledger(chance, vocabulary, features) for each in ("bought", "booked")[: chance.randint(1, 2)]
        }
    known: dict[str, Comparisons] = {each: compared(each, ORDERS, DURATIONS[tempo]) for each in ("idle", "in_stage")}
    known["identified"] = any_text("identified")
    facts: dict[str, Source] = {}
    for fact in ("one", "two", "three", "four")[: chance.randint(1, 4)]:
        facts[fact], known[fact] = rich_fact(chance, fact, ledgers, vocabulary, tempo, features)
    signals = {
        signal: rich_signal(chance, scores, ledgers, vocabulary, tempo, features)
        for signal in ("saw", "did", "asked", "again")[: chance.randint(1, 4)]
    }
    known |= {each: score_comparisons(each, score, signals) for each, score in scores.items()}
    said = about_what_is_said(vocabulary, features)
    customer = about_the_customer(known, facts, stages, tempo, features) if "where_state" in features else {}
    often = 0.5 if features & {"where_state", "text"} else 0.2
    searching = 0.7 if "text" in features else 0
    for part in (signals, facts, ledgers):
        for each in part.values():
            if not is_over_a_ledger(each, ledgers) and chance.random() < often:
                element = about_the_element(features) if "over" in each else {}
                asked = {name: said[name] for name in SEARCHED} if chance.random() < searching else said
                each["where"] = where(chance, asked, {} if part is ledgers else customer, element)
    told |= {"scores": scores, "signals": signals, **({"ledgers": ledgers} if ledgers else {}), "facts": facts}
    told["stages"] = {stage: {} for stage in stages}
    few = chance.sample(sorted(said), chance.randint(0, 3))
    told["transitions"] = transitions(chance, stages, {each: said[each] for each in few} | known)
    return told


def is_over_a_ledger(told: Source, ledgers: Named) -> bool:
    """Whether a fact counts or sums up entries of a ledger, which takes no `where`."""
    return told.get("count") in [*ledgers] or told.get("sum") in [*ledgers]


def where(chance: Random, said: Subjects, of_customer: Subjects, of_element: Subjects) -> str:
    """A condition about few things, mostly about the customer or the element where it may be."""
    subjects: dict[str, Comparisons] = {}
    for about, most in ((said, 1), (of_customer, 2), (of_element, 2)):
        names = chance.sample(sorted(about), chance.randint(0, min(most, len(about))))
        subjects |= {name: about[name] for name in names}
    return condition(chance, subjects or of_element or of_customer or said, 1)


def transitions(chance: Random, stages: Sequence[str], subjects: Subjects) -> list[Source]:
    """Transitions by which every stage can be reached, and some more."""
    pairs = [(chance.choice(stages[:place]), to) for place, to in enumerate(stages) if place]
    for _ in range(chance.randint(0, 3)):
        origin, to = chance.sample(stages, 2)
        pairs.append((origin, to))
    chance.shuffle(pairs)
    return [transition(chance, origin, to, stages, subjects) for origin, to in pairs]


def transition(chance: Random, origin: str, to: str, stages: Sequence[str], subjects: Subjects) -> Source:
    """A way from one stage to another, and perhaps from others too."""
    others = [each for each in stages if each not in (origin, to)]
    shape = chance.choice(["one", "one", "one", "list", "*"])
    more = chance.sample(others, chance.randint(0, len(others))) if shape == "list" else []
    about = dict(subjects)
    if more or (shape == "*" and others):
        possible = [origin, *(more or others)]
        one = compared_once("stage", ["==", "!="], [*map(written, possible)])
        about["stage"] = any_of(one, among("stage", possible))
    origins = {"one": origin, "list": [origin, *more], "*": "*"}[shape]
    return {"from": origins, "to": to, "when": condition(chance, about)}
