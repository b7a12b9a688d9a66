"""Random valid lifecycles that use the whole language, or such parts of it as are asked for.

Valid means what it means in `lifecycles.py`, and what rules 16 to 27 ask for.
"""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from tests.properties.lifecycles import (
    DURATIONS,
    EVENTS,
    ORDERS,
    STAGES,
    Source,
    Tempo,
    Texts,
    compared,
    conditions,
    scores,
    transitions,
)
from tests.properties.rich_conditions import (
    FEATURES,
    Features,
    about_the_customer,
    about_the_element,
    about_what_is_said,
)
from tests.properties.rich_parts import rich_facts, rich_signals

RICH_WORDS = ["visit", "form", "buy", "refund", "change", "mail"]


@st.composite
def rich_lifecycles(
    draw: st.DrawFn, name: str = "shop", features: Features = FEATURES, pace: Tempo | None = None
) -> Source:
    """A lifecycle of this name that loads without an error."""
    tempos: list[Tempo] = ["tiny", "human", "human"]
    tempo: Tempo = draw(st.sampled_from(tempos)) if pace is None else pace
    words = draw(st.lists(st.sampled_from(RICH_WORDS), min_size=2, max_size=4, unique=True))
    events = list(draw(st.permutations(EVENTS)))
    named = {word: [events.pop() for _ in range(draw(st.integers(1, 2)))] for word in words if len(events) > 1}
    vocabulary = [*named, *events[:1]]
    told: Source = {"lifecycle": name, "interactions": named}
    if draw(st.booleans()):
        told["passive"] = draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=2, unique=True))
    stages = STAGES[: draw(st.integers(2, 4))]
    known: dict[str, Texts] = {name: compared(name, ORDERS, DURATIONS[tempo]) for name in ("idle", "in_stage")}
    known["identified"] = st.just("identified")
    parts: dict[str, dict[str, Source]] = {"scores": {}, "signals": {}, "facts": {}}
    for score in ["heat", "value", "trust"][: draw(st.integers(1, 3))]:
        parts["scores"][score], known[score] = draw(scores(score, tempo))
    for number in range(draw(st.integers(1, 4))):
        fact = f"fact_{number}"
        parts["facts"][fact], known[fact] = draw(rich_facts(fact, vocabulary, tempo, features))
    for number in range(draw(st.integers(1, 4))):
        parts["signals"][f"signal_{number}"] = draw(rich_signals(list(parts["scores"]), vocabulary, tempo, features))
    said = about_what_is_said(vocabulary, features)
    of_customer = about_the_customer(known, stages, tempo) if "where_state" in features else {}
    for part in ("signals", "facts"):
        for each in parts[part].values():
            if draw(st.integers(0, 1)):
                of_element = about_the_element(features) if "over" in each else {}
                each["where"] = draw(wheres(said, of_customer, of_element))
    told |= parts
    told["stages"] = {stage: {} for stage in stages}
    few = draw(st.lists(st.sampled_from(sorted(said)), max_size=3, unique=True))
    told["transitions"] = draw(transitions(stages, {name: said[name] for name in few} | known))
    return told


@st.composite
def wheres(
    draw: st.DrawFn, said: Mapping[str, Texts], of_customer: Mapping[str, Texts], of_element: Mapping[str, Texts]
) -> str:
    """A condition about few things, mostly about the customer or the element where it may be."""
    subjects: dict[str, Texts] = {}
    for about, most in ((said, 2), (of_customer, 3), (of_element, 3)):
        if about:
            names = draw(st.lists(st.sampled_from(sorted(about)), max_size=most, unique=True))
            subjects |= {name: about[name] for name in names}
    if not subjects:
        subjects = dict(of_element or of_customer or said)
    return draw(conditions(subjects, 1))
