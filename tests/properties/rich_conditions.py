"""What the conditions of a rich lifecycle can be about, beside what `lifecycles.py` has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tests.properties.lifecycles import (
    DURATIONS,
    NUMBERS,
    ORDERS,
    SIGNS,
    Source,
    Subjects,
    Tempo,
    Texts,
    about_the_interaction,
    compared,
    compared_once,
    number_or_text_comparisons,
    text_comparisons,
    within,
)

Features = frozenset[str]

FEATURES: Features = frozenset(
    [
        *["numbers", "lists", "ledgers", "calendar", "cool_down", "once_each", "where_state"],
        *["expiring", "latest_points", "reset", "floor", "times", "text"],
    ]
)
"""Parts of the language that a rich lifecycle may use, beside those of rules 1 to 15."""

PIECES = ["D", "de", "DE", "mobile", "", "é", "ß", "Bot", "bot", "."]
WHOLES = ["DE", "de", "FR", "straße", "i̇", "mobile bot", ""]


def constant_comparisons(name: str, numbers: Sequence[float] = tuple(NUMBERS)) -> Texts:
    """Comparisons of what changes in steps by time alone: with constants only, by every sign."""
    return compared(name, SIGNS, [str(each) for each in numbers]) | within(name, numbers)


def text_searches(name: str) -> Texts:
    """Comparisons of rule 27 with what should be a text or a list of texts."""
    piece = st.sampled_from([json.dumps(each, ensure_ascii=False) for each in PIECES])
    sign = st.sampled_from(["contains", "starts", "ends"])
    searched = st.builds(lambda a, s, p: f"{a} {s} {p}", st.sampled_from([name, f"lower({name})"]), sign, piece)
    return searched | searched | text_comparisons(f"lower({name})", WHOLES)


def about_what_is_said(vocabulary: Sequence[str], features: Features) -> dict[str, Texts]:
    """What is asked of an interaction."""
    subjects = dict(about_the_interaction(vocabulary))
    if "text" in features:
        for name in ("properties.country", "context.device"):
            path = {"context.device": "context.device.type"}.get(name, name)
            subjects[name] |= text_searches(path)
        subjects["properties.agent"] = text_searches("properties.agent")
        lowered = st.sampled_from(['"de" in lower(properties.tags)', '"DE" in lower(properties.tags)'])
        subjects["properties.tags"] |= text_searches("properties.tags") | lowered
        subjects["event.name"] |= text_searches("event.name")
    return subjects


def about_the_element(features: Features) -> dict[str, Texts]:
    """What is asked of an element of a list."""
    whole = st.just("exists(item)") | text_comparisons("item", ["DE", "x", "2.5"]) | within("item", [3, "DE", True])
    category = text_comparisons("item.category", ["coffee", "tea", "3"]) | st.just("exists(item.category)")
    subjects = {
        "item.price": number_or_text_comparisons("item.price"),
        "item.category": category,
        "item": whole | compared("item", ORDERS, ["1", "2.5"]) | st.just("item"),
    }
    if "text" in features:
        subjects["item.category"] |= text_searches("item.category")
        subjects["item"] |= text_searches("item")
    return subjects


def lengths_of(tempo: Tempo) -> list[str]:
    """Durations, also negative ones and none."""
    return [*DURATIONS[tempo], *(f"-{each}" for each in DURATIONS[tempo]), "0ms", "-0ms"]


def time_comparisons(name: str, tempo: Tempo) -> Texts:
    """Comparisons of a fact that is a time, before or after the clock."""
    lengths = lengths_of(tempo)
    until, since = (compared(f"{function}({name})", ORDERS, lengths) for function in ("until", "since"))
    return until | until | since | st.just(f"exists({name})")


def about_the_customer(
    known: Subjects, facts: Mapping[str, Source], stages: Sequence[str], tempo: Tempo, features: Features
) -> dict[str, Texts]:
    """What a `where` may ask of the customer: what transitions may ask, and durations that may be negative."""
    lengths = lengths_of(tempo)
    subjects = dict(known)
    subjects |= {name: compared(name, ORDERS, lengths) for name in ("idle", "in_stage")}
    subjects["stage"] = compared_once("stage", ["==", "!="], [json.dumps(each) for each in stages])
    for name, fact in facts.items():
        if "first" in fact or "last" in fact:
            subjects[name] |= compared(f"since({name})", ORDERS, lengths)
            if "times" in features:
                subjects[name] |= time_comparisons(name, tempo)
    return subjects
