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
    transitions,
)
from tests.properties.rich_conditions import (
    FEATURES,
    Features,
    about_the_customer,
    about_the_element,
    about_what_is_said,
)
from tests.properties.rich_parts import ledger_facts, ledgers, rich_facts
from tests.properties.rich_signals import rich_scores, rich_signals, score_comparisons

RICH_WORDS = ["visit", "form", "buy", "refund", "change", "mail"]

ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]


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
    zoned: bool = draw(st.integers(0, 3)) > 0
    if zoned and features & {"calendar", "times"}:
        told["time_zone"] = draw(st.sampled_from(ZONES))
    if draw(st.booleans()):
        told["passive"] = draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=2, unique=True))
    stages = STAGES[: draw(st.integers(2, 4))]
    known: dict[str, Texts] = {name: compared(name, ORDERS, DURATIONS[tempo]) for name in ("idle", "in_stage")}
    known["identified"] = st.just("identified")
    parts: dict[str, dict[str, Source]] = {"scores": {}, "signals": {}, "ledgers": {}, "facts": {}}
    for scored in ["heat", "value", "trust"][: draw(st.integers(1, 3))]:
        parts["scores"][scored] = draw(rich_scores(tempo, features))
    books = parts["ledgers"]
    if "ledgers" in features:
        for ledger in ["bought", "booked"][: draw(st.integers(1, 2))]:
            books[ledger] = draw(ledgers(vocabulary, features))
    for number in range(draw(st.integers(1, 4))):
        fact, plain = f"fact_{number}", not books or draw(st.booleans())
        made = rich_facts(fact, vocabulary, tempo, features) if plain else ledger_facts(fact, books, tempo)
        parts["facts"][fact], known[fact] = draw(made)
    for number in range(draw(st.integers(1, 4))):
        signal = draw(rich_signals(parts["scores"], books, vocabulary, tempo, features))
        parts["signals"][f"signal_{number}"] = signal
    for scored, score in parts["scores"].items():
        known[scored] = score_comparisons(scored, score, parts["signals"])
    said = about_what_is_said(vocabulary, features)
    of_customer = (
        about_the_customer(known, parts["facts"], stages, tempo, features) if "where_state" in features else {}
    )
    for part in ("signals", "facts", "ledgers"):
        for each in parts[part].values():
            if not is_over_a_ledger(each, books) and draw(st.integers(0, 2)) == 0:
                of_element = about_the_element(features) if "over" in each else {}
                each["where"] = draw(wheres(said, {} if part == "ledgers" else of_customer, of_element))
    told |= {part: each for part, each in parts.items() if each or part != "ledgers"}
    told["stages"] = {stage: {} for stage in stages}
    few = draw(st.lists(st.sampled_from(sorted(said)), max_size=3, unique=True))
    told["transitions"] = draw(transitions(stages, {name: said[name] for name in few} | known))
    return told


def is_over_a_ledger(told: Source, books: Mapping[str, Source]) -> bool:
    """Whether a fact counts or sums up entries of a ledger, which takes no `where`."""
    return told.get("count") in [*books] or told.get("sum") in [*books]


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
